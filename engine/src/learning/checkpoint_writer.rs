//! Writes checkpoints while the training continues: converting, hashing and flushing one takes as long as dozens of steps
//! on a fast GPU.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

use mammoscope_domain::run::run_records::SavedCheckpoint;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;

use super::training_progress::{RestoreError, StateSnapshot};

/// At most one checkpoint that is being written. Dropping it waits for that one.
#[derive(Debug, Default)]
pub struct CheckpointWriter(Option<Pending>);

#[derive(Debug)]
struct Pending {
    thread: JoinHandle<Result<(), RestoreError>>,
    saved: SavedCheckpoint,
}

/// A checkpoint that was written, or the reason why not.
#[derive(Debug)]
pub struct Outcome {
    pub saved: SavedCheckpoint,
    pub result: Result<(), RestoreError>,
}

impl CheckpointWriter {
    /// Starts to write a state as the last checkpoint of a run; `saved` describes it. The thread has a stack and memory of
    /// its own, and touches neither the device nor the state.
    ///
    /// # Panics
    /// If another one is not finished.
    pub fn start(
        &mut self,
        run: RunDir,
        snapshot: StateSnapshot,
        notes: BTreeMap<String, String>,
        saved: SavedCheckpoint,
    ) -> std::io::Result<()> {
        assert!(self.0.is_none(), "one checkpoint at a time");
        let write = move || {
            let checkpoint = Checkpoint { notes, ..snapshot.into_checkpoint()? };
            Ok(checkpoint.write(&run)?)
        };
        let thread = thread::Builder::new().name("checkpoint".to_owned()).spawn(write)?;
        self.0 = Some(Pending { thread, saved });
        Ok(())
    }

    /// The outcome of the checkpoint that was started, if it is finished or `waits`.
    pub fn outcome(&mut self, waits: bool) -> Option<Outcome> {
        let Pending { thread, saved } = self.0.take_if(|pending| waits || pending.thread.is_finished())?;
        let result = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        Some(Outcome { saved, result })
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        if let Some(Pending { thread, .. }) = self.0.take() {
            // An error or a panic here is not reported: the training ends for another reason.
            let _ = thread.join();
        }
    }
}

impl Outcome {
    /// The error of writing, as the full-disk policy expects it.
    #[must_use]
    pub fn error(self) -> Option<anyhow::Error> {
        match self.result {
            Ok(()) => None,
            Err(RestoreError::Checkpoint(error)) => Some(error.into()),
            Err(RestoreError::Device(error)) => Some(error.into()),
        }
    }
}
