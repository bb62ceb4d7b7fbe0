//! The confidence in a muscle's edge, from cues that do not depend on each other.

use super::muscle_grid::{Gradient, MuscleGrid, WIDTH};
use super::muscle_line::{FULL_FALL, ScoredLine};
use super::pectoral::UncertainReason;

/// Lines that share less than this of the area beside the chest wall compete with each other.
const RIVALS_SHARE: f64 = 0.6;

/// The width of the strips on either side of the edge whose grey is compared, and their distance from it, in grid pixels.
const STRIP: usize = 12;
const GAP: usize = 2;

/// The pixels of a strip that are in the breast, at least.
const MIN_STRIP: u32 = 3;

/// The fall of grey, as a share of a full one, from which a row supports the edge.
const SUPPORT: f32 = 0.08;

/// The distance from the edge, in grid pixels, from which a pixel counts as muscle.
const INNER: f64 = 3.0;

/// The values of a cue at which the confidence is 0 and 1; linear in between.
type Ramp = (f64, f64);

const SCORE: Ramp = (1.0, 3.2);
const CONTRAST: Ramp = (0.05, 0.25);
const LEAD: Ramp = (-0.1, 0.2);
const AGREEMENT: Ramp = (0.3, 0.85);
const BRIGHTER_ROWS: Ramp = (0.6, 0.9);
const SUPPORTED_ROWS: Ramp = (0.5, 0.8);
const DEVIATION: Ramp = (0.32, 0.18);
/// Of the muscle's share of the breast: small ones, and large ones.
const SMALL: Ramp = (0.005, 0.04);
const LARGE: Ramp = (0.8, 0.6);

/// The cues for an edge. In views without a muscle the best line has a low score and a region beside it whose grey varies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// The score of the best line.
    score: f64,
    /// The lead of the best line over the best one elsewhere, as a share of its score.
    lead: f64,
    /// The overlap with the best line at a coarser scale.
    agreement: f64,
    /// The share of rows on which the muscle's side is brighter, in strips that leave out the edge itself.
    brighter_rows: f64,
    /// The mean difference between the strips, in units of the breast's contrast.
    contrast: f64,
    /// The share of rows on which grey falls across the curve.
    supported_rows: f64,
    /// The standard deviation of the muscle's grey, in units of the breast's contrast.
    deviation: f64,
    /// The muscle's share of the breast.
    share: f64,
}

impl Evidence {
    /// The cues for the column of the edge on each row, found near the best of all lines; the best at a coarser scale is
    /// given beside it.
    pub(super) fn of(
        grid: &MuscleGrid,
        gradient: &Gradient,
        lines: &[ScoredLine],
        (best, coarse): (ScoredLine, Option<ScoredLine>),
        columns: &[f64],
    ) -> Self {
        let elsewhere = lines.iter().filter(|other| other.line.overlap(&best.line) < RIVALS_SHARE);
        let rival = elsewhere.map(|other| other.score).fold(0.0, f64::max);
        let strips: Vec<f64> =
            columns.iter().enumerate().filter_map(|(row, &column)| step_between_strips(grid, row, column)).collect();
        let normal = best.line.normal();
        let rows = columns.iter().enumerate();
        let falls: Vec<f32> =
            rows.filter_map(|(row, &column)| grid.fall(gradient, column as f32, row, normal, FULL_FALL)).collect();
        let mean = |sum: f64, count: usize| sum / count.max(1) as f64;
        let mut areas = [0, 0];
        for (inside, &column) in grid.breast.chunks_exact(WIDTH).zip(columns) {
            let edge = column.clamp(0.0, WIDTH as f64).ceil() as usize;
            areas[0] += inside[..edge].iter().filter(|&&inside| inside).count();
            areas[1] += inside.iter().filter(|&&inside| inside).count();
        }
        Self {
            score: best.score,
            lead: (best.score - rival) / best.score.max(1e-6),
            agreement: coarse.map_or(0.0, |coarse| coarse.line.overlap(&best.line)),
            brighter_rows: mean(strips.iter().filter(|&&step| step > 0.0).count() as f64, strips.len()),
            contrast: mean(strips.iter().sum(), strips.len()),
            supported_rows: mean(falls.iter().filter(|&&fall| fall > SUPPORT).count() as f64, falls.len()),
            deviation: grid.deviation(columns.iter().map(|column| column - INNER)),
            share: mean(areas[0] as f64, areas[1]),
        }
    }

    /// The confidence from 0 to 1, the product of all cues, and the reason for it: that of the weakest.
    pub(super) fn confidence(&self) -> (f64, UncertainReason) {
        let along = |value: f64, (none, full): Ramp| ((value - none) / (full - none)).clamp(0.0, 1.0);
        let cues = [
            (along(self.score, SCORE), UncertainReason::FaintEdge),
            (along(self.contrast, CONTRAST), UncertainReason::FaintEdge),
            (along(self.supported_rows, SUPPORTED_ROWS), UncertainReason::FaintEdge),
            (along(self.lead, LEAD), UncertainReason::RivalEdge),
            (along(self.agreement, AGREEMENT), UncertainReason::ScalesDisagree),
            (along(self.brighter_rows, BRIGHTER_ROWS), UncertainReason::NotBrighter),
            (along(self.deviation, DEVIATION), UncertainReason::Mixed),
            (along(self.share, SMALL).min(along(self.share, LARGE)), UncertainReason::UnusualSize),
        ];
        let weakest = cues.into_iter().reduce(|weakest, cue| if cue.0 < weakest.0 { cue } else { weakest });
        let reason = weakest.map_or(UncertainReason::FaintEdge, |(_, reason)| reason);
        (cues.into_iter().map(|(cue, _)| cue).product(), reason)
    }
}

/// The mean grey of a strip on the muscle's side of the edge less that of a strip beyond it; `None` where a strip is
/// hardly in the breast.
fn step_between_strips(grid: &MuscleGrid, row: usize, column: f64) -> Option<f64> {
    let edge = column.clamp(0.0, WIDTH as f64).ceil() as usize;
    if edge <= GAP || edge + GAP >= WIDTH {
        return None;
    }
    let mean = |from: usize, to: usize| {
        let place = row * WIDTH + from..row * WIDTH + to;
        let grey = grid.grey[place.clone()].iter().zip(&grid.breast[place]).filter(|&(_, &inside)| inside);
        let (sum, count) = grey.fold((0.0, 0_u32), |(sum, count), (&grey, _)| (sum + f64::from(grey), count + 1));
        (count >= MIN_STRIP).then(|| sum / f64::from(count))
    };
    let muscle = mean(edge.saturating_sub(GAP + STRIP), edge - GAP)?;
    Some(muscle - mean(edge + GAP, (edge + GAP + STRIP).min(WIDTH))?)
}

/// The line with the highest score, the first of several.
pub(super) fn best_of(lines: &[ScoredLine]) -> Option<ScoredLine> {
    lines.iter().copied().reduce(|best, other| if other.score > best.score { other } else { best })
}
