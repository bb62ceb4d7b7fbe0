//! The lines of a label file that concern the same image or case, merged.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::label_columns::LabelLine;
use super::statement::Statement;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::reader_votes::ReaderVotes;
use mammoscope_domain::text::printable::printable;

/// The label of an image or a case in a label file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedLabel {
    /// The class in the column `class`, or else that of most readers ([`ReaderVotes::majority`]).
    pub class: DensityClass,
    /// The readers' classes; without readers, `None`.
    pub votes: Option<ReaderVotes>,
}

/// The lines about one image or case.
pub(super) struct MergedLabel<K> {
    pub(super) key: K,
    /// The number of the first line.
    pub(super) line: u64,
    pub(super) statement: Statement,
    class: Option<DensityClass>,
    class_line: u64,
    /// Class and line of each reader, by the readers' indices.
    readings: BTreeMap<usize, (DensityClass, u64)>,
}

/// The images or cases of a label file, and its faults.
pub(super) struct MergedLabels<K> {
    pub(super) merged: Vec<MergedLabel<K>>,
    by_key: HashMap<K, usize>,
    pub(super) bad_lines: Vec<(u64, String)>,
    /// The lines that add nothing to earlier ones.
    pub(super) repeats: Vec<u64>,
}

impl<K: Clone + Eq + Hash> MergedLabels<K> {
    pub(super) fn new() -> Self {
        Self { merged: Vec::new(), by_key: HashMap::new(), bad_lines: Vec::new(), repeats: Vec::new() }
    }

    /// Adds a line; `name` is that of its image or case in messages, safe to print.
    pub(super) fn add(&mut self, key: K, line: LabelLine, name: &str, readers: &[String]) {
        let next = self.merged.len();
        let index = *self.by_key.entry(key.clone()).or_insert(next);
        let number = line.number;
        if index == next {
            let mut first = MergedLabel {
                key,
                line: number,
                statement: line.statement,
                class: line.class,
                class_line: number,
                readings: BTreeMap::new(),
            };
            first.readings.extend(line.readings.into_iter().map(|(reader, class)| (reader, (class, number))));
            self.merged.push(first);
            return;
        }
        match self.merged[index].extend(line, name, readers) {
            Ok(true) => {}
            Ok(false) => self.repeats.push(number),
            Err(reason) => self.bad_lines.push((number, reason)),
        }
    }
}

impl<K> MergedLabel<K> {
    /// Adds another line; false if it adds nothing.
    fn extend(&mut self, line: LabelLine, name: &str, readers: &[String]) -> Result<bool, String> {
        if line.statement != self.statement {
            return Err(format!("{name} differs from line {}", self.line));
        }
        let mut adds = false;
        match (self.class, line.class) {
            (Some(known), Some(class)) if known != class => {
                return Err(format!("{name} is {class} here and {known} in line {}", self.class_line));
            }
            (None, Some(class)) => {
                (self.class, self.class_line) = (Some(class), line.number);
                adds = true;
            }
            _ => {}
        }
        for (reader, class) in line.readings {
            let (known, known_line) = *self.readings.entry(reader).or_insert_with(|| {
                adds = true;
                (class, line.number)
            });
            if known != class {
                let reader = printable(&readers[reader]);
                return Err(format!("{name}: reader {reader} says {class} here and {known} in line {known_line}"));
            }
        }
        Ok(adds)
    }

    /// The label; `None` if no line has a class.
    pub(super) fn label(&self) -> Option<StatedLabel> {
        let votes = ReaderVotes::of(self.readings.values().map(|(class, _)| *class));
        let class = self.class.or_else(|| Some(votes.majority()?.class))?;
        Some(StatedLabel { class, votes: (votes.readers() > 0).then_some(votes) })
    }

    /// True if no class is stated and several have the most readers.
    pub(super) fn is_tie(&self) -> bool {
        let votes = ReaderVotes::of(self.readings.values().map(|(class, _)| *class));
        self.class.is_none() && votes.majority().is_some_and(|majority| majority.is_tie)
    }

    /// The class of each of `readers` readers.
    pub(super) fn readings(&self, readers: usize) -> Vec<Option<DensityClass>> {
        (0..readers).map(|reader| self.readings.get(&reader).map(|(class, _)| *class)).collect()
    }
}
