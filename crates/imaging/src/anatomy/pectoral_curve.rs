//! The edge of the pectoral muscle as a curve.

use mammoscope_domain::subject::view::Side;
use serde::{Deserialize, Serialize};

use crate::contour::{Contour, Point};
use crate::mask::Mask;

/// Coordinates are multiples of this share of a pixel: exact in `f32` up to a million pixels, and short as decimals.
const STEP: f32 = 0.125;

/// The limit of coordinates in pixels.
const MAX_COORDINATE: f32 = 1e6;

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
        const SAMPLES: u32 = 64;
        let middle = f64::midpoint(first, last);
        let (mut product, mut square) = (0.0, 0.0);
        for sample in 0..=SAMPLES {
            let below = (f64::from(sample) / f64::from(SAMPLES) - 0.5) * (last - first);
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
