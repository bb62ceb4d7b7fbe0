//! The form filled from other screens: with a data set, or with the data and the settings of an earlier run.

use std::path::{Path, PathBuf};

use super::estimate::DataState;
use super::typing::FieldFilter;
use super::{Pane, TrainScreen};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::train::{ClonedRun, RunSplits, SplitChoice, TrainEffect};
use crate::tui::shared_state::SharedState;
use mammoscope_storage::runs::run_dir::RunDir;

impl TrainScreen {
    /// Enters a data set into the form. The splits of a cloned run do not go with another one.
    #[expect(clippy::needless_pass_by_value, reason = "the application hands it over")]
    pub(in crate::tui) fn set_data(&mut self, data: PathBuf, shared: &SharedState) -> Vec<Effect> {
        self.cloning = None;
        if self.form.carried.is_some() && Path::new(&self.form.data) != data {
            self.form.forget_run_splits();
        }
        self.enter_data(&data, shared)
    }

    fn enter_data(&mut self, data: &Path, shared: &SharedState) -> Vec<Effect> {
        let before = self.form.clone();
        self.editing = None;
        self.pane = Pane::Form;
        self.form.data = data.to_string_lossy().into_owned();
        // Read again even if the path is the same: its files may have changed.
        self.data.state = DataState::Unknown;
        self.after_change(&before, shared)
    }

    /// Enters a data set and the settings of a run into the form; its splits follow once they are read. A preset of the
    /// user's own is replaced by the one that comes with the program, with every key that differs.
    #[expect(clippy::needless_pass_by_value, reason = "the application hands it over")]
    pub(in crate::tui) fn set_like(&mut self, data: PathBuf, cloned: ClonedRun, shared: &SharedState) -> Vec<Effect> {
        self.form.set_like(&cloned.spec);
        self.filter = FieldFilter::default();
        self.cloning = Some(cloned.run.clone());
        self.form.forget_run_splits();
        let mut effects = self.enter_data(&data, shared);
        effects.push(Effect::Train(TrainEffect::ReadSplits(cloned)));
        effects
    }

    /// Takes the splits of the run that is being cloned.
    pub(super) fn on_splits_read(
        &mut self,
        run: &RunDir,
        outcome: Result<SplitChoice, Failure>,
        shared: &SharedState,
    ) -> Vec<Effect> {
        if self.cloning.as_ref() != Some(run) {
            return Vec::new();
        }
        self.cloning = None;
        let before = self.form.clone();
        let notice = match outcome {
            Ok(splits) => {
                self.form.carried = if let SplitChoice::OfRun(splits) = &splits { Some(splits.clone()) } else { None };
                self.form.splits = splits;
                match self.form.carried.as_ref().map(RunSplits::warning) {
                    Some(Some(warning)) => Effect::warning(warning),
                    Some(None) => Effect::done("settings and splits copied from the run"),
                    None => Effect::done("settings copied from the run"),
                }
            }
            Err(failure) => {
                Effect::warning(format!("the splits of the run could not be read; check the field splits: {failure}"))
            }
        };
        self.data.state = DataState::Unknown;
        let mut effects = self.after_change(&before, shared);
        effects.push(notice);
        effects
    }
}
