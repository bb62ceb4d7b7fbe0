//! Percentile intervals of figures by a bootstrap over subjects.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A bootstrap over subjects: as many subjects as there are, drawn with replacement, each with all its cases (the
/// images of one subject are not independent). Efron & Tibshirani, An Introduction to the Bootstrap (1993).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The number of resamples.
    pub resamples: u32,
    /// Every resample has a random stream of its own under this seed, so intervals do not depend on the thread count.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 2000 resamples, seed 0.
    fn default() -> Self {
        Self { resamples: 2000, seed: 0 }
    }
}

impl Bootstrap {
    /// No resamples, and so no intervals.
    pub const NONE: Self = Self { resamples: 0, seed: 0 };
}

/// Ends of an interval that differ by no more than this are equal up to rounding.
const ROUNDING: f64 = 1e-12;

/// A 95 % percentile interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
    /// The number of resamples left out because the figure is undefined in them, for example if a class was not drawn.
    pub undefined_resamples: u32,
}

impl Bootstrap {
    /// The intervals of `K` statistics. `subject_of[i]` is the number of the subject of case `i`, from 0 without gaps;
    /// `statistics` takes the multiplicity of each case.
    ///
    /// A resample in which a statistic is undefined is left out of its interval. The interval is `None` if more than
    /// half of the resamples are: the rest are too special a choice and, with few subjects, suggest a certainty that is
    /// not there. For the same reason it is `None` with fewer than two subjects, and if its ends are equal: a share
    /// that is 1 in the whole set is 1 in every resample, which says nothing about its uncertainty.
    pub fn intervals<const K: usize>(
        &self,
        subject_of: &[u32],
        statistics: impl Fn(&[u32]) -> [Option<f64>; K] + Sync,
    ) -> [Option<Interval>; K] {
        let subjects = subject_of.iter().max().map_or(0, |&last| last + 1);
        if subjects < 2 {
            return [None; K];
        }
        let draws: Vec<[Option<f64>; K]> = (0..self.resamples)
            .into_par_iter()
            .map_init(
                || (vec![0; subjects as usize], vec![0; subject_of.len()]),
                |(drawn, multiplicity), resample| {
                    self.draw(resample, drawn);
                    for (times, &subject) in multiplicity.iter_mut().zip(subject_of) {
                        *times = drawn[subject as usize];
                    }
                    statistics(multiplicity)
                },
            )
            .collect();
        std::array::from_fn(|statistic| {
            percentile_interval(draws.iter().filter_map(|draw| draw[statistic]).collect(), self.resamples)
        })
    }

    /// Writes to `drawn` how often each subject occurs in a resample.
    fn draw(&self, resample: u32, drawn: &mut [u32]) {
        drawn.fill(0);
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from(resample));
        for _ in 0..drawn.len() {
            drawn[random.random_range(0..drawn.len() as u32) as usize] += 1;
        }
    }
}

