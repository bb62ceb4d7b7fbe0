//! The marker segments of a JPEG up to its scan (T.81 annex B).

use super::huffman::HuffmanTable;
use super::{ENDS_EARLY, damaged, unsupported};
use crate::codec::segment_reader::SegmentReader;
use crate::codec::{CodecError, Codestream, FrameLayout};

/// The kind of coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// Baseline or extended sequential, of 8 or 12 bits.
    Dct,
    /// Process 14, of 2 to 16 bits.
    Lossless,
}

/// All that precedes the entropy-coded data of the only scan.
pub(super) struct Header {
    pub(super) process: Process,
    pub(super) precision: u8,
    /// MCUs between restart markers: samples (lossless) or blocks of 8 × 8 (DCT). None without restart markers.
    pub(super) restart_interval: Option<usize>,
    /// The scan's table of DC coefficients, or of differences.
    pub(super) dc: HuffmanTable,
    pub(super) ac: Option<HuffmanTable>,
    /// The component's quantization table in zigzag order.
    pub(super) quantization: Option<[u16; 64]>,
    /// The predictor of a lossless scan, 1 to 7.
    pub(super) predictor: u8,
    /// The number of low bits that a lossless scan leaves out.
    pub(super) point_transform: u8,
    /// Offset of the entropy-coded data.
    pub(super) scan_start: usize,
}

#[derive(Clone, Copy)]
struct Frame {
    process: Process,
    precision: u8,
    component: u8,
    quantization: usize,
}

#[derive(Default)]
struct Tables {
    dc: [Option<HuffmanTable>; 4],
    ac: [Option<HuffmanTable>; 4],
    quantization: [Option<[u16; 64]>; 4],
    restart_interval: usize,
}

impl Header {
    /// Reads the segments up to and including the start of the scan.
    pub(super) fn parse(codestream: &[u8], layout: FrameLayout) -> Result<Self, CodecError> {
        if codestream.len() < 2 {
            return Err(ENDS_EARLY);
        }
        if !codestream.starts_with(&[0xFF, 0xD8]) {
            return Err(damaged("it does not begin with a start-of-image marker"));
        }
        let mut reader = SegmentReader { kind: Codestream::Jpeg, codestream, position: 2 };
        let (mut tables, mut frame) = (Tables::default(), None);
        loop {
            match reader.next()? {
                (0xC4, segment) => tables.read_huffman(segment)?,
                (0xDB, segment) => tables.read_quantization(segment)?,
                (0xDD, segment) => {
                    let interval: [u8; 2] =
                        segment.try_into().map_err(|_| damaged("a restart interval of bad length"))?;
                    tables.restart_interval = usize::from(u16::from_be_bytes(interval));
                }
                (marker @ (0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF), segment) => {
                    if frame.is_some() {
                        return Err(damaged("it has two frame headers"));
                    }
                    frame = Some(Frame::read(marker, segment, layout)?);
                }
                (0xDA, segment) => {
                    let frame = frame.ok_or_else(|| damaged("a scan precedes the frame header"))?;
                    return Self::from_scan(segment, frame, tables, reader.position);
                }
                (0xCC, _) => return Err(unsupported("arithmetic coding")),
                (0xDC, _) => return Err(unsupported("the number of lines follows the scan")),
                (0xDE | 0xDF, _) => return Err(unsupported("hierarchical coding")),
                (0xE0..=0xEF | 0xFE, _) => {}
                (marker, _) => return Err(damaged(format!("the marker FF{marker:02X} precedes the scan"))),
            }
        }
    }

    fn from_scan(segment: &[u8], frame: Frame, mut tables: Tables, scan_start: usize) -> Result<Self, CodecError> {
        let &[1, component, selected, start, _, approximation] = segment else {
            return Err(damaged("the scan's header does not describe one component"));
        };
        if component != frame.component {
            return Err(damaged("the scan is of a component that the frame does not have"));
        }
        let (dc, ac) = (usize::from(selected >> 4), usize::from(selected & 15));
        let missing = || damaged("the scan refers to a Huffman table that is not defined");
        let lossless = frame.process == Process::Lossless;
        let dc = tables.dc.get_mut(dc).and_then(Option::take).ok_or_else(missing)?;
        let ac = tables.ac.get_mut(ac).and_then(Option::take);
        if !lossless && ac.is_none() {
            return Err(missing());
        }
        let (predictor, point_transform) = (start, approximation & 15);
        if lossless && !(1..=7).contains(&predictor) {
            return Err(damaged(format!("the predictor is {predictor}, not 1 to 7")));
        }
        if lossless && (point_transform >= frame.precision || approximation >> 4 != 0) {
            return Err(damaged("a point transform that leaves no bits"));
        }
        // A sequential scan codes all coefficients, whatever range it states: some encoders write 0 to 0.
        Ok(Self {
            process: frame.process,
            precision: frame.precision,
            restart_interval: (tables.restart_interval > 0).then_some(tables.restart_interval),
            dc,
            ac,
            quantization: tables.quantization[frame.quantization],
            predictor,
            point_transform,
            scan_start,
        })
    }
}

