//! Panics of libraries on damaged files, turned into values without printing anything on the terminal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::printable::printable;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// The message of a panic, in one line that is safe to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ContainedPanic(pub String);

/// Calls a function and turns a panic in it into an error. The panic hook is not called for that panic; panics of other
/// threads are reported as usual.
pub fn contain_panic<T>(function: impl FnOnce() -> T) -> Result<T, ContainedPanic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| set_hook(unless_contained(take_hook())));
    let outer = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(function));
    CONTAINED.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        ContainedPanic(printable(text.unwrap_or("for an unknown reason").trim()))
    })
}

/// Wraps a panic hook so that it ignores panics that [`contain_panic`] turns into errors. Needed for any hook that is
/// set after the first call of that function.
#[must_use]
pub fn unless_contained(hook: PanicHook) -> PanicHook {
    Box::new(move |panic| {
        if !CONTAINED.get() {
            hook(panic);
        }
    })
}

/// The type of a process-wide panic hook.
pub type PanicHook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn panicked(message: &str) -> Result<(), ContainedPanic> {
        Err(ContainedPanic(message.to_owned()))
    }

    #[test]
    fn only_panics_inside_the_call_are_contained() {
        let reported = Arc::new(AtomicUsize::new(0));
        let (counter, thread) = (Arc::clone(&reported), std::thread::current().id());
        // The first call wraps the current hook; later calls leave the hook alone.
        assert_eq!(contain_panic(|| 1), Ok(1));
        let before = take_hook();
        set_hook(unless_contained(Box::new(move |panic| {
            if std::thread::current().id() == thread {
                counter.fetch_add(1, Ordering::Relaxed);
            } else {
                before(panic);
            }
        })));
        assert_eq!(contain_panic(|| panic!("within, {}", 7)), panicked("within, 7"));
        let nested = contain_panic(|| {
            let inner = contain_panic(|| panic!("inner"));
            assert_eq!(inner, panicked("inner"));
            panic!("outer")
        });
        assert_eq!(nested, panicked("outer"));
        assert_eq!(reported.load(Ordering::Relaxed), 0);
        assert!(catch_unwind(|| panic!("outside")).is_err());
        assert_eq!(reported.load(Ordering::Relaxed), 1);
    }
}
