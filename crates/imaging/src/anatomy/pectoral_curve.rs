//! The edge of the pectoral muscle as a curve.

use mammoscope_domain::subject::view::Side;
use serde::{Deserialize, Serialize};

use crate::contour::{Contour, Point};
use crate::mask::Mask;

/// Coordinates are multiples of this share of a pixel: exact in `f32` up to a million pixels, and short as decimals.
const STEP: f32 = 0.125;

/// The limit of coordinates in pixels.
const MAX_COORDINATE: f32 = 1e6;

/// Rows between the first point and the last at which the straight line is fitted, less one.
const LINE_SAMPLES: u32 = 64;

/// The angles from the vertical, in degrees, to which a curve can be turned.
const ANGLES: (f64, f64) = (0.0, 80.0);

/// The edge of the pectoral muscle: an open line of points from the top down. Between its points, and beyond the first
/// and the last two, it is straight; the muscle lies between it and the chest wall.
///
/// Coordinates are multiples of ⅛ pixel, so that a curve written as decimals gives the same mask when it is read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredCurve", into = "StoredCurve")]
pub struct PectoralCurve {
    points: Vec<CurvePoint>,
}

/// A point of the muscle's edge in pixels, 0 at the centre of the first pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Distance from the centre of the outermost column at the chest wall's side of the picture.
    pub distance: f32,
    /// Row, from the top down.
    pub y: f32,
}

/// A list of points that is not a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PectoralCurveError {
    #[error("a muscle's edge needs at least two points; this one has {0}")]
    TooFewPoints(usize),
    #[error("point {0} of the muscle's edge is not a number within a million pixels")]
    NotFinite(usize),
    #[error("point {0} of the muscle's edge is not below the one before it")]
    NotDownwards(usize),
}

/// A curve as it is stored: `[[distance, y], …]`.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct StoredCurve(Vec<[f32; 2]>);

impl From<PectoralCurve> for StoredCurve {
    fn from(curve: PectoralCurve) -> Self {
        Self(curve.points.into_iter().map(|point| [point.distance, point.y]).collect())
    }
}

impl TryFrom<StoredCurve> for PectoralCurve {
    type Error = PectoralCurveError;

    fn try_from(stored: StoredCurve) -> Result<Self, Self::Error> {
        Self::new(stored.0.into_iter().map(|[distance, y]| CurvePoint { distance, y }).collect())
    }
}

impl PectoralCurve {
    /// A curve through points whose rows increase, rounded to ⅛ pixel.
    pub fn new(mut points: Vec<CurvePoint>) -> Result<Self, PectoralCurveError> {
        if points.len() < 2 {
            return Err(PectoralCurveError::TooFewPoints(points.len()));
        }
        for (index, point) in points.iter_mut().enumerate() {
            let in_range = |value: f32| value.abs() <= MAX_COORDINATE;
            if !(in_range(point.distance) && in_range(point.y)) {
                return Err(PectoralCurveError::NotFinite(index));
            }
            (point.distance, point.y) = (rounded(point.distance), rounded(point.y));
        }
        match points.windows(2).position(|pair| pair[1].y <= pair[0].y) {
            Some(index) => Err(PectoralCurveError::NotDownwards(index + 1)),
            None => Ok(Self { points }),
        }
    }

    /// The points, from the top down.
    #[must_use]
    pub fn points(&self) -> &[CurvePoint] {
        &self.points
    }

    /// The distance of the edge from the chest wall in a row, in pixels; negative where the muscle has ended.
    #[must_use]
    pub fn distance_at(&self, y: f32) -> f32 {
        let after = self.points.partition_point(|point| point.y < y).clamp(1, self.points.len() - 1);
        let (first, second) = (self.points[after - 1], self.points[after]);
        let along = (f64::from(y) - f64::from(first.y)) / (f64::from(second.y) - f64::from(first.y));
        (f64::from(first.distance) + along * (f64::from(second.distance) - f64::from(first.distance))) as f32
    }

