//! Association of a feature with the density class, over subjects, with a permutation test.

use rayon::prelude::*;

use mammoscope_domain::random_stream::{RandomStream, StreamKey};
use mammoscope_domain::subject::density::DensityClass;

/// The number of permutations of the subjects' classes.
const PERMUTATIONS: u32 = 4999;
/// A test ends as not significant after this many permutations with at least the observed association (Besag and
/// Clifford 1991).
const ENOUGH: usize = 25;
/// Permutations that are computed in parallel before the next look at [`ENOUGH`].
const BATCH: u32 = 128;
/// The most subjects that are tested; more change neither effect nor verdict.
const MAX_SUBJECTS: usize = 20_000;

/// One image's value of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Observation {
    /// Index of the subject. Only the first observation of a subject in a group is used.
    pub(super) subject: usize,
    /// Values are compared within groups only, such as views.
    pub(super) group: usize,
    pub(super) class: DensityClass,
    /// The value, or the number of a category.
    pub(super) value: f64,
}

/// The scale of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Categories without an order; the effect is Cramér's V.
    Categories,
    /// Ordered values; the effect is η² of their ranks, the share of their variance between classes.
    Ordered,
}

/// A significant association.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Association {
    /// From 0 to 1, corrected for what chance gives on average.
    pub(super) effect: f64,
    /// The share of permutations with at least the observed association (Phipson and Smyth 2010).
    pub(super) p: f64,
    pub(super) subjects: usize,
}

/// The association of a feature with the class, if its corrected effect is at least `min_effect` and its p-value at most
/// `max_p`; otherwise `None`.
///
/// A subject keeps one class for all its images, that of its first. The classes are permuted over subjects, so images of
/// one subject are not counted as independent. Categories of fewer than three subjects are merged.
pub(super) fn association(
    observations: &[Observation],
    scale: Scale,
    min_effect: f64,
    max_p: f64,
) -> Option<Association> {
    let table = Table::of(observations, scale);
    let observed = table.statistic(scale, &table.classes);
    // The uncorrected effect is an upper bound of the corrected one.
    let bound = if scale == Scale::Categories { min_effect.powi(2) } else { min_effect };
    if !(observed.is_finite() && observed >= bound) {
        return None;
    }
    let (mut at_least, mut sum, mut done) = (0, 0.0, 0);
    while done < PERMUTATIONS {
        let batch = done..(done + BATCH).min(PERMUTATIONS);
        let permuted: Vec<f64> = batch.clone().into_par_iter().map(|item| table.permuted(scale, item)).collect();
        at_least += permuted.iter().filter(|&&value| value >= observed - 1e-9).count();
        sum += permuted.iter().sum::<f64>();
        done = batch.end;
        if at_least >= ENOUGH {
            return None;
        }
    }
    let expected = sum / f64::from(done);
    let corrected = ((observed - expected) / (1.0 - expected)).max(0.0);
    let effect = if scale == Scale::Categories { corrected.sqrt() } else { corrected };
    let p = (at_least + 1) as f64 / f64::from(done + 1);
    (effect >= min_effect && p <= max_p).then_some(Association { effect, p, subjects: table.classes.len() })
}

/// The observations by group, with the classes of their subjects apart so that they can be permuted.
struct Table {
    classes: Vec<DensityClass>,
    /// Of each group, the subjects with their values: category numbers from 0, or centred ranks.
    groups: Vec<Vec<(usize, f64)>>,
}

impl Table {
    fn of(observations: &[Observation], scale: Scale) -> Self {
        let mut numbers = std::collections::HashMap::new();
        let mut classes = Vec::new();
        let mut groups: Vec<Vec<(usize, f64)>> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for observation in observations.iter().filter(|observation| observation.value.is_finite()) {
            if numbers.len() == MAX_SUBJECTS && !numbers.contains_key(&observation.subject) {
                continue;
            }
            if !seen.insert((observation.subject, observation.group)) {
                continue;
            }
            let number = *numbers.entry(observation.subject).or_insert_with(|| {
                classes.push(observation.class);
                classes.len() - 1
            });
            if groups.len() <= observation.group {
                groups.resize(observation.group + 1, Vec::new());
            }
            groups[observation.group].push((number, observation.value));
        }
        for group in &mut groups {
            match scale {
                Scale::Categories => number_categories(group),
                Scale::Ordered => rank(group),
            }
        }
        Self { classes, groups }
    }

