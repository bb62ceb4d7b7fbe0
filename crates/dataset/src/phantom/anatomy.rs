//! What is the same in all four views of a subject: how dense her breasts are, and their shape.

use mammoscope_domain::subject::density::DensityClass;

use super::random_stream::RandomStream;

/// Percent area density of a class: mean and standard deviation (per cent of the breast's area without the pectoral
/// muscle), and the band that the class is cut to.
#[derive(Clone, Copy, Debug)]
pub struct DensityBand {
    /// Mean, per cent.
    pub mean: f64,
    /// Standard deviation before the cut, per cent.
    pub deviation: f64,
    /// Lower end, per cent.
    pub low: f64,
    /// Upper end, per cent.
    pub high: f64,
}

impl DensityBand {
    /// The band of a class.
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

    /// The class whose band a density falls in.
    #[must_use]
    pub fn class_of(percent: f64) -> DensityClass {
        DensityClass::ALL.into_iter().find(|&class| percent < Self::of(class).high).unwrap_or(DensityClass::D)
    }

    /// What any density is kept within, whatever its class.
    pub(super) const LIMITS: (f64, f64) = (0.5, 85.0);
}

/// A subject's anatomy. Lengths are in image sides, x from the chest wall, y downwards.
#[derive(Clone, Debug)]
pub(super) struct Anatomy {
    /// The nipple, from flat to prominent.
    pub(super) nipple: Nipple,
    /// Height of the breast's widest place in CC and MLO views.
    pub(super) widest_height: (f64, f64),
    /// How far below the widest place the nipple lies: in CC views, and in MLO views as a share of the height that is
    /// left to the breast there.
    pub(super) nipple_below_widest: (f64, f64),
    /// Exponents of the CC outline above and below the nipple.
    pub(super) outline_exponents: (f64, f64),
    /// Width of the axillary tail at the upper edge of the MLO view, as a share of the breast's.
    pub(super) tail_width: f64,
    /// How late the MLO outline widens from the tail to the breast: the exponent of the height.
    pub(super) tail_exponent: f64,
    /// The inframammary fold, where the MLO view reaches so far down.
    pub(super) fold: Option<InframammaryFold>,
    /// Where the breast ends below the widest place of the MLO view: as a share of the way to the image edge.
    pub(super) lower_end: f64,
    /// Angle of the pectoral muscle's edge to the vertical, degrees, and its height at the chest wall.
    pub(super) pectoral: (f64, f64),
    /// Depth of the fat under the skin.
    pub(super) subcutaneous: f64,
    /// Distance of the glandular disc's centre from the chest wall.
    pub(super) gland_depth: f64,
    /// Width of the rim over which the compressed breast grows thinner.
    pub(super) rim: f64,
    /// Grey level of fat at full thickness, before the class has its say.
    pub(super) fat_grey: f64,
    /// Mean brightness of the skin line, in grey levels above the fat behind it.
    pub(super) skin_grey: f64,
    /// Factor on the contrast between dense tissue and fat.
    pub(super) contrast: f64,
    /// Number of strands (ligaments, vessels, ducts) in a view.
    pub(super) strands: f64,
}

/// The nipple in profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nipple {
    /// How far it stands out from the skin.
    pub(super) length: f64,
    /// Half its height, half-way out.
    pub(super) half_height: f64,
    /// How steep its flanks are: a mound at 2, a knob at 6.
    pub(super) steepness: f64,
    /// By how much the upper flank is longer than the mean of the two, and the lower shorter, as a share.
    pub(super) lean: f64,
}

/// Where the breast meets the skin of the abdomen below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct InframammaryFold {
    /// Distance of the abdomen's skin from the chest wall at the breast's lower end.
    pub(super) abdomen_width: f64,
    /// By how much that distance grows downwards.
    pub(super) slope: f64,
    /// How far the fold is rounded along either side.
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
