//! The correction of a muscle's edge with the arrow keys.

use mammoscope_domain::subject::view::{Projection, Side};
use mammoscope_imaging::anatomy::{CurvePoint, PectoralCurve, PixelBox};
use mammoscope_preprocessing::record::{PectoralState, Record};
use mammoscope_preprocessing::review::curve_of;

/// The first edge where none was found: its share of the width at the top, and of the height where it ends.
const USUAL: (f32, f32) = (0.35, 0.55);

/// An edge that is being corrected.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Correction {
    pub(super) curve: PectoralCurve,
    crop: PixelBox,
    side: Side,
}

impl Correction {
    /// A correction of the edge in use or, without one, of a usual one; the reason if the image has none to correct.
    pub(super) fn of(record: &Record) -> Result<Self, &'static str> {
        let (Some(output), Some(steps)) = (&record.output, &record.steps) else {
            return Err("the manifest does not say how it was prepared");
        };
        if output.view.projection() == Projection::Cc {
            return Err("a CC view shows no pectoral muscle to correct");
        }
        if steps.pectoral.state == PectoralState::AlreadyFilled {
            return Err("the muscle was filled before the source was made; its edge cannot be corrected");
        }
        let crop = steps.crop;
        let curve = curve_of(record).cloned().unwrap_or_else(|| usual(crop));
        Ok(Self { curve, crop, side: output.view.side() })
    }

    /// Moves the edge on the screen, to the right if positive, by thousandths of the image's width.
    pub(super) fn shift(&mut self, thousandths: i16) {
        let pixels = f32::from(thousandths) / 1000.0 * self.crop.width() as f32;
        let outwards = if self.side == Side::Left { pixels } else { -pixels };
        // A step of a small image is at least the curve's precision.
        let step = if outwards.abs() < 0.125 { outwards.signum() * 0.125 } else { outwards };
        self.curve = self.curve.shifted(step);
    }

    /// Turns the edge by tenths of a degree.
    pub(super) fn turn(&mut self, tenths: i16) {
        self.curve = self.curve.turned(f64::from(tenths) / 10.0);
    }
}

fn usual(crop: PixelBox) -> PectoralCurve {
    let (width, height) = (crop.width() as f32, crop.height() as f32);
    let points = vec![
        CurvePoint { distance: USUAL.0 * width, y: 0.0 },
        CurvePoint { distance: 0.0, y: (USUAL.1 * height).max(1.0) },
    ];
    PectoralCurve::new(points).expect("two points, the second below the first")
}
