//! Cancellation of long work by its caller.

/// A check that long work makes between its parts. The closure may count progress as well.
#[derive(Clone, Copy)]
pub struct Cancellation<'a>(&'a (dyn Fn() -> bool + Sync));

impl<'a> Cancellation<'a> {
    /// Cancels the work as soon as `is_cancelled` returns true.
    #[must_use]
    pub fn new(is_cancelled: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self(is_cancelled)
    }

    /// For work that always runs to its end.
    #[must_use]
    pub fn never() -> Cancellation<'static> {
        Cancellation(&|| false)
    }

    /// True once the work is to end.
    #[must_use]
    pub fn is_cancelled(self) -> bool {
        self.0()
    }
}

/// The outcome of work that can be cancelled.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion<T> {
    Done(T),
    Cancelled,
}

impl<T> Completion<T> {
    /// The result, unless the work was cancelled.
    #[must_use]
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(result) => Some(result),
            Self::Cancelled => None,
        }
    }
}