    /// The pixels of a picture of `width` × `height` between the curve and the chest wall, background included where the
    /// breast does not reach the picture's edge.
    ///
    /// # Panics
    /// If a side is zero.
    #[must_use]
    pub fn mask(&self, width: usize, height: usize, side: Side) -> Mask {
        let mut inside = vec![false; width * height];
        for (y, row) in inside.chunks_exact_mut(width.max(1)).enumerate() {
            // The columns whose centre is nearer than the edge.
            let columns = (self.distance_at(y as f32).ceil().max(0.0) as usize).min(width);
            match side {
                Side::Left => row[..columns].fill(true),
                Side::Right => row[width - columns..].fill(true),
            }
        }
        Mask::new(width, height, inside)
    }

    /// The part of the curve inside a picture of `width` × `height` pixels, for drawing.
    #[must_use]
    pub fn outline(&self, width: usize, height: usize, side: Side) -> Contour {
        let last_column = width.saturating_sub(1) as f32;
        let point = |y: usize| {
            let distance = self.distance_at(y as f32);
            let x = if side == Side::Left { distance } else { last_column - distance };
            (0.0..=last_column).contains(&distance).then_some(Point { x, y: y as f32 })
        };
        Contour { points: (0..height).filter_map(point).collect(), closed: false }
    }

    /// The angle of the straight line nearest to the curve, in degrees from the vertical: positive if the muscle becomes
    /// narrower downwards.
    #[must_use]
    pub fn angle_from_vertical(&self) -> f64 {
        self.line().1.atan().to_degrees()
    }

    /// The curve moved away from the chest wall by `pixels`, rounded to ⅛.
    #[must_use]
    pub fn shifted(&self, pixels: f32) -> Self {
        self.changed(|point| point.distance + pixels)
    }

    /// The curve turned about its middle by `degrees`: with a positive angle it becomes wider at the top and narrower at
    /// the bottom. Every point keeps its row, and the angle from the vertical stays between 0 and 80°.
    #[must_use]
    pub fn turned(&self, degrees: f64) -> Self {
        let (middle, slope) = self.line();
        let angle = slope.atan().to_degrees();
        let turned = (angle + degrees).clamp(angle.min(ANGLES.0), angle.max(ANGLES.1)).to_radians().tan();
        self.changed(|point| point.distance + ((turned - slope) * (middle - f64::from(point.y))) as f32)
    }

    /// The curve in a picture from which `columns` at the chest wall's side and `rows` at the top were cut off.
    #[must_use]
    pub fn after_crop(&self, columns: usize, rows: usize) -> Self {
        let points = self
            .points
            .iter()
            .map(|point| CurvePoint { distance: rounded(point.distance - columns as f32), y: point.y - rows as f32 });
        Self { points: points.collect() }
    }

    fn changed(&self, distance: impl Fn(&CurvePoint) -> f32) -> Self {
        let points = self.points.iter().map(|point| CurvePoint {
            distance: rounded(distance(point).clamp(-MAX_COORDINATE, MAX_COORDINATE)),
            y: point.y,
        });
        Self { points: points.collect() }
    }

    /// The mean row, and the decrease of the distance per row: least squares over the rows between the first point and
    /// the last.
    fn line(&self) -> (f64, f64) {
        let [first, last] = [self.points[0].y, self.points[self.points.len() - 1].y].map(f64::from);
        let middle = f64::midpoint(first, last);
        let (mut product, mut square) = (0.0, 0.0);
        for sample in 0..=LINE_SAMPLES {
            let below = (f64::from(sample) / f64::from(LINE_SAMPLES) - 0.5) * (last - first);
            product += below * f64::from(self.distance_at((middle + below) as f32));
            square += below * below;
        }
        (middle, -product / square)
    }
}

