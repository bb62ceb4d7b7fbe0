//! The epochs of a run as lines of text for 80 columns, formatted one at a time so that `follow` can append them.

use chrono::TimeDelta;

use super::tables::three_decimals;
use mammoscope_domain::run::run_condition::duration_text;
use mammoscope_domain::run::run_records::{EpochRecord, StepReport};
use mammoscope_domain::run::run_summary::RunSummary;

/// The column titles.
#[must_use]
pub fn epoch_header() -> String {
    format!(
        "{:>9}{:>10}{:>7}{:>10}{:>9}{:>11}{:>10}{:>12}\n",
        "epoch", "loss", "acc", "val loss", "val acc", "val kappa", "rate", "took"
    )
}

/// The row of one epoch; a star marks the best one so far. Kappa is quadratically weighted.
#[must_use]
pub fn epoch_row(summary: &RunSummary, record: &EpochRecord) -> String {
    let metrics = &record.metrics;
    let is_best = summary.best.as_ref().is_some_and(|best| best.epoch == metrics.epoch);
    format!(
        "{:>9}{:>10}{:>7}{:>10}{:>9}{:>11}{:>10}{:>12}{}\n",
        format!("{}/{}", metrics.epoch, summary.epochs),
        loss(Some(metrics.train_loss)),
        three_decimals(Some(metrics.train_accuracy)),
        loss(metrics.val_loss),
        three_decimals(metrics.val_accuracy),
        three_decimals(metrics.val_kappa),
        learning_rate(metrics.learning_rate),
        seconds_text(record.seconds),
        if is_best { " ★" } else { "" }
    )
}

/// The progress of the current epoch, for a line that is redrawn: `epoch 46/100 · step 250/1110 · loss 0.5321 · …`.
#[must_use]
pub fn live_line(summary: &RunSummary, report: &StepReport, eta_s: Option<f64>) -> String {
    let steps_per_epoch = summary.setup.as_ref().map_or(0, |setup| setup.steps_per_epoch);
    let before = u64::from(report.epoch.saturating_sub(1)) * steps_per_epoch;
    let mut line = format!(
        "epoch {}/{} · step {}/{steps_per_epoch} · loss {} · acc {} · rate {} · {:.1} images/s",
        report.epoch,
        summary.epochs,
        report.step.saturating_sub(before),
        loss(Some(report.loss)),
        three_decimals(Some(report.accuracy)),
        learning_rate(report.learning_rate),
        report.images_per_s,
    );
    if let Some(eta_s) = eta_s {
        line.push_str(" · ETA ");
        line.push_str(&seconds_text(eta_s));
    }
    line
}

/// A learning rate with as many digits as it has: up to six decimals, or three significant digits below 1e-4.
#[must_use]
pub fn learning_rate(rate: f64) -> String {
    if rate != 0.0 && rate.abs() < 1e-4 {
        format!("{rate:.2e}")
    } else {
        format!("{rate:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// A duration for people; with tenths below ten seconds.
#[must_use]
pub fn seconds_text(seconds: f64) -> String {
    if seconds.is_finite() && (0.0..9.95).contains(&seconds) {
        return format!("{seconds:.1} s");
    }
    // The conversion saturates; an impossible duration reads as 0.
    duration_text(TimeDelta::try_seconds(seconds.round() as i64).unwrap_or_default())
}

fn loss(value: Option<f64>) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| if value < 1e4 { format!("{value:.4}") } else { format!("{value:.1e}") },
    )
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
    use mammoscope_domain::run::run_records::{EpochMetrics, TrainingSetup};
    use mammoscope_domain::run::run_state::RunState;
    use mammoscope_domain::training::compute_options::Precision;
    use mammoscope_domain::training::training_config::Monitor;

    #[test]
    fn epochs_align_with_their_titles() {
        let mut state = RunState::new(Monitor::ValAccuracy, 100);
        let time = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let mut table = epoch_header();
        let prepared = RunEventKind::Prepared(TrainingSetup {
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: 2,
            train: 40,
            validation: 8,
            test: 8,
            steps_per_epoch: 10,
        });
        state.apply(&RunEvent { time, kind: prepared });
        for (epoch, val_accuracy, val_kappa) in [(9, Some(0.75), Some(0.5)), (10, Some(0.5), None), (11, None, None)] {
            let kind = RunEventKind::EpochEnded(EpochRecord {
                metrics: EpochMetrics {
                    epoch,
                    step: u64::from(epoch) * 10,
                    train_loss: 1234.5 / f64::from(epoch),
                    train_accuracy: 0.625,
                    val_loss: val_accuracy.map(|accuracy| accuracy * 2.0),
                    val_accuracy,
                    val_kappa,
                    learning_rate: 0.01 / f64::from(epoch - 8),
                },
                seconds: 7.0 * f64::from(epoch),
            });
            state.apply(&RunEvent { time, kind });
            table.push_str(&epoch_row(&state.summary, state.summary.records.last().unwrap()));
        }
        insta::assert_snapshot!(table, @r"
            epoch      loss    acc  val loss  val acc  val kappa      rate        took
            9/100  137.1667  0.625    1.5000    0.750      0.500      0.01   1 min 3 s ★
           10/100  123.4500  0.625    1.0000    0.500          –     0.005  1 min 10 s
           11/100  112.2273  0.625         –        –          –  0.003333  1 min 17 s
        ");
        let point = RunEventKind::StepReported(StepReport {
            epoch: 12,
            step: 115,
            loss: 0.53211,
            accuracy: 0.791,
            learning_rate: 2.5e-5,
            gradient_norm: 1.0,
            images_per_s: 61.25,
        });
        state.apply(&RunEvent { time, kind: point });
        let line = live_line(&state.summary, &state.last_report.unwrap(), Some(11_520.0));
        assert_eq!(
            line,
            "epoch 12/100 · step 5/10 · loss 0.5321 · acc 0.791 · rate 2.50e-5 · 61.2 images/s · ETA 3 h 12 min"
        );
    }

    #[test]
    fn learning_rates_and_durations_are_readable() {
        assert_eq!(learning_rate(0.01), "0.01");
        assert_eq!(learning_rate(0.002_5), "0.0025");
        assert_eq!(learning_rate(0.0), "0");
        assert_eq!(learning_rate(4e-6), "4.00e-6");
        assert_eq!(seconds_text(3.21), "3.2 s");
        assert_eq!(seconds_text(9.97), "10 s");
        assert_eq!(seconds_text(f64::NAN), "0 s");
        assert_eq!(seconds_text(f64::INFINITY), "0 s");
    }
}
