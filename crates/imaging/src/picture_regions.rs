//! The regions of a mammogram against which explanations are scored.

use super::breast_mask::breast_mask;
use super::dense_tissue::{DenseTissue, dense_tissue};
use super::filled_pectoral::filled_pectoral;
use super::mask::{Mask, PackedMask};
use super::raster::Raster;
use super::skin_band::{SkinBandWidth, skin_band};
use mammoscope_domain::explanation::explanation_scores::DenseSource;

/// The masks of a picture, all at its size.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureRegions {
    /// The breast, pectoral muscle included.
    pub breast: Mask,
    /// The rim of the breast along the skin.
    pub skin_band: Mask,
    /// The pectoral muscle, if it is filled or given by the data set.
    pub pectoral: Option<Mask>,
    /// Dense tissue; `None` if there is none or too little.
    pub dense: Option<Mask>,
    pub dense_source: DenseSource,
}

/// [`PictureRegions`] in an eighth of their memory, for caches.
#[derive(Clone, Debug)]
pub struct PackedRegions {
    breast: PackedMask,
    skin_band: PackedMask,
    pectoral: Option<PackedMask>,
    dense: Option<PackedMask>,
    dense_source: DenseSource,
}

impl PackedRegions {
    #[must_use]
    pub fn unpacked(&self) -> PictureRegions {
        PictureRegions {
            breast: self.breast.unpacked(),
            skin_band: self.skin_band.unpacked(),
            pectoral: self.pectoral.as_ref().map(PackedMask::unpacked),
            dense: self.dense.as_ref().map(PackedMask::unpacked),
            dense_source: self.dense_source,
        }
    }
}

/// The masks that come with a data set, at the picture's size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrueMasks {
    pub breast: Option<Mask>,
    pub dense: Option<Mask>,
    pub pectoral: Option<Mask>,
    /// True if there is a mask of dense tissue that cannot be used. The rule does not replace it, so that scores by masks
    /// and scores by the rule are not mixed.
    pub dense_is_unusable: bool,
}

impl PictureRegions {
    /// The regions of a picture: the known masks, and segmentations of the rest. `None` if there is no breast.
    ///
    /// # Panics
    /// If a mask and the picture differ in size.
    #[must_use]
    pub fn of(image: &Raster<u8>, known: TrueMasks, skin: SkinBandWidth) -> Option<Self> {
        let breast = known.breast.filter(|mask| mask.area() > 0).or_else(|| breast_mask(image))?;
        let skin_band = skin_band(&breast, skin);
        let pectoral = known.pectoral.filter(|mask| mask.area() > 0).or_else(|| filled_pectoral(image, &breast));
        let (dense, dense_source) = if let Some(dense) = known.dense {
            ((dense.area() > 0).then_some(dense), DenseSource::Mask)
        } else if known.dense_is_unusable {
            (None, DenseSource::None)
        } else {
            let mut examined = breast.without(&skin_band);
            if let Some(pectoral) = &pectoral {
                // Dilated, because resizing mixes fill and tissue along the edge.
                examined = examined.without(&pectoral.dilated(1));
            }
            (dense_tissue(image, &examined).and_then(DenseTissue::worth_scoring), DenseSource::Rule)
        };
        Some(Self { breast, skin_band, pectoral, dense, dense_source })
    }

    #[must_use]
    pub fn packed(&self) -> PackedRegions {
        PackedRegions {
            breast: self.breast.packed(),
            skin_band: self.skin_band.packed(),
            pectoral: self.pectoral.as_ref().map(Mask::packed),
            dense: self.dense.as_ref().map(Mask::packed),
            dense_source: self.dense_source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::raster::Channels;
    use super::*;

    /// 100 × 100: breast in 80 columns, a bright square in it, a filled muscle in the upper corner.
    fn picture() -> Raster<u8> {
        let grey = |x: usize, y: usize| match (x, y) {
            _ if x >= 80 => 0,
            _ if x + y < 40 => 120,
            (30..60, 45..85) => 160,
            _ => 98 + ((x * 5 + y * 3) % 5) as u8,
        };
        Raster::new(100, 100, Channels::Grey, (0..10_000).map(|at| grey(at % 100, at / 100)).collect())
    }

    #[test]
    fn unknown_regions_are_segmented() {
        let regions = PictureRegions::of(&picture(), TrueMasks::default(), SkinBandWidth::default()).unwrap();
        let (pectoral, dense) = (regions.pectoral.unwrap(), regions.dense.unwrap());
        assert!((750..830).contains(&pectoral.area()), "{}", pectoral.area());
        // Larger than the square by about a pixel on each side, because greys are averaged.
        assert!((1150..1400).contains(&dense.area()), "{}", dense.area());
        assert!(!dense.pixels().iter().zip(pectoral.pixels()).any(|(&dense, &pectoral)| dense && pectoral));
        assert_eq!(regions.dense_source, DenseSource::Rule);
        let again = PictureRegions::of(&picture(), TrueMasks::default(), SkinBandWidth::default()).unwrap();
        assert_eq!(again.packed().unpacked(), again);
        assert_eq!(PictureRegions::of(&picture().map(|_| 7), TrueMasks::default(), SkinBandWidth::default()), None);
    }

    #[test]
    fn known_masks_are_used() {
        let dense = Mask::new(100, 100, (0..10_000).map(|at| at < 50).collect());
        let known = |dense: Mask| TrueMasks { dense: Some(dense), ..TrueMasks::default() };
        let regions = PictureRegions::of(&picture(), known(dense.clone()), SkinBandWidth::default()).unwrap();
        assert_eq!((regions.dense, regions.dense_source), (Some(dense), DenseSource::Mask));
        // Known to have no dense tissue: the rule is not applied.
        let none = known(Mask::new(100, 100, vec![false; 10_000]));
        let regions = PictureRegions::of(&picture(), none, SkinBandWidth::default()).unwrap();
        assert_eq!((regions.dense, regions.dense_source), (None, DenseSource::Mask));
        let unusable = TrueMasks { dense_is_unusable: true, ..TrueMasks::default() };
        let regions = PictureRegions::of(&picture(), unusable, SkinBandWidth::default()).unwrap();
        assert_eq!((regions.dense, regions.dense_source), (None, DenseSource::None));
    }
}
