//! The anatomy of a subject: density and shape of the breasts, the same in all four views.

use mammoscope_domain::random_stream::RandomStream;
use mammoscope_domain::subject::density::DensityClass;

/// The distribution of percent area density in a class: a normal distribution truncated to a band. All values are per cent
/// of the breast's area without the pectoral muscle.
#[derive(Clone, Copy, Debug)]
pub struct DensityBand {
    /// Mean before truncation.
    pub mean: f64,
    /// Standard deviation before truncation.
    pub deviation: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

impl DensityBand {
    #[must_use]
    pub const fn of(class: DensityClass) -> Self {
        let (mean, deviation, low, high) = match class {
            DensityClass::A => (4.3, 4.3, 0.5, 11.0),
            DensityClass::B => (19.3, 11.3, 11.0, 30.0),
            DensityClass::C => (40.4, 14.8, 30.0, 54.0),
            DensityClass::D => (62.3, 11.7, 54.0, 85.0),
        };
        Self { mean, deviation, low, high }
    }

    /// The class in whose band a density falls.
    #[must_use]
    pub fn class_of(percent: f64) -> DensityClass {
        DensityClass::ALL.into_iter().find(|&class| percent < Self::of(class).high).unwrap_or(DensityClass::D)
    }

    /// The limits of all densities, whatever the class.
    pub(super) const LIMITS: (f64, f64) = (0.5, 85.0);
}

/// A subject's anatomy. Lengths are in image sides, x from the chest wall, y downwards.
#[derive(Clone, Debug)]
pub(super) struct Anatomy {
    pub(super) nipple: Nipple,
    /// Height of the breast's widest point in CC and MLO views.
    pub(super) widest_height: (f64, f64),
    /// Distance of the nipple below the widest point: in CC views, and in MLO views as a share of the breast's height below
    /// that point.
    pub(super) nipple_below_widest: (f64, f64),
    /// Exponents of the CC outline above and below the nipple.
    pub(super) outline_exponents: (f64, f64),
    /// Width of the axillary tail at the upper edge of the MLO view, as a share of the breast's width.
    pub(super) tail_width: f64,
    /// Exponent of the height in the MLO outline between tail and breast: the larger, the lower the outline widens.
    pub(super) tail_exponent: f64,
    /// The inframammary fold, if the MLO view extends that far down.
    pub(super) fold: Option<InframammaryFold>,
    /// Lower end of the breast in the MLO view, as a share of the distance from the widest point to the image edge.
    pub(super) lower_end: f64,
    /// Angle of the pectoral muscle's edge to the vertical in degrees, and its height at the chest wall.
    pub(super) pectoral: (f64, f64),
    /// Thickness of the fat under the skin.
    pub(super) subcutaneous: f64,
    /// Distance of the glandular disc's centre from the chest wall.
    pub(super) gland_depth: f64,
    /// Width of the rim over which the compressed breast becomes thinner.
    pub(super) rim: f64,
    /// Grey level of fat at full thickness, before the correction for density.
    pub(super) fat_grey: f64,
    /// Mean brightness of the skin line, in grey levels above the fat next to it.
    pub(super) skin_grey: f64,
    /// Factor on the contrast between dense tissue and fat.
    pub(super) contrast: f64,
    /// Mean number of strands (ligaments, vessels, ducts) in a view.
    pub(super) strands: f64,
}

/// The nipple in profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nipple {
    /// Distance that it protrudes from the skin.
    pub(super) length: f64,
    /// Half its height at half its length.
    pub(super) half_height: f64,
    /// Steepness of its flanks: a mound at 2, a knob at 6.
    pub(super) steepness: f64,
    /// Asymmetry: the share by which the upper flank is longer, and the lower one shorter, than their mean.
    pub(super) lean: f64,
}

/// The fold in which the breast meets the skin of the abdomen below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct InframammaryFold {
    /// Distance of the abdomen's skin from the chest wall at the breast's lower end.
    pub(super) abdomen_width: f64,
    /// Growth of that distance per unit of height downwards.
    pub(super) slope: f64,
    /// Extent of the rounding along either side.
    pub(super) rounding: f64,
}

impl Anatomy {
    pub(super) fn draw(stream: &mut RandomStream) -> Self {
        let mut between = |low, high| stream.uniform(low, high);
        let nipple = Nipple {
            length: between(0.003, 0.058),
            half_height: between(0.022, 0.036),
            steepness: between(2.6, 6.5),
            lean: between(-0.25, 0.25),
        };
        // About half of the views end above the fold.
        let shows_fold = between(0.0, 1.0) < 0.5;
        let fold = InframammaryFold {
            abdomen_width: between(0.04, 0.18),
            slope: between(-0.25, 0.35),
            rounding: between(0.12, 0.22),
        };
        let lower_end = if shows_fold { between(0.62, 0.84) } else { between(0.93, 1.10) };
        Self {
            nipple,
            widest_height: (between(0.45, 0.55), between(0.55, 0.67)),
            nipple_below_widest: (between(-0.05, 0.05), between(-0.05, 0.38)),
            outline_exponents: (between(1.9, 2.4), between(1.9, 2.4)),
            tail_width: between(0.46, 0.74),
            tail_exponent: between(0.58, 0.78),
            fold: shows_fold.then_some(fold),
            lower_end,
            pectoral: (between(12.0, 33.0), between(0.5, 0.88)),
            subcutaneous: between(0.024, 0.042),
            gland_depth: between(0.4, 0.54),
            rim: between(0.0125, 0.0170),
            fat_grey: between(118.0, 168.0),
            skin_grey: between(3.5, 9.5),
            contrast: between(0.85, 1.15),
            strands: between(220.0, 420.0),
        }
    }
}
