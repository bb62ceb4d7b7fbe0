//! How much each swept key matters: the share of the variance between points that it explains.

use std::collections::{BTreeMap, BTreeSet};

use super::study_ranking::RankedPoint;
use crate::metrics::fold_pool::mean;
use crate::metrics::rank_correlation::spearman;

/// The fewest complete points of which a share of the variance is stated.
const MIN_POINTS: usize = 4;

/// The effect of a key on the monitored metric, over the complete points of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyEffect {
    pub key: String,
    /// The share of the variance of the points' means that the key explains alone, from 0 to 1: between the values of the
    /// key (the correlation ratio η², exact for a grid) or, if most points have a value of their own, the square of
    /// Spearman's rank correlation. `None` with fewer than four points, or if all have the same mean.
    pub explained: Option<f64>,
    /// The mean of the points with each value, in the order of the values; empty if most points have a value of their own.
    pub by_value: Vec<(String, f64)>,
}

impl KeyEffect {
    /// The effects of all keys that have more than one value among the points, the largest first.
    #[must_use]
    pub fn of(points: &[&RankedPoint]) -> Vec<Self> {
        let keys: BTreeSet<&String> = points.iter().flat_map(|point| point.values.keys()).collect();
        let mut effects: Vec<Self> = keys.into_iter().filter_map(|key| Self::of_key(key, points)).collect();
        effects.sort_by(|one, other| {
            other.explained.unwrap_or(-1.0).total_cmp(&one.explained.unwrap_or(-1.0)).then(one.key.cmp(&other.key))
        });
        effects
    }

    fn of_key(key: &str, points: &[&RankedPoint]) -> Option<Self> {
        let pairs: Vec<(&str, f64)> =
            points.iter().filter_map(|point| Some((point.values.get(key)?.as_str(), point.mean?))).collect();
        let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for &(value, mean) in &pairs {
            groups.entry(value).or_default().push(mean);
        }
        if groups.len() < 2 {
            return None;
        }
        let has_own_values = groups.len() * 2 > pairs.len();
        let by_value = if has_own_values && pairs.len() >= MIN_POINTS { Vec::new() } else { sorted_means(&groups) };
        let explained = if pairs.len() < MIN_POINTS {
            None
        } else if has_own_values {
            squared_rank_correlation(&pairs)
        } else {
            correlation_ratio(&pairs, &groups)
        };
        Some(Self { key: key.to_owned(), explained, by_value })
    }
}

fn sorted_means(groups: &BTreeMap<&str, Vec<f64>>) -> Vec<(String, f64)> {
    let mut means: Vec<(String, f64)> =
        groups.iter().filter_map(|(value, means)| Some(((*value).to_owned(), mean(means)?))).collect();
    let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    means.sort_by(|(one, _), (other, _)| number(one).total_cmp(&number(other)).then_with(|| one.cmp(other)));
    means
}

/// The variance between groups over the whole variance.
fn correlation_ratio(pairs: &[(&str, f64)], groups: &BTreeMap<&str, Vec<f64>>) -> Option<f64> {
    let all: Vec<f64> = pairs.iter().map(|(_, mean)| *mean).collect();
    let centre = mean(&all)?;
    let whole: f64 = all.iter().map(|value| (value - centre).powi(2)).sum();
    let between = |values: &Vec<f64>| mean(values).map_or(0.0, |mean| (mean - centre).powi(2) * values.len() as f64);
    (whole > 0.0).then(|| groups.values().map(between).sum::<f64>() / whole)
}

fn squared_rank_correlation(pairs: &[(&str, f64)]) -> Option<f64> {
    let numbers: Option<Vec<f32>> = pairs.iter().map(|(value, _)| value.parse().ok()).collect();
    let means: Vec<f32> = pairs.iter().map(|(_, mean)| *mean as f32).collect();
    Some(spearman(&numbers?, &means)?.powi(2))
}

#[cfg(test)]
mod tests {
    use super::super::study_ranking::StudyRanking;
    use super::super::study_ranking::tests::run;
    use crate::training::training_config::Monitor;

    #[test]
    fn a_grid_without_noise_is_explained_wholly() {
        let mut runs = Vec::new();
        for (point, (rate, size, value)) in
            (1..).zip([("0.01", "4", 0.6), ("0.01", "8", 0.7), ("0.1", "4", 0.9), ("0.1", "8", 1.0)])
        {
            runs.push(run(point, &[("learning_rate", rate), ("batch_size", size)], (1, 1), value));
        }
        let keys = StudyRanking::of(&runs, Monitor::ValAccuracy).keys;
        let found: Vec<(&str, f64)> =
            keys.iter().map(|effect| (effect.key.as_str(), effect.explained.unwrap())).collect();
        assert_eq!(found[0].0, "learning_rate");
        assert!((found[0].1 - 0.9).abs() < 1e-9 && (found[1].1 - 0.1).abs() < 1e-9, "{found:?}");
        assert_eq!(keys[1].by_value[0].0, "4");
        assert!((keys[1].by_value[1].1 - 0.85).abs() < 1e-9);
    }

    #[test]
    fn drawn_values_are_judged_by_their_ranks() {
        let values =
            [("0.001", "3", 0.5), ("0.02", "9", 0.7), ("0.005", "4", 0.6), ("0.3", "1", 0.9), ("0.1", "7", 0.8)];
        let runs: Vec<_> = (1..)
            .zip(values)
            .map(|(point, (rate, warmup, value))| {
                run(point, &[("learning_rate", rate), ("warmup_epochs", warmup)], (1, 1), value)
            })
            .collect();
        let keys = StudyRanking::of(&runs, Monitor::ValAccuracy).keys;
        assert_eq!((keys[0].key.as_str(), keys[0].explained), ("learning_rate", Some(1.0)));
        assert!(keys[0].by_value.is_empty() && keys[1].explained.unwrap() < 0.5);
    }

    #[test]
    fn little_is_not_called_a_share() {
        let runs = [run(1, &[("momentum", "0")], (1, 1), 0.5), run(2, &[("momentum", "0.9")], (1, 1), 0.7)];
        let keys = StudyRanking::of(&runs, Monitor::ValAccuracy).keys;
        assert_eq!((keys[0].explained, keys[0].by_value.len()), (None, 2));
    }
}