impl Frame {
    fn read(marker: u8, segment: &[u8], layout: FrameLayout) -> Result<Self, CodecError> {
        let process = match marker {
            0xC0 | 0xC1 => Process::Dct,
            0xC3 => Process::Lossless,
            0xC2 => return Err(unsupported("progressive coding")),
            0xC5..=0xC7 => return Err(unsupported("hierarchical coding")),
            _ => return Err(unsupported("arithmetic coding")),
        };
        let &[precision, row_high, row_low, column_high, column_low, components, ref specifications @ ..] = segment
        else {
            return Err(damaged("the frame header is too short"));
        };
        if components != 1 {
            return Err(CodecError::NotGrey { components: usize::from(components) });
        }
        let rows = usize::from(u16::from_be_bytes([row_high, row_low]));
        let columns = usize::from(u16::from_be_bytes([column_high, column_low]));
        if rows == 0 {
            return Err(unsupported("the number of lines follows the scan"));
        }
        layout.check(columns, rows, precision)?;
        let precisions = match (marker, process) {
            (0xC0, _) => 8..=8,
            (_, Process::Dct) => 8..=12,
            (_, Process::Lossless) => 2..=16,
        };
        if !precisions.contains(&precision) || (process == Process::Dct && precision != 8 && precision != 12) {
            return Err(damaged(format!("{precision} bits per sample do not exist in its process")));
        }
        let &[component, _, quantization @ 0..4] = specifications else {
            return Err(damaged("the frame header does not describe one component"));
        };
        Ok(Self { process, precision, component, quantization: usize::from(quantization) })
    }
}

impl Tables {
    fn read_huffman(&mut self, mut segment: &[u8]) -> Result<(), CodecError> {
        let short = || damaged("a Huffman table is cut off");
        while let Some(&target) = segment.split_off_first() {
            let counts: &[u8; 16] = segment.split_off(..16).ok_or_else(short)?.try_into().expect("sixteen bytes");
            let number = counts.iter().map(|&count| usize::from(count)).sum();
            let values = segment.split_off(..number).ok_or_else(short)?;
            let tables = match target >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(damaged("a Huffman table of an unknown class")),
            };
            let place = tables.get_mut(usize::from(target & 15));
            let place = place.ok_or_else(|| damaged("a Huffman table has a number above 3"))?;
            *place = Some(HuffmanTable::new(counts, values)?);
        }
        Ok(())
    }

    fn read_quantization(&mut self, mut segment: &[u8]) -> Result<(), CodecError> {
        let short = || damaged("a quantization table is cut off");
        while let Some(&target) = segment.split_off_first() {
            let mut table = [0_u16; 64];
            match target >> 4 {
                0 => {
                    let bytes = segment.split_off(..64).ok_or_else(short)?;
                    table.iter_mut().zip(bytes).for_each(|(factor, &byte)| *factor = u16::from(byte));
                }
                1 => {
                    let words = segment.split_off(..128).ok_or_else(short)?.as_chunks::<2>().0;
                    table.iter_mut().zip(words).for_each(|(factor, word)| *factor = u16::from_be_bytes(*word));
                }
                _ => return Err(damaged("a quantization table of an unknown precision")),
            }
            if table.contains(&0) {
                return Err(damaged("a quantization table has a factor of 0"));
            }
            let place = self.quantization.get_mut(usize::from(target & 15));
            *place.ok_or_else(|| damaged("a quantization table has a number above 3"))? = Some(table);
        }
        Ok(())
    }
}

/// Checks what follows the scan: nothing, or the end of the image and padding.
pub(super) fn check_end(rest: &[u8]) -> Result<(), CodecError> {
    let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
    let mut reader = SegmentReader { kind: Codestream::Jpeg, codestream: rest, position: 0 };
    match rest.get(fill) {
        None => Ok(()),
        Some(0xD9) if rest[fill + 1..].iter().all(|&byte| byte == 0 || byte == 0xFF) => Ok(()),
        Some(0xD9) => Err(damaged("data follow the end of the image")),
        Some(0xDA) => Err(unsupported("several scans")),
        Some(0xDC) => Err(unsupported("the number of lines follows the scan")),
        // A cut within a comment after the whole scan is not an error of the image.
        Some(0xC4 | 0xDB | 0xE0..=0xEF | 0xFE) => match reader.next() {
            Ok(_) => check_end(&rest[reader.position..]),
            Err(CodecError::EndsEarly(_)) => Ok(()),
            Err(error) => Err(error),
        },
        Some(marker) => Err(damaged(format!("the marker FF{marker:02X} ends the scan"))),
    }
}
