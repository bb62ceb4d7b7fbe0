//! Shards of a cohort: the subjects that one of several processes handles.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::id_spelling::IdKey;

/// The largest number of shards.
pub const MAX_SHARDS: u32 = 10_000;

/// One of the shards of a cohort, by the number of the shard and their count.
///
/// A subject's shard depends on its id and the count alone: not on the other subjects, the machine or the program's
/// version. All spellings of an id, and with them all examinations of a woman, are in one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    count: u32,
}

/// A text that is not a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected I/N, the number of a shard, from 1, and the count of shards, such as 2/8; at most {MAX_SHARDS}")]
pub struct ShardError;

impl Shard {
    /// Shard `number`, from 1, of `count`.
    pub fn new(number: u32, count: u32) -> Result<Self, ShardError> {
        let is_valid = (1..=MAX_SHARDS).contains(&count) && (1..=count).contains(&number);
        is_valid.then_some(Self { number, count }).ok_or(ShardError)
    }

    /// The number of this shard, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }

    /// The number of shards.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// True if a subject belongs to this shard: the first 64 bits of the SHA-256 of its [key](IdKey), modulo the count.
    #[must_use]
    pub fn holds(self, subject: &str) -> bool {
        let digest = Sha256::digest(IdKey::of(subject).as_str());
        let hash = digest[..8].iter().fold(0, |hash: u64, &byte| hash << 8 | u64::from(byte));
        hash % u64::from(self.count) == u64::from(self.number - 1)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| {
            let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
            digits.parse().ok().filter(|_| is_plain).ok_or(ShardError)
        };
        let (own, count) = text.split_once('/').ok_or(ShardError)?;
        Self::new(number(own)?, number(count)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(count: u32) -> impl Iterator<Item = Shard> {
        (1..=count).map(move |number| Shard::new(number, count).unwrap())
    }

    #[test]
    fn shards_are_read_and_anything_else_is_refused() {
        let shard: Shard = "2/8".parse().unwrap();
        assert_eq!((shard.number(), shard.count(), shard.to_string().as_str()), (2, 8, "2/8"));
        for text in
            ["0/8", "9/8", "a/b", "1/0", "0/0", "1", "", "/", "1/", "/8", "+1/8", "1/8/8", " 1/8", "-1/8", "1/10001"]
        {
            assert_eq!(text.parse::<Shard>(), Err(ShardError), "{text:?}");
        }
    }

    /// Shards on different machines, and of different versions of the program, must agree on every subject.
    #[test]
    fn the_hash_never_changes() {
        let shards = ["1", "2", "007", "P00ff", "Zo\u{eb}"].map(|id| all(8).position(|shard| shard.holds(id)).unwrap());
        assert_eq!(shards, [1, 6, 6, 3, 5], "computed with hashlib of Python");
    }

    #[test]
    fn subjects_are_spread_evenly() {
        for count in [2, 8, 64] {
            let held = all(count).map(|shard| (0..6400).filter(|id: &u32| shard.holds(&id.to_string())).count());
            let held: Vec<usize> = held.collect();
            let mean = 6400 / count as usize;
            // Five standard deviations of a binomial distribution.
            let most = 5.0 * (mean as f64).sqrt();
            assert!(held.iter().all(|&held| (held as f64 - mean as f64).abs() < most), "{held:?}");
        }
    }

    proptest! {
        #[test]
        fn every_subject_is_in_exactly_one_shard(id in any::<String>(), count in 1..200_u32) {
            prop_assert_eq!(all(count).filter(|shard| shard.holds(&id)).count(), 1);
        }

        #[test]
        fn all_spellings_of_an_id_share_a_shard(name in "[a-z]{0,3}", number in 1_u32.., count in 1..50_u32) {
            let plain = format!("{name}{number}");
            let spelled = format!(" {}00{number} ", name.to_uppercase());
            prop_assert!(all(count).all(|shard| shard.holds(&plain) == shard.holds(&spelled)));
        }
    }
}
