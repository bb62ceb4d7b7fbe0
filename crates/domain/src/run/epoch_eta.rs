//! How long a run will take yet, from how long its recent epochs took.

use super::run_records::EpochRecord;

/// As many as say how it goes now.
const RECENT: usize = 7;

/// Seconds to the end: the median of the recent epochs for each that is to come, less what the present one has had.
/// `None` before the first epoch is over.
#[must_use]
pub fn remaining_seconds(records: &[EpochRecord], epochs: u32, in_epoch_s: f64) -> Option<f64> {
    let mut recent: Vec<f64> = records.iter().rev().take(RECENT).map(|record| record.seconds).collect();
    recent.sort_by(f64::total_cmp);
    let median = *recent.get(recent.len() / 2)?;
    let left = epochs.saturating_sub(records.last()?.figures.epoch);
    Some((median * f64::from(left) - in_epoch_s.clamp(0.0, median)).max(0.0))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::run::run_records::EpochFigures;

    fn record(epoch: u32, seconds: f64) -> EpochRecord {
        let figures = EpochFigures {
            epoch,
            step: 0,
            train_loss: 0.0,
            train_accuracy: 0.0,
            val_loss: None,
            val_accuracy: None,
            val_kappa: None,
            learning_rate: 0.0,
        };
        EpochRecord { figures, seconds, time: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn one_slow_epoch_does_not_count() {
        assert_eq!(remaining_seconds(&[], 10, 0.0), None);
        let records: Vec<_> = (1..=5).map(|epoch| record(epoch, if epoch == 3 { 900.0 } else { 10.0 })).collect();
        assert_eq!(remaining_seconds(&records, 10, 4.0), Some(46.0));
        assert_eq!(remaining_seconds(&records, 5, 0.0), Some(0.0));
    }
}
