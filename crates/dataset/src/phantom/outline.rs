//! The outline of a compressed breast and of the pectoral muscle, chest wall at the left.

use std::f64::consts::TAU;

use mammoscope_domain::subject::view::Projection;

use super::anatomy::{Anatomy, InframammaryFold, Nipple};
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
    /// Height of the glandular tissue's middle: between the nipple and where the breast is widest.
    pub(super) gland_height: f64,
    /// Where the muscle's straight edge meets the upper image edge (x) and the chest wall (y); MLO only.
    pectoral: Option<(f64, f64)>,
}

impl Outline {
    /// Draws the outline of one view of `size` rows: the subject's anatomy with small differences of positioning.
    ///
    /// CC: width (1 − |u|^p)^0.55, with u the height from the widest place in half-breasts. MLO: from the axillary tail
    /// to the widest place by a smooth step, from there on as in CC, and by a rounded fold to the abdomen where the
    /// view shows it. Both times low Fourier terms and a nipple are added; what stands out most, the nipple or the
    /// skin beside a flat one, touches the image edge, as in images cropped at the skin.
    pub(super) fn draw(anatomy: &Anatomy, projection: Projection, size: usize, stream: &mut RandomStream) -> Self {
        let shift = 0.012 * stream.normal().clamp(-2.0, 2.0);
        let (centre, below, trunk) = match projection {
            Projection::Cc => {
                let centre = anatomy.widest_height.0 + shift;
                (centre, anatomy.nipple_below_widest.0, Trunk::cranio_caudal(anatomy, centre, stream))
            }
            Projection::Mlo => {
                let centre = anatomy.widest_height.1 + shift;
                let lower = LowerHalf::draw(anatomy, centre, stream);
                let below = anatomy.nipple_below_widest.1 * lower.height;
                (centre, below, Trunk::medio_lateral_oblique(anatomy, centre, lower, stream))
            }
        };
        let waves: Vec<(f64, f64)> =
            (1..=4).map(|order| (0.011 / f64::from(order) * stream.normal(), stream.uniform(0.0, TAU))).collect();
        let nipple = anatomy.nipple;
        let nipple_height = centre + below + 0.01 * stream.normal().clamp(-2.0, 2.0);
        let margin = (MARGIN * size as f64).ceil() as usize;
        let mut widths: Vec<f64> = (0..size + 2 * margin)
            .map(|row| {
                let y = (row as f64 + 0.5 - margin as f64) / size as f64;
                let jitter: f64 = waves
                    .iter()
                    .zip(1_u32..)
                    .map(|(&(amplitude, phase), order)| amplitude * libm::sin(TAU * f64::from(order) * y + phase))
                    .sum();
                trunk.width(y) * (1.0 + jitter) + nipple.at(y - nipple_height)
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
        Self { widths, margin, nipple_height, gland_height: centre + 0.4 * (nipple_height - centre), pectoral }
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

/// Exponent of (1 − |u|^p) in the outline: how round the breast is at its widest and at its ends.
const ROUNDNESS: f64 = 0.55;

/// The breast without its nipple.
enum Trunk {
    CranioCaudal { centre: f64, halves: [(f64, f64); 2] },
    MedioLateralOblique { centre: f64, tail: (f64, f64), lower: LowerHalf },
}

impl Trunk {
    fn cranio_caudal(anatomy: &Anatomy, centre: f64, stream: &mut RandomStream) -> Self {
        // Each half reaches at least the image edge: the image is cropped at the skin.
        let upper = (centre * stream.uniform(1.0, 1.07), anatomy.outline_exponents.0 + 0.05 * stream.normal());
        let lower = ((1.0 - centre) * stream.uniform(1.0, 1.07), anatomy.outline_exponents.1 + 0.05 * stream.normal());
        Self::CranioCaudal { centre, halves: [upper, lower] }
    }

    fn medio_lateral_oblique(anatomy: &Anatomy, centre: f64, lower: LowerHalf, stream: &mut RandomStream) -> Self {
        Self::MedioLateralOblique {
            centre,
            tail: (anatomy.tail_width + 0.02 * stream.normal(), anatomy.tail_exponent + 0.02 * stream.normal()),
            lower,
        }
    }

    fn width(&self, y: f64) -> f64 {
        match *self {
            Self::CranioCaudal { centre, halves: [upper, lower] } => {
                let (half, exponent) = if y < centre { upper } else { lower };
                libm::pow((1.0 - libm::pow((y - centre).abs() / half, exponent)).max(0.0), ROUNDNESS)
            }
            Self::MedioLateralOblique { centre, tail: (width, power), ref lower } => {
                if y < centre {
                    let along = libm::pow((y / centre).max(0.0), power);
                    width + (1.0 - width) * along * along * (3.0 - 2.0 * along)
                } else {
                    lower.width(y - centre)
                }
            }
        }
    }
}

/// The MLO view below its widest place.
struct LowerHalf {
    /// Exponent of the breast's outline.
    exponent: f64,
    /// Height of the breast from its widest place to its lower end.
    height: f64,
    fold: Option<InframammaryFold>,
}

impl LowerHalf {
    fn draw(anatomy: &Anatomy, centre: f64, stream: &mut RandomStream) -> Self {
        Self {
            exponent: stream.uniform(1.05, 1.6) * anatomy.outline_exponents.1,
            height: (1.0 - centre) * (anatomy.lower_end + 0.015 * stream.normal()),
            fold: anatomy.fold,
        }
    }

    /// Distance of the skin from the chest wall at `y` below the widest place.
    fn width(&self, y: f64) -> f64 {
        let power = libm::pow(y / self.height, self.exponent);
        let Some(fold) = self.fold else {
            return libm::pow((1.0 - power).max(0.0), ROUNDNESS);
        };
        let abdomen_width = (fold.abdomen_width + fold.slope * (y - self.height)).max(0.02);
        // How far a point lies outside the united shapes; grows with x, so that halving finds where it is 0. Near the
        // breast's lower end, where the two meet, the first term is the distance from its skin.
        let outside = |x: f64| {
            let breast = (power + libm::pow(x, 1.0 / ROUNDNESS) - 1.0) * self.height / self.exponent;
            smooth_union(breast, x - abdomen_width, fold.rounding)
        };
        let (mut low, mut high) = (0.0, 1.2);
        for _ in 0..24 {
            let middle = 0.5 * (low + high);
            if outside(middle) < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The distance from the union of two shapes whose distances are `a` and `b` (below 0 inside); the corner between them
/// is filled by a parabola that begins where the distances differ by `rounding`.
fn smooth_union(a: f64, b: f64, rounding: f64) -> f64 {
    let near = (rounding - (a - b).abs()).max(0.0);
    a.min(b) - near * near / (4.0 * rounding)
}

impl Nipple {
    /// How far it stands out from the skin at `y` below its middle.
    fn at(&self, y: f64) -> f64 {
        let reach = self.half_height * if y < 0.0 { 1.0 + self.lean } else { 1.0 - self.lean };
        self.length / (1.0 + libm::pow(y.abs() / reach, self.steepness))
    }
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
                assert!((widest - 1.0).abs() < 1e-12, "the breast touches the edge");
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

    fn outlines(projection: Projection, rows: usize) -> impl Iterator<Item = (Anatomy, Outline)> {
        (1..=200).map(move |subject| {
            let mut stream = RandomStream::new(11, subject, Purpose::Subject);
            let anatomy = Anatomy::draw(&mut stream);
            let outline = Outline::draw(&anatomy, projection, rows, &mut stream);
            (anatomy, outline)
        })
    }

    #[test]
    fn the_fold_under_the_breast_is_a_smooth_curve() {
        // The skin turns by less than 65° within 5 % of the image side: a corner would turn by 90° at once.
        let rows = 2000;
        let mut folds = 0;
        for (anatomy, outline) in outlines(Projection::Mlo, rows) {
            let from = outline.margin() + rows * 4 / 5;
            let skin: Vec<(f64, f64)> = (from..outline.margin() + rows)
                .map(|row| (outline.widths()[row], row as f64 / rows as f64))
                // Below, only the chest wall is seen, or the foot of the nipple.
                .filter(|&(width, _)| width > 0.01)
                .collect();
            let lengths: Vec<f64> = skin
                .windows(2)
                .scan(0.0, |length, pair| {
                    *length += (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
                    Some(*length)
                })
                .collect();
            let direction = |at: usize| (skin[at + 1].1 - skin[at].1).atan2(skin[at + 1].0 - skin[at].0).to_degrees();
            for at in 0..lengths.len() {
                let Some(further) = (at..lengths.len()).find(|&other| lengths[other] > lengths[at] + 0.05) else {
                    break;
                };
                // Along the breast's underside the direction is near 180° (towards the chest wall); it falls in the fold.
                let turn = direction(at) - direction(further);
                assert!(turn < 65.0, "a turn of {turn} degrees, {anatomy:?}");
            }
            folds += usize::from(anatomy.fold.is_some() && skin.len() == rows / 5);
        }
        assert!((60..=140).contains(&folds), "{folds} of 200 views show the fold");
    }

    #[test]
    fn nipples_differ_from_flat_to_prominent_and_lie_at_or_below_the_widest_place_of_an_mlo_view() {
        let rows = 500;
        for projection in [Projection::Cc, Projection::Mlo] {
            let mut prominences: Vec<f64> = outlines(projection, rows)
                .map(|(_, outline)| {
                    let width = |y: f64| outline.widths()[outline.margin() + (y * rows as f64) as usize];
                    let beside = width(outline.nipple_height - 0.08) + width(outline.nipple_height + 0.08);
                    width(outline.nipple_height) - beside / 2.0
                })
                .collect();
            prominences.sort_by(f64::total_cmp);
            let (flat, prominent) = (prominences[20], prominences[180]);
            assert!(flat < 0.035 && prominent > flat + 0.03, "{projection:?}: {flat} to {prominent}");
        }
        let offsets: Vec<f64> = outlines(Projection::Mlo, rows)
            .map(|(anatomy, outline)| outline.nipple_height - anatomy.widest_height.1)
            .collect();
        let low = offsets.iter().filter(|&&offset| offset > 0.08).count();
        assert!((30..=120).contains(&low), "{low} of 200 nipples lie well below the widest place");
    }
}
