//! Small curves of the validation loss in the list of runs. Only those of runs on screen are ever read.

use std::collections::HashMap;

use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::{RunSketch, RunsEffect};
use mammoscope_storage::runs::run_dir::RunDir;

/// The number of sketches from which on those of runs that are not on screen are forgotten.
const MAX_KEPT: usize = 2000;
/// The levels of a sketch, from the lowest to the highest value.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The sketches of the runs that were on screen.
#[derive(Debug, Default)]
pub(super) struct Sketches {
    kept: HashMap<RunDir, RunSketch>,
    /// The runs that are being read, with the numbers of epochs that their statuses show.
    requested: HashMap<RunDir, u32>,
    /// The runs to request.
    wanted: Vec<RunDir>,
}

impl Sketches {
    /// Takes note of the runs on screen, whose sketches are to be read if they have changed.
    pub(super) fn show<'r>(&mut self, rows: impl Iterator<Item = &'r RunRow>) {
        let rows: Vec<&RunRow> = rows.collect();
        if self.kept.len() > MAX_KEPT {
            let is_visible = |run: &RunDir| rows.iter().any(|row| row.run == *run);
            self.kept.retain(|run, _| is_visible(run));
            self.requested.retain(|run, _| is_visible(run));
        }
        for row in rows {
            let epoch = row.status.as_ref().map_or(0, |status| status.epoch);
            if epoch > 1 && self.requested.get(&row.run) != Some(&epoch) {
                self.requested.insert(row.run.clone(), epoch);
                self.wanted.push(row.run.clone());
            }
        }
    }

    /// Takes the request for the sketches that are wanted out.
    pub(super) fn take_request(&mut self) -> Option<Effect> {
        let wanted = std::mem::take(&mut self.wanted);
        (!wanted.is_empty()).then_some(Effect::Runs(RunsEffect::Sketch(wanted)))
    }

    /// Keeps a sketch that was read.
    pub(super) fn keep(&mut self, run: RunDir, sketch: RunSketch) {
        self.kept.insert(run, sketch);
    }

    /// A sketch in a number of cells; empty if there is none, or too few epochs to show a course.
    pub(super) fn text(&self, run: &RunDir, cells: usize) -> String {
        self.kept.get(run).map_or_else(String::new, |sketch| sketch_text(&sketch.losses, cells))
    }
}

/// Values as a line of blocks: the mean of the values in each cell. Values far above the others are drawn as high as
/// the highest of those.
fn sketch_text(values: &[f32], cells: usize) -> String {
    let finite = |value: &&f32| value.is_finite();
    let mut sorted: Vec<f32> = values.iter().filter(finite).copied().collect();
    if sorted.len() < 2 || cells == 0 {
        return String::new();
    }
    sorted.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let low = sorted[0];
    let high = sorted[sorted.len() - 1].min(at(0.75) + 3.0 * (at(0.75) - at(0.25)));
    let width = values.len().min(cells);
    (0..width)
        .map(|cell| {
            let range = cell * values.len() / width..(cell + 1) * values.len() / width;
            let of_cell: Vec<f32> = values[range].iter().filter(finite).copied().collect();
            if of_cell.is_empty() {
                return '×';
            }
            let mean = of_cell.iter().sum::<f32>() / of_cell.len() as f32;
            let share = if high > low { ((mean - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
            LEVELS[(share * (LEVELS.len() - 1) as f32).round() as usize]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_blocks() {
        assert_eq!(sketch_text(&[8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], 8), "█▇▆▅▄▃▂▁");
        assert_eq!(sketch_text(&[2.0, 2.0, 1.0, 1.0, 0.0, 0.0], 3), "█▅▁", "means");
        assert_eq!(sketch_text(&[1.0, f32::NAN, 0.0], 8), "█×▁", "a value that is not finite");
        let spiky = [1.0, 900.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
        assert_eq!(sketch_text(&spiky, 8), "▄█▄▃▃▂▂▁", "a spike does not flatten the rest");
        assert_eq!(sketch_text(&[1.0], 8), "", "one epoch is not a course");
        assert_eq!(sketch_text(&[1.0, 1.0], 8), "▁▁");
        assert_eq!(sketch_text(&[], 8), "");
    }
}
