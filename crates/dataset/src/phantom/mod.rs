//! Synthetic mammograms with known ground truth: subjects with four views each and exact masks of the breast, its dense
//! tissue and the pectoral muscle.
//!
//! The images are for trials, tests and demonstrations; they are not evidence of clinical accuracy. The recipe and its
//! sources are in `docs/phantom.md`. The same settings give the same pixels on every machine: all random numbers come from
//! one generator, transcendental functions from `libm`, the Fourier transform from the scalar planner of `rustfft`, and the
//! rest is IEEE arithmetic in a fixed order.

mod anatomy;
pub mod confounder;
pub mod dicom_files;
pub mod files;
pub mod manifest;
mod muscle;
mod outline;
mod phantom_stream;
mod random_field;
mod rendering;
mod silhouette;
mod skin_distance;
mod strands;
mod subject;
mod tissue;

use image::GrayImage;
use rustfft::FftPlannerScalar;

use mammoscope_domain::random_stream::RandomStream;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::{Side, View};

pub use anatomy::DensityBand;
pub use muscle::VisibleMuscle;
pub use subject::PhantomSubject;

use outline::Outline;
use phantom_stream::PhantomStream;
use silhouette::Silhouette;
use tissue::{Tissue, TissueRecipe};

/// The version of the recipe, which changes whenever the same settings give different pixels.
pub const GENERATOR_VERSION: u32 = 2;

/// The smallest image side in pixels: below it neither strands nor skin are discernible.
pub const MIN_SIZE: u32 = 32;
/// The largest image side in pixels, which exceeds that of detectors.
pub const MAX_SIZE: u32 = 4096;

/// The settings that determine every pixel of a phantom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PhantomSettings {
    pub seed: u64,
    /// Side of the square images in pixels.
    pub size: u32,
    /// Densities of neighbouring classes overlap, and labels have a reader's noise.
    pub overlap: bool,
    /// A marker in the corner reveals the class, and the tissue does not.
    pub confounder: bool,
}

/// An image size that the generator does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("images of {0} pixels are not supported; the size must be from {MIN_SIZE} to {MAX_SIZE}")]
pub struct SizeOutOfRange(pub u32);

/// Generates the views of any subject, in any order and from any thread.
pub struct PhantomGenerator {
    settings: PhantomSettings,
    /// One recipe per density class.
    tissues: [TissueRecipe; DensityClass::COUNT],
}

/// One view of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhantomView {
    /// The image. The background is 0, except for a confounding marker; every pixel of the breast is above 0.
    pub image: GrayImage,
    /// 255 in the breast, pectoral muscle included, 0 elsewhere.
    pub breast: GrayImage,
    /// 255 in dense tissue, 0 elsewhere; inside the breast and outside the pectoral muscle.
    pub dense: GrayImage,
    /// 255 in the pectoral muscle, 0 elsewhere; MLO views only.
    pub pectoral: Option<GrayImage>,
}

impl PhantomView {
    /// Percent area density: the dense area over the breast's area without the pectoral muscle.
    #[must_use]
    pub fn percent_density(&self) -> f64 {
        let area = |mask: &GrayImage| mask.as_raw().iter().filter(|&&pixel| pixel > 0).count() as f64;
        100.0 * area(&self.dense) / (area(&self.breast) - self.pectoral.as_ref().map_or(0.0, area))
    }
}

impl PhantomGenerator {
    /// Prepares the tissue recipes that all subjects share.
    pub fn new(settings: PhantomSettings) -> Result<Self, SizeOutOfRange> {
        if !(MIN_SIZE..=MAX_SIZE).contains(&settings.size) {
            return Err(SizeOutOfRange(settings.size));
        }
        // Not the SIMD planners: they add in a different order and would give different bytes.
        let mut planner = FftPlannerScalar::new();
        let tissues = DensityClass::ALL
            .map(|class| TissueRecipe::new(&mut planner, settings.size as usize, rendering::texture_exponent(class)));
        Ok(Self { settings, tissues })
    }

    /// Subject `number`, from 1. The classes alternate: 1 is A, 2 is B, 3 is C, 4 is D, and 5 is A again.
    #[must_use]
    pub fn subject(&self, number: u32) -> PhantomSubject {
        PhantomSubject::draw(self.settings, number)
    }

    /// One view of a subject. Right and left have the same anatomy, mirrored; their tissue and noise differ.
    #[must_use]
    pub fn view(&self, subject: &PhantomSubject, view: View) -> PhantomView {
        self.draw(subject, view, None)
    }

    /// One view of a subject with a pectoral muscle that is not filled, as before preprocessing; in CC views as
    /// [`view`](Self::view). For tests of what finds the muscle.
    #[must_use]
    pub fn view_with_muscle(&self, subject: &PhantomSubject, view: View, muscle: VisibleMuscle) -> PhantomView {
        self.draw(subject, view, Some(muscle))
    }

    fn draw(&self, subject: &PhantomSubject, view: View, muscle: Option<VisibleMuscle>) -> PhantomView {
        let index = View::ALL.iter().position(|&other| other == view).expect("every view is listed");
        let mut stream =
            RandomStream::new(self.settings.seed, PhantomStream::View { subject: subject.number, index: index as u8 });
        let size = self.settings.size as usize;
        let density = subject.density_in_view(self.settings, &mut stream);
        let outline = Outline::draw(&subject.anatomy, view.projection(), size, muscle.as_ref(), &mut stream);
        let silhouette = Silhouette::of(&outline, size);
        let recipe = &self.tissues[DensityBand::class_of(density).index()];
        let tissue = Tissue::draw(recipe, &subject.anatomy, &outline, &silhouette, density / 100.0, &mut stream);
        let strands = strands::draw_strands(&subject.anatomy, &outline, &silhouette, &mut stream);
        let visible = muscle.filter(|_| outline.shows_pectoral()).map(|_| &outline);
        let mut pixels = rendering::render(&subject.anatomy, &silhouette, &tissue, &strands, visible, &mut stream);
        if self.settings.confounder {
            confounder::mark(&mut pixels, size, subject.label);
        }
        let picture = |pixels: Vec<u8>| oriented(pixels, self.settings.size, view.side());
        PhantomView {
            image: picture(pixels),
            breast: picture(mask(silhouette.breast())),
            dense: picture(mask(tissue.excess.iter().map(|&excess| excess > 0.0))),
            pectoral: outline.shows_pectoral().then(|| picture(mask(silhouette.pectoral()))),
        }
    }
}

fn mask(inside: impl Iterator<Item = bool>) -> Vec<u8> {
    inside.map(|inside| if inside { 255 } else { 0 }).collect()
}

/// A picture with the chest wall on its proper side: at the left edge for the left breast.
fn oriented(pixels: Vec<u8>, size: u32, side: Side) -> GrayImage {
    let mut picture = GrayImage::from_raw(size, size, pixels).expect("size × size pixels");
    if side == Side::Right {
        image::imageops::flip_horizontal_in_place(&mut picture);
    }
    picture
}
