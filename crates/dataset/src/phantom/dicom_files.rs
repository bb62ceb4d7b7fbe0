//! Phantoms as DICOM files: the four views of a subject in a folder, as a scanner's archive would have them.

use std::path::PathBuf;

use image::GrayImage;
use mammoscope_dicom::header::pixel_layout::Photometric;
use mammoscope_dicom::writer::{WrittenGrey, WrittenMammogram, WrittenSyntax};
use mammoscope_domain::subject::view::View;

use super::files::PhantomFile;
use super::manifest::NOTICE;
use super::subject::PhantomSubject;

/// The largest stored value.
const WHITE: u16 = 4095;
const BITS: u8 = 12;

/// Rows between restart markers in some of the JPEG lossless files, as real units write them.
const RESTART_ROWS: usize = 16;

/// The kinds of files, which alternate from image to image: encodings, photometric interpretations, and windows or
/// lookup tables in all combinations.
const SYNTAXES: [WrittenSyntax; 4] = [
    WrittenSyntax::Explicit,
    WrittenSyntax::Implicit,
    WrittenSyntax::JpegLossless { restart_rows: None },
    WrittenSyntax::JpegLossless { restart_rows: Some(RESTART_ROWS) },
];

/// The patient's id of a phantom, by which the table of labels names it.
#[must_use]
pub fn patient_id(subject: &PhantomSubject) -> String {
    format!("PHANTOM-{}", subject.number)
}

/// The path of a view's file below the phantom's folder, `PHANTOM-<subject>/IM<1 to 4>`.
#[must_use]
pub fn dicom_path(subject: &PhantomSubject, view: View) -> PathBuf {
    PathBuf::from(patient_id(subject)).join(format!("IM{}", place(view) + 1))
}

fn place(view: View) -> usize {
    View::ALL.into_iter().position(|other| other == view).expect("one of the four views")
}

/// The DICOM file of a view: 12 bits whose rendering is the picture, grey for grey.
#[must_use]
pub fn dicom_file(subject: &PhantomSubject, view: View, seed: u64, picture: &GrayImage) -> PhantomFile {
    let number = subject.number as usize * View::ALL.len() + place(view);
    // Classes alternate from subject to subject; the kinds of files depend on view and round alone, so that none of them
    // goes with a class.
    let (place, round) = (place(view), (subject.number as usize - 1) / 4);
    let photometric = if (place ^ round) & 1 == 0 { Photometric::Monochrome2 } else { Photometric::Monochrome1 };
    let grey = if ((place ^ round) >> 1) & 1 == 0 { WrittenGrey::Window } else { WrittenGrey::Table };
    let stored = |level: u8| (f64::from(level) * f64::from(WHITE) / 255.0).round() as u16;
    let samples: Vec<u16> = picture
        .as_raw()
        .iter()
        .map(|&level| match photometric {
            Photometric::Monochrome1 => WHITE - stored(level),
            Photometric::Monochrome2 => stored(level),
        })
        .collect();
    // Below the root of UIDs that are made from UUIDs: unique within phantoms, the same on every machine.
    let uid = |kind: u32, number: usize| format!("2.25.{}{kind}{:010}{number:010}", 1 + seed % 1_000_000, seed);
    let uids = [uid(1, subject.number as usize), uid(2, number), uid(3, number)];
    let name = format!("Phantom^{}", subject.number);
    let mammogram = WrittenMammogram {
        patient_id: &patient_id(subject),
        patient_name: &name,
        uids: [&uids[0], &uids[1], &uids[2]],
        date: "20200101",
        view,
        rows: picture.height() as usize,
        columns: picture.width() as usize,
        bits: BITS,
        samples: &samples,
        photometric,
        grey,
        syntax: SYNTAXES[(place + round) % SYNTAXES.len()],
        manufacturer: "mammoscope phantom",
        comment: NOTICE,
    };
    PhantomFile { path: dicom_path(subject, view), bytes: mammogram.to_bytes() }
}
