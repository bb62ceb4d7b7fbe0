//! Detection of a pectoral muscle that preprocessing has filled with one grey, as in MLO views.

use super::breast_mask::grey_levels;
use super::mask::Mask;
use super::raster::Raster;

/// The smallest muscle as a share of the breast.
const MIN_SIZE: f64 = 0.01;

/// The smallest share of its bounding box that a muscle fills; a triangle fills half of it.
const MIN_FILLED: f64 = 0.35;

/// Radius of the opening as a share of the shorter side; it removes pixels that have the same grey by chance.
const OPENING: f64 = 0.008;

/// The filled pectoral muscle of a picture: the largest part of the breast that has exactly one grey, touches the
/// picture's upper edge and one of its sides, and is compact. `None` in CC views, and if the muscle was not filled or its
/// fill was changed by interpolation or lossy compression.
///
/// # Panics
/// If mask and picture differ in size.
#[must_use]
pub fn filled_pectoral(image: &Raster<u8>, breast: &Mask) -> Option<Mask> {
    let (width, height) = (image.width(), image.height());
    assert_eq!((width, height), (breast.width(), breast.height()), "mask and picture have the same size");
    let grey = grey_levels(image);
    let mut counts = [0_usize; 256];
    for (&level, _) in grey.iter().zip(breast.pixels()).filter(|&(_, &inside)| inside) {
        counts[usize::from(level)] += 1;
    }
    let min_area = (MIN_SIZE * breast.area() as f64) as usize;
    let radius = ((OPENING * width.min(height) as f64) as usize).max(1);
    let reaches_edges = levels_at_edges(&grey, breast, radius + 1);
    let parts = (0..=255_u8)
        .filter(|&level| counts[usize::from(level)] > min_area && reaches_edges[usize::from(level)])
        .filter_map(|level| {
            let inside = grey.iter().zip(breast.pixels()).map(|(&grey, &inside)| inside && grey == level).collect();
            // Opened first: single pixels of the same grey beside the fill do not belong to it.
            let part = Mask::new(width, height, inside).opened(radius).largest_component();
            (part.area() > min_area && is_muscle(&part)).then_some(part)
        });
    parts.max_by_key(Mask::area)
}

/// The greys that have `run` consecutive pixels of the breast at the upper edge and at one side. Only these can touch
/// both edges after the opening, and nearly all greys of a picture are ruled out here.
fn levels_at_edges(grey: &[u8], breast: &Mask, run: usize) -> [bool; 256] {
    let (width, height) = (breast.width(), breast.height());
    let level = |at: usize| breast.pixels()[at].then_some(grey[at]);
    let reached = |edge: Vec<Option<u8>>| {
        let mut levels = [false; 256];
        for uniform in edge.chunk_by(|a, b| a == b).filter(|uniform| uniform.len() >= run) {
            if let Some(level) = uniform[0] {
                levels[usize::from(level)] = true;
            }
        }
        levels
    };
    let top = reached((0..width).map(level).collect());
    let first = reached((0..height).map(|row| level(row * width)).collect());
    let last = reached((0..height).map(|row| level(row * width + width - 1)).collect());
    std::array::from_fn(|at| top[at] && (first[at] || last[at]))
}

