//! The outline of a compressed breast and of the pectoral muscle, with the chest wall on the left.

use std::f64::consts::TAU;

use mammoscope_domain::subject::view::Projection;

use super::anatomy::{Anatomy, InframammaryFold, Nipple};
use super::muscle::VisibleMuscle;
use mammoscope_domain::random_stream::RandomStream;

/// The extent of the outline beyond the image, in image sides: the depth to which the skin affects the tissue.
const MARGIN: f64 = 0.12;

/// The breast's width at every height, and the pectoral muscle. Lengths are in image sides.
pub(super) struct Outline {
    /// Distance of the skin from the chest wall at the centre of every row, from [`Self::margin`] rows above the image to
    /// as many below.
    widths: Vec<f64>,
    margin: usize,
    pub(super) nipple_height: f64,
    /// Height of the centre of the glandular tissue, between the nipple and the widest point.
    pub(super) gland_height: f64,
    /// The muscle's width at the upper image edge (x) and its height at the chest wall (y); MLO only.
    pectoral: Option<(f64, f64)>,
    /// Largest distance of the muscle's edge from a straight line, as a share of the muscle's width.
    pectoral_bulge: f64,
}

impl Outline {
    /// Draws the outline of one view of `size` rows: the subject's anatomy with small differences in positioning.
    ///
    /// CC: width (1 − |u|^p)^0.55, where u is the distance from the widest point in units of that half's height. MLO: a
    /// smooth step from the axillary tail to the widest point, from there on as in CC, and a rounded fold to the abdomen
    /// if the view shows it. Low Fourier terms and a nipple are added in both; the most prominent point, the nipple or the
    /// skin beside a flat one, touches the image edge, as in images cropped at the skin.
    ///
    /// The muscle of a test replaces the anatomy's; all other numbers stay as they are.
    pub(super) fn draw(
        anatomy: &Anatomy,
        projection: Projection,
        size: usize,
        muscle: Option<&VisibleMuscle>,
        stream: &mut RandomStream,
    ) -> Self {
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
            let angle = muscle.map_or(angle, |muscle| muscle.angle);
            let tangent = libm::tan(angle.to_radians());
            // Never beyond the axillary tail: the muscle is inside the outline of the breast.
            let height = (anatomy.pectoral.1 + 0.02 * stream.normal()).min((widths[margin] - 0.07) / tangent);
            (height * tangent, height)
        });
        let gland_height = centre + 0.4 * (nipple_height - centre);
        let pectoral_bulge = muscle.map_or(0.0, |muscle| muscle.bulge);
        Self { widths, margin, nipple_height, gland_height, pectoral, pectoral_bulge }
    }

    /// The distance of the skin from the chest wall, row by row, from [`Self::margin`] rows above the image to as many
    /// below: the breast continues where the image is cropped.
    pub(super) fn widths(&self) -> &[f64] {
        &self.widths
    }

    /// Number of rows by which the outline extends beyond the image, above and below.
    pub(super) fn margin(&self) -> usize {
        self.margin
    }

    /// True for MLO views.
    pub(super) fn shows_pectoral(&self) -> bool {
        self.pectoral.is_some()
    }

    /// The width of the pectoral muscle at height `y`; 0 if there is none.
    pub(super) fn pectoral_width(&self, y: f64) -> f64 {
        self.pectoral_edge(y).max(0.0)
    }

    /// The distance of the muscle's edge from the chest wall at height `y`; negative below the muscle, 0 if there is none.
    pub(super) fn pectoral_edge(&self, y: f64) -> f64 {
        self.pectoral.map_or(0.0, |(width, height)| {
            let along = y / height;
            let bulge = 4.0 * self.pectoral_bulge * (along * (1.0 - along)).max(0.0);
            width * (1.0 - along + bulge)
        })
    }

    /// The decrease of the muscle's width per unit of height; 0 if there is none.
    pub(super) fn pectoral_slope(&self) -> f64 {
        self.pectoral.map_or(0.0, |(width, height)| width / height)
    }

    /// The height `y` as a share of the muscle's, up to 1.
    pub(super) fn pectoral_progress(&self, y: f64) -> f64 {
        self.pectoral.map_or(0.0, |(_, height)| (y / height).min(1.0))
    }
}

