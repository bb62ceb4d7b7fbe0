//! The outcome of a run.

use serde::{Deserialize, Serialize};

use crate::record::{PectoralState, Record};

/// The outcome of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub written: usize,
    pub unchanged: usize,
    /// Outputs with a warning, among those written.
    pub with_warning: usize,
    pub refused: usize,
    /// DICOMDIR files, and files that are not images.
    pub skipped: usize,
    /// MLO views whose muscle was left untouched because its edge is doubtful.
    pub uncertain_muscles: usize,
    pub unlabelled: usize,
    /// Sources whose output a user rejected.
    pub rejected: usize,
    /// Records whose source is not there any longer; their outputs are kept.
    pub without_source: usize,
    pub cancelled: bool,
    /// The SHA-256 of the list of sources, by which shards of the same input are recognised.
    pub sources: String,
}

impl Summary {
    /// Counts the state of an output.
    pub(crate) fn count_state(&mut self, record: &Record) {
        let Some(output) = &record.output else { return };
        self.unlabelled += usize::from(output.class.is_none());
        let is_uncertain = record.steps.as_ref().is_some_and(|steps| steps.pectoral.state == PectoralState::Uncertain);
        self.uncertain_muscles += usize::from(is_uncertain);
    }

    /// Adds the counts of another part of the same sources.
    pub fn add(&mut self, part: &Self) {
        self.written += part.written;
        self.unchanged += part.unchanged;
        self.with_warning += part.with_warning;
        self.refused += part.refused;
        self.skipped += part.skipped;
        self.uncertain_muscles += part.uncertain_muscles;
        self.unlabelled += part.unlabelled;
        self.rejected += part.rejected;
        self.without_source += part.without_source;
    }
}
