//! The order in which the images are listed.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::flags::Flag;
use super::samples::{KnownHeader, SampleRow, Samples};
use super::tree::FolderTree;

/// The property by which the images are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum SortKey {
    /// By folder, and by name within it.
    #[default]
    Folder,
    Name,
    Class,
    /// By the number of pixels; images whose size is not known yet are last.
    Size,
    /// The worst flags first.
    Flags,
}

/// The order in which the images are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct SampleOrder {
    pub(super) key: SortKey,
    pub(super) reversed: bool,
}

impl SampleOrder {
    /// The order by the next property.
    pub(super) fn next(self) -> Self {
        let key = match self.key {
            SortKey::Folder => SortKey::Name,
            SortKey::Name => SortKey::Class,
            SortKey::Class => SortKey::Size,
            SortKey::Size => SortKey::Flags,
            SortKey::Flags => SortKey::Folder,
        };
        Self { key, reversed: false }
    }

    /// The same order, from the other end.
    pub(super) fn reverse(self) -> Self {
        Self { reversed: !self.reversed, ..self }
    }

    /// The order in words, such as `by class ↓`; empty for the usual one.
    pub(super) fn text(self, ascii: bool) -> String {
        let name = match self.key {
            SortKey::Folder if !self.reversed => return String::new(),
            SortKey::Folder => "by folder",
            SortKey::Name => "by name",
            SortKey::Class => "by class",
            SortKey::Size => "by size",
            SortKey::Flags => "by flags",
        };
        let arrow = match (self.reversed, ascii) {
            (false, false) => "↑",
            (true, false) => "↓",
            (false, true) => "up",
            (true, true) => "down",
        };
        format!("{name} {arrow}")
    }

    /// Sorts rows; those that are equal stay in the order of their folders.
    pub(super) fn sort(self, rows: &mut [SampleRow], samples: &Samples, tree: &FolderTree) {
        match self.key {
            SortKey::Folder => {}
            SortKey::Name => rows.sort_by(|one, other| by_name(Samples::name(tree, *one), Samples::name(tree, *other))),
            SortKey::Class => rows.sort_by_key(|row| {
                let class = tree.folder(Samples::folder(*row)).context.class;
                (class.is_none(), class)
            }),
            SortKey::Size => rows.sort_by_cached_key(|row| match samples.header(&Samples::path(tree, *row)) {
                Some(KnownHeader::Read(header)) => u64::from(header.facts.width) * u64::from(header.facts.height),
                Some(KnownHeader::Unreadable) | None => u64::MAX,
            }),
            SortKey::Flags => rows.sort_by_cached_key(|row| {
                let flags = samples.flags(tree, *row);
                (!flags.iter().any(Flag::is_bad), flags.is_empty())
            }),
        }
        if self.reversed {
            rows.reverse();
        }
    }
}

/// Compares names with their numbers as numbers, so that 9 comes before 10.
fn by_name(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (here, there) = (digits(one), digits(other));
        let (number, another) = (without_zeros(&one[..here]), without_zeros(&other[..there]));
        let compared = if here > 0 && there > 0 {
            number.len().cmp(&another.len()).then_with(|| number.cmp(another))
        } else {
            one.first().cmp(&other.first())
        };
        if compared != Ordering::Equal || one.is_empty() {
            return compared;
        }
        let skipped = |digits: usize| digits.max(1);
        (one, other) = (&one[skipped(here)..], &other[skipped(there)..]);
    }
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|digit| **digit == b'0').count()..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = ["10_1_A", "9_2_A", "9_10_A", "9_1_B", "x", "09_1_A", ""];
        names.sort_by(|one, other| by_name(one, other));
        assert_eq!(names, ["", "09_1_A", "9_1_B", "9_2_A", "9_10_A", "10_1_A", "x"]);
    }

    proptest! {
        #[test]
        fn names_are_in_one_order(names in prop::collection::vec("[0-9a-b_]{0,6}", 3)) {
            let compared = |one: usize, other: usize| by_name(&names[one], &names[other]);
            prop_assert_eq!(compared(0, 1), compared(1, 0).reverse());
            if compared(0, 1) != Ordering::Greater && compared(1, 2) != Ordering::Greater {
                prop_assert_ne!(compared(0, 2), Ordering::Greater);
            }
        }
    }
}
