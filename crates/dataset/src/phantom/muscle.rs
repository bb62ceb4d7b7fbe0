//! A pectoral muscle as a raw picture shows it, for tests of what finds it.
//!
//! The phantom's own pictures have their muscle filled, like prepared mammograms. Here it is bright, with fibres along its
//! edge, fainter towards its lower end, and with a soft edge.

use std::f64::consts::TAU;

use mammoscope_domain::random_stream::RandomStream;

use super::outline::Outline;
use super::silhouette::Silhouette;

/// A pectoral muscle that is not filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VisibleMuscle {
    /// Angle of its edge to the vertical in degrees, 5 to 40.
    pub angle: f64,
    /// Largest distance of the edge from a straight line, as a share of its width at the upper edge; positive if the edge
    /// bulges into the breast.
    pub bulge: f64,
}

/// The least and the greatest brightness of the muscle above fat, in grey levels, and its decrease from the upper edge to
/// the lower end.
const EXCESS: (f64, f64) = (20.0, 45.0);
const DECREASE: f64 = 10.0;

/// The least and the greatest width of the soft edge on either side, in image sides.
const SOFTNESS: (f64, f64) = (0.001, 0.007);

/// Number of waves that make up the fibres, and the amplitude of each in grey levels.
const FIBRES: usize = 6;
const FIBRE_GREY: f64 = 1.2;

/// The standard deviation of the pixel noise in grey levels.
const NOISE: f32 = 0.8;

/// The grey of the tissue around the muscle: fat at full thickness, and the relative thickness at a depth in image sides.
pub(super) struct Surroundings<'a> {
    pub(super) fat: f64,
    pub(super) thickness: &'a dyn Fn(f32) -> f32,
}

/// Draws the muscle over the tissue of a rendered picture with the chest wall on the left.
pub(super) fn draw_visible(
    pixels: &mut [u8],
    outline: &Outline,
    silhouette: &Silhouette,
    around: &Surroundings,
    stream: &mut RandomStream,
) {
    let size = silhouette.size;
    let side = size as f64;
    let excess = stream.uniform(EXCESS.0, EXCESS.1);
    let softness = stream.uniform(SOFTNESS.0, SOFTNESS.1);
    let slope = outline.pectoral_slope();
    let steepness = 1.0 / libm::sqrt(1.0 + slope * slope);
    let waves = [(); FIBRES].map(|()| (stream.uniform(8.0, 60.0), stream.uniform(-6.0, 6.0), stream.uniform(0.0, TAU)));
    for (at, pixel) in pixels.iter_mut().enumerate() {
        let depth = silhouette.depth[at];
        if depth <= 0.0 {
            continue;
        }
        let (x, y) = (((at % size) as f64 + 0.5) / side, ((at / size) as f64 + 0.5) / side);
        // The distance from the edge at right angles to it, positive inside.
        let inside = (outline.pectoral_edge(y) - x) * steepness;
        if inside <= -softness {
            continue;
        }
        let along = (0.5 + 0.5 * inside / softness).clamp(0.0, 1.0);
        let share = along * along * (3.0 - 2.0 * along);
        let (across, down) = ((x + slope * y) * steepness, (y - slope * x) * steepness);
        let fibres: f64 = waves
            .iter()
            .map(|&(fine, coarse, phase)| FIBRE_GREY * libm::sin(TAU * (fine * across + coarse * down) + phase))
            .sum();
        let level = around.fat + excess - DECREASE * outline.pectoral_progress(y) + fibres;
        let tissue =
            if inside > 0.0 { around.fat } else { f64::from(*pixel) / f64::from((around.thickness)(depth)).max(0.01) };
        let mixed = (tissue + share * (level - tissue)) * f64::from((around.thickness)(depth));
        *pixel = (mixed as f32 + NOISE * stream.quick_normal() + 0.5).clamp(1.0, 255.0) as u8;
    }
}
