//! The values of the form and their validation.

use std::collections::BTreeMap;

use super::fields::Field;
use super::implausible::implausible;
use super::study::StudyFields;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::train::{RunSplits, SplitChoice};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceList;
use mammoscope_domain::training::config_keys::{ConfigKey, KEYS};
use mammoscope_domain::training::config_value::ValueRange;
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;

/// The values of the form.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TrainForm {
    /// The root of the data set, as typed.
    pub(super) data: String,
    /// The checked views, in the order of [`View::ALL`].
    pub(super) views: [bool; 4],
    pub(super) splits: SplitChoice,
    /// The grey range of 16-bit files, as typed.
    pub(super) bits: String,
    pub(super) preset: Preset,
    /// Empty for the preset's name.
    pub(super) name: String,
    /// The list of devices, as typed.
    pub(super) device: String,
    pub(super) study: StudyFields,
    /// The splits of the run that was cloned, which can be chosen again.
    pub(super) carried: Option<RunSplits>,
    /// The preset's values with the user's changes.
    pub(super) config: TrainingConfig,
}

impl Default for TrainForm {
    fn default() -> Self {
        let preset = Preset::named("seed").expect("a preset that comes with the program");
        Self {
            data: String::new(),
            views: [true; 4],
            splits: SplitChoice::default(),
            bits: "auto".to_owned(),
            config: preset.config.clone(),
            preset,
            name: String::new(),
            device: "auto".to_owned(),
            study: StudyFields::default(),
            carried: None,
        }
    }
}

impl TrainForm {
    /// True if a field differs from the preset or from the empty form.
    pub(super) fn is_changed(&self, field: Field) -> bool {
        let empty = Self::default();
        match field {
            Field::Data | Field::Preset => false,
            Field::Views => self.views != empty.views,
            Field::Splits => self.splits != empty.splits,
            Field::Bits => self.bits != empty.bits,
            Field::Name => self.name != empty.name,
            Field::Device => self.device != empty.device,
            Field::Folds | Field::Seeds | Field::Sweep | Field::Jobs => {
                self.study.text(field) != empty.study.text(field)
            }
            Field::Key(position) => KEYS[position].value(&self.config) != KEYS[position].value(&self.preset.config),
        }
    }

    /// The value of a field as text.
    pub(super) fn text(&self, field: Field) -> String {
        match field {
            Field::Data => self.data.clone(),
            Field::Views => self.selection().to_string(),
            Field::Splits => self.splits.text(),
            Field::Bits => self.bits.clone(),
            Field::Preset => self.preset.name.clone(),
            Field::Name => self.name.clone(),
            Field::Device => self.device.clone(),
            Field::Folds | Field::Seeds | Field::Sweep | Field::Jobs => self.study.text(field).to_owned(),
            Field::Key(position) => KEYS[position].value(&self.config).to_string(),
        }
    }

