//! One id in several spellings: Excel drops leading zeros, pandas turns `1` into `1.0`, people mix cases and add
//! spaces.
//!
//! Nothing is guessed: ids that look the same stay separate and are reported, but never end up in different splits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use crate::text::printable::printable;

/// The number of groups that are spelled out; the rest are counted.
const MAX_LISTED: usize = 3;

/// The key that all spellings of an id share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdKey(String);

impl IdKey {
    /// The id in Unicode NFKC and lower case, without white space, leading zeros of its numbers, and the `.0` of a
    /// whole number.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let plain: String =
            id.nfkc().filter(|character| !character.is_whitespace()).flat_map(char::to_lowercase).collect();
        let whole = match plain.split_once('.') {
            Some((number, zeros)) if is_number(number) && zeros.bytes().all(|digit| digit == b'0') => number,
            _ => &plain,
        };
        let mut key = String::with_capacity(whole.len());
        let mut rest = whole;
        while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
            let (text, digits) = rest.split_at(start);
            let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
            let (number, after) = digits.split_at(end);
            let significant = number.trim_start_matches('0');
            key.push_str(text);
            key.push_str(if significant.is_empty() { "0" } else { significant });
            rest = after;
        }
        key.push_str(rest);
        Self(key)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Groups of ids that look the same, each of two spellings or more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookAlikes(Vec<Vec<String>>);

impl LookAlikes {
    /// Finds the groups among some ids.
    #[must_use]
    pub fn among<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let mut by_key: BTreeMap<IdKey, BTreeSet<&str>> = BTreeMap::new();
        for id in ids {
            by_key.entry(IdKey::of(id)).or_default().insert(id);
        }
        let groups = by_key.into_values().filter(|spellings| spellings.len() > 1);
        Self(groups.map(|spellings| spellings.into_iter().map(str::to_owned).collect()).collect())
    }

    /// True if every id is spelled in one way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `subject ids that look the same are treated as different subjects (007 and 7)`
    #[must_use]
    pub fn described(&self, what: &str) -> String {
        format!("{what} ids that look the same are treated as different {what}s ({self})")
    }

    /// The groups, each with its spellings in alphabetical order.
    #[must_use]
    pub fn groups(&self) -> &[Vec<String>] {
        &self.0
    }
}

impl fmt::Display for LookAlikes {
    /// `007 and 7, P1 and p1, and 4 more`; ids that contain white space are quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |id: &String| if id.contains(char::is_whitespace) { format!("'{}'", printable(id)) } else { printable(id) };
        let groups = self.0.iter().take(MAX_LISTED);
        let groups: Vec<_> =
            groups.map(|spellings| spellings.iter().map(shown).collect::<Vec<_>>().join(" and ")).collect();
        f.write_str(&groups.join(", "))?;
        match self.0.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_id_share_a_key() {
        for spellings in [
            &["7", "007", "7.0", "07.00", " 7", "\u{ff17}"][..],
            &["P001", "p1", "P 01", "p\u{a0}0001"],
            &["Zo\u{eb}", "Zoe\u{308}", "ZO\u{cb}"],
            &["0", "00", "0.0"],
            &["12_1", "012_01"],
        ] {
            for spelling in spellings {
                assert_eq!(IdKey::of(spelling), IdKey::of(spellings[0]), "{spelling:?} of {spellings:?}");
            }
        }
        for (one, other) in [
            ("7", "70"),
            ("1.5", "1"),
            ("1.0a", "1a"),
            ("P1", "Q1"),
            ("a", "b"),
            ("", "0"),
            ("1_2", "12"),
            ("v1.0", "v1"),
        ] {
            assert_ne!(IdKey::of(one), IdKey::of(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn the_first_groups_are_listed_and_the_rest_counted() {
        let alike = LookAlikes::among(["7", "8", "007", "P1", "p1", "7", "P1 "]);
        assert_eq!(alike.to_string(), "007 and 7, P1 and 'P1 ' and p1");
        let many: Vec<String> = (1..=9).flat_map(|id| [id.to_string(), format!("0{id}")]).collect();
        assert!(LookAlikes::among(many.iter().map(String::as_str)).to_string().ends_with("03 and 3, and 6 more"));
        assert!(LookAlikes::among(["1", "2", "12", "1"]).is_empty());
    }

    proptest! {
        #[test]
        fn white_space_zeros_and_case_never_change_a_key(id in any::<String>(), number in 1_u32.., name in "[a-z]{0,3}") {
            prop_assert_eq!(IdKey::of(&format!(" {id}\t")), IdKey::of(&id));
            let spelled = format!("{name}{number}");
            prop_assert_eq!(IdKey::of(&format!("{}00{number}", name.to_uppercase())), IdKey::of(&spelled));
        }
    }
}
