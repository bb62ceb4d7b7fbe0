//! Panics on request, in debug builds only: the tests of what a panic leaves behind cannot wait for a real fault.

/// Panics on the main thread or on another one, as `MAMMOSCOPE_TEST_FAULT` says.
pub(super) fn fail_on_request() {
    match std::env::var("MAMMOSCOPE_TEST_FAULT").as_deref() {
        Ok("drawing") => panic!("a test wanted this"),
        Ok("thread") => drop(std::thread::spawn(|| panic!("a test wanted this"))),
        _ => {}
    }
}
