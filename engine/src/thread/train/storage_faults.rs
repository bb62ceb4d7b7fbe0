//! The files of a run that cannot be written at present.

use std::collections::BTreeMap;
use std::io;

use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::run_dir::RunDir;

/// The words for a run directory that does not come back.
pub(super) fn removed_text(run: &RunDir) -> String {
    format!(
        "the run directory {} was removed, or moved where its trainer cannot follow",
        printable_path(&run.shown_path())
    )
}

/// The files that cannot be written, each with the system's reason.
#[derive(Debug, Default)]
pub(super) struct StorageFaults(BTreeMap<&'static str, String>);

impl StorageFaults {
    /// Takes note of the outcome of writing a file. Returns what to record once a file that could not be written is written
    /// again.
    pub(super) fn note(&mut self, file: &'static str, outcome: &io::Result<()>) -> Option<String> {
        if let Err(error) = outcome {
            if self.0.insert(file, error.to_string()).is_none() {
                tracing::warn!("{file} cannot be written: {error}; trying again");
            }
            return None;
        }
        let reason = self.0.remove(file)?;
        Some(format!("{file} could not be written for a while ({reason}); nothing is missing in it"))
    }

    /// What cannot be written at present, for people; `None` if everything can.
    #[must_use]
    pub(super) fn text(&self) -> Option<String> {
        let (file, reason) = self.0.first_key_value()?;
        let others = self.0.len() - 1;
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        Some(format!("{file}{others} cannot be written ({reason}), trying again"))
    }
}
