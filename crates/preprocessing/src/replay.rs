//! Replay: an output made again from its source and its line in the manifest.

use mammoscope_dicom::examination::Force;
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use sha2::{Digest as _, Sha256};

use crate::output::make;
use crate::picture::OutputBits;
use crate::record::{PectoralState, Record, Review};
use crate::settings::{METHODS, PectoralTreatment, Settings};
use crate::source::SourceFormat;

/// A reason why an output cannot be made again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayFault {
    #[error("the line has no output")]
    NoOutput,
    #[error("the source has changed: its SHA-256 is {found}, the manifest has {recorded}")]
    OtherSource { found: String, recorded: String },
    #[error("the source is not an image any longer")]
    NotAnImage,
    #[error("the source is refused: {0}")]
    Refused(String),
    #[error("other methods: the output was made with {recorded}, this program has {METHODS}")]
    OtherMethods { recorded: String },
    #[error("the replay gives other bytes than the manifest states")]
    OtherBytes,
}

/// The PNG of a record, from the bytes of its source. Greyscale transformation and muscle are taken from the record, not
/// decided again; the bytes are compared with the record.
pub fn replay(record: &Record, source: Vec<u8>) -> Result<Vec<u8>, ReplayFault> {
    let (Some(output), Some(steps)) = (&record.output, &record.steps) else { return Err(ReplayFault::NoOutput) };
    let found = hexadecimal(&Sha256::digest(&source));
    if found != record.source.sha256 {
        return Err(ReplayFault::OtherSource { found, recorded: record.source.sha256.clone() });
    }
    if record.settings.methods != METHODS {
        return Err(ReplayFault::OtherMethods { recorded: record.settings.methods.clone() });
    }
    let grey = match (steps.grey.kind.as_str(), steps.grey.index) {
        ("window", Some(index)) => GreyRequest::Window(index),
        ("lut", _) => GreyRequest::Table,
        ("range", _) => GreyRequest::Range,
        _ => GreyRequest::Auto,
    };
    // With a known curve, the muscle is filled along it; without one, it is left as it is.
    let along = match (steps.pectoral.state, &steps.pectoral.curve) {
        (PectoralState::Filled, Some(curve)) => Some(Review::Corrected { curve: curve.clone() }),
        _ => None,
    };
    let settings = Settings {
        bits: if output.bits == 16 { OutputBits::Sixteen } else { OutputBits::Eight },
        pectoral: PectoralTreatment::Keep,
        grey,
        source_range: record.settings.source_range,
        force: vec![Force::All],
    };
    let format = SourceFormat::of(&source).ok_or(ReplayFault::NotAnImage)?;
    let made = make(source, format, output.view, &settings, along.as_ref());
    let made = made.map_err(|refusal| ReplayFault::Refused(refusal.reason))?;
    if made.sha256 == output.sha256 { Ok(made.png) } else { Err(ReplayFault::OtherBytes) }
}
