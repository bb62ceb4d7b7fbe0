//! The points of a study, ranked by the monitored metric on the validation images.

use std::collections::{BTreeMap, BTreeSet};

use super::key_effect::KeyEffect;
use super::study_member::StudyMember;
use crate::metrics::fold_pool::{mean, standard_deviation};
use crate::run::run_spec::RunSpec;
use crate::run::run_status::{RunPhase, RunStatus};
use crate::subject::view::View;
use crate::training::training_config::Monitor;

/// What the ranking needs to know of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedRun {
    pub member: StudyMember,
    pub view: View,
    /// The monitored metric at the best epoch, on the validation images; `None` without such images.
    pub best: Option<f64>,
    /// True if the run has ended with all its epochs or by an early stop.
    pub complete: bool,
}

impl RankedRun {
    /// What a ranking needs of a run; `None` if the run is in no study. Without a readable status, it has no value.
    #[must_use]
    pub fn of(spec: &RunSpec, status: Option<&RunStatus>) -> Option<Self> {
        Some(Self {
            member: spec.study.clone()?,
            view: spec.view,
            // Without validation images the best epoch is chosen by a training metric, which ranks nothing.
            best: status
                .and_then(|status| status.best.as_ref())
                .filter(|best| best.metric == spec.config.monitor.name())
                .map(|best| best.value),
            complete: status.is_some_and(|status| status.state == RunPhase::Completed),
        })
    }
}

/// A point with the mean of its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedPoint {
    pub point: u32,
    pub values: BTreeMap<String, String>,
    /// Runs that are complete, and all runs of the point.
    pub runs: (usize, usize),
    /// The mean of every repetition over its views and folds, in the order of the repetitions.
    pub repetitions: Vec<f64>,
    /// The mean of the repetitions; `None` if no run has an epoch yet.
    pub mean: Option<f64>,
    /// The standard deviation over repetitions (n − 1), so over seeds; `None` with fewer than two.
    pub sd_seeds: Option<f64>,
    /// The standard deviation over folds (n − 1), of the means over views and repetitions; `None` with fewer than two.
    pub sd_folds: Option<f64>,
}

impl RankedPoint {
    /// True if all runs of the point are complete. Points are only comparable then.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.runs.0 == self.runs.1
    }
}

/// The points of a study, the best first, and the keys of its sweep by how much they matter.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyRanking {
    pub monitor: Monitor,
    /// Complete points from best to worst; those with runs to come follow in the order of their numbers.
    pub points: Vec<RankedPoint>,
    /// From the largest effect to the smallest, over complete points.
    pub keys: Vec<KeyEffect>,
}

impl StudyRanking {
    /// Ranks the points of the runs of one study. The test images take no part.
    #[must_use]
    pub fn of(runs: &[RankedRun], monitor: Monitor) -> Self {
        let numbers: BTreeSet<u32> = runs.iter().map(|run| run.member.point).collect();
        let mut points: Vec<RankedPoint> = numbers
            .into_iter()
            .map(|point| ranked(point, &runs.iter().filter(|run| run.member.point == point).collect::<Vec<_>>()))
            .collect();
        points.sort_by(|one, other| {
            let order = other.is_complete().cmp(&one.is_complete());
            order.then_with(|| match (one.mean, other.mean) {
                _ if !one.is_complete() => one.point.cmp(&other.point),
                (Some(a), Some(b)) if monitor.is_better(a, b) => std::cmp::Ordering::Less,
                (Some(a), Some(b)) if monitor.is_better(b, a) => std::cmp::Ordering::Greater,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(_), None) => std::cmp::Ordering::Less,
                _ => one.point.cmp(&other.point),
            })
        });
        let complete: Vec<&RankedPoint> = points.iter().filter(|point| point.is_complete()).collect();
        let keys = KeyEffect::of(&complete);
        Self { monitor, points, keys }
    }

    /// The best point, if a point is complete.
    #[must_use]
    pub fn best(&self) -> Option<&RankedPoint> {
        self.points.first().filter(|point| point.is_complete() && point.mean.is_some())
    }

    /// True if points are complete, but none has a value: the runs have no validation images.
    #[must_use]
    pub fn lacks_validation(&self) -> bool {
        let mut complete = self.points.iter().filter(|point| point.is_complete()).peekable();
        complete.peek().is_some() && complete.all(|point| point.mean.is_none())
    }

    /// The number of complete points after the best one whose mean lies within the spread over seeds of the two; `None`
    /// if the spread over seeds is not known.
    #[must_use]
    pub fn within_seed_spread(&self) -> Option<usize> {
        let best = self.best()?;
        let (mean, sd) = (best.mean?, best.sd_seeds?);
        let near = |point: &&RankedPoint| {
            let Some((other, other_sd)) = point.mean.zip(point.sd_seeds) else { return false };
            (mean - other).abs() <= sd.max(other_sd)
        };
        Some(self.points[1..].iter().filter(|point| point.is_complete()).filter(near).count())
    }
}

