//! The slot for the latest request, shared by the service and the thread that computes maps.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::tui::protocol::explain::MapRequest;

/// The number of answered requests that are remembered, besides those on screen.
const MAX_ANSWERED: usize = 16;

/// The latest request. Submitting one that equals the request in progress has no effect, since a screen may repeat its
/// request every second.
#[derive(Debug, Default)]
pub(super) struct RequestSlot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    latest: MapBatch,
    /// The number of the batch that was finished last.
    finished: u64,
    /// The answered requests, the latest last.
    answered: Vec<MapRequest>,
    closed: bool,
}

/// The maps on screen, and those that will probably be shown next.
#[derive(Clone, Debug, Default)]
pub(super) struct MapBatch {
    pub(super) number: u64,
    pub(super) shown: Vec<MapRequest>,
    pub(super) ahead: Vec<MapRequest>,
}

/// The outcome of waiting for a batch.
pub(super) enum WaitOutcome {
    Batch(MapBatch),
    TimedOut,
    Closed,
}

impl RequestSlot {
    /// Replaces the latest request.
    pub(super) fn submit(&self, shown: Vec<MapRequest>, ahead: Vec<MapRequest>) {
        let mut state = self.state();
        let in_progress = state.finished != state.latest.number;
        if in_progress && state.latest.shown == shown && state.latest.ahead == ahead {
            return;
        }
        state.latest = MapBatch { number: state.latest.number + 1, shown, ahead };
        self.changed.notify_all();
    }

    /// Ends the thread that computes.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits for a batch after the one with this number, for ever without a timeout.
    pub(super) fn wait_after(&self, number: u64, timeout: Option<Duration>) -> WaitOutcome {
        let waits = |state: &mut State| state.latest.number <= number && !state.closed;
        let state = match timeout {
            Some(timeout) => {
                let waited = self.changed.wait_timeout_while(self.state(), timeout, waits);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait_while(self.state(), waits).unwrap_or_else(PoisonError::into_inner),
        };
        match &*state {
            State { closed: true, .. } => WaitOutcome::Closed,
            State { latest, .. } if latest.number > number => WaitOutcome::Batch(latest.clone()),
            _ => WaitOutcome::TimedOut,
        }
    }

    /// True if another batch came after the one with this number, or the slot is closed.
    pub(super) fn is_superseded(&self, number: u64) -> bool {
        let state = self.state();
        state.closed || state.latest.number != number
    }

    /// True if the answer to a request is still wanted: its map is on screen, or it is computed ahead and no map on
    /// screen has to wait for it.
    pub(super) fn wants(&self, request: &MapRequest) -> bool {
        let state = self.state();
        let MapBatch { shown, ahead, .. } = &state.latest;
        let waits = || !shown.iter().all(|shown| state.answered.contains(shown));
        !state.closed && (shown.contains(request) || ahead.contains(request) && !waits())
    }

    /// True if the requested map is on screen.
    pub(super) fn shows(&self, request: &MapRequest) -> bool {
        self.state().latest.shown.contains(request)
    }

    /// Records that a request was answered.
    pub(super) fn mark_answered(&self, request: &MapRequest) {
        let mut state = self.state();
        let State { latest, answered, .. } = &mut *state;
        answered.retain(|other| other != request);
        answered.push(request.clone());
        if answered.len() > MAX_ANSWERED {
            // Maps ahead are computed only while those on screen count as answered.
            let surplus = answered.iter().position(|other| !latest.shown.contains(other)).unwrap_or(0);
            answered.remove(surplus);
        }
    }

    /// Records that the batch with this number is finished.
    pub(super) fn finish(&self, number: u64) {
        self.state().finished = number;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
