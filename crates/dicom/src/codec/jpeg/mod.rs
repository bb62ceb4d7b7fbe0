//! JPEG (ITU-T T.81) of one component: baseline and extended sequential DCT, and lossless, all with Huffman coding.

mod bit_reader;
mod dct;
mod huffman;
mod inverse_dct;
mod lossless;
pub(super) mod lossless_encoder;
mod predictor;
mod scan_data;
mod segments;

use super::{CodecError, Codestream, DecodedFrame, FrameLayout};
use scan_data::ScanData;
use segments::{Header, Process};

fn damaged(reason: impl Into<String>) -> CodecError {
    CodecError::Damaged { codestream: Codestream::Jpeg, reason: reason.into() }
}

fn unsupported(reason: impl Into<String>) -> CodecError {
    CodecError::Unsupported { codestream: Codestream::Jpeg, reason: reason.into() }
}

const ENDS_EARLY: CodecError = CodecError::EndsEarly(Codestream::Jpeg);

/// Decodes a JPEG codestream of one grey component, of any supported process.
pub(super) fn decode(codestream: &[u8], layout: FrameLayout) -> Result<DecodedFrame, CodecError> {
    let header = Header::parse(codestream, layout)?;
    let scan = ScanData::split(&codestream[header.scan_start..], header.restart_interval)?;
    segments::check_end(scan.rest)?;
    let lossy = header.process == Process::Dct;
    let samples = match header.process {
        Process::Lossless => lossless::decode(&header, &scan, layout)?,
        Process::Dct => dct::decode(&header, &scan, layout)?,
    };
    Ok(DecodedFrame { samples, precision: header.precision, signed: false, lossy })
}