    fn permuted(&self, scale: Scale, item: u32) -> f64 {
        let mut stream = RandomStream::new(1, Permutation(item));
        let mut classes = self.classes.clone();
        for last in (1..classes.len()).rev() {
            classes.swap(last, stream.below(last + 1));
        }
        self.statistic(scale, &classes)
    }

    /// The uncorrected V² or η², over all groups; not finite if nothing varies.
    fn statistic(&self, scale: Scale, classes: &[DensityClass]) -> f64 {
        let (mut explained, mut total) = (0.0, 0.0);
        for group in &self.groups {
            let (of_group, of_total) = match scale {
                Scale::Categories => chi_square(group, classes),
                Scale::Ordered => squares(group, classes),
            };
            explained += of_group;
            total += of_total;
        }
        explained / total
    }
}

#[derive(Clone, Copy)]
struct Permutation(u32);

impl StreamKey for Permutation {
    fn purpose(&self) -> [u8; 20] {
        *b"mammoscope audit\0\0\0\0"
    }

    fn item(&self) -> u32 {
        self.0
    }

    fn stream(&self) -> u64 {
        0
    }
}

/// Numbers the categories of a group from 0; those of fewer than three subjects share a number.
fn number_categories(group: &mut [(usize, f64)]) {
    let mut counts = std::collections::BTreeMap::<u64, usize>::new();
    for (_, value) in group.iter() {
        *counts.entry(value.to_bits()).or_default() += 1;
    }
    let kept: Vec<u64> = counts.into_iter().filter(|&(_, count)| count >= 3).map(|(value, _)| value).collect();
    for (_, value) in group {
        *value = kept.binary_search(&value.to_bits()).unwrap_or(kept.len()) as f64;
    }
}

/// Replaces values by their ranks, ties by the mean rank, minus the mean of all ranks.
fn rank(group: &mut [(usize, f64)]) {
    group.sort_by(|one, other| one.1.total_cmp(&other.1));
    let middle = (group.len() as f64 - 1.0) / 2.0;
    let mut first = 0;
    while first < group.len() {
        let value = group[first].1;
        let ties = group[first..].iter().take_while(|other| other.1.total_cmp(&value).is_eq()).count();
        let mean = first as f64 + (ties - 1) as f64 / 2.0;
        group[first..first + ties].iter_mut().for_each(|entry| entry.1 = mean - middle);
        first += ties;
    }
}

/// Pearson's χ² of a group's categories against the classes, and its largest possible value.
fn chi_square(group: &[(usize, f64)], classes: &[DensityClass]) -> (f64, f64) {
    let rows = group.iter().map(|&(_, value)| value as usize + 1).max().unwrap_or(0);
    let mut counts = vec![[0_u32; DensityClass::COUNT]; rows];
    for &(subject, value) in group {
        counts[value as usize][classes[subject].index()] += 1;
    }
    let of_row: Vec<f64> = counts.iter().map(|row| f64::from(row.iter().sum::<u32>())).collect();
    let of_class: [f64; DensityClass::COUNT] =
        std::array::from_fn(|class| f64::from(counts.iter().map(|row| row[class]).sum::<u32>()));
    let total = group.len() as f64;
    let mut chi_square = 0.0;
    for (row, in_row) in counts.iter().zip(&of_row) {
        for (&count, in_class) in row.iter().zip(&of_class) {
            let expected = in_row * in_class / total;
            if expected > 0.0 {
                chi_square += (f64::from(count) - expected).powi(2) / expected;
            }
        }
    }
    let distinct = |sums: &[f64]| sums.iter().filter(|&&sum| sum > 0.0).count();
    let freedom = distinct(&of_row).min(distinct(&of_class)).saturating_sub(1);
    (chi_square, total * freedom as f64)
}

