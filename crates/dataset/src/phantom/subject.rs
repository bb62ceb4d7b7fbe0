//! Class, density and anatomy of a subject.

use mammoscope_domain::random_stream::RandomStream;
use mammoscope_domain::subject::density::DensityClass;

use super::PhantomSettings;
use super::anatomy::{Anatomy, DensityBand};
use super::phantom_stream::PhantomStream;

/// The probability that the reader of an overlapping phantom assigns a neighbouring class.
const READER_ERROR: f64 = 0.15;

/// The largest difference between the density of a view and the subject's, in percentage points.
const VIEW_DIFFERENCE: f64 = 3.0;

/// A synthetic woman.
#[derive(Clone, Debug)]
pub struct PhantomSubject {
    /// Her number, from 1.
    pub number: u32,
    /// The class of the folder that contains her images.
    pub label: DensityClass,
    /// The class from which her density was drawn. It differs from the label by reader's noise (`--overlap`), or is random
    /// (`--confounder`).
    pub drawn_from: DensityClass,
    /// Percent area density before the variation between views.
    pub percent_density: f64,
    pub(super) anatomy: Anatomy,
}

impl PhantomSubject {
    pub(super) fn draw(settings: PhantomSettings, number: u32) -> Self {
        let mut stream = RandomStream::new(settings.seed, PhantomStream::Subject(number));
        let in_turn = DensityClass::from_index((number.wrapping_sub(1) % 4) as usize).expect("0 to 3");
        let anatomy = Anatomy::draw(&mut stream);
        let drawn_from = if settings.confounder {
            DensityClass::from_index((stream.unit() * DensityClass::COUNT as f64) as usize).expect("below 4")
        } else {
            in_turn
        };
        let (low, high) = density_limits(settings, drawn_from);
        let band = DensityBand::of(drawn_from);
        let percent_density = stream.truncated_normal(band.mean, band.deviation, low, high);
        let label = if settings.overlap { misread(in_turn, &mut stream) } else { in_turn };
        Self { number, label, drawn_from, percent_density, anatomy }
    }

    /// Draws the density of one view, per cent, within the limits of the subject's class.
    pub(super) fn density_in_view(&self, settings: PhantomSettings, stream: &mut RandomStream) -> f64 {
        let (low, high) = density_limits(settings, self.drawn_from);
        (self.percent_density + stream.uniform(-VIEW_DIFFERENCE, VIEW_DIFFERENCE)).clamp(low, high)
    }
}

/// The limits of a density: the class's band, unless classes overlap.
fn density_limits(settings: PhantomSettings, class: DensityClass) -> (f64, f64) {
    if settings.overlap { DensityBand::LIMITS } else { (DensityBand::of(class).low, DensityBand::of(class).high) }
}

/// The class assigned by a reader: usually the true one, otherwise a neighbour.
fn misread(class: DensityClass, stream: &mut RandomStream) -> DensityClass {
    let (errs, upwards) = (stream.unit() < READER_ERROR, stream.unit() < 0.5);
    if !errs {
        return class;
    }
    let above = DensityClass::from_index(class.index() + 1);
    let below = class.index().checked_sub(1).and_then(DensityClass::from_index);
    let (first, second) = if upwards { (above, below) } else { (below, above) };
    first.or(second).expect("every class has a neighbour")
}
