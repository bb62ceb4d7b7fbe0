//! Class, density and anatomy of a subject.

use mammoscope_domain::subject::density::DensityClass;

use super::PhantomSettings;
use super::anatomy::{Anatomy, DensityBand};
use super::random_stream::{Purpose, RandomStream};

/// How often the reader of an overlapping phantom calls a neighbouring class.
const READER_ERROR: f64 = 0.15;

/// How far the density of one view is from the subject's, at most, in percentage points.
const VIEW_DIFFERENCE: f64 = 3.0;

/// A synthetic woman.
#[derive(Clone, Debug)]
pub struct PhantomSubject {
    /// Her number, from 1.
    pub number: u32,
    /// The class that she is filed under.
    pub label: DensityClass,
    /// The class that her density was drawn from: other than the label by the reader's noise (`--overlap`), or at
    /// random (`--confounder`).
    pub drawn_from: DensityClass,
    /// Percent area density that her views scatter around.
    pub percent_density: f64,
    pub(super) anatomy: Anatomy,
}

impl PhantomSubject {
    pub(super) fn draw(settings: PhantomSettings, number: u32) -> Self {
        let mut stream = RandomStream::new(settings.seed, number, Purpose::Subject);
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

    /// The density of one view, per cent, within the limits that hold for the subject.
    pub(super) fn density_in_view(&self, settings: PhantomSettings, stream: &mut RandomStream) -> f64 {
        let (low, high) = density_limits(settings, self.drawn_from);
        (self.percent_density + stream.uniform(-VIEW_DIFFERENCE, VIEW_DIFFERENCE)).clamp(low, high)
    }
}

/// Without overlap a density stays in its class's band.
fn density_limits(settings: PhantomSettings, class: DensityClass) -> (f64, f64) {
    if settings.overlap { DensityBand::LIMITS } else { (DensityBand::of(class).low, DensityBand::of(class).high) }
}

/// What a reader calls a class: mostly itself, else one next to it.
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
