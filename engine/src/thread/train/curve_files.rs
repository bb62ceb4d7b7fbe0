//! The files with a run's curves for other programs: TensorBoard's and the reference's history. They follow from the
//! events, so that a fault costs nothing: what could not be written is written later.

use std::collections::VecDeque;
use std::io;

use chrono::Utc;
use mammoscope_domain::run::run_event::RunEvent;
use mammoscope_storage::runs::history_files::ReferenceHistory;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::tensorboard::TensorBoardWriter;

/// The most events that wait for a TensorBoard file.
const MAX_PENDING: usize = 200_000;

/// Writes the curves of one run.
pub(super) struct CurveFiles {
    run: RunDir,
    history: ReferenceHistory,
    /// True if the history files lack something.
    history_waits: bool,
    /// `None` before training begins, and after a fault: what follows goes to a new file of the same folder.
    tensorboard: Option<TensorBoardWriter>,
    /// True from the beginning of training on.
    writes_tensorboard: bool,
    /// The events that TensorBoard's file lacks.
    pending: VecDeque<RunEvent>,
}

impl CurveFiles {
    pub(super) fn new(run: &RunDir) -> Self {
        Self {
            run: run.clone(),
            history: ReferenceHistory::default(),
            history_waits: false,
            tensorboard: None,
            writes_tensorboard: false,
            pending: VecDeque::new(),
        }
    }

    /// Takes an event that an earlier trainer recorded.
    pub(super) fn replay(&mut self, event: &RunEvent) {
        self.history.apply(event);
    }

    /// Writes TensorBoard's file from here on.
    pub(super) fn start(&mut self) {
        self.writes_tensorboard = true;
    }

    /// Takes a new event, to be written by [`CurveFiles::write_history`] and [`CurveFiles::write_tensorboard`].
    pub(super) fn push(&mut self, event: &RunEvent) {
        self.history_waits |= self.history.apply(event);
        if self.writes_tensorboard && self.pending.len() < MAX_PENDING {
            self.pending.push_back(event.clone());
        }
    }

    /// Writes the history files if they lack something.
    pub(super) fn write_history(&mut self) -> io::Result<()> {
        if self.history_waits {
            self.history.write(&self.run)?;
            self.history_waits = false;
        }
        Ok(())
    }

    /// Writes the events that TensorBoard's file lacks.
    pub(super) fn write_tensorboard(&mut self) -> io::Result<()> {
        if !self.writes_tensorboard || (self.pending.is_empty() && self.tensorboard.is_some()) {
            return Ok(());
        }
        // A failed write may have left a part of a record, behind which readers of that file find nothing more.
        let mut writer = match self.tensorboard.take() {
            Some(writer) => writer,
            None => TensorBoardWriter::create(&self.run.tensorboard(), &host_name(), Utc::now())?,
        };
        while let Some(event) = self.pending.front() {
            if let Err(error) = writer.record(event) {
                writer.abandon();
                return Err(error);
            }
            self.pending.pop_front();
        }
        self.tensorboard = Some(writer);
        Ok(())
    }

    /// True if anything waits to be written.
    #[must_use]
    pub(super) fn has_pending(&self) -> bool {
        self.history_waits || !self.pending.is_empty()
    }
}
