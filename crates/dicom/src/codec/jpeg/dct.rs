//! Decoding of sequential DCT scans of 8 or 12 bits (T.81 annex F).

use super::bit_reader::BitReader;
use super::huffman::HuffmanTable;
use super::inverse_dct::{InverseDct, ZIGZAG};
use super::{CodecError, FrameLayout, Header, ScanData, damaged};

const SIDE: usize = 8;

/// Added before samples are rounded down. Ties are common, since a block may have a DC coefficient only, and are rounded up
/// as by other decoders; so a little more than a half makes up for the transform's own error.
const HALF_UP: f32 = 0.5001;

/// The tables of the scan, and the previous block's DC coefficient.
struct BlockDecoder<'a> {
    dc: &'a HuffmanTable,
    ac: &'a HuffmanTable,
    quantization: &'a [u16; 64],
    previous_dc: i32,
}

impl BlockDecoder<'_> {
    /// Takes a block's dequantized coefficients; `None` if a code is invalid.
    fn decode(&mut self, reader: &mut BitReader<'_>) -> Option<[f32; 64]> {
        let mut coefficients = [0.0; 64];
        reader.refill();
        let size = self.dc.decode(reader).filter(|&size| size < 16)?;
        // Wrapping, as damage may make it grow without bound.
        self.previous_dc = self.previous_dc.wrapping_add(reader.extended(u32::from(size)));
        coefficients[0] = self.previous_dc as f32 * f32::from(self.quantization[0]);
        let mut position = 1;
        while position < 64 {
            reader.refill();
            let code = self.ac.decode(reader)?;
            let (run, size) = (usize::from(code >> 4), code & 15);
            match (run, size) {
                (0, 0) => break,
                (15, 0) => position += 16,
                (_, 0) => return None,
                _ => {
                    position += run;
                    let target = usize::from(*ZIGZAG.get(position)?);
                    let value = reader.extended(u32::from(size));
                    coefficients[target] = value as f32 * f32::from(self.quantization[position]);
                    position += 1;
                }
            }
        }
        Some(coefficients)
    }
}

/// Decodes the samples of a sequential scan, clamped to the precision.
pub(super) fn decode(header: &Header, scan: &ScanData<'_>, layout: FrameLayout) -> Result<Vec<i32>, CodecError> {
    let FrameLayout { rows, columns, .. } = layout;
    let quantization = header.quantization.as_ref();
    let quantization =
        quantization.ok_or_else(|| damaged("the frame refers to a quantization table that is not defined"))?;
    let ac = header.ac.as_ref().expect("a DCT scan has it");
    let mut decoder = BlockDecoder { dc: &header.dc, ac, quantization, previous_dc: 0 };
    // The blocks of a scan of one component are counted without regard to its sampling factors.
    let blocks_across = columns.div_ceil(SIDE);
    let blocks = blocks_across * rows.div_ceil(SIDE);
    let interval = header.restart_interval.unwrap_or(blocks);
    scan.check_count(blocks.div_ceil(interval))?;
    let transform = InverseDct::new();
    let (center, largest) = (1_i32 << (header.precision - 1), (1_i32 << header.precision) - 1);
    let mut samples = vec![0; layout.pixels()];
    for (index, segment) in scan.segments().enumerate() {
        let mut reader = BitReader::new(segment);
        decoder.previous_dc = 0;
        for block in index * interval..((index + 1) * interval).min(blocks) {
            let coefficients = decoder.decode(&mut reader);
            if reader.overran() {
                return Err(scan.too_short(index));
            }
            let (top, left) = (block / blocks_across * SIDE, block % blocks_across * SIDE);
            let place = || damaged(format!("an invalid code near row {}, column {}", top + 1, left + 1));
            let values = transform.transform(&coefficients.ok_or_else(place)?);
            let width = SIDE.min(columns - left);
            for (row, line) in (top..rows).zip(values.as_chunks::<SIDE>().0) {
                let target = &mut samples[row * columns + left..][..width];
                for (sample, value) in target.iter_mut().zip(line) {
                    *sample = ((value + HALF_UP).floor() as i32 + center).clamp(0, largest);
                }
            }
        }
        if !reader.only_padding_is_left() {
            return Err(damaged("data are left over after the last block"));
        }
    }
    Ok(samples)
}
