//! What is found in the curves of a run, and told among what happened in it.

use chrono::TimeDelta;

use super::curves::{Metric, RunCurves, XAxis};
use crate::tui::protocol::runs::{NoteKind, RunNote};
use mammoscope_domain::run::curve_findings::{SpikeFinder, plateaus};

/// So many epochs without a better validation loss are a plateau.
const PLATEAU: u32 = 10;

/// How far the curves were searched.
#[derive(Debug, Default)]
pub(super) struct CurveSearch {
    spikes: Option<SpikeFinder>,
    reports: usize,
    epochs: usize,
}

impl RunCurves {
    /// What was found is void: reports come again.
    pub(super) fn search_anew(&mut self) {
        self.search = CurveSearch::default();
        self.notes.retain(|note| matches!(note.kind, NoteKind::Event(_)));
    }

    /// Searches what is new.
    pub(super) fn search_on(&mut self) {
        let Some(state) = &self.state else { return };
        let (Some(started), Some(setting)) = (state.started, &state.setting) else { return };
        let mut found = Vec::new();
        let finder = self.search.spikes.get_or_insert_with(|| SpikeFinder::new(setting.steps_per_epoch));
        let (steps, seconds) = (self.places.on(XAxis::Steps), self.places.on(XAxis::Time));
        let losses = self.raw[Metric::Loss as usize].values();
        for at in self.search.reports..steps.len() {
            if let Some(spike) = finder.push(steps[at] as u64, losses[at]) {
                let time = started + TimeDelta::milliseconds((seconds[at] * 1e3) as i64);
                found.push(RunNote { time, step: spike.step, kind: NoteKind::Spike(spike) });
            }
        }
        self.search.reports = steps.len();
        if self.search.epochs != state.records.len() {
            self.search.epochs = state.records.len();
            self.notes.retain(|note| !matches!(note.kind, NoteKind::Plateau(_)));
            let losses = state.records.iter().map(|record| record.figures.val_loss.unwrap_or(f64::NAN));
            for plateau in plateaus(losses, PLATEAU) {
                let record = &state.records[plateau.epoch as usize - 1];
                found.push(RunNote { time: record.time, step: record.figures.step, kind: NoteKind::Plateau(plateau) });
            }
        }
        for note in found {
            let behind = self.notes.iter().rposition(|other| other.time <= note.time).map_or(0, |at| at + 1);
            self.notes.insert(behind, note);
        }
    }
}
