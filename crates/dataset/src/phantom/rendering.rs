//! Rendering of the anatomy in grey levels.

use mammoscope_domain::subject::density::DensityClass;

use super::anatomy::Anatomy;
use super::muscle::{Surroundings, draw_visible};
use super::outline::Outline;
use super::silhouette::Silhouette;
use super::tissue::Tissue;
use mammoscope_domain::random_stream::RandomStream;

/// The contrast between dense tissue and fat, in grey levels, at densities in per cent; linear in between. In denser
/// breasts more tissue overlaps, and more is absorbed.
const CONTRAST: [(f64, f64); 4] = [(4.3, 13.0), (19.3, 22.0), (40.4, 29.0), (62.3, 41.0)];

/// The exponent β of the tissue's random fields at the densities of a class. The exponent measured in the finished image
/// differs: strands and noise lower it in fatty breasts, and the edges of dense tissue raise it in dense ones.
pub(super) const fn texture_exponent(class: DensityClass) -> f64 {
    match class {
        DensityClass::A => 2.6,
        DensityClass::B => 3.3,
        DensityClass::C | DensityClass::D => 3.1,
    }
}

/// The width, in scores, of the gradual transition from dense tissue to fat.
const EDGE: f32 = 0.60;

/// The darkening of fat in grey levels per percentage point of density.
const FAT_DARKER: f64 = 0.17;

/// The standard deviation of the pixel noise in grey levels.
const NOISE: f32 = 0.4;

/// Renders one view in 8 bits, with the chest wall on the left. The background is 0 and every pixel of the breast above 0.
/// The muscle is filled, unless it is to be visible along an outline.
pub(super) fn render(
    anatomy: &Anatomy,
    silhouette: &Silhouette,
    tissue: &Tissue,
    strands: &[f32],
    visible_muscle: Option<&Outline>,
    stream: &mut RandomStream,
) -> Vec<u8> {
    let percent = 100.0 * tissue.density;
    let contrast = (contrast(percent) * anatomy.contrast) as f32;
    // Dense breasts are exposed and windowed for their dense tissue, which makes fat darker: by about half of what dense
    // tissue adds to the mean, so that neither fat nor the mean, with which the muscle is filled, reveals the density.
    let fat = (anatomy.fat_grey - FAT_DARKER * percent + stream.normal()) as f32;
    let rim = anatomy.rim as f32;
    let skin = anatomy.skin_grey as f32;
    let layer = anatomy.subcutaneous as f32;
    let tilt = [(); 2].map(|()| 7.0 * stream.normal().clamp(-1.5, 1.5) as f32);
    let mut pixels = vec![0_u8; silhouette.depth.len()];
    let (mut sum, mut count) = (0_u64, 0_u64);
    for (at, x, y) in silhouette.tissue() {
        let depth = silhouette.depth[at];
        let glandular = glandular_share(tissue.excess[at]) * under_skin(depth, layer);
        let texture = tissue.texture[at];
        let level = fat
            + 2.2 * texture
            + 3.2 * tissue.shading[at]
            + tilt[0] * (x - 0.5)
            + tilt[1] * (y - 0.5)
            + glandular * contrast * (1.0 + 0.25 * texture)
            + strands[at]
            // Of varying thickness, since the beam passes more or less along it.
            + skin * (1.0 + 0.4 * tissue.shading[at]).max(0.2) * skin_line(depth, rim);
        // At least 1, to distinguish the breast from the background.
        let noise = NOISE * stream.quick_normal();
        let pixel = (thickness(depth, rim) * level + noise + 0.5).clamp(1.0, 255.0) as u8;
        pixels[at] = pixel;
        sum += u64::from(pixel);
        count += 1;
    }
    if let Some(outline) = visible_muscle {
        let around = Surroundings { fat: f64::from(fat), thickness: &|depth| thickness(depth, rim) };
        draw_visible(&mut pixels, outline, silhouette, &around, stream);
        return pixels;
    }
    // As is common in preprocessing, the muscle is filled with the breast's mean grey.
    let mean = ((sum + count / 2) / count.max(1)).clamp(1, 255) as u8;
    for (pixel, _) in pixels.iter_mut().zip(silhouette.pectoral()).filter(|&(_, muscle)| muscle) {
        *pixel = mean;
    }
    pixels
}

