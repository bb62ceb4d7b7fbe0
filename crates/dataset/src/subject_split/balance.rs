//! The deviation of drawn parts from the requested shares.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::division::{Division, Part};
use super::unit::SubjectUnit;
use mammoscope_domain::subject::density::DensityClass;

/// The most seeds that are tried.
const MAX_SEEDS: u64 = 1000;
/// The most draws in the search for a seed: a second or so.
const MAX_DRAWS: u64 = 2_000_000;

/// The number of units of each class in each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartCounts(BTreeMap<Part, [usize; DensityClass::COUNT]>);

/// A seed whose draw comes close to the requested shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosestSeed {
    pub seed: u64,
    /// Seeds from 0 to this one were tried.
    pub last_tried: u64,
    /// The parts without a unit of a class that occurs.
    pub empty: usize,
    /// The largest deviation of a class in a part, in units.
    pub deviation: f64,
}

impl PartCounts {
    /// Counts the units of each part.
    #[must_use]
    pub fn of(division: &Division, units: &[SubjectUnit], seed: u64) -> Self {
        let mut counts: BTreeMap<_, _> =
            division.parts().into_iter().map(|(part, _)| (part, [0; DensityClass::COUNT])).collect();
        for unit in units {
            counts.entry(division.part_of(unit, seed)).or_default()[unit.class.index()] += 1;
        }
        Self(counts)
    }

    #[must_use]
    pub fn count(&self, part: Part, class: DensityClass) -> usize {
        self.0.get(&part).map_or(0, |counts| counts[class.index()])
    }

    /// The units of a class in all parts.
    #[must_use]
    pub fn of_class(&self, class: DensityClass) -> usize {
        self.0.values().map(|counts| counts[class.index()]).sum()
    }

    /// The parts with a share that have no unit of a class that occurs.
    #[must_use]
    pub fn empty(&self, division: &Division) -> Vec<(Part, DensityClass)> {
        let mut empty = Vec::new();
        for (part, _) in division.parts().into_iter().filter(|(_, share)| *share > 0.0) {
            let occurs = |class: &DensityClass| self.of_class(*class) > 0 && self.count(part, *class) == 0;
            empty.extend(DensityClass::ALL.into_iter().filter(occurs).map(|class| (part, class)));
        }
        empty
    }

    /// The largest difference between a number of units and the requested share of its class.
    #[must_use]
    pub fn deviation(&self, division: &Division) -> f64 {
        let mut largest = 0.0_f64;
        for (part, share) in division.parts() {
            for class in DensityClass::ALL {
                let requested = share * self.of_class(class) as f64;
                largest = largest.max((self.count(part, class) as f64 - requested).abs());
            }
        }
        largest
    }
}

/// The seed, of as many from 0 on as can be tried in about a second, whose draw has the fewest parts without a class and
/// then the smallest deviation.
///
/// It depends on the data set, so it is for choosing a seed once; a draw with a given seed does not.
#[must_use]
pub fn closest_seed(division: &Division, units: &[SubjectUnit]) -> ClosestSeed {
    let seeds = (MAX_DRAWS / units.len().max(1) as u64).clamp(1, MAX_SEEDS);
    let tried = (0..seeds).into_par_iter().map(|seed| {
        let counts = PartCounts::of(division, units, seed);
        let (empty, deviation) = (counts.empty(division).len(), counts.deviation(division));
        ClosestSeed { seed, last_tried: seeds - 1, empty, deviation }
    });
    let order = |one: &ClosestSeed, other: &ClosestSeed| {
        one.empty.cmp(&other.empty).then(one.deviation.total_cmp(&other.deviation)).then(one.seed.cmp(&other.seed))
    };
    tried.min_by(order).expect("at least one seed is tried")
}
