//! Figures of merit of masks and findings.

use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::anatomy::{PectoralCurve, PectoralFinding};
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::raster::{Channels, Raster};

/// A grey picture from a file.
pub(crate) fn read(path: &std::path::Path) -> Raster<u8> {
    let picture = image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into_luma8();
    raster(&picture)
}

pub(crate) fn raster(picture: &image::GrayImage) -> Raster<u8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Raster::new(width, height, Channels::Grey, picture.as_raw().clone())
}

/// The pixels whose grey fulfils a condition.
pub(crate) fn mask(picture: &Raster<u8>, inside: impl Fn(u8) -> bool) -> Mask {
    Mask::new(picture.width(), picture.height(), picture.samples().iter().map(|&grey| inside(grey)).collect())
}

fn both(first: &Mask, second: &Mask) -> usize {
    first.pixels().iter().zip(second.pixels()).filter(|&(&first, &second)| first && second).count()
}

pub(crate) fn dice(found: &Mask, truth: &Mask) -> f64 {
    2.0 * both(found, truth) as f64 / (found.area() + truth.area()) as f64
}

pub(crate) fn jaccard(found: &Mask, truth: &Mask) -> f64 {
    let both = both(found, truth);
    both as f64 / (found.area() + truth.area() - both) as f64
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A finding compared with the true muscle.
pub(crate) struct MuscleResult {
    pub(crate) name: String,
    /// 0 if there is no edge.
    pub(crate) jaccard: f64,
    /// True if the finding is uncertain or that there is no muscle.
    pub(crate) flagged: bool,
    pub(crate) confidence: f64,
}

impl MuscleResult {
    pub(crate) fn new(name: String, finding: &PectoralFinding, breast: &Mask, side: Side, truth: &Mask) -> Self {
        let in_breast = |mask: &Mask| mask.without(&breast.inverted());
        let of_curve = |curve: &PectoralCurve| in_breast(&curve.mask(breast.width(), breast.height(), side));
        let (mask, flagged, confidence) = match finding {
            PectoralFinding::Filled(mask) => (Some(mask.clone()), false, 1.0),
            PectoralFinding::Muscle { curve, confidence } => (Some(of_curve(curve)), false, *confidence),
            PectoralFinding::Uncertain { curve, confidence, .. } => (curve.as_ref().map(of_curve), true, *confidence),
            PectoralFinding::None => (None, true, 0.0),
        };
        Self { name, jaccard: mask.map_or(0.0, |mask| jaccard(&mask, truth)), flagged, confidence }
    }
}

/// The figures of a set of findings.
pub(crate) struct MuscleFigures {
    pub(crate) median: f64,
    pub(crate) flagged: f64,
    /// Share of results below a bound that are not flagged.
    pub(crate) unflagged_below: f64,
}

impl MuscleFigures {
    /// Prints the figures and the results that are flagged or below the bound.
    pub(crate) fn of(title: &str, results: &[MuscleResult], bound: f64) -> Self {
        let count = results.len() as f64;
        let share = |condition: &dyn Fn(&MuscleResult) -> bool| {
            results.iter().filter(|result| condition(result)).count() as f64 / count
        };
        let figures = Self {
            median: median(results.iter().map(|result| result.jaccard)),
            flagged: share(&|result| result.flagged),
            unflagged_below: share(&|result| !result.flagged && result.jaccard < bound),
        };
        eprintln!(
            "{title}: {count} pictures, median Jaccard {:.3}, flagged {:.1} %, unflagged below {bound} {:.1} %",
            figures.median,
            100.0 * figures.flagged,
            100.0 * figures.unflagged_below
        );
        for result in results.iter().filter(|result| result.flagged || result.jaccard < bound) {
            let MuscleResult { name, jaccard, flagged, confidence } = result;
            eprintln!("  {name}: Jaccard {jaccard:.3}, confidence {confidence:.2}, flagged {flagged}");
        }
        figures
    }
}
