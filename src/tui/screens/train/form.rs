//! What is asked for: the values of the form, and whether they make a training.

use std::collections::BTreeMap;

use super::fields::Field;
use crate::tui::protocol::train::SplitChoice;
use mammoscope_domain::image::grey_range::GreyRange;
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
    /// The data set's root, as it was typed.
    pub(super) data: String,
    /// Which views are checked, in the order of [`View::ALL`].
    pub(super) views: [bool; 4],
    pub(super) splits: SplitChoice,
    /// What is white in 16-bit files, as it was typed.
    pub(super) bits: String,
    pub(super) preset: Preset,
    /// Empty for the preset's name.
    pub(super) name: String,
    /// As it was typed; it makes a list of devices.
    pub(super) device: String,
    /// The preset's values with those that were changed.
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
        }
    }
}

impl TrainForm {
    /// Whether a field is not as the preset, or the empty form, has it.
    pub(super) fn is_changed(&self, field: Field) -> bool {
        let empty = Self::default();
        match field {
            Field::Data | Field::Preset => false,
            Field::Views => self.views != empty.views,
            Field::Splits => self.splits != empty.splits,
            Field::Bits => self.bits != empty.bits,
            Field::Name => self.name != empty.name,
            Field::Device => self.device != empty.device,
            Field::Key(position) => KEYS[position].value(&self.config) != KEYS[position].value(&self.preset.config),
        }
    }

    /// The value of a field as it is typed and shown; of the views, their names.
    pub(super) fn text(&self, field: Field) -> String {
        match field {
            Field::Data => self.data.clone(),
            Field::Views => self.selection().to_string(),
            Field::Splits => self.splits.text().to_owned(),
            Field::Bits => self.bits.clone(),
            Field::Preset => self.preset.name.clone(),
            Field::Name => self.name.clone(),
            Field::Device => self.device.clone(),
            Field::Key(position) => KEYS[position].value(&self.config).to_string(),
        }
    }

    /// What is wrong with a text for a field.
    #[expect(clippy::unused_self, reason = "a question about the form")]
    pub(super) fn check_text(&self, field: Field, text: &str) -> Result<(), String> {
        match field {
            Field::Bits => text.trim().parse::<GreyRange>().map(drop).map_err(|error| error.to_string()),
            Field::Device => text.trim().parse::<DeviceList>().map(drop).map_err(|error| error.to_string()),
            Field::Key(position) => {
                let key = &KEYS[position];
                key.parse(text.trim()).map(drop).map_err(|error| error.to_string())
            }
            Field::Data | Field::Views | Field::Splits | Field::Preset | Field::Name => Ok(()),
        }
    }

    /// Takes a text over; a wrong one changes nothing.
    pub(super) fn put(&mut self, field: Field, text: &str) -> Result<(), String> {
        self.check_text(field, text)?;
        let text = text.trim();
        match field {
            Field::Data => text.clone_into(&mut self.data),
            Field::Bits => text.clone_into(&mut self.bits),
            Field::Name => text.clone_into(&mut self.name),
            Field::Device => text.clone_into(&mut self.device),
            Field::Key(position) => {
                self.config.set(KEYS[position].name, text).map_err(|error| error.to_string())?;
            }
            Field::Views | Field::Splits | Field::Preset => {}
        }
        Ok(())
    }

    /// Takes the next or the one before of what can be chosen; `false` for a field that is typed.
    pub(super) fn choose(&mut self, field: Field, forwards: bool) -> bool {
        let turned = |position: usize, count: usize| (position + if forwards { 1 } else { count - 1 }) % count;
        match field {
            Field::Preset => {
                let names = Preset::ALL.map(|(name, _)| name);
                let position = names.iter().position(|name| *name == self.preset.name).unwrap_or(0);
                self.begin_with(names[turned(position, names.len())]);
            }
            Field::Splits => {
                self.splits = match self.splits {
                    SplitChoice::OwnOrDrawn => SplitChoice::AllAsTrain,
                    SplitChoice::AllAsTrain => SplitChoice::OwnOrDrawn,
                }
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
                self.config.set(key.name, names[turned(position, names.len())]).expect("one of the key's own choices");
            }
            Field::Data | Field::Views | Field::Bits | Field::Name | Field::Device => return false,
        }
        true
    }

    /// Begins with another preset; what was changed stays changed.
    pub(super) fn begin_with(&mut self, preset: &str) {
        let Ok(preset) = Preset::named(preset) else { return };
        let changes = self.changes();
        self.config = preset.config.clone();
        self.preset = preset;
        self.apply(&changes);
    }

    /// Sets a field back to what the preset, or the empty form, has.
    pub(super) fn reset(&mut self, field: Field) {
        let empty = Self::default();
        match field {
            Field::Data => self.data = empty.data,
            Field::Views => self.views = empty.views,
            Field::Splits => self.splits = empty.splits,
            Field::Bits => self.bits = empty.bits,
            Field::Preset => self.begin_with(&empty.preset.name),
            Field::Name => self.name = empty.name,
            Field::Device => self.device = empty.device,
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

    /// Makes changes; what another version wrote and this one does not know is left out.
    pub(super) fn apply(&mut self, changes: &BTreeMap<String, String>) {
        for (key, value) in changes {
            let _ = self.config.set(key, value);
        }
    }

    /// The views that are asked for; all four checked mean whatever there is.
    pub(super) fn selection(&self) -> ViewSelection {
        if self.views == [true; 4] {
            return ViewSelection::All;
        }
        ViewSelection::Only(View::ALL.into_iter().zip(self.views).filter(|(_, on)| *on).map(|(view, _)| view).collect())
    }

    /// What is white in 16-bit files.
    pub(super) fn grey_range(&self) -> GreyRange {
        self.bits.parse().unwrap_or_default()
    }

    /// The devices that are asked for.
    pub(super) fn devices(&self) -> DeviceList {
        self.device.parse().unwrap_or_default()
    }

    /// What keeps the form from being a training, apart from the data.
    pub(super) fn problem(&self) -> Option<String> {
        if self.data.is_empty() {
            return Some("choose a data set first".to_owned());
        }
        if self.views == [false; 4] {
            return Some("check at least one view".to_owned());
        }
        self.config.check().err().map(|error| error.to_string())
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
    fn what_is_wrong_changes_nothing_and_is_said() {
        let mut form = TrainForm::default();
        let error = form.put(key("dropout"), "1").unwrap_err();
        assert_eq!(error, "dropout = 1 is out of range: 0 ≤ dropout < 1");
        assert!(form.put(Field::Device, "gpu").unwrap_err().contains("is no device"));
        assert_eq!(form, TrainForm::default());
    }

    #[test]
    fn a_training_wants_data_a_view_and_values_that_go_together() {
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
    fn choices_go_round() {
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
        fn any_text_is_taken_or_refused(position in 0..KEYS.len(), text in any::<String>()) {
            let mut form = TrainForm::default();
            let taken = form.put(Field::Key(position), &text);
            prop_assert_eq!(taken.is_ok(), TrainForm::default().check_text(Field::Key(position), &text).is_ok());
            if taken.is_err() {
                prop_assert_eq!(form, TrainForm::default());
            }
        }
    }
}