fn rounded(value: f32) -> f32 {
    // Adding 0 turns −0 into 0, which is stored without its sign.
    (value / STEP).round() * STEP + 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(points: &[[f32; 2]]) -> PectoralCurve {
        PectoralCurve::new(points.iter().map(|&[distance, y]| CurvePoint { distance, y }).collect()).unwrap()
    }

    #[test]
    fn the_muscle_is_between_the_curve_and_the_chest_wall() {
        // At distance 3 in row 0, 1 in row 2, and −1 in row 4.
        let line = curve(&[[3.0, 0.0], [1.0, 2.0]]);
        let widths = |side| {
            let mask = line.mask(4, 4, side);
            let rows = mask.pixels().chunks_exact(4);
            rows.map(|row| row.iter().map(|&inside| u8::from(inside)).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(widths(Side::Left), [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]);
        assert_eq!(widths(Side::Right), [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]);
        let outline = line.outline(4, 4, Side::Right);
        assert_eq!(outline.points.len(), 4, "it ends at the chest wall");
        assert_eq!(outline.points[0], Point { x: 0.0, y: 0.0 });
    }

    #[test]
    fn corrections_move_and_turn_the_curve() {
        let line = curve(&[[100.0, 0.0], [0.0, 100.0]]);
        assert!((line.angle_from_vertical() - 45.0).abs() < 1e-3);
        assert_eq!(line.shifted(2.3), curve(&[[102.25, 0.0], [2.25, 100.0]]));
        for degrees in [-40.0, -5.0, 0.0, 10.0, 25.0] {
            let turned = line.turned(degrees);
            assert!((turned.angle_from_vertical() - 45.0 - degrees).abs() < 0.1, "{degrees}");
            assert!((turned.distance_at(50.0) - 50.0).abs() < 0.2, "it turns about its middle");
        }
        assert!((line.turned(70.0).angle_from_vertical() - 80.0).abs() < 0.1);
        assert!((line.turned(-70.0).angle_from_vertical()).abs() < 0.1);
        assert_eq!(line.after_crop(10, 20), curve(&[[90.0, -20.0], [-10.0, 80.0]]));
    }

    #[test]
    fn lists_that_are_no_curves_are_refused() {
        let refused = |text: &str| serde_json::from_str::<PectoralCurve>(text).unwrap_err().to_string();
        assert!(refused("[[1.0, 2.0]]").contains("at least two points"));
        assert!(refused("[[1.0, 2.0], [2e7, 3.0]]").contains("point 1"));
        assert!(refused("[[1.0, 2.0], [1.0, 2.0]]").contains("not below"));
        let point = |distance| CurvePoint { distance, y: 0.0 };
        assert_eq!(PectoralCurve::new(vec![point(f32::NAN); 2]), Err(PectoralCurveError::NotFinite(0)));
    }

    proptest! {
        #[test]
        fn a_stored_curve_gives_the_same_mask(distances in prop::collection::vec(-50.0_f32..300.0, 2..20), step in 0.2_f32..40.0, first in -20.0_f32..20.0) {
            let points = distances.iter().enumerate().map(|(row, &distance)| CurvePoint { distance, y: first + row as f32 * step });
            let curve = PectoralCurve::new(points.collect()).unwrap();
            let text = serde_json::to_string(&curve).unwrap();
            let read: PectoralCurve = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &curve);
            for side in Side::ALL {
                prop_assert_eq!(read.mask(120, 90, side), curve.mask(120, 90, side));
                let mirrored: Vec<bool> = curve.mask(120, 90, Side::Left).pixels().chunks_exact(120).flat_map(|row| row.iter().rev()).copied().collect();
                let right = curve.mask(120, 90, Side::Right);
                prop_assert_eq!(right.pixels(), mirrored.as_slice());
            }
            let back = curve.shifted(7.5).shifted(-7.5);
            prop_assert_eq!(&back, &curve);
        }
    }
}
