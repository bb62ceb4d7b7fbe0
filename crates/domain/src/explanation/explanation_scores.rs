//! Scores of the location of a map.

use serde::{Deserialize, Serialize};

use super::map_status::MapStatus;
use crate::metrics::rank_correlation::spearman_with_levels;

/// The regions that a map is scored against, as masks of the map's size.
#[derive(Clone, Copy, Debug)]
pub struct MapRegions<'a> {
    /// The breast, including the pectoral muscle.
    pub breast: &'a [bool],
    /// The rim of the breast along the skin, part of the breast.
    pub skin_band: &'a [bool],
    /// Dense tissue; `None` if there is none, or too little of it. Pixels outside the breast are ignored.
    pub dense: Option<&'a [bool]>,
}

/// The location of a map's energy, the sum of its positive values. A score is `None` where it has no meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplanationScores {
    /// The share of the energy in the breast.
    pub breast_energy: Option<f64>,
    /// The share of the energy outside the breast, 1 minus [`Self::breast_energy`].
    pub outside_energy: Option<f64>,
    /// The share of the energy in the skin band.
    pub skin_energy: Option<f64>,
    /// The share of the energy in dense tissue.
    pub dense_energy: Option<f64>,
    /// The share of the breast's area that is dense.
    pub dense_area: Option<f64>,
    /// [`Self::dense_energy`] over [`Self::dense_area`]: 1 for a map that is uniform over the breast and 0 elsewhere,
    /// less if some of its energy is outside. Relative to the share of the whole image, any map confined to the breast
    /// would seem to mark dense tissue. `None` if all of the breast is dense.
    pub dense_enrichment: Option<f64>,
    /// True if the map's maximum is in dense tissue (the pointing game). Zhang et al. 2018.
    pub pointing_hit: Option<bool>,
    /// The intersection over union of the dense tissue and the equally many pixels of the breast where the map is
    /// largest.
    pub dense_iou: Option<f64>,
    /// Spearman's rank correlation of the map and the grey levels in the breast.
    pub grey_spearman: Option<f64>,
    /// The area under the insertion curve, if measured. It depends on the network, not on the masks.
    pub insertion_area: Option<f64>,
    /// The area under the deletion curve, if measured.
    pub deletion_area: Option<f64>,
}

/// The source of the dense tissue of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DenseSource {
    /// The mask that the data set has for the image.
    Mask,
    /// A rule applied to the image.
    Rule,
    /// No source: the mask is unusable, or there is no breast.
    #[default]
    None,
}

impl DenseSource {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Rule => "rule",
            Self::None => "none",
        }
    }
}

impl ExplanationScores {
    /// Scores a map of the image's size; all scores are `None` unless its status is [`MapStatus::Sound`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[must_use]
    pub fn of(map: &[f32], grey: &[u8], regions: &MapRegions) -> Self {
        let lengths =
            [grey.len(), regions.breast.len(), regions.skin_band.len(), regions.dense.map_or(map.len(), <[_]>::len)];
        assert!(lengths.iter().all(|&length| length == map.len()), "map, image and masks of one size");
        if MapStatus::of(map) != MapStatus::Sound {
            return Self::default();
        }
        let is_dense = |at: usize| regions.breast[at] && regions.dense.is_some_and(|dense| dense[at]);
        let [mut in_breast, mut outside, mut skin, mut in_dense] = [0.0; 4];
        for (at, &value) in map.iter().enumerate().filter(|&(_, &value)| value > 0.0) {
            let value = f64::from(value);
            *(if regions.breast[at] { &mut in_breast } else { &mut outside }) += value;
            skin += if regions.skin_band[at] { value } else { 0.0 };
            in_dense += if is_dense(at) { value } else { 0.0 };
        }
        let total = in_breast + outside;
        let (inside_map, inside_grey): (Vec<f32>, Vec<u8>) =
            (0..map.len()).filter(|&at| regions.breast[at]).map(|at| (map[at], grey[at])).unzip();
        let scores = Self {
            breast_energy: Some(in_breast / total),
            outside_energy: Some(outside / total),
            skin_energy: Some(skin / total),
            grey_spearman: spearman_with_levels(&inside_map, &inside_grey),
            ..Self::default()
        };
        let dense_pixels = (0..map.len()).filter(|&at| is_dense(at)).count();
        if dense_pixels == 0 {
            return scores;
        }
        let area_share = dense_pixels as f64 / inside_map.len() as f64;
        Self {
            dense_energy: Some(in_dense / total),
            dense_area: Some(area_share),
            // In a breast that is dense throughout, every map is in dense tissue.
            dense_enrichment: (area_share < 1.0).then(|| in_dense / total / area_share),
            pointing_hit: Some(argmax(map).is_some_and(is_dense)),
            dense_iou: Some(iou_at_equal_area(map, regions.breast, &is_dense, dense_pixels)),
            ..scores
        }
    }
}

/// The index of the largest value, the first on a tie.
fn argmax(map: &[f32]) -> Option<usize> {
    (0..map.len()).reduce(|best, at| if map[at] > map[best] { at } else { best })
}

