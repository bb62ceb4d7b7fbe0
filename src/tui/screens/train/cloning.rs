//! The form filled from other screens: with a data set, or with the data and the settings of an earlier run.

use std::path::PathBuf;

use super::estimate::DataState;
use super::fields::Field;
use super::{Pane, TrainScreen};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::train::CloneRequest;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::subject::view::View;

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

    /// Enters the data and the settings of a run into the form. A preset of the user's own is replaced by the one that
    /// comes with the program, with every key that differs.
    pub(in crate::tui) fn set_clone(&mut self, request: &CloneRequest, shared: &SharedState) -> Vec<Effect> {
        let before = self.form.clone();
        self.editing = None;
        self.pane = Pane::Form;
        self.form.data = request.data.to_string_lossy().into_owned();
        self.form.views = View::ALL.map(|view| view == request.view);
        self.form.set_preset(&request.preset);
        self.form.config = request.config.clone();
        self.form.name = String::new();
        // A device or a range that this version does not know stays as it is in the form.
        let _ = self.form.put(Field::Device, &request.device);
        let _ = self.form.put(Field::Bits, &request.grey_range.to_string());
        self.data.state = DataState::Unknown;
        let mut effects = self.after_change(&before, shared);
        effects.push(Effect::done("the form has the settings of the run; the splits are those of the form"));
        effects
    }
}
