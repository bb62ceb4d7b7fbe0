//! What is wanted now, shared by the screen that wishes and the thread that computes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::tui::protocol::explain::MapRequest;

/// Requests whose outcome is remembered; there are no more on screen and ahead.
const REMEMBERED: usize = 16;

/// The latest wish. One that is equal to that in work changes nothing: a screen may ask again every second.
#[derive(Debug, Default)]
pub(super) struct RequestSlot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    latest: Wish,
    /// The number of the wish that was worked off last.
    finished: u64,
    /// Requests that were answered, the latest last.
    answered: Vec<MapRequest>,
    closed: bool,
}

/// Maps that are looked at, and those that probably will be.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) number: u64,
    pub(super) shown: Vec<MapRequest>,
    pub(super) ahead: Vec<MapRequest>,
}

/// What came of waiting.
pub(super) enum WaitOutcome {
    Wish(Wish),
    Nothing,
    /// Nobody wishes any more.
    Closed,
}

impl RequestSlot {
    /// RequestSlot for these, in place of what was wished for before.
    pub(super) fn wish(&self, shown: Vec<MapRequest>, ahead: Vec<MapRequest>) {
        let mut state = self.state();
        let in_work = state.finished != state.latest.number;
        if in_work && state.latest.shown == shown && state.latest.ahead == ahead {
            return;
        }
        state.latest = Wish { number: state.latest.number + 1, shown, ahead };
        self.changed.notify_all();
    }

    /// Ends the thread that computes.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits for a wish after that of a number, at most so long; for ever without a limit.
    pub(super) fn after(&self, number: u64, limit: Option<Duration>) -> WaitOutcome {
        let waits = |state: &mut State| state.latest.number <= number && !state.closed;
        let state = match limit {
            Some(limit) => {
                let waited = self.changed.wait_timeout_while(self.state(), limit, waits);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait_while(self.state(), waits).unwrap_or_else(PoisonError::into_inner),
        };
        match &*state {
            State { closed: true, .. } => WaitOutcome::Closed,
            State { latest, .. } if latest.number > number => WaitOutcome::Wish(latest.clone()),
            _ => WaitOutcome::Nothing,
        }
    }

    /// Whether a wish came after that of a number.
    pub(super) fn is_superseded(&self, number: u64) -> bool {
        let state = self.state();
        state.closed || state.latest.number != number
    }

    /// Whether the answer to a request is still wanted: it is looked at, or it probably will be and nothing that is
    /// looked at has to wait for it.
    pub(super) fn wants(&self, request: &MapRequest) -> bool {
        let state = self.state();
        let Wish { shown, ahead, .. } = &state.latest;
        let waits = || !shown.iter().all(|shown| state.answered.contains(shown));
        !state.closed && (shown.contains(request) || ahead.contains(request) && !waits())
    }

    /// Whether what a request asks for is looked at.
    pub(super) fn shows(&self, request: &MapRequest) -> bool {
        self.state().latest.shown.contains(request)
    }

    /// A request was answered.
    pub(super) fn answered(&self, request: &MapRequest) {
        let answered = &mut self.state().answered;
        answered.retain(|other| other != request);
        answered.push(request.clone());
        if answered.len() > REMEMBERED {
            answered.remove(0);
        }
    }

    /// The wish of a number was worked off.
    pub(super) fn finish(&self, number: u64) {
        self.state().finished = number;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
