//! The judgement over a DICOM file by its header and its pixels together.

use mammoscope_dicom::examination::{Examination, Fault, Force};
use mammoscope_dicom::header::finding::Finding;
use mammoscope_dicom::header::view_and_side::Stated;
use mammoscope_domain::subject::view::{Side, View};
use mammoscope_imaging::anatomy::{chest_wall_side, find_breast};
use mammoscope_imaging::raster::{Channels, Raster};

use crate::picture::{OutputBits, Picture, letter};
use crate::record::Decision;
use crate::settings::Settings;

/// A DICOM file, judged.
#[derive(Clone)]
pub struct JudgedDicom {
    pub examination: Examination,
    /// The picture as it should be displayed, mirrored back where needed; `None` if the file was refused.
    pub picture: Option<Picture>,
    /// The side of the breast, from the header or, without a statement there, from the pixels.
    pub side: Option<Stated<Side>>,
    /// True if the picture was mirrored from left to right.
    pub mirrored: bool,
    /// True if the picture was flipped upside down.
    pub flipped: bool,
    /// Pixels with padding values.
    pub padded: usize,
    /// The values that are black and white, if the whole range was taken.
    pub range: Option<(f64, f64)>,
}

/// Judges the bytes of a DICOM file.
#[must_use]
pub fn judge(bytes: Vec<u8>, settings: &Settings) -> JudgedDicom {
    let mut examination = Examination::of(bytes, settings.grey, &settings.force);
    let side = examination.side;
    let picture = examination.image.as_ref().map(|image| {
        let (width, height) = (image.pixels.columns, image.pixels.rows);
        let grey = Raster::new(width, height, Channels::Grey, image.rendering.to_8_bits(&image.pixels));
        let deep = (settings.bits == OutputBits::Sixteen)
            .then(|| Raster::new(width, height, Channels::Grey, image.rendering.to_16_bits(&image.pixels)));
        Picture { grey, deep }
    });
    // The stored values are not needed any longer, and take twice the memory of the picture.
    let rendering = examination.image.take().map(|image| image.rendering);
    let mut judged = JudgedDicom {
        examination,
        picture: None,
        side,
        mirrored: false,
        flipped: false,
        padded: rendering.as_ref().map_or(0, |rendering| rendering.padded),
        range: rendering.and_then(|rendering| rendering.range),
    };
    if let Some(picture) = picture {
        judged.orient(picture, settings);
    }
    judged
}

impl JudgedDicom {
    /// Compares the side with the pixels, and brings the picture into the usual orientation.
    fn orient(&mut self, picture: Picture, settings: &Settings) {
        let by_pixels = find_breast(&picture.grey).as_ref().and_then(chest_wall_side);
        let stated = self.examination.mirroring;
        match (self.side, by_pixels) {
            (None, Some(side)) => {
                self.side = Some(Stated { value: side, source: "pixels" });
                self.examination.findings.push(Finding::LateralityFromPixels);
            }
            (None, None) => self.examination.faults.push(Fault::NoSide),
            (Some(_), None) => {
                self.mirrored = stated.horizontal;
                self.examination.findings.push(Finding::LateralityUnconfirmed);
            }
            (Some(tag), Some(pixels)) => {
                let stored_as_usual = tag.value == pixels;
                match (stated.horizontal, stored_as_usual) {
                    (false, true) => {}
                    (true, false) => self.mirrored = true,
                    (true, true) => self.examination.findings.push(Finding::OrientationContradiction),
                    (false, false) => {
                        let (tag, pixels) = (letter(tag.value), letter(pixels));
                        self.examination.faults.push(Fault::SideContradiction { tag, pixels });
                        if settings.forces(Force::Laterality) {
                            self.mirrored = true;
                            self.examination.findings.push(Finding::SideForced);
                        }
                    }
                }
            }
        }
        self.flipped = stated.vertical;
        let by_orientation = stated.horizontal && self.mirrored;
        self.examination.findings.extend(by_orientation.then_some(Finding::StoredMirrored));
        self.examination.findings.extend(self.flipped.then_some(Finding::StoredUpsideDown));
        if self.examination.is_accepted(&settings.force) {
            let picture = if self.mirrored { picture.mirrored() } else { picture };
            self.picture = Some(if self.flipped { picture.flipped() } else { picture });
        }
    }

    /// The view; `None` unless projection and side are known.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        Some(View::of(self.examination.projection?.value, self.side?.value))
    }

    /// The decision, without regard to what a user forces.
    #[must_use]
    pub fn decision(&self) -> Decision {
        if !self.examination.faults.is_empty() {
            Decision::Refuse
        } else if self.examination.findings.iter().any(Finding::is_warning) {
            Decision::AcceptWithWarning
        } else {
            Decision::Accept
        }
    }

    /// The gravest reason for a refusal.
    #[must_use]
    pub fn reason(&self) -> Option<&Fault> {
        self.examination.faults.first()
    }
}
