//! The making of one output from its source.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use mammoscope_dicom::grey::choice::GreyTransform;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::contained_panic::contain_panic;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_imaging::anatomy::{chest_wall_side, find_breast};
use mammoscope_imaging::breast_mask::grey_levels;
use mammoscope_imaging::decode::decode;
use mammoscope_imaging::decoded_image::Samples;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_imaging::raster::{Channels, Raster};
use sha2::{Digest as _, Sha256};

use crate::dicom_examination::{JudgedDicom, judge};
use crate::picture::{OutputBits, Picture, letter};
use crate::preparation::{MusclePlan, Prepared, prepare};
use crate::record::{Decision, GreyRecord, Review, Scanner, Steps};
use crate::settings::Settings;
use crate::source::SourceFormat;

/// A PNG file and everything that was done to make it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) png: Vec<u8>,
    pub(crate) sha256: String,
    pub(crate) pixel_sha256: String,
    pub(crate) decision: Decision,
    pub(crate) findings: Vec<String>,
    pub(crate) scanner: Scanner,
    pub(crate) steps: Steps,
}

/// A source whose pixels lead to a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) findings: Vec<String>,
}

impl Refusal {
    fn new(reason: &(impl ToString + ?Sized)) -> Self {
        Self { reason: reason.to_string(), findings: Vec::new() }
    }
}

/// Decodes, judges and prepares a source. A decoder that panics leads to a refusal.
pub(crate) fn make(
    bytes: Vec<u8>,
    format: SourceFormat,
    view: View,
    settings: &Settings,
    review: Option<&Review>,
) -> Result<Output, Refusal> {
    let made = contain_panic(|| match format {
        SourceFormat::Dicom => from_dicom(bytes, view, settings, review),
        SourceFormat::Image(_) => from_image(bytes, view, settings, review),
    });
    made.unwrap_or_else(|_| Err(Refusal::new("crashes the decoder; please report it")))
}

fn plan<'a>(settings: &Settings, review: Option<&'a Review>) -> MusclePlan<'a> {
    match review {
        Some(Review::Corrected { curve }) => MusclePlan::Along(curve),
        _ => MusclePlan::Find(settings.pectoral),
    }
}

fn from_dicom(bytes: Vec<u8>, view: View, settings: &Settings, review: Option<&Review>) -> Result<Output, Refusal> {
    let judged = judge(bytes, settings);
    let findings: Vec<String> = judged.examination.findings.iter().map(ToString::to_string).collect();
    let Some(picture) = &judged.picture else {
        let reason = judged.reason().map(ToString::to_string).unwrap_or_default();
        return Err(Refusal { reason, findings });
    };
    let prepared = prepare(picture, view, plan(settings, review))
        .map_err(|fault| Refusal { reason: fault.to_string(), findings: findings.clone() })?;
    let examination = &judged.examination;
    let layout = examination.layout.expect("a decoded image has a layout");
    let steps = Steps {
        transfer_syntax: examination.syntax.map(|syntax| syntax.uid.to_owned()),
        grey: grey_record(&judged),
        inverted: layout.photometric == mammoscope_dicom::header::pixel_layout::Photometric::Monochrome1,
        padded: judged.padded,
        mirrored: judged.mirrored,
        flipped: judged.flipped,
        original_size: [layout.columns, layout.rows],
        crop: prepared.crop,
        pectoral: prepared.pectoral.clone(),
    };
    let scanner = Scanner { manufacturer: examination.manufacturer.clone(), model: examination.model.clone() };
    // A forced file is accepted with the reason that it would have been refused for.
    let decision = match judged.decision() {
        Decision::Refuse => Decision::AcceptWithWarning,
        decision => decision,
    };
    let forced = examination.faults.iter().map(|fault| format!("forced: {fault}"));
    Ok(encoded(&prepared, settings.bits, decision, findings.into_iter().chain(forced).collect(), scanner, steps))
}

/// The greyscale transformation of a judged file.
#[must_use]
pub fn grey_record(judged: &JudgedDicom) -> GreyRecord {
    let empty = GreyRecord {
        kind: "range".to_owned(),
        index: None,
        center: None,
        width: None,
        function: None,
        black: None,
        white: None,
    };
    match &judged.examination.transform {
        Some(GreyTransform::Table { index, .. }) => GreyRecord { kind: "lut".to_owned(), index: Some(*index), ..empty },
        Some(GreyTransform::Window { index, window }) => GreyRecord {
            kind: "window".to_owned(),
            index: Some(*index),
            center: Some(window.center),
            width: Some(window.width),
            function: Some(window.function.name().to_owned()),
            ..empty
        },
        Some(GreyTransform::Range) | None => {
            GreyRecord { black: judged.range.map(|(low, _)| low), white: judged.range.map(|(_, high)| high), ..empty }
        }
    }
}

