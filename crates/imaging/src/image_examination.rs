//! A first look at an image, as a physicist would take it: is it an ordinary mammogram, and what does it look like?

use super::breast_mask::{breast_mask, grey_levels};
use super::mask::Mask;
use super::raster::Raster;
use mammoscope_domain::image::image_findings::{ImageDoubt, ImageTraits};

/// Side of the squares in the picture's corners that are searched for background, as a share of the shorter side.
const CORNER: f64 = 0.03;
/// A corner is bright or dark if it is within this part of the picture's range from the range's end.
const EXTREME: f64 = 0.2;
/// If bright corners do not outnumber dark ones, they must be closer to the end of the range by this part of it.
const NEARER: f64 = 0.02;
/// The share of the breast at the highest level from which on it is saturated.
const SATURATED: f64 = 0.1;

/// The reasons why a picture cannot be an ordinary mammogram, in the order of [`ImageDoubt::ALL`], and its traits. The
/// picture has been resized for a network; `aspect` is its original width / height.
#[must_use]
pub fn examine(picture: &Raster<u8>, aspect: f64) -> (Vec<ImageDoubt>, Option<ImageTraits>) {
    let grey = grey_levels(picture);
    let counts = level_counts(&grey);
    if counts.iter().filter(|&&count| count > 0).count() <= 1 {
        return (vec![ImageDoubt::OneLevel], None);
    }
    if has_bright_background(picture.width(), &grey, &counts) {
        return (vec![ImageDoubt::Inverted], None);
    }
    let Some(breast) = breast_mask(picture) else { return (vec![ImageDoubt::NoBreast], None) };
    let saturated = grey.iter().zip(breast.pixels()).filter(|&(&level, &inside)| inside && level == u8::MAX).count();
    let doubts =
        if saturated as f64 >= SATURATED * breast.area() as f64 { vec![ImageDoubt::Saturated] } else { Vec::new() };
    (doubts, Some(traits(&grey, &breast, aspect)))
}

fn level_counts(grey: &[u8]) -> [u64; 256] {
    let mut counts = [0; 256];
    for &level in grey {
        counts[usize::from(level)] += 1;
    }
    counts
}

/// The smallest level that at least a `share` of the counted pixels do not exceed.
fn percentile(counts: &[u64; 256], share: f64) -> u8 {
    let total: u64 = counts.iter().sum();
    let wanted = (total as f64 * share).ceil().max(1.0) as u64;
    let mut seen = 0;
    let reached = counts.iter().position(|&count| {
        seen += count;
        seen >= wanted
    });
    reached.unwrap_or(255) as u8
}

/// True if the surroundings of the breast are bright.
///
/// At least two corners of a mammogram show background, which is at one end of the grey range. Those at the chest wall
/// may show breast instead, which only comes near the other end.
fn has_bright_background(width: usize, grey: &[u8], counts: &[u64; 256]) -> bool {
    let height = grey.len() / width;
    let (low, high) = (f64::from(percentile(counts, 0.01)), f64::from(percentile(counts, 0.99)));
    let side = ((width.min(height) as f64 * CORNER).round() as usize).max(1);
    let mut from_dark = Vec::new();
    let mut from_bright = Vec::new();
    for (left, top) in [(0, 0), (width - side, 0), (0, height - side), (width - side, height - side)] {
        let mut of_corner = [0; 256];
        for y in top..top + side {
            for &level in &grey[y * width + left..][..side] {
                of_corner[usize::from(level)] += 1;
            }
        }
        let position = (f64::from(percentile(&of_corner, 0.5)) - low) / (high - low).max(1.0);
        if position <= EXTREME {
            from_dark.push(position);
        } else if position >= 1.0 - EXTREME {
            from_bright.push(1.0 - position);
        }
    }
    let mean = |distances: &[f64]| distances.iter().sum::<f64>() / distances.len() as f64;
    match (from_bright.len(), from_dark.len()) {
        (0 | 1, _) => false,
        (_, 0) => true,
        (bright, dark) => {
            (dark == 1 && bright > dark) || (bright >= dark && mean(&from_bright) + NEARER < mean(&from_dark))
        }
    }
}