/// True if a part is compact and in an upper corner.
fn is_muscle(part: &Mask) -> bool {
    let rows: Vec<&[bool]> = part.pixels().chunks_exact(part.width()).collect();
    let (mut first, mut last, mut lowest) = (part.width(), 0, 0);
    for (y, row) in rows.iter().enumerate() {
        for (x, _) in row.iter().enumerate().filter(|&(_, &inside)| inside) {
            (first, last, lowest) = (first.min(x), last.max(x), y);
        }
    }
    let at_top = rows[0].contains(&true);
    let at_side = first == 0 || last + 1 == part.width();
    let filled = part.area() as f64 / ((last + 1).saturating_sub(first) * (lowest + 1)) as f64;
    at_top && at_side && filled >= MIN_FILLED
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::raster::Channels;
    use super::*;

    const SIDE: usize = 100;

    /// A breast of varying grey, with the greys that `other` returns in place of its own.
    fn picture(other: impl Fn(usize, usize) -> Option<u8>) -> (Raster<u8>, Mask) {
        let inside = |x: usize, _: usize| x < 80;
        let grey = |x, y| other(x, y).unwrap_or(if inside(x, y) { 100 + ((x * 7 + y * 13) % 40) as u8 } else { 0 });
        let image =
            Raster::new(SIDE, SIDE, Channels::Grey, (0..SIDE * SIDE).map(|at| grey(at % SIDE, at / SIDE)).collect());
        (image, Mask::new(SIDE, SIDE, (0..SIDE * SIDE).map(|at| inside(at % SIDE, at / SIDE)).collect()))
    }

    #[test]
    fn a_triangle_in_an_upper_corner_is_muscle() {
        let muscle = |x: usize, y: usize| 2 * x + y < 60;
        let (image, breast) = picture(|x, y| muscle(x, y).then_some(120));
        let found = filled_pectoral(&image, &breast).unwrap();
        let wrong = (0..SIDE * SIDE).filter(|&at| found.pixels()[at] != muscle(at % SIDE, at / SIDE)).count();
        assert!(wrong <= 5, "{wrong} of {} pixels", found.area());
    }

    #[test]
    fn other_uniform_regions_are_not_muscle() {
        assert_eq!(filled_pectoral(&picture(|_, _| None).0, &picture(|_, _| None).1), None);
        for region in [
            // In the middle, at the lower edge, a thin frame, too small.
            (|x, y| (30..60).contains(&x) && (30..60).contains(&y)) as fn(usize, usize) -> bool,
            |x, y| x < 40 && y > 60,
            |x, y| x < 80 && (y < 3 || x < 3),
            |x, y| x + y < 9,
        ] {
            let (image, breast) = picture(|x, y| region(x, y).then_some(120));
            assert_eq!(filled_pectoral(&image, &breast), None);
        }
    }

    #[test]
    fn greys_at_one_edge_only_are_ruled_out() {
        let (image, breast) = picture(|x, y| match (x, y) {
            (0..20, 0..20) => Some(201),
            (40..60, 0..20) => Some(202),
            (0..20, 40..60) => Some(203),
            (74..79, 0) | (0, 60..95) => Some(204),
            _ => None,
        });
        let found = levels_at_edges(image.samples(), &breast, 5);
        let levels: Vec<usize> = (0..256).filter(|&level| found[level]).collect();
        // 204 has five pixels at the top.
        assert_eq!(levels, [201, 204]);
        assert!(!levels_at_edges(image.samples(), &breast, 6)[204]);
    }

    proptest! {
        #[test]
        fn greys_that_are_ruled_out_cannot_be_muscle(radius in 1_usize..4, coarse in prop::collection::vec(0_u8..3, 16), noise in prop::collection::vec(0_u8..40, 144)) {
            // Patches of 3 × 3 pixels, so that something survives the opening.
            let grey: Vec<u8> = (0..144).map(|at| if noise[at] < 3 { noise[at] } else { coarse[at / 36 * 4 + at % 12 / 3] }).collect();
            let breast = Mask::new(12, 12, noise.iter().map(|&noise| noise != 39).collect());
            let candidates = levels_at_edges(&grey, &breast, radius + 1);
            for level in 0..3 {
                let inside = (0..144).map(|at| breast.pixels()[at] && grey[at] == level).collect();
                let opened = Mask::new(12, 12, inside).opened(radius);
                let at_top = opened.pixels()[..12].contains(&true);
                let at_side = (0..12).any(|row| opened.pixels()[row * 12] || opened.pixels()[row * 12 + 11]);
                prop_assert!(candidates[usize::from(level)] || !(at_top && at_side), "{}", level);
            }
        }
    }
}
