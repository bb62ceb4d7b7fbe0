//! The choice among the greyscale transformations of a file: a lookup table, a window, or the range of its values.

use std::fmt;
use std::str::FromStr;

use super::lookup_table::LookupTable;
use super::modality::{Modality, number};
use super::window::{Window, WindowFunction};
use crate::file::data_set::DataSet;
use crate::file::tag;
use crate::header::finding::GreyFault;

/// A greyscale transformation.
#[derive(Clone, Debug, PartialEq)]
pub enum GreyTransform {
    /// A lookup table, and its index among the file's.
    Table { index: usize, table: LookupTable, explanation: Option<String> },
    /// A window, and its index among the file's.
    Window { index: usize, window: Window },
    /// From the smallest to the largest value that is not padding.
    Range,
}

/// A user's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GreyRequest {
    /// The first usable lookup table, else the first usable window, else the range.
    #[default]
    Auto,
    /// The window with this index, from 0.
    Window(usize),
    /// The first usable lookup table.
    Table,
    Range,
}

/// A choice that a file does not offer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GreyChoiceError {
    #[error(
        "--window {index}: the file has {available} usable windows, numbered from 0; choose one of them, lut or range"
    )]
    NoSuchWindow { index: usize, available: usize },
    #[error("--window lut: the file has no usable VOI lookup table; choose a window by its number, or range")]
    NoTable,
}

/// A text that is not a choice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not auto, lut, range or the number of a window, from 0")]
pub struct GreyRequestError(String);

impl fmt::Display for GreyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Window(index) => write!(f, "{index}"),
            Self::Table => f.write_str("lut"),
            Self::Range => f.write_str("range"),
        }
    }
}

impl FromStr for GreyRequest {
    type Err = GreyRequestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "lut" => Ok(Self::Table),
            "range" => Ok(Self::Range),
            number => number.parse().map(Self::Window).map_err(|_| GreyRequestError(number.to_owned())),
        }
    }
}

/// The transformations of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GreyOffer {
    tables: Vec<(usize, LookupTable, Option<String>)>,
    windows: Vec<(usize, Window)>,
    /// Tables and windows that cannot be used.
    pub faults: Vec<GreyFault>,
}

impl GreyOffer {
    /// The lookup tables and windows in a header.
    #[must_use]
    pub fn of(header: &DataSet<'_>, modality: &Modality, signed: bool) -> Self {
        let mut offer = Self::default();
        for (index, item) in header.items(tag::VOI_LUT_SEQUENCE).iter().enumerate() {
            match LookupTable::of(item, "VOI", modality.is_signed(signed)) {
                Ok(table) => {
                    offer.tables.push((index, table, item.text(tag::LUT_EXPLANATION).map(|text| plain(&text))));
                }
                Err(fault) => offer.faults.push(fault),
            }
        }
        offer.read_windows(header);
        offer
    }

    fn read_windows(&mut self, header: &DataSet<'_>) {
        let (centers, widths) = (header.texts(tag::WINDOW_CENTER), header.texts(tag::WINDOW_WIDTH));
        if centers.len() != widths.len() {
            self.faults.push(GreyFault::Count { centers: centers.len(), widths: widths.len() });
        }
        let function = match header.text(tag::VOI_LUT_FUNCTION).as_deref() {
            None | Some("LINEAR") => WindowFunction::Linear,
            Some("LINEAR_EXACT") => WindowFunction::LinearExact,
            Some("SIGMOID") => WindowFunction::Sigmoid,
            // Without knowing the function, a window cannot be applied.
            Some(other) => {
                if !centers.is_empty() {
                    self.faults.push(GreyFault::Function(plain(other)));
                }
                return;
            }
        };
        for (index, (center, width)) in centers.iter().zip(&widths).enumerate() {
            let pair = number(center, "Window Center").and_then(|center| Ok((center, number(width, "Window Width")?)));
            match pair {
                Ok((_, width)) if !function.accepts(width) => self.faults.push(GreyFault::Width { width, index }),
                Ok((center, width)) => self.windows.push((index, Window { center, width, function })),
                Err(fault) => self.faults.push(fault),
            }
        }
    }

