//! The outline of a compressed breast and of the pectoral muscle, chest wall at the left.

use std::f64::consts::TAU;

use crate::domain::view::Projection;

use super::anatomy::Anatomy;
use super::random_stream::RandomStream;

/// How far beyond the image the outline is followed, in image sides: as far as the skin can be felt within.
const MARGIN: f64 = 0.12;

/// The breast's width at every height, and the pectoral muscle. Lengths are in image sides.
pub(super) struct Outline {
    /// Distance of the skin from the chest wall, at the centre of every row of pixels from [`Self::margin`] rows above
    /// the image to as many below.
    widths: Vec<f64>,
    margin: usize,
    /// Height of the nipple.
    pub(super) nipple_height: f64,
    /// Where the muscle's straight edge meets the upper image edge (x) and the chest wall (y); MLO only.
    pectoral: Option<(f64, f64)>,
}

impl Outline {
    /// Draws the outline of one view of `size` rows: the subject's anatomy with small differences of positioning.
    ///
    /// CC: width (1 − |u|^p)^0.55, with u the height from the nipple in half-breasts. MLO: from the axillary tail to
    /// the nipple by a smooth step, from there to the fold under the breast as in CC. Both times
    /// low Fourier terms and a nipple are added; the tip of the nipple touches the image edge, as in images cropped at
    /// the skin.
    pub(super) fn draw(anatomy: &Anatomy, projection: Projection, size: usize, stream: &mut RandomStream) -> Self {
        let shift = 0.012 * stream.normal().clamp(-2.0, 2.0);
        let (nipple_height, trunk) = match projection {
            Projection::Cc => {
                let centre = anatomy.nipple_height.0 + shift;
                (centre, Trunk::cranio_caudal(anatomy, centre, stream))
            }
            Projection::Mlo => {
                let centre = anatomy.nipple_height.1 + shift;
                (centre, Trunk::medio_lateral_oblique(anatomy, centre, stream))
            }
        };
        let waves: Vec<(f64, f64)> =
            (1..=4).map(|order| (0.011 / f64::from(order) * stream.normal(), stream.uniform(0.0, TAU))).collect();
        let (length, half_height) = anatomy.nipple;
        // The nipple rarely lies exactly where the breast is widest.
        let nipple_height = nipple_height + 0.01 * stream.normal().clamp(-2.0, 2.0);
        let margin = (MARGIN * size as f64).ceil() as usize;
        let mut widths: Vec<f64> = (0..size + 2 * margin)
            .map(|row| {
                let y = (row as f64 + 0.5 - margin as f64) / size as f64;
                let jitter: f64 = waves
                    .iter()
                    .zip(1_u32..)
                    .map(|(&(amplitude, phase), order)| amplitude * libm::sin(TAU * f64::from(order) * y + phase))
                    .sum();
                trunk.width(y) * (1.0 + jitter) + length * nipple_profile((y - nipple_height) / half_height)
            })
            .collect();
        let widest = widths.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        for width in &mut widths {
            *width /= widest;
        }
        let pectoral = (projection == Projection::Mlo).then(|| {
            let angle = (anatomy.pectoral.0 + 1.5 * stream.normal()).clamp(10.5, 34.5);
            let tangent = libm::tan(angle.to_radians());
            // Never beyond the axillary tail: the muscle is seen through the breast, not beside it.
            let height = (anatomy.pectoral.1 + 0.02 * stream.normal()).min((widths[margin] - 0.07) / tangent);
            (height * tangent, height)
        });
        Self { widths, margin, nipple_height, pectoral }
    }

    /// The distance of the skin from the chest wall, row by row, from [`Self::margin`] rows above the image to as many
    /// below: the breast goes on where the image is cropped.
    pub(super) fn widths(&self) -> &[f64] {
        &self.widths
    }

    /// How many rows the outline extends beyond the image, above and below.
    pub(super) fn margin(&self) -> usize {
        self.margin
    }

    /// Whether the view shows the pectoral muscle: MLO views do.
    pub(super) fn shows_pectoral(&self) -> bool {
        self.pectoral.is_some()
    }

    /// How far the pectoral muscle reaches from the chest wall at height `y`; 0 where there is none.
    pub(super) fn pectoral_width(&self, y: f64) -> f64 {
        self.pectoral.map_or(0.0, |(width, height)| width * (1.0 - y / height).max(0.0))
    }
}

