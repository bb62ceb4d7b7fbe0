//! Writes checkpoints while the training continues: converting, hashing and flushing one takes as long as dozens of steps
//! on a fast GPU.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use mammoscope_domain::run::run_records::SavedCheckpoint;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;

use super::training_progress::{RestoreError, StateSnapshot};

/// Writes the checkpoints of one moment at a time. Dropping it waits for them.
#[derive(Debug, Default)]
pub struct CheckpointWriter(Option<Pending>);

#[derive(Debug)]
struct Pending {
    thread: JoinHandle<()>,
    outcomes: Receiver<Outcome>,
}

/// A model that is to be written.
#[derive(Debug)]
pub struct ModelToWrite {
    pub path: PathBuf,
    pub model: Model,
    pub saved: SavedCheckpoint,
}

/// The state that is to be written as the last checkpoint of a run.
#[derive(Debug)]
pub struct StateToWrite {
    pub run: RunDir,
    pub snapshot: StateSnapshot,
    pub notes: BTreeMap<String, String>,
    pub saved: SavedCheckpoint,
}

/// What became of a checkpoint.
#[derive(Debug)]
pub enum Outcome {
    Saved(SavedCheckpoint),
    /// `file` could not be written. Nothing after it was tried: the state is missing, and so are the models `unwritten`, of
    /// which `file` may be one.
    Failed {
        file: String,
        error: anyhow::Error,
        unwritten: Vec<ModelToWrite>,
    },
}

impl CheckpointWriter {
    /// Starts to write models and then the state, which may list them. The thread has a stack and memory of its own, and
    /// touches neither the device nor the state of the training.
    ///
    /// # Panics
    /// If not all outcomes of the start before were taken.
    pub fn start(&mut self, models: Vec<ModelToWrite>, state: StateToWrite) -> io::Result<()> {
        assert!(self.0.is_none(), "the checkpoints of one moment at a time");
        let (sender, outcomes) = channel();
        let write = move || write_all(models, state, &sender);
        let thread = thread::Builder::new().name("checkpoint".to_owned()).spawn(write)?;
        self.0 = Some(Pending { thread, outcomes });
        Ok(())
    }

    /// The next outcome, if there is one or, if it `waits`, once there is. Without one all are taken, or `waits` is false.
    pub fn next_outcome(&mut self, waits: bool) -> Option<Outcome> {
        let Pending { outcomes, .. } = self.0.as_ref()?;
        let received =
            if waits { outcomes.recv().map_err(|_| TryRecvError::Disconnected) } else { outcomes.try_recv() };
        match received {
            Ok(outcome) => return Some(outcome),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                if let Some(Pending { thread, .. }) = self.0.take() {
                    thread.join().unwrap_or_else(|panic| resume_unwind(panic));
                }
            }
        }
        None
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

fn write_all(models: Vec<ModelToWrite>, state: StateToWrite, outcomes: &Sender<Outcome>) {
    // Only a training that ends for another reason does not listen.
    let report = |outcome| drop(outcomes.send(outcome));
    let mut models = VecDeque::from(models);
    while let Some(next) = models.pop_front() {
        if let Err(error) = next.model.write(&next.path) {
            let file = next.saved.file.clone();
            models.push_front(next);
            return report(Outcome::Failed { file, error: error.into(), unwritten: models.into() });
        }
        report(Outcome::Saved(next.saved));
    }
    let StateToWrite { run, snapshot, notes, saved } = state;
    let write = || -> Result<(), RestoreError> {
        let checkpoint = Checkpoint { notes, ..snapshot.into_checkpoint()? };
        Ok(checkpoint.write(&run)?)
    };
    // The full-disk policy looks into the error.
    let error = match write() {
        Ok(()) => None,
        Err(RestoreError::Checkpoint(error)) => Some(error.into()),
        Err(RestoreError::Device(error)) => Some(error.into()),
    };
    report(match error {
        None => Outcome::Saved(saved),
        Some(error) => Outcome::Failed { file: saved.file, error, unwritten: Vec::new() },
    });
}