fn contrast(percent: f64) -> f64 {
    let after = CONTRAST.iter().position(|&(density, _)| density >= percent).unwrap_or(CONTRAST.len());
    if after == 0 {
        return CONTRAST[0].1;
    }
    if after == CONTRAST.len() {
        return CONTRAST[CONTRAST.len() - 1].1;
    }
    let ((low, from), (high, to)) = (CONTRAST[after - 1], CONTRAST[after]);
    from + (to - from) * (percent - low) / (high - low)
}

/// The share of glandular tissue along the ray, 0 to about 1: a soft edge, then a slow rise inwards.
fn glandular_share(excess: f32) -> f32 {
    let t = (excess / (2.0 * EDGE) + 0.5).clamp(0.0, 1.0);
    let edge = t * t * (3.0 - 2.0 * t);
    let inner = (excess / 1.4).clamp(0.0, 1.0);
    edge * (0.7 + 0.3 * inner)
}

/// The relative thickness of the compressed breast, 0 to 1: a faint foot of thin skin, a steep rise, then nearly flat.
fn thickness(depth: f32, rim: f32) -> f32 {
    const FOOT: (f32, f32) = (0.33, 0.36);
    let along = (depth / rim).clamp(0.0, 1.0);
    let edge = if along < FOOT.0 {
        FOOT.1 * along / FOOT.0
    } else {
        let outward = (1.0 - (along - FOOT.0) / 0.57).max(0.0);
        1.0 - (1.0 - FOOT.1) * outward * outward
    };
    let gentle = (1.0 - depth / 0.16).clamp(0.0, 1.0);
    edge * (1.0 - 0.03 * gentle * gentle)
}

/// The share of the ray's path that the fat under the skin leaves to dense tissue, 0 to 1.
fn under_skin(depth: f32, layer: f32) -> f32 {
    let t = ((depth - 0.6 * layer) / 0.09).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The brightness of the skin, seen edge-on just inside the rim, 0 to 1.
fn skin_line(depth: f32, rim: f32) -> f32 {
    let t = (depth - 0.95 * rim) / (0.55 * rim);
    let bump = (1.0 - t * t).max(0.0);
    bump * bump
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The grey level at a depth in image sides, for fat of grey 140 and a skin line of `skin` grey levels.
    fn profile(rim: f32, skin: f32, depth: f32) -> f32 {
        thickness(depth, rim) * (140.0 + skin * skin_line(depth, rim))
    }

    #[test]
    fn the_edge_is_as_sharp_as_in_mammograms_and_the_skin_line_is_brighter_than_fat() {
        // In eight mammograms of 650 pixels grey rises from 20 to 90 % of its level within 4 to 6 pixels.
        for rim in [0.0125, 0.0170] {
            let depths = || (0..1000_u16).map(|step| f32::from(step) * 1e-4);
            let first_above = |grey: f32| depths().find(|&depth| profile(rim, 6.5, depth) > grey).expect("it rises");
            let rise = 650.0 * (first_above(0.9 * 140.0) - first_above(0.2 * 140.0));
            assert!((3.0..6.5).contains(&rise), "rim {rim}: the edge rises over {rise} pixels");
            for skin in [3.5, 9.5] {
                let brightest = depths().map(|depth| profile(rim, skin, depth)).fold(0.0, f32::max);
                let fat = profile(rim, skin, 0.05);
                assert!(brightest > fat + 1.0, "rim {rim}, skin {skin}: {brightest} over {fat}");
            }
        }
    }
}
