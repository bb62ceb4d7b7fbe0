//! The search for spikes and plateaus in the curves of a run, which are listed among its events.

use chrono::TimeDelta;

use super::curves::RunCurves;
use super::metric::Metric;
use super::places::XAxis;
use crate::tui::protocol::runs::{NoteKind, RunNote};
use mammoscope_domain::run::curve_findings::{SpikeFinder, plateaus};

/// The number of epochs without a better validation loss that make a plateau.
const PLATEAU_EPOCHS: u32 = 10;

/// The progress of the search.
#[derive(Debug, Default)]
pub(super) struct CurveSearch {
    spikes: Option<SpikeFinder>,
    reports: usize,
    epochs: usize,
}

impl RunCurves {
    /// Discards all findings, since the curves were truncated.
    pub(super) fn reset_search(&mut self) {
        self.search = CurveSearch::default();
        self.notes.retain(|note| matches!(note.kind, NoteKind::Event(_)));
    }

    /// Searches the new parts of the curves.
    pub(super) fn continue_search(&mut self) {
        let Some(summary) = &self.summary else { return };
        let Some(setup) = &summary.setup else { return };
        let mut found = Vec::new();
        let finder = self.search.spikes.get_or_insert_with(|| SpikeFinder::new(setup.steps_per_epoch));
        let (steps, seconds) = (self.places.on(XAxis::Steps), self.places.on(XAxis::Time));
        let losses = self.raw[Metric::Loss as usize].values();
        for at in self.search.reports..steps.len() {
            if let Some(spike) = finder.push(steps[at] as u64, losses[at]) {
                let elapsed = TimeDelta::milliseconds((seconds[at] * 1e3) as i64);
                found.push(RunNote { elapsed, step: spike.step, kind: NoteKind::Spike(spike) });
            }
        }
        self.search.reports = steps.len();
        if self.search.epochs != summary.records.len() {
            self.search.epochs = summary.records.len();
            self.notes.retain(|note| !matches!(note.kind, NoteKind::Plateau(_)));
            let losses = summary.records.iter().map(|record| record.metrics.val_loss.unwrap_or(f64::NAN));
            for plateau in plateaus(losses, PLATEAU_EPOCHS) {
                let record = &summary.records[plateau.epoch as usize - 1];
                found.push(RunNote {
                    elapsed: record.elapsed,
                    step: record.metrics.step,
                    kind: NoteKind::Plateau(plateau),
                });
            }
        }
        for note in found {
            let position = self.notes.iter().rposition(|other| other.elapsed <= note.elapsed).map_or(0, |at| at + 1);
            self.notes.insert(position, note);
        }
    }
}