    /// The numbers of usable lookup tables and windows.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.tables.len(), self.windows.len())
    }

    /// The transformation that a user gets.
    pub fn choose(&self, request: GreyRequest) -> Result<GreyTransform, GreyChoiceError> {
        let table = self.tables.first().map(|(index, table, explanation)| GreyTransform::Table {
            index: *index,
            table: table.clone(),
            explanation: explanation.clone(),
        });
        let window = |&(index, window): &(usize, Window)| GreyTransform::Window { index, window };
        match request {
            GreyRequest::Auto => Ok(table.or_else(|| self.windows.first().map(window)).unwrap_or(GreyTransform::Range)),
            GreyRequest::Table => table.ok_or(GreyChoiceError::NoTable),
            GreyRequest::Range => Ok(GreyTransform::Range),
            GreyRequest::Window(wanted) => {
                let found = self.windows.iter().find(|(index, _)| *index == wanted).map(window);
                found.ok_or(GreyChoiceError::NoSuchWindow { index: wanted, available: self.windows.len() })
            }
        }
    }
}

/// A short defined term, without anything else that a file may have in its place.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '_' | '-')).take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tag::Tag;
    use crate::file::test_elements::with_texts;

    fn offer(texts: &[(Tag, &str)]) -> GreyOffer {
        with_texts(texts, |header| GreyOffer::of(header, &Modality::Rescale { slope: 1.0, intercept: 0.0 }, false))
    }

    fn window(center: &str, width: &str, function: &str) -> GreyOffer {
        offer(&[(tag::WINDOW_CENTER, center), (tag::WINDOW_WIDTH, width), (tag::VOI_LUT_FUNCTION, function)])
    }

    #[test]
    fn the_first_usable_window_is_taken_and_the_others_by_number() {
        let offer = window("100\\200\\300", "10\\20\\30", "");
        assert_eq!((offer.counts(), offer.faults.len()), ((0, 3), 0));
        let GreyTransform::Window { index: 0, window } = offer.choose(GreyRequest::Auto).unwrap() else { panic!() };
        assert_eq!((window.center, window.width, window.function), (100.0, 10.0, WindowFunction::Linear));
        assert!(matches!(offer.choose(GreyRequest::Window(2)), Ok(GreyTransform::Window { index: 2, .. })));
        assert_eq!(offer.choose(GreyRequest::Window(3)), Err(GreyChoiceError::NoSuchWindow { index: 3, available: 3 }));
        assert_eq!(offer.choose(GreyRequest::Table), Err(GreyChoiceError::NoTable));
    }

    #[test]
    fn unusable_windows_are_reported_and_not_replaced_in_silence() {
        for (center, width, function, usable, fault) in [
            ("2048,5", "100", "", 0, "\"2048,5\" is not a number in Window Center"),
            ("NaN", "100", "", 0, "\"NaN\" is not a number in Window Center"),
            ("100", "inf", "", 0, "\"inf\" is not a number in Window Width"),
            ("100", "0", "", 0, "the window width 0 is invalid"),
            ("100", "-5", "SIGMOID", 0, "the window width -5 is invalid"),
            ("100", "0.5", "LINEAR", 0, "the window width 0.5 is invalid"),
            ("1\\2\\3", "4\\5", "", 2, "3 window centres and 2 widths"),
            ("100", "10", "CUBIC", 0, "the VOI LUT function CUBIC is unknown"),
        ] {
            let offer = window(center, width, function);
            let faults: Vec<String> = offer.faults.iter().map(ToString::to_string).collect();
            assert_eq!((offer.counts().1, faults), (usable, vec![fault.to_owned()]), "{center} {width} {function}");
            let chosen = offer.choose(GreyRequest::Auto).unwrap();
            assert_eq!(chosen == GreyTransform::Range, usable == 0);
        }
        assert_eq!(window("", "", ""), GreyOffer::default(), "no window is not a fault");
        assert!(window("100", "0.5", "LINEAR_EXACT").faults.is_empty(), "only LINEAR needs a width of 1");
    }

    #[test]
    fn requests_are_read_and_written() {
        for text in ["auto", "lut", "range", "0", "12"] {
            assert_eq!(text.parse::<GreyRequest>().unwrap().to_string(), text);
        }
        for text in ["", "-1", "first", "1.5"] {
            assert!(text.parse::<GreyRequest>().is_err(), "{text}");
        }
    }
}
