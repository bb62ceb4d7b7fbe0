//! The classes that several readers assigned to one case.

use serde::{Deserialize, Serialize};

use super::density::DensityClass;

/// The number of readers that assigned each class to a case, A first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReaderVotes([u32; DensityClass::COUNT]);

/// The class that most readers assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Majority {
    /// The class with the most readers; of several with as many, the densest.
    pub class: DensityClass,
    /// True if several classes have the most readers.
    pub is_tie: bool,
}

impl ReaderVotes {
    /// The votes of some readers.
    #[must_use]
    pub fn of(classes: impl IntoIterator<Item = DensityClass>) -> Self {
        let mut votes = Self::default();
        for class in classes {
            votes.0[class.index()] += 1;
        }
        votes
    }

    /// The number of readers that assigned a class.
    #[must_use]
    pub fn count(&self, class: DensityClass) -> u32 {
        self.0[class.index()]
    }

    /// The number of readers.
    #[must_use]
    pub fn readers(&self) -> u64 {
        self.0.iter().copied().map(u64::from).sum()
    }

    /// The share of the readers that assigned each class, A first; `None` without readers.
    #[must_use]
    pub fn shares(&self) -> Option<[f64; DensityClass::COUNT]> {
        let readers = self.readers();
        (readers > 0).then(|| self.0.map(|count| f64::from(count) / readers as f64))
    }

    /// The class of the most readers; `None` without readers.
    ///
    /// A tie goes to the denser class, as the BI-RADS atlas (5th edition) has the denser of two breasts decide: an
    /// overlooked dense breast is the costlier error.
    #[must_use]
    pub fn majority(&self) -> Option<Majority> {
        let most = self.0.into_iter().max().filter(|&most| most > 0)?;
        let mut densest_first = DensityClass::ALL.into_iter().rev().filter(|&class| self.count(class) == most);
        Some(Majority { class: densest_first.next()?, is_tie: densest_first.next().is_some() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::DensityClass::{A, B, C, D};
    use super::*;

    #[test]
    fn the_majority_decides_and_a_tie_goes_to_the_denser_class() {
        let of = |classes: &[DensityClass]| {
            let majority = ReaderVotes::of(classes.iter().copied()).majority();
            majority.map(|majority| (majority.class, majority.is_tie))
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[B]), Some((B, false)));
        assert_eq!(of(&[B, C, B]), Some((B, false)));
        assert_eq!(of(&[B, C]), Some((C, true)));
        assert_eq!(of(&[A, A, D, C, D]), Some((D, true)));
        assert_eq!(of(&[A, B, C]), Some((C, true)));
    }

    #[test]
    fn shares_are_those_of_the_readers() {
        let votes = ReaderVotes::of([B, C, B, B]);
        assert_eq!(votes.shares(), Some([0.0, 0.75, 0.25, 0.0]));
        assert_eq!(serde_json::to_string(&votes).unwrap(), "[0,3,1,0]");
        assert_eq!(ReaderVotes::default().shares(), None);
    }

    proptest! {
        #[test]
        fn shares_add_up_to_one_and_the_order_of_readers_does_not_matter(classes in prop::collection::vec(0_usize..4, 1..30)) {
            let classes: Vec<_> = classes.into_iter().map(|index| DensityClass::ALL[index]).collect();
            let votes = ReaderVotes::of(classes.iter().copied());
            prop_assert!((votes.shares().unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert_eq!(votes, ReaderVotes::of(classes.iter().rev().copied()));
            let majority = votes.majority().unwrap().class;
            prop_assert!(DensityClass::ALL.into_iter().all(|class| votes.count(class) <= votes.count(majority)));
        }
    }
}
