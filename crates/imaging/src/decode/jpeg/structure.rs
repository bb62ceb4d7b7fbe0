//! The markers of a JPEG file, read without decoding it (ITU-T T.81, annex B).
//!
//! Decoders silently fill missing data with grey. The scans that a file has and its end marker show if anything is
//! missing.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use memchr::memchr;

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
/// Coefficients of a block of 8 × 8 pixels; the first is its mean (DC).
const COEFFICIENTS: usize = 64;
/// The most scans in a file. Encoders write about ten, and each costs a pass over all blocks.
pub(super) const MAX_SCANS: usize = 100;

/// The coding process that the start-of-frame marker announces (T.81, table B.1; JPEG-LS: ITU-T T.87).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// Baseline or extended sequential, Huffman-coded.
    Sequential,
    /// Progressive, Huffman-coded.
    Progressive,
    /// The name of an unsupported process.
    Other(&'static str),
}

impl Process {
    /// The process of a start-of-frame marker; `None` for any other marker.
    fn of_marker(marker: u8) -> Option<Self> {
        Some(match marker {
            0xc0 | 0xc1 => Self::Sequential,
            0xc2 => Self::Progressive,
            0xc3 => Self::Other("lossless JPEG"),
            0xc5..=0xc7 => Self::Other("hierarchical JPEG"),
            0xc9..=0xcb => Self::Other("arithmetic-coded JPEG"),
            0xcd..=0xcf => Self::Other("hierarchical arithmetic-coded JPEG"),
            0xf7 => Self::Other("JPEG-LS"),
            _ => return None,
        })
    }
}

/// The frame header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) process: Process,
    /// Bits per sample.
    pub(crate) bits: u8,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Identifiers of the components: 1 for grey, 3 for colour, 4 for CMYK.
    pub(crate) components: Vec<u8>,
}

/// Reads the frame header of a file, skipping the segments before it.
pub(crate) fn read_frame(file: &mut (impl Read + Seek)) -> io::Result<Frame> {
    file.seek(SeekFrom::Start(2))?;
    loop {
        let mut byte = [0];
        while byte[0] != 0xff {
            file.read_exact(&mut byte)?;
        }
        while byte[0] == 0xff {
            file.read_exact(&mut byte)?;
        }
        let marker = byte[0];
        if is_bare(marker) {
            continue;
        }
        let mut length = [0; 2];
        file.read_exact(&mut length)?;
        let length = u16::from_be_bytes(length).saturating_sub(2);
        let Some(process) = Process::of_marker(marker) else {
            file.seek(SeekFrom::Current(i64::from(length)))?;
            continue;
        };
        let mut segment = vec![0; usize::from(length)];
        file.read_exact(&mut segment)?;
        let [bits, height_high, height_low, width_high, width_low, count, components @ ..] = segment.as_slice() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let components = components.chunks_exact(3).take(usize::from(*count)).map(|component| component[0]).collect();
        let (width, height) =
            (u16::from_be_bytes([*width_high, *width_low]), u16::from_be_bytes([*height_high, *height_low]));
        return Ok(Frame { process, bits: *bits, width, height, components });
    }
}

/// True for markers without a segment.
fn is_bare(marker: u8) -> bool {
    matches!(marker, 0x00 | 0x01 | 0xd0..=START_OF_IMAGE)
}

/// A fault in the scans of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ScanFault {
    /// No end-of-image marker follows the last scan.
    NoEnd,
    /// More than [`MAX_SCANS`] scans.
    TooMany,
    /// The file has an end marker but not all of its scans: it was cut off and closed again.
    Missing { what: String },
}

/// Checks that the scans of a file are complete.
///
/// The segments before and between scans are skipped by their lengths, so that the end of an embedded thumbnail is not
/// taken for the end of the picture.
pub(super) fn check_scans(bytes: &[u8], frame: &Frame) -> Result<(), ScanFault> {
    let mut coverage = Coverage::of(frame);
    let mut scans = 0;
    let mut at = 2;
    while let Some(&[prefix, marker, ..]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk::<2>()) {
        match (prefix, marker) {
            (0xff, 0xff) => at += 1,
            (0xff, END_OF_IMAGE) if scans > 0 => return coverage.complete(),
            (0xff, marker) if is_bare(marker) => at += 2,
            (0xff, marker) => {
                let Some(length) = bytes.get(at + 2..at + 4) else { break };
                let length = usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
                if marker == START_OF_SCAN {
                    scans += 1;
                    if scans > MAX_SCANS {
                        return Err(ScanFault::TooMany);
                    }
                    coverage.add(bytes.get(at + 4..at + 2 + length).unwrap_or_default());
                }
                at += 2 + length;
            }
            // Coded data of a scan, or bytes between segments: skip to the next marker.
            _ => match bytes.get(at..).and_then(|rest| memchr(0xff, rest)) {
                Some(distance) => at += distance,
                None => break,
            },
        }
    }
    Err(ScanFault::NoEnd)
}

/// The coefficients that the scans have transmitted.
struct Coverage {
    progressive: bool,
    /// By component: the lowest transmitted bit of each coefficient, `None` before the first.
    lowest_bits: BTreeMap<u8, [Option<u8>; COEFFICIENTS]>,
}

impl Coverage {
    fn of(frame: &Frame) -> Self {
        let lowest_bits = frame.components.iter().map(|&component| (component, [None; COEFFICIENTS])).collect();
        Self { progressive: frame.process == Process::Progressive, lowest_bits }
    }

