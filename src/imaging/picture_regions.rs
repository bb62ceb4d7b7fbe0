//! The parts of a mammogram that explanations are scored against.

use super::breast_mask::breast_mask;
use super::dense_tissue::{DenseTissue, dense_tissue};
use super::filled_pectoral::filled_pectoral;
use super::mask::Mask;
use super::raster::Raster;
use super::skin_band::{SkinBandWidth, skin_band};

/// The masks of a picture, all of its size.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureRegions {
    /// The breast, pectoral muscle included.
    pub breast: Mask,
    /// The rim of the breast along the skin.
    pub skin_band: Mask,
    /// A filled pectoral muscle, where there is one.
    pub pectoral: Option<Mask>,
    /// Dense tissue; `None` where there is none to speak of.
    pub dense: Option<Mask>,
    /// Whether the dense tissue is known, and not found by the rule.
    pub dense_is_truth: bool,
}

/// Masks that a data set knows; of the picture's size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrueMasks {
    /// The breast.
    pub breast: Option<Mask>,
    /// Dense tissue.
    pub dense: Option<Mask>,
    /// The pectoral muscle.
    pub pectoral: Option<Mask>,
}

impl PictureRegions {
    /// The regions of a picture: what is known as it is, the rest found in the picture. `None` where there is no breast.
    ///
    /// # Panics
    /// When a mask is of another size than the picture.
    #[must_use]
    pub fn of(image: &Raster<u8>, known: TrueMasks, skin: SkinBandWidth) -> Option<Self> {
        let breast = known.breast.filter(|mask| mask.area() > 0).or_else(|| breast_mask(image))?;
        let skin_band = skin_band(&breast, skin);
        let pectoral = known.pectoral.filter(|mask| mask.area() > 0).or_else(|| filled_pectoral(image, &breast));
        let dense_is_truth = known.dense.is_some();
        let dense = match known.dense {
            Some(dense) => (dense.area() > 0).then_some(dense),
            None => {
                let mut examined = breast.without(&skin_band);
                if let Some(pectoral) = &pectoral {
                    // Its edge, too: resized pictures have greys between fill and tissue there.
                    examined = examined.without(&pectoral.dilated(1));
                }
                dense_tissue(image, &examined).and_then(DenseTissue::worth_scoring)
            }
        };
        Some(Self { breast, skin_band, pectoral, dense, dense_is_truth })
    }
}
