//! Cancellation of work that takes many passes through a network.

/// A check between two passes of a long computation. The closure may count progress as well.
pub struct Cancellation<'a>(&'a dyn Fn() -> bool);

impl<'a> Cancellation<'a> {
    /// Cancels the work as soon as `should_continue` returns false.
    #[must_use]
    pub fn new(should_continue: &'a dyn Fn() -> bool) -> Self {
        Self(should_continue)
    }

    /// For work that always runs to its end.
    #[must_use]
    pub fn never() -> Cancellation<'static> {
        Cancellation(&|| true)
    }

    #[must_use]
    pub fn should_continue(&self) -> bool {
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
