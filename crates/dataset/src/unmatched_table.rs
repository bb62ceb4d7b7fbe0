//! A table about subjects of whom the data has none.

use std::collections::BTreeSet;

use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::subject::SubjectId;
use mammoscope_domain::text::printable::printable;

/// How many ids of either side are named.
const EXAMPLES: usize = 3;

/// A table none of whose subjects the data has, with examples of both sides.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "names none of the data's {subjects} subjects: it has {}, the data {}{}",
    listed(table), listed(data), if *alike { "; write the ids in one way" } else { "" }
)]
pub struct UnmatchedTable {
    /// How many subjects the data has.
    pub subjects: usize,
    /// Some of the table's; first those that look like one of the data's.
    pub table: Vec<SubjectId>,
    /// Some of the data's; first those that look like one of the table's.
    pub data: Vec<SubjectId>,
    /// Whether some of them look the same.
    pub alike: bool,
}

impl UnmatchedTable {
    /// Compares the subjects of a table with those of the data; `None` where they have one in common.
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
