//! A panic of the HDF5 reader on a damaged file becomes a value, and says nothing on the terminal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static SILENCED: Cell<bool> = const { Cell::new(false) };
}

/// What a function returns, or `None` if it panics; the panic's message is dropped, those of other threads are not.
pub(super) fn without_panic<T>(function: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| set_hook(silenceable(take_hook())));
    SILENCED.set(true);
    let result = catch_unwind(AssertUnwindSafe(function));
    SILENCED.set(false);
    result.ok()
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

fn silenceable(hook: Hook) -> Hook {
    Box::new(move |panic| {
        if !SILENCED.get() {
            hook(panic);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_panics_within_are_silent() {
        let said = Arc::new(AtomicUsize::new(0));
        let (counter, thread) = (Arc::clone(&said), std::thread::current().id());
        // The first call wraps the hook that is there; from then on the hook is left alone.
        assert_eq!(without_panic(|| 1), Some(1));
        let before = take_hook();
        set_hook(silenceable(Box::new(move |panic| {
            if std::thread::current().id() == thread {
                counter.fetch_add(1, Ordering::Relaxed);
            } else {
                before(panic);
            }
        })));
        assert_eq!(without_panic(|| panic!("within")), None::<()>);
        assert_eq!(said.load(Ordering::Relaxed), 0);
        assert!(catch_unwind(|| panic!("outside")).is_err());
        assert_eq!(said.load(Ordering::Relaxed), 1);
    }
}
