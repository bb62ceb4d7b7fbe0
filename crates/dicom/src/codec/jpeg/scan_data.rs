//! The entropy-coded data of a scan, without stuffed bytes, and cut at its restart markers.

use std::ops::Range;

use super::damaged;
use crate::codec::CodecError;

/// The entropy-coded segments of a scan.
pub(super) struct ScanData<'a> {
    bytes: Vec<u8>,
    segments: Vec<Range<usize>>,
    /// True if the codestream ends within the scan.
    pub(super) ends_early: bool,
    /// The codestream from the marker that ends the scan.
    pub(super) rest: &'a [u8],
}

impl<'a> ScanData<'a> {
    /// Splits the bytes that follow a scan's header. A restart marker out of order is an error.
    pub(super) fn split(data: &'a [u8], restart_interval: Option<usize>) -> Result<Self, CodecError> {
        let mut scan =
            Self { bytes: Vec::with_capacity(data.len()), segments: Vec::new(), ends_early: true, rest: &[] };
        let (mut at, mut start) = (0, 0);
        while let Some(offset) = memchr::memchr(0xFF, &data[at..]) {
            scan.bytes.extend_from_slice(&data[at..at + offset]);
            at += offset;
            match data.get(at + 1) {
                Some(0) => {
                    scan.bytes.push(0xFF);
                    at += 2;
                }
                // The first of two is a fill byte before a marker.
                Some(0xFF) => at += 1,
                Some(&marker @ 0xD0..=0xD7) => {
                    if restart_interval.is_none() {
                        return Err(damaged("it has a restart marker without a restart interval"));
                    }
                    if usize::from(marker - 0xD0) != scan.segments.len() % 8 {
                        return Err(damaged(format!("restart marker {} is out of order", scan.segments.len() + 1)));
                    }
                    scan.segments.push(start..scan.bytes.len());
                    start = scan.bytes.len();
                    at += 2;
                }
                end => {
                    scan.ends_early = end.is_none();
                    scan.rest = if end.is_some() { &data[at..] } else { &[] };
                    scan.segments.push(start..scan.bytes.len());
                    return Ok(scan);
                }
            }
        }
        scan.bytes.extend_from_slice(&data[at..]);
        scan.segments.push(start..scan.bytes.len());
        Ok(scan)
    }

    /// The segments between restart markers.
    pub(super) fn segments(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.segments.iter().map(|range| &self.bytes[range.clone()])
    }

    /// Checks the number of segments against that of a frame's restart intervals.
    pub(super) fn check_count(&self, expected: usize) -> Result<(), CodecError> {
        match self.segments.len() {
            count if count == expected => Ok(()),
            count if count < expected && self.ends_early => Err(super::ENDS_EARLY),
            count => Err(damaged(format!("{} restart markers instead of {}", count - 1, expected - 1))),
        }
    }

    /// The error of a segment whose data do not suffice.
    pub(super) fn too_short(&self, segment: usize) -> CodecError {
        if self.ends_early && segment + 1 == self.segments.len() {
            return super::ENDS_EARLY;
        }
        damaged("a marker cuts the scan's data off")
    }
}
