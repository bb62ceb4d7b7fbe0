//! JPEG-LS of one component, lossless and near-lossless (ITU-T T.87).

mod bit_reader;
mod contexts;
mod parameters;
mod scan;

use super::segment_reader::SegmentReader;
use super::{CodecError, Codestream, DecodedFrame, FrameLayout};
use bit_reader::split_segments;
use parameters::{Parameters, Presets};
use scan::ScanDecoder;

fn damaged(reason: impl Into<String>) -> CodecError {
    CodecError::Damaged { codestream: Codestream::JpegLs, reason: reason.into() }
}

fn unsupported(reason: impl Into<String>) -> CodecError {
    CodecError::Unsupported { codestream: Codestream::JpegLs, reason: reason.into() }
}

const ENDS_EARLY: CodecError = CodecError::EndsEarly(Codestream::JpegLs);

/// All that precedes the scan's data.
struct Header {
    precision: u8,
    parameters: Parameters,
    /// In rows or in samples, as the encoder understands the standard.
    restart_interval: Option<usize>,
    scan_start: usize,
}

/// Decodes a JPEG-LS codestream of one grey component.
pub(super) fn decode(codestream: &[u8], layout: FrameLayout) -> Result<DecodedFrame, CodecError> {
    let header = Header::parse(codestream, layout)?;
    let (segments, rest) = split_segments(&codestream[header.scan_start..], header.restart_interval.is_some())?;
    check_end(rest)?;
    let interval = interval_rows(header.restart_interval, segments.len(), layout, rest.is_empty())?;
    let mut decoder = ScanDecoder::new(header.parameters, layout);
    for (index, segment) in segments.iter().enumerate() {
        let rows = interval.min(layout.rows - index * interval);
        let cut_off = rest.is_empty() && index + 1 == segments.len();
        decoder.decode(segment, rows, cut_off)?;
    }
    let lossy = header.parameters.near > 0;
    Ok(DecodedFrame { samples: decoder.samples, precision: header.precision, signed: false, lossy })
}

impl Header {
    fn parse(codestream: &[u8], layout: FrameLayout) -> Result<Self, CodecError> {
        if codestream.len() < 2 {
            return Err(ENDS_EARLY);
        }
        if !codestream.starts_with(&[0xFF, 0xD8]) {
            return Err(damaged("it does not begin with a start-of-image marker"));
        }
        let mut reader = SegmentReader { kind: Codestream::JpegLs, codestream, position: 2 };
        let (mut frame, mut presets, mut restart_interval) = (None, Presets::default(), None);
        loop {
            match reader.next()? {
                (0xF7, segment) => frame = Some(read_frame(segment, layout)?),
                (0xF8, segment) => presets = Presets::read(segment)?,
                (0xDD, segment) => {
                    let interval = segment.iter().fold(0, |value, &byte| value << 8 | usize::from(byte));
                    if !(2..=4).contains(&segment.len()) {
                        return Err(damaged("a restart interval of bad length"));
                    }
                    restart_interval = (interval > 0).then_some(interval);
                }
                (0xDA, segment) => {
                    let (component, precision) = frame.ok_or_else(|| damaged("a scan precedes the frame header"))?;
                    let near = read_scan(segment, component)?;
                    let parameters = Parameters::new(precision, near, presets)?;
                    return Ok(Self { precision, parameters, restart_interval, scan_start: reader.position });
                }
                (0xE0..=0xEF | 0xFE, _) => {}
                (0xC0..=0xCF, _) => return Err(damaged("it is a JPEG of another kind")),
                (marker, _) => return Err(damaged(format!("the marker FF{marker:02X} precedes the scan"))),
            }
        }
    }
}

/// The component's identifier and the precision.
fn read_frame(segment: &[u8], layout: FrameLayout) -> Result<(u8, u8), CodecError> {
    let &[precision, row_high, row_low, column_high, column_low, components, ref specifications @ ..] = segment else {
        return Err(damaged("the frame header is too short"));
    };
    if components != 1 {
        return Err(CodecError::NotGrey { components: usize::from(components) });
    }
    let rows = usize::from(u16::from_be_bytes([row_high, row_low]));
    let columns = usize::from(u16::from_be_bytes([column_high, column_low]));
    layout.check(columns, rows, precision)?;
    if !(2..=16).contains(&precision) {
        return Err(damaged(format!("{precision} bits per sample do not exist")));
    }
    match *specifications {
        [component, _, _] => Ok((component, precision)),
        _ => Err(damaged("the frame header does not describe one component")),
    }
}

/// The largest error of a sample, NEAR.
fn read_scan(segment: &[u8], component: u8) -> Result<u8, CodecError> {
    let &[1, of, mapping, near, _, transform] = segment else {
        return Err(damaged("the scan's header does not describe one component"));
    };
    if of != component {
        return Err(damaged("the scan is of a component that the frame does not have"));
    }
    if mapping != 0 {
        return Err(unsupported("a mapping table"));
    }
    if transform != 0 {
        return Err(unsupported("a point transform"));
    }
    Ok(near)
}

/// The rows per restart interval. Encoders state rows or samples; the number of markers shows which.
fn interval_rows(
    stated: Option<usize>,
    segments: usize,
    layout: FrameLayout,
    ends_early: bool,
) -> Result<usize, CodecError> {
    let Some(stated) = stated else {
        return Ok(layout.rows);
    };
    let in_samples = stated.is_multiple_of(layout.columns).then(|| stated / layout.columns);
    let mut candidates = [Some(stated), in_samples].into_iter().flatten();
    match candidates.find(|&rows| layout.rows.div_ceil(rows) == segments) {
        Some(rows) => Ok(rows),
        None if ends_early => Err(ENDS_EARLY),
        None => Err(damaged(format!("{} restart markers do not fit the restart interval", segments - 1))),
    }
}

/// Checks what follows the scan: nothing, or the end of the image and padding.
fn check_end(rest: &[u8]) -> Result<(), CodecError> {
    let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
    match rest.get(fill) {
        None => Ok(()),
        Some(0xD9) if rest[fill + 1..].iter().all(|&byte| byte == 0 || byte == 0xFF) => Ok(()),
        Some(0xD9) => Err(damaged("data follow the end of the image")),
        Some(0xDA) => Err(unsupported("several scans")),
        Some(marker) => Err(damaged(format!("the marker FF{marker:02X} ends the scan"))),
    }
}
