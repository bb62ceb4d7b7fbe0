//! The changes that `resume` and `submit resume` make to runs.

use std::path::PathBuf;

use clap::Args;

use super::console::WrongUse;
use mammoscope_domain::training::training_changes::{ChangedSettings, TrainingChanges};
use mammoscope_runs::resume_checks::new_root;
use mammoscope_runs::resumption::ResumeRequest;

#[derive(Debug, Args)]
pub(super) struct ChangeArguments {
    /// Train for this many epochs in total, instead of the number set at the start
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) epochs: Option<u32>,
    /// The folder that the data was moved to; all images are verified before it is recorded
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Change `keep_best`, `keep_every`, `early_stop`, `checkpoint_minutes`, `on_full`, `nonfinite` or `threads` for the
    /// rest of the run
    #[arg(long, value_name = "KEY=VALUE,…")]
    set: Vec<String>,
}

impl ChangeArguments {
    pub(super) fn request(&self) -> Result<ResumeRequest, WrongUse> {
        // All at once, so that a key given twice is found.
        let settings: ChangedSettings =
            self.set.join(",").parse().map_err(|error| WrongUse(format!("--set: {error}")))?;
        let changes = TrainingChanges { epochs: self.epochs, settings };
        Ok(ResumeRequest { changes, is_data_moved: self.data.is_some() })
    }

    /// The new folder of the data, as runs record it.
    pub(super) fn new_root(&self) -> anyhow::Result<Option<PathBuf>> {
        self.data.as_deref().map(new_root).transpose()
    }

    /// The options that a job passes to `resume`. Its data is recorded when it is submitted.
    pub(super) fn options_of_job(&self) -> Vec<String> {
        let options = [
            ("--epochs", self.epochs.map(|epochs| epochs.to_string())),
            ("--set", Some(self.set.join(",")).filter(|set| !set.is_empty())),
        ];
        options.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        changes: ChangeArguments,
    }

    fn parsed(line: &str) -> ChangeArguments {
        CommandLine::parse_from(line.split(' ')).changes
    }

    #[test]
    fn a_job_gets_the_changes_but_not_the_place_of_the_data() {
        let changes = parsed("resume --epochs 7 --data /new --set keep_best=2 --set early_stop=5,threads=3");
        let request = changes.request().unwrap();
        assert_eq!(request.changes.epochs, Some(7));
        assert!(request.is_data_moved && request.changes.settings.value("threads").is_some());
        assert_eq!(changes.options_of_job(), ["--epochs", "7", "--set", "keep_best=2,early_stop=5,threads=3"]);
        let none = parsed("resume");
        assert!(none.options_of_job().is_empty() && none.request().unwrap() == ResumeRequest::default());
        let twice = parsed("resume --set keep_best=2 --set keep_best=3").request().unwrap_err().to_string();
        assert_eq!(twice, "--set: keep_best is given twice; leave one of them out");
    }
}
