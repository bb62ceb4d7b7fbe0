//! The fibroglandular tissue.

use rustfft::FftPlannerScalar;

use super::anatomy::Anatomy;
use super::outline::Outline;
use super::random_field::FieldRecipe;
use super::silhouette::Silhouette;
use mammoscope_domain::random_stream::RandomStream;

/// The recipes of the tissue's random fields.
pub(super) struct TissueRecipe {
    /// Lobes, shading, and the sway of the ducts: smoother than the texture.
    lobes: FieldRecipe,
    /// Streaks and grain, elongated along the ducts.
    streaks: FieldRecipe,
}

impl TissueRecipe {
    /// Larger images (in pixels) use fields of a lower resolution: at β near 3 the power above half the Nyquist frequency is
    /// far below the pixel noise.
    const FULL_RESOLUTION_UP_TO: usize = 160;

    /// The recipe for images of `size` pixels, with a texture of exponent `exponent`.
    pub(super) fn new(planner: &mut FftPlannerScalar<f32>, size: usize, exponent: f64) -> Self {
        let points = |coarser: usize| if size > Self::FULL_RESOLUTION_UP_TO { size.div_ceil(coarser) } else { size };
        Self {
            lobes: FieldRecipe::new(planner, points(3), exponent + 0.5, 1.5, 1.0),
            streaks: FieldRecipe::new(planner, points(2), exponent, 2.8, 3.5),
        }
    }
}

/// The tissue of one view, pixel by pixel; 0 outside the tissue.
pub(super) struct Tissue {
    /// Score above the threshold of dense tissue: positive inside, negative outside.
    pub(super) excess: Vec<f32>,
    /// Slow variation of the absorption, mean 0 and variance about 1.
    pub(super) shading: Vec<f32>,
    /// Fine texture, mean 0 and variance about 1.
    pub(super) texture: Vec<f32>,
    /// The dense area over the breast's area without the pectoral muscle.
    pub(super) density: f64,
}

impl Tissue {
    /// Draws tissue with the dense share `density` (0 to 1) of the area, exact to one pixel.
    ///
    /// The score of a pixel is that of a disc behind the nipple, narrowing towards it, plus random fields, minus a penalty
    /// near the skin, where there is fat. The pixels with the highest scores are dense.
    pub(super) fn draw(
        recipe: &TissueRecipe,
        anatomy: &Anatomy,
        outline: &Outline,
        silhouette: &Silhouette,
        density: f64,
        stream: &mut RandomStream,
    ) -> Self {
        let lobes = recipe.lobes.draw(stream);
        let streaks = recipe.streaks.draw(stream);
        let nipple_height = outline.nipple_height as f32;
        let gland = Gland {
            depth: (anatomy.gland_depth + 0.03 * stream.normal()) as f32,
            height: (outline.gland_height + 0.03 * stream.normal()) as f32,
        };
        let weights = ScoreWeights::at(density as f32);
        let layer = (anatomy.subcutaneous + 0.002 * stream.normal()) as f32;

        let mut excess = vec![0.0_f32; silhouette.depth.len()];
        let (mut shading, mut texture) = (excess.clone(), excess.clone());
        let mut scores = Vec::with_capacity(excess.len());
        for (at, x, y) in silhouette.tissue() {
            let [_, sway] = lobes.at(x, y);
            let (u, v) = along_ducts(x, y, nipple_height, sway);
            let [lobe, shade] = lobes.at(u, v);
            let [streak, grain] = streaks.at(u, v);
            // The fat under the skin varies in thickness: lobes press into it.
            let depth = silhouette.depth[at] * (1.0 + 0.3 * lobe.clamp(-1.5, 1.5));
            let near_skin = 1.0 - ((depth - layer) / 0.10).clamp(0.0, 1.0);
            let score = weights.lobe * lobe + weights.streak * streak
                - weights.gland * gland.radius(x, y)
                - 1.6 * near_skin * near_skin;
            excess[at] = score;
            shading[at] = shade;
            texture[at] = grain;
            scores.push(score);
        }
        let dense = ((density * scores.len() as f64).round() as usize).clamp(1, scores.len() - 1);
        let cut = scores.len() - dense;
        // The lowest dense score is at the cut. Equal scores below it would be dense too, but are rare in `f32`.
        let (_, &mut threshold, _) = scores.select_nth_unstable_by(cut, f32::total_cmp);
        let mut counted = 0_usize;
        for (at, ..) in silhouette.tissue() {
            // Raised by epsilon, so that the pixel at the threshold itself is dense.
            excess[at] = (excess[at] - threshold) + f32::EPSILON;
            counted += usize::from(excess[at] > 0.0);
        }
        Self { excess, shading, texture, density: counted as f64 / scores.len() as f64 }
    }
}

/// The weights of the terms of the score.
struct ScoreWeights {
    lobe: f32,
    streak: f32,
    gland: f32,
}

impl ScoreWeights {
    /// The weights at a density (0 to 1): sparse tissue is in strands all over the breast, abundant tissue in the disc.
    fn at(density: f32) -> Self {
        let compact = ((density - 0.05) / 0.13).clamp(0.0, 1.0);
        Self { lobe: 0.12 + 0.26 * compact, streak: 0.48 - 0.20 * compact, gland: 0.20 + 1.05 * compact }
    }
}

/// The glandular disc.
struct Gland {
    depth: f32,
    height: f32,
}

impl Gland {
    /// Distance from the disc's centre in units of its radii.
    fn radius(&self, x: f32, y: f32) -> f32 {
        // Narrower towards the nipple, like a cone.
        let half_height = 0.36 * (1.25 - 0.55 * x);
        let (along, across) = ((x - self.depth) / 0.44, (y - self.height) / half_height);
        (along * along + across * across).sqrt()
    }
}

/// Coordinates along and across the ducts: swaying lines from the chest wall that converge beyond the nipple.
fn along_ducts(x: f32, y: f32, nipple_height: f32, sway: f32) -> (f32, f32) {
    const APEX: f32 = 1.7;
    let across = (y - nipple_height) * (APEX - 0.5) / (APEX - x);
    (x, nipple_height + across + 0.018 * sway)
}
