//! The error for a table that has no subject in common with the data.

use std::collections::BTreeSet;

use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::text::printable::printable;

/// Number of example ids from the table and from the data.
const EXAMPLES: usize = 3;

/// A table without any of the data's subjects, with examples from both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "names none of the data's {subjects} subjects: it has {}, the data has {}{}",
    listed(table), listed(data), if *alike { "; write the ids in one way" } else { "" }
)]
pub struct UnmatchedTable {
    /// Number of subjects in the data.
    pub subjects: usize,
    /// Examples from the table, starting with ids that look like one in the data.
    pub table: Vec<SubjectId>,
    /// Examples from the data, starting with ids that look like one in the table.
    pub data: Vec<SubjectId>,
    /// True if ids in the table look like ids in the data.
    pub alike: bool,
}

impl UnmatchedTable {
    /// Compares the subjects of a table with those of the data; `None` if they have one in common.
    pub(super) fn of(table: &BTreeSet<&SubjectId>, data: &BTreeSet<&SubjectId>) -> Option<Self> {
        if data.iter().any(|subject| table.contains(subject)) {
            return None;
        }
        let keys = |subjects: &BTreeSet<&SubjectId>| -> BTreeSet<IdKey> {
            subjects.iter().map(|subject| IdKey::of(&subject.0)).collect()
        };
        let (of_table, of_data) = (keys(table), keys(data));
        let first = |subjects: &BTreeSet<&SubjectId>, others: &BTreeSet<IdKey>| {
            let mut sorted: Vec<SubjectId> = subjects.iter().map(|subject| (*subject).clone()).collect();
            sorted.sort_by_cached_key(|subject| {
                let key = IdKey::of(&subject.0);
                (!others.contains(&key), key)
            });
            sorted.truncate(EXAMPLES);
            sorted
        };
        let alike = of_table.intersection(&of_data).next().is_some();
        Some(Self { subjects: data.len(), table: first(table, &of_data), data: first(data, &of_table), alike })
    }
}

fn listed(subjects: &[SubjectId]) -> String {
    subjects.iter().map(|subject| printable(&subject.0)).collect::<Vec<_>>().join(", ")
}