fn ranked(point: u32, runs: &[&RankedRun]) -> RankedPoint {
    let repetitions = means_by(runs, |run| run.member.repetition);
    let folds = means_by(runs, |run| run.member.fold.unwrap_or(0));
    RankedPoint {
        point,
        values: runs.first().map(|run| run.member.values.clone()).unwrap_or_default(),
        runs: (runs.iter().filter(|run| run.complete).count(), runs.len()),
        mean: mean(&repetitions),
        sd_seeds: standard_deviation(&repetitions),
        sd_folds: standard_deviation(&folds),
        repetitions,
    }
}

/// The mean of the best values of the runs with the same key, in the order of the keys.
fn means_by(runs: &[&RankedRun], key: impl Fn(&RankedRun) -> u32) -> Vec<f64> {
    let mut values: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for run in runs {
        if let Some(best) = run.best {
            values.entry(key(run)).or_default().push(best);
        }
    }
    values.values().filter_map(|values| mean(values)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::study) fn run(
        point: u32,
        values: &[(&str, &str)],
        (repetition, fold): (u32, u32),
        best: f64,
    ) -> RankedRun {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let member = StudyMember { id: "study".to_owned(), point, values, repetition, fold: Some(fold) };
        RankedRun { member, view: View::CcR, best: Some(best), complete: true }
    }

    #[test]
    fn complete_points_are_ranked_by_the_mean_over_seeds() {
        let mut runs = Vec::new();
        for (point, values) in [(1, [0.70, 0.72]), (2, [0.80, 0.82]), (3, [0.79, 0.81])] {
            for (seed, value) in (1..).zip(values) {
                // Two folds, 0.1 apart.
                runs.push(run(point, &[("batch_size", "4")], (seed, 1), value - 0.05));
                runs.push(run(point, &[("batch_size", "4")], (seed, 2), value + 0.05));
            }
        }
        let ranking = StudyRanking::of(&runs, Monitor::ValAccuracy);
        let order: Vec<u32> = ranking.points.iter().map(|point| point.point).collect();
        assert_eq!(order, [2, 3, 1]);
        let best = ranking.best().unwrap();
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9;
        assert!(near(best.mean, 0.81), "{best:?}");
        assert!(near(best.sd_seeds, 0.02 / 2.0_f64.sqrt()), "{best:?}");
        assert!(near(best.sd_folds, 0.1 / 2.0_f64.sqrt()), "{best:?}");
        assert_eq!(ranking.within_seed_spread(), Some(1));
        assert_eq!(StudyRanking::of(&runs, Monitor::ValLoss).points[0].point, 1, "of a loss, the smallest is best");
    }

    #[test]
    fn a_point_with_runs_to_come_is_not_ranked() {
        let mut runs = vec![run(1, &[], (1, 1), 0.5), run(2, &[], (1, 1), 0.9), run(2, &[], (1, 2), 0.9)];
        runs[2].complete = false;
        let ranking = StudyRanking::of(&runs, Monitor::ValAccuracy);
        assert_eq!(ranking.best().unwrap().point, 1);
        assert_eq!(ranking.points[1].runs, (1, 2));
        let unvalidated: Vec<RankedRun> = runs.iter().map(|run| RankedRun { best: None, ..run.clone() }).collect();
        let unvalidated = StudyRanking::of(&unvalidated, Monitor::ValAccuracy);
        assert!(unvalidated.best().is_none() && unvalidated.lacks_validation() && !ranking.lacks_validation());
        runs.retain(|run| run.member.point == 2);
        assert_eq!(StudyRanking::of(&runs, Monitor::ValAccuracy).best(), None);
        assert_eq!(StudyRanking::of(&[], Monitor::ValAccuracy).points, []);
    }
}
