//! The fields of the form, in sections.

use super::field_search::matching;
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
    /// A key of the configuration, by its index in [`KEYS`].
    Key(usize),
}

/// A row of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
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
            Self::Data | Self::Bits | Self::Name | Self::Device => false,
        }
    }

    /// True if the value is a number, which digits replace.
    pub(super) fn is_number(self) -> bool {
        match self {
            Self::Bits => true,
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
                "auto, cpu, cuda:0,1 and so on, or cuda:all; one trainer per device, which share the views."
            }
            Self::Key(position) => KEYS[position].meaning,
        }
    }
}

/// The fields that match a text, the best first; for an empty text, all fields in sections.
pub(super) fn rows(filter: &str) -> Vec<Row> {
    let keys = (0..KEYS.len()).map(Field::Key);
    if !filter.trim().is_empty() {
        let all = BASICS.into_iter().chain(keys).chain([Field::Bits]);
        return matching(all, filter).into_iter().map(Row::Field).collect();
    }
    let mut rows = vec![Row::Section("data and runs")];
    rows.extend(BASICS.map(Row::Field));
    for field in keys {
        let section = SECTIONS.iter().find(|(first, _)| *first == field.name());
        rows.extend(section.map(|(_, title)| Row::Section(title)));
        rows.push(Row::Field(field));
    }
    // Last, since most data sets have 8 bits; the key End goes there.
    rows.extend([Row::Section("grey values of 16-bit images"), Row::Field(Field::Bits)]);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_row_and_every_section_a_first_key() {
        let rows = rows("");
        for position in 0..KEYS.len() {
            assert!(rows.contains(&Row::Field(Field::Key(position))));
        }
        let sections = rows.iter().filter(|row| matches!(row, Row::Section(_))).count();
        assert_eq!(sections, SECTIONS.len() + 2, "a section whose first key is gone would be lost");
    }

    #[test]
    fn a_filter_keeps_matching_fields() {
        let found = rows("PLATEAU");
        assert_eq!(found.len(), 3);
        assert!(rows("no such key").is_empty());
    }
}