fn percentile_interval(mut values: Vec<f64>, resamples: u32) -> Option<Interval> {
    if values.len() * 2 < resamples as usize {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let (low, high) = (percentile(&values, 0.025)?, percentile(&values, 0.975)?);
    let undefined_resamples = resamples - values.len() as u32;
    (high - low > ROUNDING).then_some(Interval { low, high, undefined_resamples })
}

/// A percentile of sorted values, linearly interpolated as NumPy does by default.
fn percentile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let position = fraction * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    Some(below + (above - below) * position.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of the drawn cases' indices.
    fn mean(multiplicity: &[u32]) -> [Option<f64>; 1] {
        let total: u32 = multiplicity.iter().sum();
        let sum: f64 = multiplicity.iter().enumerate().map(|(value, &times)| value as f64 * f64::from(times)).sum();
        [(total > 0).then(|| sum / f64::from(total))]
    }

    #[test]
    fn percentiles_are_interpolated_linearly() {
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.25), Some(2.0));
        assert_eq!(percentile(&[0.0, 1.0], 0.975), Some(0.975));
        assert_eq!(percentile(&[7.0], 0.5), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn the_interval_of_a_mean_is_close_to_the_normal_approximation() {
        let subject_of: Vec<u32> = (0..100).collect();
        let [interval] = Bootstrap { resamples: 4000, seed: 1 }.intervals(&subject_of, mean);
        let interval = interval.unwrap();
        // 49.5 ± 1.96 · σ/√n with σ² = (n² − 1)/12.
        let half_width = 1.96 * ((100.0_f64 * 100.0 - 1.0) / 12.0).sqrt() / 10.0;
        assert!((interval.low - (49.5 - half_width)).abs() < 0.5, "{interval:?}");
        assert!((interval.high - (49.5 + half_width)).abs() < 0.5, "{interval:?}");
        assert_eq!(interval.undefined_resamples, 0);
    }

    #[test]
    fn a_mostly_undefined_statistic_has_no_interval() {
        let subject_of: Vec<u32> = (0..4).collect();
        let all_drawn = |multiplicity: &[u32]| [multiplicity.iter().all(|&times| times > 0).then_some(1.0)];
        // All of four are drawn in 4!/4⁴ = 9 % of resamples.
        assert_eq!(Bootstrap { resamples: 500, seed: 3 }.intervals(&subject_of, all_drawn), [None]);
        let any_of_two = |multiplicity: &[u32]| {
            let drawn = multiplicity[0] + multiplicity[1];
            [(drawn > 0).then_some(f64::from(drawn))]
        };
        let [interval] = Bootstrap { resamples: 500, seed: 3 }.intervals(&subject_of, any_of_two);
        assert!(interval.is_some_and(|interval| interval.undefined_resamples > 0));
    }

    #[test]
    fn intervals_depend_on_the_seed_but_not_on_the_threads() {
        let subject_of: Vec<u32> = (0..40).collect();
        let interval = |seed, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Bootstrap { resamples: 300, seed }.intervals(&subject_of, mean))
        };
        assert_eq!(interval(5, 1), interval(5, 4));
        assert_ne!(interval(5, 1), interval(6, 1));
    }

    #[test]
    fn the_cases_of_a_subject_are_drawn_together() {
        let together = |multiplicity: &[u32]| {
            assert!(multiplicity.chunks(4).all(|views| views.iter().all(|&times| times == views[0])));
            assert_eq!(multiplicity.iter().sum::<u32>(), 80);
            [Some(f64::from(multiplicity[0]))]
        };
        let subject_of: Vec<u32> = (0..80).map(|case| case / 4).collect();
        let [interval] = Bootstrap { resamples: 50, seed: 0 }.intervals(&subject_of, together);
        assert!(interval.is_some_and(|interval| interval.high >= 1.0));
    }

    #[test]
    fn equal_resamples_have_no_interval() {
        let bootstrap = Bootstrap { resamples: 100, seed: 0 };
        let right_everywhere = |multiplicity: &[u32]| {
            let noise = 1e-16 * f64::from(multiplicity[0]);
            [Some(1.0 - noise), Some(f64::from(multiplicity[0]))]
        };
        let [share, times] = bootstrap.intervals(&[0, 1, 2], right_everywhere);
        assert_eq!(share, None);
        assert!(times.is_some());
        assert_eq!(bootstrap.intervals(&[0, 0, 0], mean), [None], "one subject with three cases");
        assert_eq!(bootstrap.intervals(&[], mean), [None]);
    }

    #[test]
    fn undefined_resamples_are_counted_and_left_out() {
        // Defined only where the first of two subjects is drawn: three quarters of the time.
        let first = |multiplicity: &[u32]| [(multiplicity[0] > 0).then_some(f64::from(multiplicity[0])), None];
        let [sometimes, never] = Bootstrap { resamples: 1000, seed: 0 }.intervals(&[0, 1], first);
        let interval = sometimes.unwrap();
        assert_eq!((interval.low, interval.high), (1.0, 2.0));
        assert!((200..300).contains(&interval.undefined_resamples), "{interval:?}");
        assert_eq!(never, None);
    }
}