/// The exponent of (1 − |u|^p) in the outline: the roundness of the breast.
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

/// The MLO outline below its widest point.
struct LowerHalf {
    /// Exponent of the breast's outline.
    exponent: f64,
    /// Height of the breast from its widest point to its lower end.
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

    /// Distance of the skin from the chest wall at `y` below the widest point.
    fn width(&self, y: f64) -> f64 {
        let power = libm::pow(y / self.height, self.exponent);
        let Some(fold) = self.fold else {
            return libm::pow((1.0 - power).max(0.0), ROUNDNESS);
        };
        let abdomen_width = (fold.abdomen_width + fold.slope * (y - self.height)).max(0.02);
        // The distance of a point outside the united shapes; it grows with x, so that bisection finds its zero. Near the
        // breast's lower end, where the two meet, the first term is the distance from the breast's skin.
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

/// The distance from the union of two shapes whose signed distances are `a` and `b` (negative inside). The corner between
/// them is filled by a parabola that begins where the distances differ by `rounding`.
fn smooth_union(a: f64, b: f64, rounding: f64) -> f64 {
    let near = (rounding - (a - b).abs()).max(0.0);
    a.min(b) - near * near / (4.0 * rounding)
}

impl Nipple {
    /// The distance that it protrudes from the skin at `y` below its centre.
    fn at(&self, y: f64) -> f64 {
        let reach = self.half_height * if y < 0.0 { 1.0 + self.lean } else { 1.0 - self.lean };
        self.length / (1.0 + libm::pow(y.abs() / reach, self.steepness))
    }
}

#[cfg(test)]
mod tests {
    use super::super::phantom_stream::PhantomStream;
    use super::*;

    #[test]
    fn every_outline_fills_the_picture_and_keeps_the_muscle_inside() {
        for subject in 1..=200 {
            let mut stream = RandomStream::new(9, PhantomStream::Subject(subject));
            let anatomy = Anatomy::draw(&mut stream);
            for projection in [Projection::Cc, Projection::Mlo] {
                let size = 128;
                let outline = Outline::draw(&anatomy, projection, size, None, &mut stream);
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
            let mut stream = RandomStream::new(11, PhantomStream::Subject(subject));
            let anatomy = Anatomy::draw(&mut stream);
            let outline = Outline::draw(&anatomy, projection, rows, None, &mut stream);
            (anatomy, outline)
        })
    }

    #[test]
    fn the_fold_under_the_breast_is_a_smooth_curve() {
        // The skin turns by less than 65° within 5 % of the image side; at a corner it would turn by 90° at once.
        let rows = 2000;
        let mut folds = 0;
        for (anatomy, outline) in outlines(Projection::Mlo, rows) {
            let from = outline.margin() + rows * 4 / 5;
            let skin: Vec<(f64, f64)> = (from..outline.margin() + rows)
                .map(|row| (outline.widths()[row], row as f64 / rows as f64))
                // Narrower rows show the chest wall or the foot of the nipple.
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
                // Along the breast's underside the direction is near 180° (towards the chest wall); in the fold it falls.
                let turn = direction(at) - direction(further);
                assert!(turn < 65.0, "a turn of {turn} degrees, {anatomy:?}");
            }
            folds += usize::from(anatomy.fold.is_some() && skin.len() == rows / 5);
        }
        assert!((60..=140).contains(&folds), "{folds} of 200 views show the fold");
    }

    #[test]
    fn nipples_vary_from_flat_to_prominent_and_are_low_in_some_mlo_views() {
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
        assert!((30..=120).contains(&low), "{low} of 200 nipples are well below the widest point");
    }
}
