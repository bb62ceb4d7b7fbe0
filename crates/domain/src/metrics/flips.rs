//! Flips: cases that two networks predict differently.

use super::mcnemar::McNemarTest;
use crate::subject::density::DensityClass;

/// A case that two networks have predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairedCase {
    /// The positions of the case in the first and in the second set.
    pub places: [usize; 2],
    pub truth: DensityClass,
    /// The prediction of the first network.
    pub here: DensityClass,
    /// The prediction of the second network, with which the first is compared.
    pub there: DensityClass,
}

/// What the first network changes about the prediction of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// The second network errs, the first does not.
    Fixed,
    /// The first network errs, the second does not.
    Broken,
    /// Both err, in different ways.
    Moved,
}

impl PairedCase {
    /// The flip of this case; `None` if both networks predict the same class.
    #[must_use]
    pub fn flip(&self) -> Option<Flip> {
        match (self.here == self.truth, self.there == self.truth) {
            _ if self.here == self.there => None,
            (true, _) => Some(Flip::Fixed),
            (_, true) => Some(Flip::Broken),
            (false, false) => Some(Flip::Moved),
        }
    }

    /// True if the case is flipped into or out of a cell of the confusion matrix.
    #[must_use]
    pub fn touches(&self, (truth, predicted): (DensityClass, DensityClass)) -> bool {
        self.truth == truth && self.here != self.there && (self.here == predicted || self.there == predicted)
    }
}

/// Numbers of flips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlipCounts {
    pub fixed: u64,
    pub broken: u64,
    pub moved: u64,
}

impl FlipCounts {
    /// Counts the flips of some cases.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a PairedCase>) -> Self {
        let mut counts = Self::default();
        for flip in cases.into_iter().filter_map(PairedCase::flip) {
            match flip {
                Flip::Fixed => counts.fixed += 1,
                Flip::Broken => counts.broken += 1,
                Flip::Moved => counts.moved += 1,
            }
        }
        counts
    }

    /// Counts the flips into and out of a cell. Those of a cell on the diagonal are all fixed and broken cases of a class.
    #[must_use]
    pub fn of_cell(cases: &[PairedCase], cell: (DensityClass, DensityClass)) -> Self {
        Self::of(cases.iter().filter(|case| case.touches(cell)))
    }

    /// The test whether the networks differ in accuracy.
    #[must_use]
    pub fn test(&self) -> McNemarTest {
        McNemarTest::exact(self.fixed, self.broken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use DensityClass::{A, B, C};

    fn case((truth, here, there): (DensityClass, DensityClass, DensityClass)) -> PairedCase {
        PairedCase { places: [0, 0], truth, here, there }
    }

    fn any_case() -> impl Strategy<Value = PairedCase> {
        let class = || prop::sample::select(DensityClass::ALL.to_vec());
        (class(), class(), class()).prop_map(case)
    }

    #[test]
    fn cells_count_what_enters_and_leaves_them() {
        let cases = [(B, B, C), (B, B, C), (B, C, B), (B, A, C), (B, B, B), (B, C, C), (A, B, A)].map(case);
        let of = |cell| FlipCounts::of_cell(&cases, cell);
        assert_eq!(of((B, C)), FlipCounts { fixed: 2, broken: 1, moved: 1 });
        assert_eq!(of((B, A)), FlipCounts { fixed: 0, broken: 0, moved: 1 });
        assert_eq!(of((B, B)), FlipCounts { fixed: 2, broken: 1, moved: 0 });
        assert_eq!(of((A, B)), FlipCounts { fixed: 0, broken: 1, moved: 0 });
        assert_eq!(FlipCounts::of(&cases), FlipCounts { fixed: 2, broken: 2, moved: 1 });
    }

    proptest! {
        #[test]
        fn the_diagonal_has_the_fixed_and_broken_cases_of_its_row(cases in prop::collection::vec(any_case(), 0..60)) {
            let mut all = FlipCounts::default();
            for truth in DensityClass::ALL {
                let row = |of: fn(&FlipCounts) -> u64| -> u64 {
                    let others = DensityClass::ALL.into_iter().filter(|predicted| *predicted != truth);
                    others.map(|predicted| of(&FlipCounts::of_cell(&cases, (truth, predicted)))).sum()
                };
                let diagonal = FlipCounts::of_cell(&cases, (truth, truth));
                prop_assert_eq!(diagonal.fixed, row(|counts| counts.fixed));
                prop_assert_eq!(diagonal.broken, row(|counts| counts.broken));
                prop_assert_eq!(diagonal.moved, 0);
                all.fixed += diagonal.fixed;
                all.broken += diagonal.broken;
            }
            let counted = FlipCounts::of(&cases);
            prop_assert_eq!((all.fixed, all.broken), (counted.fixed, counted.broken));
        }
    }
}
