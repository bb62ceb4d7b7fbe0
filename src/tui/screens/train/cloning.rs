//! The form filled from other screens: with a data set, or with the data and the settings of an earlier run.

use std::path::PathBuf;

use super::estimate::DataState;
use super::typing::FieldFilter;
use super::{Pane, TrainScreen};
use crate::tui::protocol::effect::Effect;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::run::run_spec::RunSpec;

impl TrainScreen {
    /// Enters a data set into the form.
    #[expect(clippy::needless_pass_by_value, reason = "the application hands it over")]
    pub(in crate::tui) fn set_data(&mut self, data: PathBuf, shared: &SharedState) -> Vec<Effect> {
        let before = self.form.clone();
        self.editing = None;
        self.pane = Pane::Form;
        self.form.data = data.to_string_lossy().into_owned();
        // Read again even if the path is the same: its files may have changed.
        self.data.state = DataState::Unknown;
        self.after_change(&before, shared)
    }

    /// Enters a data set and the settings of a run into the form. A preset of the user's own is replaced by the one that
    /// comes with the program, with every key that differs.
    pub(in crate::tui) fn set_like(&mut self, data: PathBuf, spec: &RunSpec, shared: &SharedState) -> Vec<Effect> {
        self.form.set_like(spec);
        self.filter = FieldFilter::default();
        let mut effects = self.set_data(data, shared);
        effects.push(Effect::done("the form has the settings of the run; the splits are those of the form"));
        effects
    }
}
