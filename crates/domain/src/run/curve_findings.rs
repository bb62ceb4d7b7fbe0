//! Conspicuous places in the curves of a run: spikes of the training loss and plateaus of the validation loss.

use std::collections::VecDeque;

/// The number of preceding losses that a loss is compared with.
const WINDOW: usize = 101;
/// With fewer losses there is no comparison.
const MIN: usize = 32;
/// A spike is this many robust standard deviations above the median.
const SPIKE: f32 = 8.0;
/// The robust standard deviation counts as at least this share of the median.
const MIN_SPREAD: f32 = 0.01;
/// This many reports without a spike end a burst; of a burst, only the first spike is reported.
const QUIET: u64 = 32;
/// The most spikes that are reported of a run.
const MAX_SPIKES: usize = 500;
/// An improvement of the validation loss is larger than this.
const IMPROVEMENT: f64 = 1e-4;

/// A loss that stands out from those before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossSpike {
    pub step: u64,
    /// Mean loss since the previous report.
    pub loss: f32,
    /// The median of the preceding losses.
    pub median: f32,
}

/// A stretch of epochs in which the validation loss did not fall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossPlateau {
    /// The epoch, from 1, in which the stretch became long enough.
    pub epoch: u32,
    /// The last epoch with an improvement.
    pub since: u32,
    /// The validation loss of that epoch.
    pub lowest: f64,
}

/// Finds spikes of the training loss, report by report; a million reports take a fraction of a second.
///
/// The reported loss is the mean over the epoch's steps so far, which hides spikes late in an epoch. The mean since the
/// previous report is recovered from it and compared with the median of the hundred before. The spread is estimated from
/// their median absolute deviation or their upper tenth, whichever is larger, because losses of small batches are skewed.
#[derive(Clone, Debug)]
pub struct SpikeFinder {
    steps_per_epoch: u64,
    last: Option<(u64, f64)>,
    recent: VecDeque<f32>,
    /// The same losses in ascending order.
    sorted: Vec<f32>,
    /// Reports since the last spike, at most `QUIET + 1`.
    quiet: u64,
    found: usize,
}

impl SpikeFinder {
    /// A finder before the first report.
    #[must_use]
    pub fn new(steps_per_epoch: u64) -> Self {
        Self {
            steps_per_epoch: steps_per_epoch.max(1),
            last: None,
            recent: VecDeque::with_capacity(WINDOW + 1),
            sorted: Vec::with_capacity(WINDOW + 1),
            quiet: QUIET,
            found: 0,
        }
    }

    /// Takes the next report: the steps so far, and the mean loss over the steps of its epoch.
    pub fn push(&mut self, step: u64, mean: f32) -> Option<LossSpike> {
        let loss = self.since_last_report(step, f64::from(mean)) as f32;
        if !loss.is_finite() {
            return None;
        }
        self.quiet = (self.quiet + 1).min(QUIET + 1);
        let found = self.spike(step, loss);
        self.remember(loss);
        found
    }

    /// The mean over the steps since the previous report; not finite if either mean is not.
    fn since_last_report(&mut self, step: u64, mean: f64) -> f64 {
        let epoch_of = |step: u64| step.saturating_sub(1) / self.steps_per_epoch;
        let within = |step: u64| (step - epoch_of(step) * self.steps_per_epoch) as f64;
        let before = self.last.replace((step, mean));
        match before.filter(|(last, _)| *last < step && epoch_of(*last) == epoch_of(step)) {
            Some((last, before)) => (mean * within(step) - before * within(last)) / (step - last) as f64,
            None => mean,
        }
    }

    fn spike(&mut self, step: u64, loss: f32) -> Option<LossSpike> {
        let length = self.sorted.len();
        // A spike is above three quarters of the others: this rules out most losses cheaply.
        if length < MIN || loss <= self.sorted[length * 3 / 4] {
            return None;
        }
        let median = self.sorted[length / 2];
        let upper = (self.sorted[length * 9 / 10] - median) / 1.2816;
        let spread = (self.median_deviation() * 1.4826).max(upper).max(median.abs() * MIN_SPREAD);
        if loss - median <= SPIKE * spread {
            return None;
        }
        let is_new = self.quiet > QUIET && self.found < MAX_SPIKES;
        self.quiet = 0;
        self.found += usize::from(is_new);
        is_new.then_some(LossSpike { step, loss, median })
    }

    /// The median absolute deviation from the median. Walks from the middle outwards, to the nearer neighbour first.
    fn median_deviation(&self) -> f32 {
        let middle = self.sorted.len() / 2;
        let median = self.sorted[middle];
        let (mut below, mut above, mut deviation) = (middle, middle, 0.0);
        for _ in 0..middle {
            let down = below.checked_sub(1).map(|at| median - self.sorted[at]);
            let up = self.sorted.get(above + 1).map(|value| value - median);
            match (down, up) {
                (Some(down), up) if up.is_none_or(|up| down <= up) => (below, deviation) = (below - 1, down),
                (_, Some(up)) => (above, deviation) = (above + 1, up),
                _ => break,
            }
        }
        deviation
    }

    fn remember(&mut self, loss: f32) {
        let place = |sorted: &[f32], value: f32| sorted.partition_point(|other| *other < value);
        if self.recent.len() == WINDOW
            && let Some(oldest) = self.recent.pop_front()
        {
            self.sorted.remove(place(&self.sorted, oldest));
        }
        self.recent.push_back(loss);
        self.sorted.insert(place(&self.sorted, loss), loss);
    }
}

