//! A panic of a library on a damaged file becomes a value, and prints nothing on the terminal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::printable::printable;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// What a function returns, or the message of its panic, in one line. The panic hook is not called for it; panics of
/// other threads are reported as ever.
pub fn contain_panic<T>(function: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| set_hook(unless_contained(take_hook())));
    let outer = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(function));
    CONTAINED.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        printable(text.unwrap_or("for a reason unknown").trim())
    })
}

/// A panic hook that leaves alone the panics that [`contain_panic`] turns into values. A hook that is set later than the
/// first of those has to be wrapped so.
#[must_use]
pub fn unless_contained(hook: PanicHook) -> PanicHook {
    Box::new(move |panic| {
        if !CONTAINED.get() {
            hook(panic);
        }
    })
}

/// What is called when a thread panics.
pub type PanicHook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_panics_within_are_contained() {
        let reported = Arc::new(AtomicUsize::new(0));
        let (counter, thread) = (Arc::clone(&reported), std::thread::current().id());
        // The first call wraps the hook that is there; from then on the hook is left alone.
        assert_eq!(contain_panic(|| 1), Ok(1));
        let before = take_hook();
        set_hook(unless_contained(Box::new(move |panic| {
            if std::thread::current().id() == thread {
                counter.fetch_add(1, Ordering::Relaxed);
            } else {
                before(panic);
            }
        })));
        assert_eq!(contain_panic(|| panic!("within, {}", 7)), Err::<(), _>("within, 7".to_owned()));
        let nested = contain_panic(|| {
            let inner = contain_panic(|| panic!("inner"));
            assert_eq!(inner, Err::<(), _>("inner".to_owned()));
            panic!("outer")
        });
        assert_eq!(nested, Err::<(), _>("outer".to_owned()));
        assert_eq!(reported.load(Ordering::Relaxed), 0);
        assert!(catch_unwind(|| panic!("outside")).is_err());
        assert_eq!(reported.load(Ordering::Relaxed), 1);
    }
}
