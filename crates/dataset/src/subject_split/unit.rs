//! Subjects that have to stay together.

use std::collections::{BTreeMap, HashMap};

use crate::picture_copies::PictureCopy;
use crate::sample::DatasetSample;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::subject_id::SubjectId;

/// Subjects that are in the same part: one subject as a rule, or several whose ids look the same or who share a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectUnit {
    /// The smallest key among the subjects' ids, on which the part depends.
    pub(super) key: IdKey,
    /// In alphabetical order.
    pub subjects: Vec<SubjectId>,
    /// The densest class among the subjects.
    pub class: DensityClass,
}

/// Joins subjects into units: those whose ids look the same ([`IdKey`]), and those of each pair in `shared`, who share a
/// picture. `classes` has every subject with her densest class; pairs with other subjects are ignored. The units are in the
/// order of their keys.
#[must_use]
pub fn subject_units(classes: &BTreeMap<SubjectId, DensityClass>, shared: &[[SubjectId; 2]]) -> Vec<SubjectUnit> {
    let subjects: Vec<&SubjectId> = classes.keys().collect();
    let index_of: HashMap<&SubjectId, usize> = subjects.iter().enumerate().map(|(index, id)| (*id, index)).collect();
    let mut groups = Groups::new(subjects.len());
    let mut first_of: HashMap<IdKey, usize> = HashMap::new();
    for (index, subject) in subjects.iter().enumerate() {
        let first = *first_of.entry(IdKey::of(&subject.0)).or_insert(index);
        groups.join(first, index);
    }
    for [one, other] in shared {
        if let (Some(&one), Some(&other)) = (index_of.get(one), index_of.get(other)) {
            groups.join(one, other);
        }
    }
    let mut units: BTreeMap<usize, SubjectUnit> = BTreeMap::new();
    for (index, subject) in subjects.into_iter().enumerate() {
        let (key, class) = (IdKey::of(&subject.0), classes[subject]);
        let unit = units.entry(groups.root(index)).or_insert_with(|| SubjectUnit {
            key: key.clone(),
            subjects: Vec::new(),
            class,
        });
        unit.key = key.min(unit.key.clone());
        unit.class = class.max(unit.class);
        unit.subjects.push(subject.clone());
    }
    let mut units: Vec<_> = units.into_values().collect();
    units.sort_by(|one, other| one.key.cmp(&other.key));
    units
}

/// The pairs of subjects who share a picture, each in alphabetical order, with the first copy that shows it. `copies` are
/// of the images of `samples`.
#[must_use]
pub fn subjects_with_copies<'a>(
    samples: &[&DatasetSample],
    copies: &'a [PictureCopy],
) -> BTreeMap<[SubjectId; 2], &'a PictureCopy> {
    let mut pairs = BTreeMap::new();
    for copy in copies {
        let mut subjects = [copy.earlier, copy.later].map(|at| samples[at].subject.clone());
        subjects.sort();
        if subjects[0] != subjects[1] {
            pairs.entry(subjects).or_insert(copy);
        }
    }
    pairs
}

/// Disjoint sets of numbers.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.0[number] != number {
            self.0[number] = self.0[self.0[number]];
            number = self.0[number];
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::DensityClass::{A, B, C};
    use super::*;

    #[test]
    fn look_alikes_and_subjects_with_a_common_picture_are_one_unit() {
        let id = |text: &str| SubjectId::new(text);
        let classes = [("7", A), ("007", B), ("8", A), ("9", C), ("10", A), ("11", B)];
        let classes = classes.map(|(text, class)| (id(text), class)).into_iter().collect();
        let shared = [[id("9"), id("10")], [id("10"), id("7")], [id("8"), id("absent")]];
        let units = subject_units(&classes, &shared);
        let shown: Vec<_> = units
            .iter()
            .map(|unit| (unit.subjects.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(" "), unit.class))
            .collect();
        assert_eq!(shown, [("007 10 7 9".to_owned(), C), ("11".to_owned(), B), ("8".to_owned(), A)]);
        assert_eq!(units[0].key, IdKey::of("10"), "the smallest as text");
    }
}
