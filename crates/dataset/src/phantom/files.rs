//! The files of a phantom: paths and contents.

use std::path::PathBuf;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GrayImage, ImageEncoder as _, ImageResult};

use mammoscope_domain::subject::subject_id::{ExamId, SampleName, SubjectId};
use mammoscope_domain::subject::view::{Projection, View};

use super::{PhantomSubject, PhantomView};

/// The folder of the masks inside a class folder.
pub const MASKS_FOLDER: &str = "masks";

/// A file of a phantom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhantomFile {
    /// Path relative to the phantom's folder.
    pub path: PathBuf,
    /// The contents of the PNG file: 8-bit grey; masks are 0 and 255.
    pub bytes: Vec<u8>,
}

/// Paths of a view's files relative to the phantom's folder: `<VIEW>/<CLASS>/<subject>_1_<CLASS>_<VIEW>.png` and its masks
/// `<VIEW>/<CLASS>/masks/<stem>_{breast,dense}.png`, in MLO views also `<stem>_pectoral.png`.
#[must_use]
pub fn paths_of_view(subject: &PhantomSubject, view: View) -> Vec<PathBuf> {
    let name = SampleName {
        subject: SubjectId(subject.number.to_string()),
        exam: ExamId("1".to_owned()),
        class: Some(subject.label),
        view,
        acquisition: 1,
    };
    let folder = PathBuf::from(view.name()).join(subject.label.letter());
    let mask = |what: &str| folder.join(MASKS_FOLDER).join(format!("{name}_{what}.png"));
    let mut paths = vec![folder.join(format!("{name}.png")), mask("breast"), mask("dense")];
    if view.projection() == Projection::Mlo {
        paths.push(mask("pectoral"));
    }
    paths
}

/// The files of a view, in the order of [`paths_of_view`].
pub fn files_of_view(subject: &PhantomSubject, view: View, pictures: &PhantomView) -> ImageResult<Vec<PhantomFile>> {
    let pictures = [&pictures.image, &pictures.breast, &pictures.dense].into_iter().chain(&pictures.pectoral);
    paths_of_view(subject, view)
        .into_iter()
        .zip(pictures)
        .map(|(path, picture)| Ok(PhantomFile { path, bytes: png(picture)? }))
        .collect()
}

fn png(picture: &GrayImage) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive).write_image(
        picture.as_raw(),
        picture.width(),
        picture.height(),
        ExtendedColorType::L8,
    )?;
    Ok(bytes)
}
