//! Decoding of lossless JPEG, process 14 (T.81 annex H).

use super::bit_reader::BitReader;
use super::huffman::HuffmanTable;
use super::predictor::predict;
use super::{CodecError, FrameLayout, Header, ScanData, damaged, unsupported};

const LOOKUP_BITS: u32 = 12;

/// A Huffman table of differences that also resolves short codes together with the bits that follow them.
struct DifferenceTable<'a> {
    codes: &'a HuffmanTable,
    /// Per first 12 bits: the difference in the upper half, the number of bits in the lower one; 0 if they do not suffice.
    lookup: Vec<u32>,
}

impl<'a> DifferenceTable<'a> {
    fn new(codes: &'a HuffmanTable) -> Result<Self, CodecError> {
        if codes.values().iter().any(|&size| size > 16) {
            return Err(damaged("a difference of more than 16 bits"));
        }
        let entry = |first: u32| {
            let bytes = ((first << (32 - LOOKUP_BITS)) as u32).to_be_bytes();
            let mut reader = BitReader::new(&bytes);
            reader.refill();
            let before = reader.available();
            let difference = Self::read(codes, &mut reader);
            let length = before - reader.available();
            difference.filter(|_| length <= LOOKUP_BITS).map_or(0, |value| u32::from(value as u16) << 16 | length)
        };
        Ok(Self { codes, lookup: (0..1 << LOOKUP_BITS).map(entry).collect() })
    }

    /// Takes a difference modulo 2^16; `None` if no code begins so.
    #[inline]
    fn decode(&self, reader: &mut BitReader<'_>) -> Option<i32> {
        reader.refill();
        let entry = self.lookup[reader.peek(LOOKUP_BITS) as usize];
        if entry != 0 {
            reader.skip(entry & 0xFFFF);
            return Some((entry >> 16) as i32);
        }
        Self::read(self.codes, reader)
    }

    fn read(codes: &HuffmanTable, reader: &mut BitReader<'_>) -> Option<i32> {
        Some(match codes.decode(reader)? {
            16 => 1 << 15,
            size => reader.extended(u32::from(size)),
        })
    }
}

/// The two rows that prediction needs, and the code table.
struct RowDecoder<'a> {
    table: DifferenceTable<'a>,
    /// The prediction of the first sample of a restart interval.
    start: i32,
    above: Vec<u16>,
    row: Vec<u16>,
}

impl RowDecoder<'_> {
    /// Decodes a row; `None` if a code is invalid. The first row of an interval is predicted from the left only.
    fn decode(&mut self, reader: &mut BitReader<'_>, first: bool, predictor: u8) -> Option<()> {
        std::mem::swap(&mut self.above, &mut self.row);
        if first {
            return self.decode_first(reader);
        }
        match predictor {
            1 => self.decode_next::<1>(reader),
            2 => self.decode_next::<2>(reader),
            3 => self.decode_next::<3>(reader),
            4 => self.decode_next::<4>(reader),
            5 => self.decode_next::<5>(reader),
            6 => self.decode_next::<6>(reader),
            _ => self.decode_next::<7>(reader),
        }
    }

    fn decode_first(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        let mut left = self.start;
        for sample in &mut self.row {
            *sample = (left + self.table.decode(reader)?) as u16;
            left = i32::from(*sample);
        }
        Some(())
    }

    fn decode_next<const PREDICTOR: u8>(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        let mut corner = i32::from(self.above[0]);
        let mut left = (corner + self.table.decode(reader)?) & 0xFFFF;
        self.row[0] = left as u16;
        for (sample, &above) in self.row.iter_mut().zip(&self.above).skip(1) {
            let above = i32::from(above);
            let prediction = predict::<PREDICTOR>(left, above, corner);
            left = (prediction + self.table.decode(reader)?) & 0xFFFF;
            *sample = left as u16;
            corner = above;
        }
        Some(())
    }
}

/// Decodes the samples of a lossless scan.
pub(super) fn decode(header: &Header, scan: &ScanData<'_>, layout: FrameLayout) -> Result<Vec<i32>, CodecError> {
    let FrameLayout { rows, columns, .. } = layout;
    let interval_rows = match header.restart_interval {
        Some(interval) if interval % columns != 0 => {
            return Err(unsupported("a restart interval that is not a number of whole rows"));
        }
        Some(interval) => interval / columns,
        None => rows,
    };
    scan.check_count(rows.div_ceil(interval_rows))?;
    let bits = header.precision - header.point_transform;
    let mut decoder = RowDecoder {
        table: DifferenceTable::new(&header.dc)?,
        start: 1 << (bits - 1),
        above: vec![0; columns],
        row: vec![0; columns],
    };
    let mut samples = Vec::with_capacity(layout.pixels());
    for (index, segment) in scan.segments().enumerate() {
        let mut reader = BitReader::new(segment);
        for row in index * interval_rows..((index + 1) * interval_rows).min(rows) {
            let decoded = decoder.decode(&mut reader, row == index * interval_rows, header.predictor);
            if reader.overran() {
                return Err(scan.too_short(index));
            }
            decoded.ok_or_else(|| damaged(format!("an invalid code in row {}", row + 1)))?;
            if decoder.row.iter().any(|&sample| u32::from(sample) >> bits != 0) {
                return Err(damaged(format!("a sample of more than {bits} bits in row {}", row + 1)));
            }
            samples.extend(decoder.row.iter().map(|&sample| i32::from(sample) << header.point_transform));
        }
        if !reader.only_padding_is_left() {
            return Err(damaged("data are left over after the last sample"));
        }
    }
    Ok(samples)
}
