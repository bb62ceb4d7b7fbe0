//! The confidence in a muscle's edge, from cues that do not depend on each other.

use super::muscle_grid::{Gradient, HEIGHT, MuscleGrid, WIDTH};
use super::muscle_line::{FULL_FALL, ScoredLine, scored_lines};
use super::pectoral::UncertainReason;

/// The scale, as a multiple of the fine one, at which the line is searched a second time.
pub(super) const COARSE: f32 = 2.0;

/// Lines whose triangles share less than this compete with each other.
const RIVALS_SHARE: f64 = 0.6;

/// The width of the strips on either side of the edge whose grey is compared, and their distance from it, in grid pixels.
const STRIP: usize = 12;
const GAP: usize = 2;

/// The values of a cue at which the confidence is 0 and 1; linear in between.
type Ramp = (f64, f64);

/// The score of lines in views without a muscle hardly ever exceeds 2.
const SCORE: Ramp = (1.0, 3.5);
const LEAD: Ramp = (-0.1, 0.2);
const AGREEMENT: Ramp = (0.3, 0.9);
const BRIGHTER_ROWS: Ramp = (0.6, 0.95);
const CONTRAST: Ramp = (0.05, 0.3);
/// Of the muscle's share of the breast: small ones, and large ones.
const SMALL: Ramp = (0.005, 0.022);
const LARGE: Ramp = (0.8, 0.6);

/// The cues for an edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// The score of the best line.
    pub(super) score: f64,
    /// The lead of the best line over the best one elsewhere, as a share of its score.
    pub(super) lead: f64,
    /// The overlap with the best line at the coarse scale.
    pub(super) agreement: f64,
    /// The share of rows on which the muscle's side is brighter, in strips that leave out the edge itself.
    pub(super) brighter_rows: f64,
    /// The mean difference between the strips, in units of the breast's contrast.
    pub(super) contrast: f64,
    /// The muscle's share of the breast.
    pub(super) share: f64,
}

impl Evidence {
    pub(super) fn of(
        grid: &MuscleGrid,
        lines: &[ScoredLine],
        best: &ScoredLine,
        coarse: &Gradient,
        curve: &[f64],
    ) -> Self {
        let elsewhere = lines.iter().filter(|other| other.line.overlap(&best.line) < RIVALS_SHARE);
        let rival = elsewhere.map(|other| other.score).fold(0.0, f64::max);
        // A Gaussian twice as wide halves the slope of an edge.
        let coarse = best_of(&scored_lines(grid, coarse, FULL_FALL / COARSE));
        let agreement = coarse.map_or(0.0, |coarse| coarse.line.overlap(&best.line));
        let (mut rows, mut brighter, mut difference) = (0_u32, 0_u32, 0.0);
        let (mut muscle, mut breast) = (0_usize, 0_usize);
        for (row, &column) in curve.iter().enumerate() {
            let inside = &grid.breast[row * WIDTH..][..WIDTH];
            let edge = column.clamp(0.0, WIDTH as f64).ceil() as usize;
            muscle += inside[..edge].iter().filter(|&&inside| inside).count();
            breast += inside.iter().filter(|&&inside| inside).count();
            let mean = |from: usize, to: usize| {
                let grey = grid.grey[row * WIDTH..][from..to].iter().zip(&inside[from..to]);
                let (sum, count) = grey
                    .filter(|&(_, &inside)| inside)
                    .fold((0.0, 0), |(sum, count), (&grey, _)| (sum + grey, count + 1));
                (count >= 3).then(|| f64::from(sum) / f64::from(count))
            };
            if column <= GAP as f64 || edge >= WIDTH {
                continue;
            }
            let strips = (
                mean(edge.saturating_sub(GAP + STRIP), edge - GAP.min(edge)),
                mean((edge + GAP).min(WIDTH), (edge + GAP + STRIP).min(WIDTH)),
            );
            if let (Some(muscle), Some(tissue)) = strips {
                rows += 1;
                brighter += u32::from(muscle > tissue);
                difference += muscle - tissue;
            }
        }
        debug_assert_eq!(curve.len(), HEIGHT, "one column per row of the grid");
        let rows = f64::from(rows.max(1));
        Self {
            score: best.score,
            lead: (best.score - rival) / best.score.max(1e-6),
            agreement,
            brighter_rows: f64::from(brighter) / rows,
            contrast: difference / rows,
            share: muscle as f64 / breast.max(1) as f64,
        }
    }

    /// The confidence from 0 to 1, and the reason for it: that of the weakest cue.
    pub(super) fn confidence(&self) -> (f64, UncertainReason) {
        let along = |value: f64, (none, full): Ramp| ((value - none) / (full - none)).clamp(0.0, 1.0);
        let cues = [
            (along(self.score, SCORE), UncertainReason::FaintEdge),
            (along(self.contrast, CONTRAST), UncertainReason::FaintEdge),
            (along(self.lead, LEAD), UncertainReason::RivalEdge),
            (along(self.agreement, AGREEMENT), UncertainReason::ScalesDisagree),
            (along(self.brighter_rows, BRIGHTER_ROWS), UncertainReason::NotBrighter),
            (along(self.share, SMALL).min(along(self.share, LARGE)), UncertainReason::UnusualSize),
        ];
        cues.into_iter()
            .fold((1.0, UncertainReason::FaintEdge), |weakest, cue| if cue.0 < weakest.0 { cue } else { weakest })
    }
}

/// The line with the highest score, the first of several.
pub(super) fn best_of(lines: &[ScoredLine]) -> Option<ScoredLine> {
    lines.iter().copied().reduce(|best, other| if other.score > best.score { other } else { best })
}
