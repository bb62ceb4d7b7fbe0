//! The background of a mammogram: its grey level, the noise of a digitised film, and bright marks such as letters.

use super::breast_mask::grey_levels;
use super::components::Components;
use super::mask::Mask;
use super::raster::Raster;

/// The margin around the breast that does not count as background, as a share of the shorter side: skin, blur and ringing
/// of compression.
const MARGIN: f64 = 0.02;
/// The smallest background that is examined, as a share of the picture.
const MIN_BACKGROUND: f64 = 0.01;
/// Marks are brighter than the background's median by at least this many grey levels …
const MARK_CONTRAST: u8 = 40;
/// … and by this multiple of the difference between its upper quartile and its median.
const MARK_QUARTILES: u8 = 3;
/// The smallest mark as a share of the picture, and in pixels.
const MIN_MARK: (f64, usize) = (1e-4, 6);
/// The difference between the 95th and the 5th percentile of the background from which on it counts as noisy. Digital
/// mammograms reach 4. Of 44 digitised films (DDSM), 35 reach 5: the others have cleaned backgrounds.
const NOISY_SPREAD: u8 = 5;
/// The median from which on a background is not black: traces of lossy compression are weaker.
const GREY_LEVEL: u8 = 3;

/// The appearance of everything outside the breast and a margin around it, in grey levels from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Background {
    /// The median.
    pub level: u8,
    /// The 95th percentile minus the 5th.
    pub spread: u8,
    /// Number of bright marks that do not touch the breast: letters, tape, strips.
    pub marks: usize,
    /// The area of the marks as a share of the picture.
    pub marked_share: f32,
}

impl Background {
    /// The background of a picture; `None` if the breast leaves next to none.
    ///
    /// # Panics
    /// If mask and picture differ in size.
    #[must_use]
    pub fn of(image: &Raster<u8>, breast: &Mask) -> Option<Self> {
        let (width, height) = (image.width(), image.height());
        assert_eq!((width, height), (breast.width(), breast.height()), "mask and picture have the same size");
        let margin = ((MARGIN * width.min(height) as f64).round() as usize).max(2);
        let near = breast.dilated(margin);
        let grey = grey_levels(image);
        let mut counts = [0_usize; 256];
        for (&level, _) in grey.iter().zip(near.pixels()).filter(|&(_, &near)| !near) {
            counts[usize::from(level)] += 1;
        }
        let total: usize = counts.iter().sum();
        if (total as f64) < MIN_BACKGROUND * grey.len() as f64 {
            return None;
        }
        let [low, median, quartile, high] = [0.05, 0.5, 0.75, 0.95].map(|share| percentile(&counts, total, share));
        let contrast = (quartile - median).saturating_mul(MARK_QUARTILES).max(MARK_CONTRAST);
        let (marks, area) = match median.checked_add(contrast) {
            Some(limit) => marks(&Mask::new(width, height, grey.iter().map(|&level| level > limit).collect()), &near),
            None => (0, 0),
        };
        Some(Self { level: median, spread: high - low, marks, marked_share: area as f32 / grey.len() as f32 })
    }

    /// True if the background is noisy, as that of a digitised film; detectors give a uniform one.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        self.spread >= NOISY_SPREAD
    }

    /// True if the background is visibly brighter than black.
    #[must_use]
    pub fn is_grey(&self) -> bool {
        self.level >= GREY_LEVEL
    }
}

/// The smallest level that at least a `share` of the counted pixels do not exceed.
fn percentile(counts: &[usize; 256], total: usize, share: f64) -> u8 {
    let wanted = (total as f64 * share).ceil().max(1.0) as usize;
    let mut seen = 0;
    let reached = counts.iter().position(|&count| {
        seen += count;
        seen >= wanted
    });
    reached.unwrap_or(255) as u8
}

/// The number and the area of the bright parts that are not near the breast.
fn marks(bright: &Mask, near: &Mask) -> (usize, usize) {
    let components = Components::of(bright);
    let min_area = ((MIN_MARK.0 * near.pixels().len() as f64) as usize).max(MIN_MARK.1);
    let touching: std::collections::HashSet<usize> = components
        .runs()
        .filter(|(pixels, component)| component.area >= min_area && near.pixels()[pixels.clone()].contains(&true))
        .map(|(_, component)| component.first)
        .collect();
    let mut areas = std::collections::HashMap::new();
    for (_, component) in components.runs() {
        if component.area >= min_area && !touching.contains(&component.first) {
            areas.insert(component.first, component.area);
        }
    }
    (areas.len(), areas.values().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breast_mask::breast_mask;
    use crate::raster::Channels;

    const SIDE: usize = 200;

    /// A half disc of breast at the left edge; `outside` gives the background.
    fn picture(outside: impl Fn(usize, usize) -> u8) -> Raster<u8> {
        let grey = |x: usize, y: usize| {
            let inside = x.pow(2) + y.abs_diff(100).pow(2) < 80_usize.pow(2);
            if inside { 110 + ((x * 7 + y * 5) % 40) as u8 } else { outside(x, y) }
        };
        Raster::new(SIDE, SIDE, Channels::Grey, (0..SIDE * SIDE).map(|at| grey(at % SIDE, at / SIDE)).collect())
    }

    fn background(outside: impl Fn(usize, usize) -> u8) -> Background {
        let picture = picture(outside);
        Background::of(&picture, &breast_mask(&picture).unwrap()).unwrap()
    }

    #[test]
    fn a_plain_background_has_neither_noise_nor_marks() {
        assert_eq!(background(|_, _| 0), Background { level: 0, spread: 0, marks: 0, marked_share: 0.0 });
        let raised = background(|x, y| 12 + ((x + y) % 3) as u8);
        assert_eq!((raised.level, raised.marks, raised.is_noisy(), raised.is_grey()), (13, 0, false, true));
    }

    #[test]
    fn letters_are_marks_and_what_touches_the_breast_is_not() {
        // Two bars apart from the breast, one speck, and a strip that leads into the breast.
        let letters = background(|x, y| match (x, y) {
            (150..156 | 165..171, 20..40) => 200,
            (120, 180) => 255,
            (60..110, 98..103) => 150,
            _ => 0,
        });
        assert_eq!(letters.marks, 2);
        assert!((letters.marked_share - 240.0 / 40_000.0).abs() < 1e-6, "{letters:?}");
    }

    #[test]
    fn film_is_noisy_with_or_without_letters() {
        let noise = |x: usize, y: usize| 14 + ((x * 31 + y * 17) % 12) as u8;
        let film = background(noise);
        assert!(film.is_noisy() && film.marks == 0, "{film:?}");
        let lettered =
            background(|x, y| if (150..170).contains(&x) && (20..40).contains(&y) { 180 } else { noise(x, y) });
        assert!(lettered.is_noisy() && lettered.marks == 1, "{lettered:?}");
    }

    #[test]
    fn a_picture_full_of_breast_has_no_background() {
        let full = Raster::new(50, 50, Channels::Grey, vec![90; 2500]);
        assert_eq!(Background::of(&full, &Mask::new(50, 50, vec![true; 2500])), None);
    }
}