    /// Adds a scan by its header: the number of components, two bytes for each of them, the first and the last
    /// coefficient, and a byte whose lower half is the lowest bit (T.81, B.2.3).
    fn add(&mut self, header: &[u8]) {
        let Some((&count, rest)) = header.split_first() else { return };
        let Some((components, &[first, last, bits, ..])) = rest.split_at_checked(2 * usize::from(count)) else {
            return;
        };
        let (first, last, lowest) = if self.progressive { (first, last, bits & 15) } else { (0, 63, 0) };
        for component in components.chunks_exact(2) {
            let Some(coefficients) = self.lowest_bits.get_mut(&component[0]) else { continue };
            for bit in coefficients.iter_mut().take(usize::from(last) + 1).skip(usize::from(first)) {
                *bit = Some(bit.map_or(lowest, |bit| bit.min(lowest)));
            }
        }
    }

    fn complete(self) -> Result<(), ScanFault> {
        let scans_missing = |what: String| Err(ScanFault::Missing { what });
        let absent = self.lowest_bits.values().filter(|bits| bits.iter().all(Option::is_none)).count();
        if absent > 0 {
            return scans_missing(format!("{absent} of its {} components", self.lowest_bits.len()));
        }
        let unfinished = self.lowest_bits.values().flatten().filter(|bit| **bit != Some(0)).count();
        if unfinished > 0 {
            let all = self.lowest_bits.len() * COEFFICIENTS;
            return scans_missing(format!("the last scans of {unfinished} of its {all} coefficients"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn frame(process: Process, components: &[u8]) -> Frame {
        Frame { process, bits: 8, width: 16, height: 8, components: components.to_vec() }
    }

    fn scan(components: &[u8], first: u8, last: u8, bits: u8) -> Vec<u8> {
        let selectors: Vec<u8> = components.iter().flat_map(|&component| [component, 0]).collect();
        let length = (6 + selectors.len()) as u8;
        [&[0xff, 0xda, 0, length, components.len() as u8][..], &selectors, &[first, last, bits], &[0x12, 0xff, 0, 0x34]]
            .concat()
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_image() {
        let start = [0xff, 0xd8];
        let thumbnail = [0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, 0xd9];
        let end = [0xff, 0xd9];
        let whole = [&start[..], &thumbnail, &scan(&[1], 0, 63, 0), &end].concat();
        let grey = frame(Process::Sequential, &[1]);
        assert_eq!(check_scans(&whole, &grey), Ok(()));
        for length in 0..whole.len() {
            let cut = check_scans(&whole[..length], &grey);
            assert_eq!(cut, Err(ScanFault::NoEnd), "{length} of {} bytes", whole.len());
        }
        assert_eq!(check_scans(&[&whole[..], b"bytes of a camera after the end"].concat(), &grey), Ok(()));
    }

    #[test]
    fn every_component_needs_a_scan() {
        let colour = frame(Process::Sequential, &[1, 2, 3]);
        let [one, two, three] = [1, 2, 3].map(|component| scan(&[component], 0, 63, 0));
        let file = |scans: &[&Vec<u8>]| {
            let mut bytes = vec![0xff, 0xd8];
            for &scan in scans {
                bytes.extend(scan);
            }
            [&bytes[..], &[0xff, 0xd9]].concat()
        };
        assert_eq!(check_scans(&file(&[&one, &two, &three]), &colour), Ok(()));
        assert_eq!(check_scans(&file(&[&scan(&[1, 2, 3], 0, 63, 0)]), &colour), Ok(()));
        let what = "1 of its 3 components".to_owned();
        assert_eq!(check_scans(&file(&[&one, &two]), &colour), Err(ScanFault::Missing { what }));
        assert_eq!(check_scans(&file(&vec![&one; 101]), &colour), Err(ScanFault::TooMany));
    }

    #[test]
    fn a_progressive_image_is_complete_when_every_coefficient_is() {
        let grey = frame(Process::Progressive, &[1]);
        let file = |scans: &[(u8, u8, u8)]| {
            let mut bytes = vec![0xff, 0xd8];
            for &(first, last, bits) in scans {
                bytes.extend(scan(&[1], first, last, bits));
            }
            [&bytes[..], &[0xff, 0xd9]].concat()
        };
        let all = [(0, 0, 0x01), (0, 0, 0x10), (1, 63, 0x02), (1, 63, 0x21), (1, 63, 0x10)];
        assert_eq!(check_scans(&file(&all), &grey), Ok(()));
        for scans in 1..all.len() {
            let cut = check_scans(&file(&all[..scans]), &grey);
            assert!(matches!(cut, Err(ScanFault::Missing { .. })), "{scans} scans: {cut:?}");
        }
    }

    #[test]
    fn frame_headers_are_found_after_other_segments() {
        let header = [0xff, 0xc0, 0, 11, 8, 0, 5, 0, 7, 1, 9, 0x11, 0];
        let with = |before: &[u8]| [&[0xff, 0xd8][..], before, &header].concat();
        let expected = Frame { process: Process::Sequential, bits: 8, width: 7, height: 5, components: vec![9] };
        for before in [&[][..], &[0xff, 0xe0, 0, 4, 0xff, 0xc2], &[0, 0, 0xff, 0xff], &[0xff, 0x01]] {
            assert_eq!(read_frame(&mut Cursor::new(with(before))).unwrap(), expected);
        }
        assert!(read_frame(&mut Cursor::new(&with(&[])[..12])).is_err());
    }
}