fn traits(grey: &[u8], breast: &Mask, aspect: f64) -> ImageTraits {
    let (width, height) = (breast.width(), breast.height());
    let inside = breast.pixels();
    let (mut of_breast, mut of_background) = ([0_u64; 256], [0_u64; 256]);
    let (mut texture, mut textured, mut noise, mut noisy) = (0.0_f64, 0_u32, 0.0_f64, 0_u32);
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let level = grey[at];
            let counts = if inside[at] { &mut of_breast } else { &mut of_background };
            counts[usize::from(level)] += 1;
            let within = x > 0 && y > 0 && x + 1 < width && y + 1 < height;
            let around = [at.wrapping_sub(1), at + 1, at.wrapping_sub(width), at + width];
            if within && inside[at] && around.iter().all(|&other| inside[other]) {
                let mean = around.iter().map(|&other| f64::from(grey[other])).sum::<f64>() / 4.0;
                texture += (f64::from(level) - mean).abs();
                textured += 1;
            }
            if within && !inside[at] && !inside[at + 1] {
                noise += f64::from(level.abs_diff(grey[at + 1]));
                noisy += 1;
            }
        }
    }
    let area: u64 = of_breast.iter().sum();
    let moment = |of: &dyn Fn(f64) -> f64| {
        of_breast.iter().enumerate().map(|(level, &count)| count as f64 * of(level as f64)).sum::<f64>() / area as f64
    };
    let mean = moment(&|level| level);
    let deviation = moment(&|level| (level - mean).powi(2)).sqrt();
    let per = |sum: f64, count: u32| if count == 0 { 0.0 } else { sum / f64::from(count) };
    let values = [
        area as f64 / (width * height) as f64,
        mean,
        deviation,
        f64::from(percentile(&of_breast, 0.1)),
        f64::from(percentile(&of_breast, 0.9)),
        per(texture, textured),
        if of_background.iter().any(|&count| count > 0) { f64::from(percentile(&of_background, 0.5)) } else { 0.0 },
        per(noise, noisy),
        aspect.ln(),
    ];
    ImageTraits(values.map(|value| value as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Channels;

    const SIDE: usize = 100;

    /// A half disc of breast at the left edge.
    fn mammogram(breast: impl Fn(usize, usize) -> u8, background: u8) -> Raster<u8> {
        let pixel = |at: usize| {
            let (x, y) = (at % SIDE, at / SIDE);
            if x.pow(2) + y.abs_diff(50).pow(2) < 45_usize.pow(2) { breast(x, y) } else { background }
        };
        Raster::new(SIDE, SIDE, Channels::Grey, (0..SIDE * SIDE).map(pixel).collect())
    }

    fn striped(x: usize, _: usize) -> u8 {
        if x.is_multiple_of(2) { 100 } else { 140 }
    }

    fn doubts(picture: &Raster<u8>) -> Vec<ImageDoubt> {
        examine(picture, 1.0).0
    }

    #[test]
    fn pictures_that_cannot_be_mammograms_are_doubted() {
        assert_eq!(doubts(&mammogram(striped, 0)), []);
        assert_eq!(doubts(&mammogram(striped, 0).map(|level| 255 - level)), [ImageDoubt::Inverted]);
        assert_eq!(doubts(&mammogram(|_, _| 9, 9)), [ImageDoubt::OneLevel]);
        assert_eq!(doubts(&mammogram(|x, y| if y < 40 { 255 } else { striped(x, y) }, 0)), [ImageDoubt::Saturated]);
        let speck =
            Raster::new(SIDE, SIDE, Channels::Grey, (0..SIDE * SIDE).map(|at| u8::from(at == 5050) * 200).collect());
        assert_eq!(doubts(&speck), [ImageDoubt::NoBreast]);
        // A bright breast that fills most of the picture is not a bright background.
        let large = Raster::new(
            SIDE,
            SIDE,
            Channels::Grey,
            (0..SIDE * SIDE).map(|at| if at % SIDE < 80 { 200 } else { 3 }).collect(),
        );
        assert!(!doubts(&large).contains(&ImageDoubt::Inverted), "{:?}", doubts(&large));
    }

    #[test]
    fn traits_match_hand_computed_values() {
        let (_, traits) = examine(&mammogram(striped, 3), 2.0);
        let [share, mean, deviation, darkest, brightest, texture, background, noise, aspect] = traits.unwrap().0;
        let drawn = std::f32::consts::FRAC_1_PI;
        assert!((share - drawn).abs() < 0.02, "{share}");
        assert!((mean - 120.0).abs() < 1.0 && (deviation - 20.0).abs() < 0.1, "{mean} {deviation}");
        assert_eq!((darkest, brightest, background, noise), (100.0, 140.0, 3.0, 0.0));
        // The neighbours above and below are equal and those at the sides differ by 40, so the mean of all four by 20.
        assert!((texture - 20.0).abs() < 0.1, "{texture}");
        assert!((aspect - 2.0_f32.ln()).abs() < 1e-6);
    }
}