    /// A description of a field, or of its value if that is special.
    pub(super) fn meaning(&self, field: Field) -> &'static str {
        match (field, &self.splits) {
            (Field::Splits, SplitChoice::OfRun(_)) => {
                "The split of each subject in the run that is trained again; subjects that it did not use are left out."
            }
            _ => field.meaning(),
        }
    }

    /// The value of a key as text.
    pub(super) fn key_text(&self, key: &ConfigKey) -> String {
        key.value(&self.config).to_string()
    }

    /// The reason why a valid text for a field is implausible.
    pub(super) fn doubt(field: Field, text: &str) -> Option<String> {
        let key = field.key()?;
        implausible(key, key.parse(text.trim()).ok()?)
    }

    /// Checks a text for a field.
    pub(super) fn check_text(&self, field: Field, text: &str) -> Result<(), Failure> {
        match field {
            Field::Bits => text.trim().parse::<GreyRange>().map(drop).map_err(Failure::new),
            Field::Device => text.trim().parse::<DeviceList>().map(drop).map_err(Failure::new),
            Field::Folds | Field::Seeds | Field::Sweep | Field::Jobs => StudyFields::check(field, text, &self.config),
            Field::Key(position) => {
                let key = &KEYS[position];
                key.parse(text.trim()).map(drop).map_err(Failure::new)
            }
            Field::Data | Field::Views | Field::Splits | Field::Preset | Field::Name => Ok(()),
        }
    }

    /// Sets a field from a text; an invalid text changes nothing.
    pub(super) fn put(&mut self, field: Field, text: &str) -> Result<(), Failure> {
        self.check_text(field, text)?;
        let text = text.trim();
        match field {
            Field::Data => text.clone_into(&mut self.data),
            Field::Bits => text.clone_into(&mut self.bits),
            Field::Name => text.clone_into(&mut self.name),
            Field::Device => text.clone_into(&mut self.device),
            Field::Folds | Field::Seeds | Field::Sweep | Field::Jobs => self.study.put(field, text),
            Field::Key(position) => {
                self.config.set(KEYS[position].name, text).map_err(Failure::new)?;
            }
            Field::Views | Field::Splits | Field::Preset => {}
        }
        Ok(())
    }

    /// Chooses the next or the previous value of a field; returns `false` for a field that is typed.
    pub(super) fn choose(&mut self, field: Field, forwards: bool) -> bool {
        let neighbour = |position: usize, count: usize| (position + if forwards { 1 } else { count - 1 }) % count;
        match field {
            Field::Preset => {
                let names = Preset::ALL.map(|(name, _)| name);
                let position = names.iter().position(|name| *name == self.preset.name).unwrap_or(0);
                self.set_preset(names[neighbour(position, names.len())]);
            }
            Field::Splits => {
                let mut choices = vec![SplitChoice::OwnOrDrawn, SplitChoice::AllAsTrain];
                choices.extend(self.carried.clone().map(SplitChoice::OfRun));
                let position = choices.iter().position(|choice| *choice == self.splits).unwrap_or(0);
                self.splits = choices.swap_remove(neighbour(position, choices.len()));
            }
            Field::Key(position) => {
                let key = &KEYS[position];
                let names: &[&str] = match key.range {
                    ValueRange::Choice(names) => names,
                    ValueRange::Switch => &["false", "true"],
                    ValueRange::Integer { .. } | ValueRange::Number(..) => return false,
                };
                let now = key.value(&self.config).to_string();
                let position = names.iter().position(|name| *name == now).unwrap_or(0);
                self.config
                    .set(key.name, names[neighbour(position, names.len())])
                    .expect("one of the key's own choices");
            }
            // The others are typed.
            _ => return false,
        }
        true
    }

    /// Sets the preset; the user's changes are kept.
    pub(super) fn set_preset(&mut self, preset: &str) {
        let Ok(preset) = Preset::named(preset) else { return };
        let changes = self.changes();
        self.config = preset.config.clone();
        self.preset = preset;
        self.apply(&changes);
    }

    /// Takes the settings of a run: its preset, configuration, view, device and grey range.
    pub(super) fn set_like(&mut self, spec: &RunSpec) {
        self.set_preset(&spec.preset);
        self.config = spec.config.clone();
        self.views = View::ALL.map(|view| view == spec.view);
        self.device = spec.device.to_string();
        self.bits = match spec.grey_range {
            GreyRange::Auto => "auto".to_owned(),
            GreyRange::White(white) => format!("white {white}"),
        };
        self.name = String::new();
        // A clone is a single run, also of a run in a study.
        self.study = StudyFields::default();
    }

    /// Takes back the splits of the run that was cloned.
    pub(super) fn forget_run_splits(&mut self) {
        if matches!(self.splits, SplitChoice::OfRun(_)) {
            self.splits = SplitChoice::default();
        }
        self.carried = None;
    }

    /// Resets a field to the preset or to the empty form.
    pub(super) fn reset(&mut self, field: Field) {
        let empty = Self::default();
        match field {
            Field::Data => self.data = empty.data,
            Field::Views => self.views = empty.views,
            Field::Splits => self.splits = empty.splits,
            Field::Bits => self.bits = empty.bits,
            Field::Preset => self.set_preset(&empty.preset.name),
            Field::Name => self.name = empty.name,
            Field::Device => self.device = empty.device,
            Field::Folds | Field::Seeds | Field::Sweep | Field::Jobs => self.study.put(field, empty.study.text(field)),
            Field::Key(position) => {
                let value = KEYS[position].value(&self.preset.config).to_string();
                self.config.set(KEYS[position].name, &value).expect("the preset's value");
            }
        }
    }

    /// The keys that differ from the preset, with their values.
    pub(super) fn changes(&self) -> BTreeMap<String, String> {
        let differs = |key: &&ConfigKey| key.value(&self.config) != key.value(&self.preset.config);
        KEYS.iter().filter(differs).map(|key| (key.name.to_owned(), key.value(&self.config).to_string())).collect()
    }

    /// Applies changes; those unknown to this version are ignored.
    pub(super) fn apply(&mut self, changes: &BTreeMap<String, String>) {
        for (key, value) in changes {
            let _ = self.config.set(key, value);
        }
    }

    /// The selected views; all four checked mean all that there are.
    pub(super) fn selection(&self) -> ViewSelection {
        if self.views == [true; 4] {
            return ViewSelection::All;
        }
        ViewSelection::Only(View::ALL.into_iter().zip(self.views).filter(|(_, on)| *on).map(|(view, _)| view).collect())
    }

    /// The grey range of 16-bit files.
    pub(super) fn grey_range(&self) -> GreyRange {
        self.bits.parse().unwrap_or_default()
    }

    pub(super) fn devices(&self) -> DeviceList {
        self.device.parse().unwrap_or_default()
    }

    /// The first problem of the form, apart from those of the data.
    pub(super) fn problem(&self) -> Option<String> {
        if self.data.is_empty() {
            return Some("choose a data set first".to_owned());
        }
        if self.views == [false; 4] {
            return Some("check at least one view".to_owned());
        }
        self.config.check_for_start().err().map(|error| error.to_string()).or_else(|| self.study_problem())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str) -> Field {
        Field::Key(KEYS.iter().position(|key| key.name == name).unwrap())
    }

    #[test]
    fn changes_stay_when_the_preset_changes_and_can_be_reset() {
        let mut form = TrainForm::default();
        form.put(key("epochs"), " 7 ").unwrap();
        assert!(form.is_changed(key("epochs")));
        assert!(form.choose(Field::Preset, true));
        assert_eq!((form.preset.name.as_str(), form.config.epochs), ("modern", 7));
        assert_eq!(form.changes(), BTreeMap::from([("epochs".to_owned(), "7".to_owned())]));
        form.reset(key("epochs"));
        assert!(form.changes().is_empty());
        assert_eq!(form.config, Preset::named("modern").unwrap().config);
    }

    #[test]
    fn an_invalid_value_is_reported_and_changes_nothing() {
        let mut form = TrainForm::default();
        let error = form.put(key("dropout"), "1").unwrap_err();
        assert_eq!(error.text(), "dropout = 1 is out of range: 0 ≤ dropout < 1");
        assert!(form.put(Field::Device, "gpu").unwrap_err().text().contains("is not a device"));
        assert_eq!(form, TrainForm::default());
    }

    #[test]
    fn the_form_needs_data_a_view_and_consistent_values() {
        let mut form = TrainForm::default();
        assert!(form.problem().unwrap().contains("data set"));
        form.data = "/data".to_owned();
        assert_eq!(form.problem(), None);
        form.views = [false; 4];
        assert!(form.problem().unwrap().contains("view"));
        form.views = [true, false, true, false];
        assert_eq!(form.selection(), ViewSelection::Only(vec![View::CcR, View::MloR]));
        form.put(key("warmup_epochs"), "100").unwrap();
        assert!(form.problem().unwrap().contains("warmup_epochs"));
    }

    #[test]
    fn choices_are_cyclic() {
        for field in (0..KEYS.len()).map(Field::Key).chain([Field::Splits, Field::Preset]) {
            let mut form = TrainForm::default();
            let before = form.clone();
            if form.choose(field, true) {
                assert_ne!(form, before, "{}", field.name());
                form.choose(field, false);
                assert_eq!(form, before, "{}", field.name());
            } else {
                assert!(!field.is_choice());
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_either_set_or_rejected(position in 0..KEYS.len(), text in any::<String>()) {
            let mut form = TrainForm::default();
            let taken = form.put(Field::Key(position), &text);
            prop_assert_eq!(taken.is_ok(), TrainForm::default().check_text(Field::Key(position), &text).is_ok());
            if taken.is_err() {
                prop_assert_eq!(form, TrainForm::default());
            }
        }
    }
}
