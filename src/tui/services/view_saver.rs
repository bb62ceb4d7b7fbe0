//! Saves the state of the screens on a thread: to be sure that it is on disk can take a quarter of a second, which must
//! not delay a frame.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use crate::tui::view_state::ViewState;

/// The thread that saves states.
pub(in crate::tui) struct ViewSaver {
    states: Option<Sender<ViewState>>,
    thread: Option<JoinHandle<()>>,
}

impl ViewSaver {
    /// Starts the thread; it writes into the workspace.
    pub(in crate::tui) fn start(workspace: PathBuf) -> Self {
        let (states, received) = channel();
        let thread = thread::spawn(move || save(&received, &workspace));
        Self { states: Some(states), thread: Some(thread) }
    }

    /// Saves a state soon.
    pub(in crate::tui) fn save(&self, state: ViewState) {
        if let Some(states) = &self.states {
            // The thread ends only after this.
            let _ = states.send(state);
        }
    }
}

impl Drop for ViewSaver {
    /// Waits until the last state is on disk.
    fn drop(&mut self) {
        self.states = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn save(states: &Receiver<ViewState>, workspace: &std::path::Path) {
    while let Ok(mut state) = states.recv() {
        // Only the last one counts.
        while let Ok(newer) = states.try_recv() {
            state = newer;
        }
        // A workspace that cannot be written to is reported by operations that depend on it.
        let _ = state.write(workspace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::protocol::screen_id::ScreenId;

    #[test]
    fn the_last_state_is_on_disk_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let saver = ViewSaver::start(folder.path().to_owned());
        for screen in ScreenId::ALL.iter().cycle().take(40) {
            saver.save(ViewState { screen: *screen, ..ViewState::default() });
        }
        saver.save(ViewState { screen: ScreenId::Runs, ..ViewState::default() });
        drop(saver);
        assert_eq!(ViewState::read(folder.path()).screen, ScreenId::Runs);
    }
}
