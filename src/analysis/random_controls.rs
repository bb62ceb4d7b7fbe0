//! A map beside random maps of its resolution.

use super::explained_image::ExaminedPicture;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::verdict::ControlComparison;
use mammoscope_imaging::map_zoom::bilinear_zoom;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::random_map::random_map;
use mammoscope_imaging::raster::{Channels, Raster};

/// The number of random maps.
const CONTROLS: usize = 20;
/// The side, in pixels, at which maps are compared.
const SIDE: usize = 160;

/// Compares a map with random maps of the same resolution by the dense share of the energy in the breast; `None` without
/// a breast, without dense tissue or without energy in the breast. The random maps are drawn from `seed`.
#[must_use]
pub fn compared_with_random_maps(
    examined: &ExaminedPicture,
    map: &ExplanationMap,
    seed: u64,
) -> Option<ControlComparison> {
    let regions = examined.regions.as_ref()?;
    let dense = reduced(regions.dense.as_ref()?);
    let breast = reduced(&regions.breast);
    let share = |map: &Raster<f32>| {
        let values = bilinear_zoom(map, SIDE, SIDE);
        let (mut in_breast, mut in_dense) = (0.0, 0.0);
        for ((&value, &is_breast), &is_dense) in values.samples().iter().zip(&breast).zip(&dense) {
            if value > 0.0 && is_breast {
                in_breast += f64::from(value);
                in_dense += if is_dense { f64::from(value) } else { 0.0 };
            }
        }
        (in_breast > 0.0).then(|| in_dense / in_breast)
    };
    let own = share(&Raster::new(map.columns(), map.rows(), Channels::Grey, map.values().to_vec()))?;
    let side = map.columns().max(map.rows());
    let random: Vec<f64> =
        (1..=CONTROLS as u64).filter_map(|at| share(&random_map(side, seed.wrapping_add(at)))).collect();
    let beaten = random.iter().filter(|&&share| own > share).count();
    let mean = random.iter().sum::<f64>() / random.len().max(1) as f64;
    Some(ControlComparison { share: own, beaten, controls: random.len(), mean })
}

/// A mask at the size of the comparison.
fn reduced(mask: &Mask) -> Vec<bool> {
    let at = |index: usize, length: usize| (2 * index + 1) * length / (2 * SIDE);
    let pixels = mask.pixels();
    (0..SIDE * SIDE)
        .map(|index| pixels[at(index / SIDE, mask.height()) * mask.width() + at(index % SIDE, mask.width())])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_imaging::picture_regions::{PictureRegions, TrueMasks};
    use mammoscope_imaging::skin_band::SkinBandWidth;

    fn examined(has_dense: bool) -> ExaminedPicture {
        let picture = Raster::new(128, 128, Channels::Grey, (0..16_384).map(|at| (at % 7 + 100) as u8).collect());
        let mask = |inside: &dyn Fn(usize, usize) -> bool| {
            Mask::new(128, 128, (0..16_384).map(|at| inside(at % 128, at / 128)).collect())
        };
        let known = TrueMasks {
            breast: Some(mask(&|x, _| x < 96)),
            dense: Some(mask(&|x, y| has_dense && x < 48 && y < 48)),
            ..TrueMasks::default()
        };
        let regions = PictureRegions::of(&picture, known, SkinBandWidth::default());
        ExaminedPicture::new(picture, (128, 128), regions, 5)
    }

    #[test]
    fn a_map_of_dense_tissue_beats_random_maps_and_a_uniform_one_does_not() {
        let map = |dense: f32, rest: f32| {
            let value = |at: usize| if at % 16 < 6 && at / 16 < 6 { dense } else { rest };
            ExplanationMap::new(16, 16, (0..256).map(value).collect())
        };
        let compared = |map: &ExplanationMap| compared_with_random_maps(&examined(true), map, 7).unwrap();
        let good = compared(&map(1.0, 0.0));
        assert_eq!((good.beaten, good.controls), (20, 20));
        assert!(good.share > 0.9 && good.is_exceeded());
        let uniform = compared(&map(1.0, 1.0));
        assert!((uniform.share - 48.0 * 48.0 / (96.0 * 128.0)).abs() < 0.02, "{uniform:?}");
        assert!(!uniform.is_exceeded(), "{uniform:?}");
        assert_eq!(compared_with_random_maps(&examined(false), &map(1.0, 0.0), 7), None);
        assert_eq!(compared_with_random_maps(&examined(true), &map(-1.0, -1.0), 7), None);
    }
}