fn from_image(bytes: Vec<u8>, view: View, settings: &Settings, review: Option<&Review>) -> Result<Output, Refusal> {
    let decoded = decode(bytes).map_err(|error| Refusal::new(&error))?;
    let bits = settings.bits;
    let deep = |samples: &Samples, white: u16| {
        let scaled = |sample: u16| (f64::from(sample.min(white)) / f64::from(white) * 65535.0 + 0.5).floor() as u16;
        match samples {
            Samples::Depth8(raster) => single_channel(raster).map(|level| u16::from(level) * 257),
            Samples::Depth16(raster) => raster.map(scaled),
        }
    };
    let samples = (bits == OutputBits::Sixteen).then(|| decoded.samples.clone());
    let is_colour_deep = matches!(&decoded.samples, Samples::Depth16(raster) if raster.channels() == Channels::Rgb);
    if is_colour_deep {
        return Err(Refusal::new("a colour image of 16 bits, not a mammogram"));
    }
    let levels = decoded.into_levels(settings.source_range).map_err(|error| Refusal::new(&error))?;
    let (white, raster) = (levels.white, single_channel(&levels.raster));
    let picture = Picture { grey: raster, deep: samples.map(|samples| deep(&samples, white)) };
    let mut findings = Vec::new();
    match find_breast(&picture.grey).as_ref().and_then(chest_wall_side) {
        Some(side) if side != view.side() => {
            let (name, pixels) = (letter(view.side()), letter(side));
            return Err(Refusal::new(&format!("laterality: its name says {name}, the pixels say {pixels}")));
        }
        Some(_) => {}
        None => findings.push("the pixels do not show the side of the breast".to_owned()),
    }
    let prepared = prepare(&picture, view, plan(settings, review)).map_err(|error| Refusal::new(&error))?;
    let steps = Steps {
        transfer_syntax: None,
        grey: GreyRecord {
            kind: "depth".to_owned(),
            index: None,
            center: None,
            width: None,
            function: None,
            black: Some(0.0),
            white: Some(white.into()),
        },
        inverted: false,
        padded: 0,
        mirrored: false,
        flipped: false,
        original_size: [picture.grey.width(), picture.grey.height()],
        crop: prepared.crop,
        pectoral: prepared.pectoral.clone(),
    };
    Ok(encoded(&prepared, bits, Decision::Accept, findings, Scanner::default(), steps))
}

/// One channel of a grey picture that may be stored as RGB.
fn single_channel(raster: &Raster<u8>) -> Raster<u8> {
    Raster::new(raster.width(), raster.height(), Channels::Grey, grey_levels(raster))
}

fn encoded(
    prepared: &Prepared,
    bits: OutputBits,
    decision: Decision,
    findings: Vec<String>,
    scanner: Scanner,
    steps: Steps,
) -> Output {
    let png = png_of(&prepared.picture, bits);
    Output {
        sha256: hexadecimal(&Sha256::digest(&png)),
        pixel_sha256: pixel_sha256(&prepared.picture.grey),
        png,
        decision,
        findings,
        scanner,
        steps,
    }
}

/// A PNG of the picture. The compression is fixed, so that the same pixels give the same bytes.
#[must_use]
pub fn png_of(picture: &Picture, bits: OutputBits) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Up);
    let size = |width: usize| u32::try_from(width).expect("the number of pixels is limited");
    let (width, height) = (size(picture.grey.width()), size(picture.grey.height()));
    let written = match (&picture.deep, bits) {
        (Some(deep), OutputBits::Sixteen) => {
            let samples: Vec<u8> = deep.samples().iter().flat_map(|sample| sample.to_ne_bytes()).collect();
            encoder.write_image(&samples, width, height, ExtendedColorType::L16)
        }
        _ => encoder.write_image(picture.grey.samples(), width, height, ExtendedColorType::L8),
    };
    written.expect("writing to memory does not fail");
    bytes
}