/// The sum of squares of a group's ranks between classes, and in total.
fn squares(group: &[(usize, f64)], classes: &[DensityClass]) -> (f64, f64) {
    let mut sums = [(0.0, 0_u32); DensityClass::COUNT];
    for &(subject, value) in group {
        let (sum, count) = &mut sums[classes[subject].index()];
        *sum += value;
        *count += 1;
    }
    let between = sums.iter().filter(|(_, count)| *count > 0).map(|(sum, count)| sum * sum / f64::from(*count)).sum();
    (between, group.iter().map(|(_, value)| value * value).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations(count: usize, value: impl Fn(usize) -> f64) -> Vec<Observation> {
        let of_subject = |subject: usize| {
            let class = DensityClass::ALL[subject % 4];
            (0..2).map(move |group| (subject, group, class))
        };
        let all = (0..count).flat_map(of_subject);
        all.map(|(subject, group, class)| Observation { subject, group, class, value: value(subject) }).collect()
    }

    #[test]
    fn statistics_match_a_hand_computation() {
        // Categories 0, 0, 1, 1 × 3 subjects against classes A, A, B, B × 3: V = 1.
        let table = |values: &[f64], classes: &[DensityClass], scale| {
            let all = values.iter().zip(classes).enumerate();
            let all = all.map(|(subject, (&value, &class))| Observation { subject, group: 0, class, value });
            let table = Table::of(&all.collect::<Vec<_>>(), scale);
            table.statistic(scale, &table.classes)
        };
        let [a, b] = [DensityClass::A, DensityClass::B];
        let classes = [a, a, a, b, b, b];
        assert!((table(&[5.0, 5.0, 5.0, 9.0, 9.0, 9.0], &classes, Scale::Categories) - 1.0).abs() < 1e-12);
        // Counts 2, 1 and 1, 2: χ² = 4 · 0.5² / 1.5 = 2/3 of 6.
        let mixed = table(&[5.0, 5.0, 9.0, 9.0, 9.0, 5.0], &classes, Scale::Categories);
        assert!((mixed - 1.0 / 9.0).abs() < 1e-12, "{mixed}");
        // Ranks −2.5 … 2.5: between 2 · 4.5²/3 = 13.5, in total 17.5.
        let ordered = table(&[0.1, 0.2, 0.3, 7.0, 8.0, 90.0], &classes, Scale::Ordered);
        assert!((ordered - 13.5 / 17.5).abs() < 1e-12, "{ordered}");
        assert!(!table(&[1.0; 6], &classes, Scale::Ordered).is_finite());
        assert!(!table(&[1.0; 6], &classes, Scale::Categories).is_finite());
    }

    #[test]
    fn a_category_that_follows_the_class_is_found_and_chance_is_not() {
        let follows = observations(24, |subject| f64::from(u8::from(subject % 4 == 3)));
        let found = association(&follows, Scale::Categories, 0.3, 0.001).unwrap();
        assert!(found.effect > 0.95 && found.p < 0.001 && found.subjects == 24, "{found:?}");
        let independent = observations(24, |subject| f64::from(u8::from(subject / 4 % 2 == 0)));
        assert_eq!(association(&independent, Scale::Categories, 0.3, 0.01), None);
        // With a subject per class nothing can be said.
        let few = observations(4, |subject| subject as f64);
        assert_eq!(association(&few, Scale::Ordered, 0.3, 0.05), None);
        assert_eq!(association(&[], Scale::Ordered, 0.3, 0.05), None);
    }

    #[test]
    fn independent_values_are_seldom_called_associated() {
        let mut stream = RandomStream::new(7, Permutation(0));
        let mut found = 0;
        for _ in 0..60 {
            let values: Vec<f64> = (0..40).map(|_| stream.unit()).collect();
            let all = observations(40, |subject| values[subject]);
            found += usize::from(association(&all, Scale::Ordered, 0.1, 0.05).is_some());
        }
        assert!(found <= 8, "{found} of 60, of which 3 are expected at most");
    }
}
