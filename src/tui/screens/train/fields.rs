//! The fields of the form, in sections.

use super::field_search::matching;
use super::study::{STUDY, STUDY_FIELDS};
use mammoscope_domain::training::config_keys::{ConfigKey, KEYS};
use mammoscope_domain::training::config_value::ValueRange;

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Data,
    Views,
    Splits,
    /// The grey range of 16-bit files.
    Bits,
    Preset,
    Name,
    Device,
    /// The number of folds of a cross-validation.
    Folds,
    /// The number of repetitions with other seeds.
    Seeds,
    /// The swept keys with their values.
    Sweep,
    /// The number of runs side by side.
    Jobs,
    /// A key of the configuration, by its index in [`KEYS`].
    Key(usize),
}

/// A row of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// The heading of the fields that are always shown.
    Heading(&'static str),
    /// The heading of a section, which opens and closes it.
    Section(&'static str),
    Field(Field),
}

/// The first key of each section, and the section's heading.
const SECTIONS: [(&str, &str); 7] = [
    ("epochs", "network and length"),
    ("batch_size", "optimiser"),
    ("schedule", "learning rate over time"),
    ("precision", "arithmetic and regularisation"),
    ("augment", "augmentation"),
    ("class_weights", "loss and weights"),
    ("keep_best", "checkpoints and stopping"),
];

const BASICS: [Field; 6] = [Field::Data, Field::Views, Field::Splits, Field::Preset, Field::Name, Field::Device];

impl Field {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Views => "views",
            Self::Splits => "splits",
            Self::Bits => "bits",
            Self::Preset => "preset",
            Self::Name => "name",
            Self::Device => "device",
            Self::Folds => "folds",
            Self::Seeds => "seeds",
            Self::Sweep => "sweep",
            Self::Jobs => "jobs",
            Self::Key(position) => KEYS[position].name,
        }
    }

    /// The key of the configuration, if the field is one.
    pub(super) fn key(self) -> Option<&'static ConfigKey> {
        if let Self::Key(position) = self { KEYS.get(position) } else { None }
    }

    /// True if the value is chosen from a few instead of typed.
    pub(super) fn is_choice(self) -> bool {
        match self {
            Self::Splits | Self::Preset | Self::Views => true,
            Self::Key(position) => matches!(KEYS[position].range, ValueRange::Choice(_) | ValueRange::Switch),
            // These are typed.
            _ => false,
        }
    }

    /// True if the value is a number, which digits replace.
    pub(super) fn is_number(self) -> bool {
        match self {
            Self::Bits | Self::Folds | Self::Seeds | Self::Jobs => true,
            Self::Key(position) => {
                matches!(KEYS[position].range, ValueRange::Integer { .. } | ValueRange::Number(..))
            }
            _ => false,
        }
    }

    /// A description for the lines of help.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Data => "A tree of images, <VIEW>/[split/]<A|B|C|D>/*; PNG, JPEG or TIFF.",
            Self::Views => "Each checked view gets a model of its own; use the arrows and Space, or click.",
            Self::Splits => {
                "The data's own split folders, else 80 : 10 : 10 by subject, drawn from the seed; or every image for \
                 both training and validation, to see whether the network can memorise them."
            }
            Self::Bits => {
                "Bit depth of the images in 16-bit files: 8, 10, 12, 14, 16, or white N for any other value; auto \
                 accepts 8-bit files, and 16-bit files that use their whole range."
            }
            Self::Preset => "The configuration to start from. Your changes below are kept.",
            Self::Name => "The name of the runs, after time and view; empty for the preset's name.",
            Self::Device => {
                "auto, cpu, cuda:0,1 and so on, or cuda:all. Each device has its trainers, which share the runs."
            }
            Self::Folds => {
                "Divide the subjects into this many folds, and train a run of every view for each fold that is held out; \
                 empty for no cross-validation."
            }
            Self::Seeds => {
                "Repeat every run with this many seeds: that of the configuration and those that follow it; empty for one."
            }
            Self::Sweep => {
                "Values of a key to train with, such as learning_rate=0.003,0.01; keys with a space between them give all \
                 combinations."
            }
            Self::Jobs => "Runs side by side on each device; auto finds out how many are fastest together.",
            Self::Key(position) => KEYS[position].meaning,
        }
    }
}

/// The heading of the fields of 16-bit images, which few data sets need.
const GREY_VALUES: &str = "grey values of 16-bit images";

/// The fields that match a text, the best first, also those of closed sections.
pub(super) fn found(filter: &str) -> Vec<Row> {
    let all = BASICS.into_iter().chain(STUDY_FIELDS).chain((0..KEYS.len()).map(Field::Key)).chain([Field::Bits]);
    matching(all, filter).into_iter().map(Row::Field).collect()
}

/// The sections with their fields.
pub(super) fn sections() -> Vec<(&'static str, Vec<Field>)> {
    let mut sections: Vec<(&str, Vec<Field>)> = vec![(STUDY, STUDY_FIELDS.to_vec())];
    for field in (0..KEYS.len()).map(Field::Key) {
        if let Some((_, title)) = SECTIONS.iter().find(|(first, _)| *first == field.name()) {
            sections.push((title, Vec::new()));
        }
        if let Some((_, fields)) = sections.last_mut() {
            fields.push(field);
        }
    }
    sections.push((GREY_VALUES, vec![Field::Bits]));
    sections
}

/// All rows without a filter: the fields that are always shown, then each section with all its fields if it is open,
/// else with those that are changed.
pub(super) fn rows(is_open: impl Fn(&str) -> bool, is_changed: impl Fn(Field) -> bool) -> Vec<Row> {
    let mut rows = vec![Row::Heading("data and runs")];
    rows.extend(BASICS.map(Row::Field));
    for (title, fields) in sections() {
        rows.push(Row::Section(title));
        rows.extend(fields.into_iter().filter(|field| is_open(title) || is_changed(*field)).map(Row::Field));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_row_and_every_section_a_first_key() {
        let open = rows(|_| true, |_| false);
        for position in 0..KEYS.len() {
            assert!(open.contains(&Row::Field(Field::Key(position))));
        }
        let sections = open.iter().filter(|row| matches!(row, Row::Section(_))).count();
        assert_eq!(sections, SECTIONS.len() + 2, "a section whose first key is gone would be lost");
        assert!(open.contains(&Row::Field(Field::Bits)));
    }

    #[test]
    fn closed_sections_show_what_is_changed() {
        let closed = rows(|_| false, |_| false);
        assert_eq!(closed.len(), 1 + BASICS.len() + SECTIONS.len() + 2);
        let changed = rows(|_| false, |field| field.name() == "dropout");
        let place = changed.iter().position(|row| *row == Row::Section("arithmetic and regularisation")).unwrap();
        assert!(matches!(changed[place + 1], Row::Field(field) if field.name() == "dropout"));
        assert_eq!(changed.len(), closed.len() + 1);
    }

    #[test]
    fn a_filter_finds_fields_of_closed_sections() {
        assert_eq!(found("PLATEAU").len(), 3);
        assert!(found("no such key").is_empty());
    }
}