/// The intersection over union of a set of `area` pixels with the `area` pixels of the breast where the map is largest.
/// Pixels tied with the smallest of these count in part, so the order of pixels does not matter.
fn iou_at_equal_area(map: &[f32], breast: &[bool], inside: &dyn Fn(usize) -> bool, area: usize) -> f64 {
    let mut values: Vec<f32> = map.iter().zip(breast).filter(|&(_, &breast)| breast).map(|(&value, _)| value).collect();
    let (_, &mut threshold, _) = values.select_nth_unstable_by(area - 1, |a, b| b.total_cmp(a));
    let [mut above, mut above_inside, mut at_threshold, mut at_threshold_inside] = [0_usize; 4];
    for at in (0..map.len()).filter(|&at| breast[at]) {
        if map[at] > threshold {
            above += 1;
            above_inside += usize::from(inside(at));
        } else if map[at] >= threshold {
            at_threshold += 1;
            at_threshold_inside += usize::from(inside(at));
        }
    }
    let tied_share = (area - above) as f64 / at_threshold as f64;
    let both = above_inside as f64 + tied_share * at_threshold_inside as f64;
    both / (2.0 * area as f64 - both)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(drawn: &str) -> Vec<bool> {
        drawn.chars().map(|pixel| pixel == '#').collect()
    }

    #[test]
    fn scores_match_a_hand_computation() {
        let (breast, skin, dense) = (mask("######.."), mask("....##.."), mask("##......"));
        let regions = MapRegions { breast: &breast, skin_band: &skin, dense: Some(&dense) };
        let map = [4.0, 2.0, 1.0, 0.0, 1.0, -5.0, 2.0, 0.0];
        let grey = [60, 50, 40, 30, 40, 10, 0, 0];
        let scores = ExplanationScores::of(&map, &grey, &regions);
        assert_eq!(scores.breast_energy, Some(0.8));
        assert_eq!(scores.outside_energy, Some(0.2));
        assert_eq!(scores.skin_energy, Some(0.1));
        assert_eq!(scores.dense_energy, Some(0.6));
        assert_eq!(scores.dense_area, Some(1.0 / 3.0));
        // 0.6 of the energy, in a third of the breast.
        assert!((scores.dense_enrichment.unwrap() - 1.8).abs() < 1e-12);
        assert_eq!(scores.pointing_hit, Some(true));
        assert_eq!(scores.dense_iou, Some(1.0));
        assert_eq!(scores.grey_spearman, Some(1.0));
    }

    #[test]
    fn meaningless_scores_are_none() {
        let (breast, none) = (mask("###."), mask("...."));
        let regions = MapRegions { breast: &breast, skin_band: &none, dense: None };
        let of = |map: [f32; 4], regions: &MapRegions| ExplanationScores::of(&map, &[9; 4], regions);
        for map in [[0.0; 4], [-1.0, 0.0, 0.0, -3.0], [f32::NAN, 1.0, 1.0, 1.0], [f32::INFINITY, 0.0, 0.0, 0.0]] {
            assert_eq!(of(map, &regions), ExplanationScores::default());
        }
        let without_dense = of([1.0, 0.0, 0.0, 0.0], &regions);
        assert_eq!(
            (without_dense.dense_energy, without_dense.dense_enrichment, without_dense.pointing_hit),
            (None, None, None)
        );
        assert_eq!(without_dense.grey_spearman, None, "one grey level");
        let all_dense = of([1.0, 0.0, 0.0, 0.0], &MapRegions { dense: Some(&breast), ..regions });
        assert_eq!((all_dense.dense_energy, all_dense.dense_enrichment), (Some(1.0), None));
        let outside = of([0.0, 0.0, 0.0, 1.0], &MapRegions { dense: Some(&mask("#...")), ..regions });
        assert_eq!(
            (outside.dense_energy, outside.dense_enrichment, outside.outside_energy),
            (Some(0.0), Some(0.0), Some(1.0))
        );
    }

    #[test]
    fn a_uniform_map_has_no_enrichment() {
        let (breast, dense) = (mask("##########"), mask("##........"));
        let regions = MapRegions { breast: &breast, skin_band: &mask(".........#"), dense: Some(&dense) };
        let scores = ExplanationScores::of(&[1.0; 10], &[1; 10], &regions);
        assert!((scores.dense_enrichment.unwrap() - 1.0).abs() < 1e-12);
        // Of two random pixels in ten, a fifth are in the dense two.
        assert!((scores.dense_iou.unwrap() - 0.4 / 3.6).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn shares_are_between_0_and_1(pixels in prop::collection::vec((-4_i8..5, any::<u8>(), 0_u8..4), 1..80)) {
            let map: Vec<f32> = pixels.iter().map(|&(value, ..)| f32::from(value)).collect();
            let grey: Vec<u8> = pixels.iter().map(|&(_, grey, _)| grey).collect();
            let region = |least: u8| pixels.iter().map(|&(.., region)| region >= least).collect::<Vec<_>>();
            let (breast, dense) = (region(1), region(2));
            let skin: Vec<bool> = pixels.iter().map(|&(.., region)| region == 1).collect();
            let scores = ExplanationScores::of(&map, &grey, &MapRegions { breast: &breast, skin_band: &skin, dense: Some(&dense) });
            if let (Some(inside), Some(outside)) = (scores.breast_energy, scores.outside_energy) {
                prop_assert!((inside + outside - 1.0).abs() < 1e-12);
                // Here skin and dense tissue make up the breast.
                if let (Some(skin), Some(dense)) = (scores.skin_energy, scores.dense_energy) {
                    prop_assert!((skin + dense - inside).abs() < 1e-12);
                }
            }
            for share in [scores.breast_energy, scores.skin_energy, scores.dense_energy, scores.dense_area, scores.dense_iou] {
                prop_assert!(share.is_none_or(|share| (0.0..=1.0 + 1e-12).contains(&share)), "{:?}", scores);
            }
            prop_assert!(scores.dense_enrichment.is_none_or(|enrichment| enrichment >= 0.0));
        }
    }
}