/// The plateaus of the validation losses of epochs 1, 2, …: each is found once, when the loss has not fallen for `patience`
/// epochs. A loss that is not finite is not an improvement.
#[must_use]
pub fn plateaus(losses: impl IntoIterator<Item = f64>, patience: u32) -> Vec<LossPlateau> {
    let mut found = Vec::new();
    let mut best: Option<(u32, f64)> = None;
    for (epoch, loss) in (1..).zip(losses) {
        let is_better = loss.is_finite() && best.is_none_or(|(_, lowest)| loss < lowest - IMPROVEMENT);
        if is_better {
            best = Some((epoch, loss));
        } else if let Some((since, lowest)) = best
            && epoch - since == patience.max(1)
        {
            found.push(LossPlateau { epoch, since, lowest });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Losses that fluctuate around 1 by up to a tenth.
    fn fluctuating(at: u64) -> f32 {
        1.0 + 0.1 * (((at * 7919) % 201) as f32 / 100.0 - 1.0)
    }

    /// The spikes of losses of single steps, reported as means over the epoch so far.
    fn spikes(losses: &[f32], steps_per_epoch: u64) -> Vec<LossSpike> {
        let mut finder = SpikeFinder::new(steps_per_epoch);
        let mut sum = 0.0;
        let mut found = Vec::new();
        for (step, loss) in (1..).zip(losses) {
            let within = (step - 1) % steps_per_epoch + 1;
            sum = if within == 1 { 0.0 } else { sum } + f64::from(*loss);
            found.extend(finder.push(step, (sum / within as f64) as f32));
        }
        found
    }

    #[test]
    fn a_bad_step_late_in_an_epoch_is_found() {
        let mut losses: Vec<f32> = (0..1000).map(fluctuating).collect();
        losses[480] = 4.0;
        let found = spikes(&losses, 500);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].step, 481);
        assert!((found[0].loss - 4.0).abs() < 0.01 && (found[0].median - 1.0).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn noise_falling_losses_and_epoch_starts_are_not_spikes() {
        let noise: Vec<f32> = (0..3000).map(fluctuating).collect();
        assert_eq!(spikes(&noise, 100), []);
        let falling: Vec<f32> =
            (0..3000).map(|at| 5.0 * (-(at as f32) / 500.0).exp() + 0.2 * fluctuating(at)).collect();
        assert_eq!(spikes(&falling, 250), []);
        assert_eq!(spikes(&vec![0.7; 500], 50), [], "a constant loss");
        // Losses of single images: exponentially distributed.
        let skewed: Vec<f32> = (0..20_000_u64).map(|at| -((at * 48_271 % 65_537 + 1) as f32 / 65_538.0).ln()).collect();
        assert!(spikes(&skewed, 1000).len() <= 2, "{:?}", spikes(&skewed, 1000));
    }

    #[test]
    fn a_new_level_and_a_burst_are_one_spike_and_gaps_are_none() {
        let mut risen: Vec<f32> = (0..600).map(fluctuating).collect();
        risen[300..].iter_mut().for_each(|loss| *loss += 3.0);
        let steps: Vec<u64> = spikes(&risen, 1000).iter().map(|spike| spike.step).collect();
        assert_eq!(steps, [301]);
        let mut twice: Vec<f32> = (0..600).map(fluctuating).collect();
        for at in [200, 203, 210, 400] {
            twice[at] = 9.0;
        }
        let steps: Vec<u64> = spikes(&twice, 1000).iter().map(|spike| spike.step).collect();
        assert_eq!(steps, [201, 401]);
        let mut finder = SpikeFinder::new(100);
        assert!((1..=50).all(|step| finder.push(step, f32::NAN).is_none()));
        assert_eq!(finder.push(51, 1e9), None, "there is nothing to compare it with");
    }

    #[test]
    fn a_plateau_is_found_once_and_again_after_an_improvement() {
        let losses = [0.9, 0.8, 0.8, 0.79995, 0.81, 0.9, 0.7, 0.7, f64::NAN, 0.75];
        assert_eq!(
            plateaus(losses, 3),
            [LossPlateau { epoch: 5, since: 2, lowest: 0.8 }, LossPlateau { epoch: 10, since: 7, lowest: 0.7 }]
        );
        assert_eq!(plateaus([f64::NAN; 20], 3), [], "no validation images");
        assert_eq!(plateaus((0..50).map(|epoch| 1.0 / f64::from(epoch + 1)), 3), []);
    }

    proptest! {
        #[test]
        fn incremental_statistics_match_the_window(
            losses in prop::collection::vec(-10.0_f32..10.0, MIN..300),
        ) {
            let mut finder = SpikeFinder::new(1);
            for (step, loss) in (1..).zip(&losses) {
                finder.push(step, *loss);
            }
            let mut window = losses[losses.len().saturating_sub(WINDOW)..].to_vec();
            window.sort_by(f32::total_cmp);
            prop_assert_eq!(&finder.sorted, &window);
            let median = window[window.len() / 2];
            let mut deviations: Vec<f32> = window.iter().map(|loss| (loss - median).abs()).collect();
            deviations.sort_by(f32::total_cmp);
            prop_assert_eq!(finder.median_deviation().to_bits(), deviations[window.len() / 2].to_bits());
        }
    }
}
