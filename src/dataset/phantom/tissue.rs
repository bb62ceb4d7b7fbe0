//! Where the fibroglandular tissue lies.

use super::anatomy::Anatomy;
use super::outline::Outline;
use super::random_field::{FieldRecipe, RandomField};
use super::random_stream::RandomStream;
use super::silhouette::Silhouette;

/// The recipes of the fields that tissue is made of.
pub(super) struct TissueRecipe {
    /// Lobes and the sway of the strands: smoother than the texture.
    pub(super) lobes: FieldRecipe,
    /// Streaks and texture, drawn out along the ducts.
    pub(super) streaks: FieldRecipe,
}

/// The tissue of one view, pixel by pixel; 0 where there is none.
pub(super) struct Tissue {
    /// How far a pixel is within the dense tissue (above 0) or outside it (below).
    pub(super) excess: Vec<f32>,
    /// Slow variation of what lies in the beam, mean 0 and variance about 1.
    pub(super) shading: Vec<f32>,
    /// Fine texture, mean 0 and variance about 1.
    pub(super) texture: Vec<f32>,
    /// Dense area over the breast's area without the pectoral muscle.
    pub(super) density: f64,
}

impl Tissue {
    /// Draws tissue whose dense share of the area is `density` (0 to 1), to the pixel.
    ///
    /// The score of a pixel is a disc behind the nipple, narrowing towards it, plus random fields, less a penalty near
    /// the skin, where there is fat; the highest scores are dense.
    pub(super) fn draw(
        recipe: &TissueRecipe,
        anatomy: &Anatomy,
        outline: &Outline,
        silhouette: &Silhouette,
        density: f64,
        stream: &mut RandomStream,
    ) -> Self {
        let [lobes, sway] = recipe.lobes.draw(stream);
        let [streaks, texture_field] = recipe.streaks.draw(stream);
        let fan = Fan { nipple_height: outline.nipple_height as f32, sway };
        let gland = Gland {
            depth: (anatomy.gland_depth + 0.03 * stream.normal()) as f32,
            height: (outline.nipple_height + 0.03 * stream.normal()) as f32,
        };
        let layer = (anatomy.subcutaneous + 0.002 * stream.normal()) as f32;

        let mut excess = vec![0.0_f32; silhouette.breast.len()];
        let (mut shading, mut texture) = (excess.clone(), excess.clone());
        let mut scores = Vec::with_capacity(excess.len());
        for at in 0..excess.len() {
            if !silhouette.is_tissue(at) {
                continue;
            }
            let (x, y) = silhouette.centre(at);
            let (u, v) = fan.bend(x, y);
            let near_skin = 1.0 - ((silhouette.depth[at] - layer) / 0.04).clamp(0.0, 1.0);
            let score = 0.40 * lobes.at(u, v) + 0.26 * streaks.at(u, v) + gland.at(x, y) - 4.0 * near_skin * near_skin;
            excess[at] = score;
            texture[at] = texture_field.at(u, v);
            scores.push(score);
        }
        let dense = ((density * scores.len() as f64).round() as usize).clamp(1, scores.len() - 1);
        let cut = scores.len() - dense;
        // The lowest dense score lies at the cut; equal scores below it would be dense too, which f32 makes rare.
        let (_, &mut threshold, _) = scores.select_nth_unstable_by(cut, f32::total_cmp);
        let mut counted = 0_usize;
        for (at, excess) in excess.iter_mut().enumerate() {
            if silhouette.is_tissue(at) {
                // Half a step up, so that the pixel at the threshold itself is dense.
                *excess = (*excess - threshold) + f32::EPSILON;
                counted += usize::from(*excess > 0.0);
            }
        }
        Self { excess, shading, texture, density: counted as f64 / scores.len() as f64 }
    }
}

/// The glandular disc.
struct Gland {
    depth: f32,
    height: f32,
}

impl Gland {
    fn at(&self, x: f32, y: f32) -> f32 {
        // Narrower towards the nipple: a cone with its apex there.
        let half_height = 0.36 * (1.25 - 0.55 * x);
        let (along, across) = ((x - self.depth) / 0.44, (y - self.height) / half_height);
        -1.25 * (along * along + across * across).sqrt()
    }
}

/// The course of the ducts: straight lines from the chest wall that converge beyond the nipple, swaying.
struct Fan {
    nipple_height: f32,
    sway: RandomField,
}

impl Fan {
    /// Coordinates along and across the ducts.
    fn bend(&self, x: f32, y: f32) -> (f32, f32) {
        const APEX: f32 = 1.7;
        let across = (y - self.nipple_height) * (APEX - 0.5) / (APEX - x);
        (x, self.nipple_height + across + 0.018 * self.sway.at(x, y))
    }
}