/// The breast without its nipple.
enum Trunk {
    CranioCaudal { centre: f64, halves: [(f64, f64); 2] },
    MedioLateralOblique { centre: f64, tail: (f64, f64), exponent: f64, fold: f64 },
}

impl Trunk {
    fn cranio_caudal(anatomy: &Anatomy, centre: f64, stream: &mut RandomStream) -> Self {
        // Each half reaches at least the image edge: the image is cropped at the skin.
        let upper = (centre * stream.uniform(1.0, 1.07), anatomy.outline_exponents.0 + 0.05 * stream.normal());
        let lower = ((1.0 - centre) * stream.uniform(1.0, 1.07), anatomy.outline_exponents.1 + 0.05 * stream.normal());
        Self::CranioCaudal { centre, halves: [upper, lower] }
    }

    fn medio_lateral_oblique(anatomy: &Anatomy, centre: f64, stream: &mut RandomStream) -> Self {
        Self::MedioLateralOblique {
            centre,
            tail: (anatomy.tail_width + 0.02 * stream.normal(), anatomy.tail_exponent + 0.02 * stream.normal()),
            exponent: 1.15 * anatomy.outline_exponents.1 + 0.1 * stream.normal(),
            fold: (anatomy.fold_width + 0.02 * stream.normal()).max(0.0),
        }
    }

    fn width(&self, y: f64) -> f64 {
        let dome = |u: f64, exponent: f64| libm::pow((1.0 - libm::pow(u, exponent)).max(0.0), 0.55);
        match *self {
            Self::CranioCaudal { centre, halves: [upper, lower] } => {
                let (half, exponent) = if y < centre { upper } else { lower };
                dome((y - centre).abs() / half, exponent)
            }
            Self::MedioLateralOblique { centre, tail: (width, power), exponent, fold } => {
                if y < centre {
                    let along = libm::pow((y / centre).max(0.0), power);
                    width + (1.0 - width) * along * along * (3.0 - 2.0 * along)
                } else {
                    let breast = dome((y - centre) / (1.0 - centre), exponent);
                    // The fold's skin comes down beside the breast; a root of squares rounds the corner between.
                    let fold = fold * ((y - 0.8) / 0.2).max(0.0);
                    libm::sqrt(breast * breast + fold * fold)
                }
            }
        }
    }
}

/// Height of the nipple above the skin, 0 to 1, at `t` half-heights from its middle: a blunt tip on concave flanks.
fn nipple_profile(t: f64) -> f64 {
    let square = t * t;
    1.0 / (1.0 + square * square * (1.0 + 0.5 * square))
}

#[cfg(test)]
mod tests {
    use super::super::random_stream::Purpose;
    use super::*;

    #[test]
    fn every_outline_fills_the_picture_and_keeps_the_muscle_inside() {
        for subject in 1..=200 {
            let mut stream = RandomStream::new(9, subject, Purpose::Subject);
            let anatomy = Anatomy::draw(&mut stream);
            for projection in [Projection::Cc, Projection::Mlo] {
                let size = 128;
                let outline = Outline::draw(&anatomy, projection, size, &mut stream);
                let inside = &outline.widths()[outline.margin()..][..size];
                let widest = inside.iter().copied().fold(0.0, f64::max);
                assert!((widest - 1.0).abs() < 1e-12, "the nipple touches the edge");
                assert!(inside.iter().all(|&width| (0.0..=1.0).contains(&width)));
                let fill = inside.iter().sum::<f64>() / size as f64;
                assert!((0.5..0.9).contains(&fill), "{fill} of the picture is breast");
                let Some((width, height)) = outline.pectoral else {
                    assert_eq!(projection, Projection::Cc);
                    continue;
                };
                let angle = (width / height).atan().to_degrees();
                assert!((10.0..=35.0).contains(&angle), "{angle} degrees");
                for (row, &skin) in inside.iter().enumerate() {
                    let y = (row as f64 + 0.5) / size as f64;
                    let muscle = outline.pectoral_width(y);
                    assert!(muscle == 0.0 || muscle < skin, "subject {subject}, row {row}");
                }
            }
        }
    }
}
