//! Huffman tables of a JPEG and the decoding of their codes (T.81 annexes C and F.2.2.3).

use super::bit_reader::BitReader;
use super::damaged;
use crate::codec::codec_error::CodecError;

const LOOKUP_BITS: u32 = 12;
const LONGEST_CODE: u32 = 16;

/// A table of codes of up to 16 bits.
pub(super) struct HuffmanTable {
    /// Per first 12 bits: the length of the code in the high byte, its value in the low one; 0 for longer codes.
    lookup: Box<[u16; 1 << LOOKUP_BITS]>,
    /// Per length: the first code after those of this length, shifted to 16 bits.
    limits: [u32; 17],
    /// Per length: the index of the first value minus the first code.
    offsets: [i32; 17],
    values: Vec<u8>,
}

impl HuffmanTable {
    /// Makes a table from the number of codes of each length, and their values. Too many codes are an error.
    pub(super) fn new(counts: &[u8; 16], values: &[u8]) -> Result<Self, CodecError> {
        let mut table = Self {
            lookup: Box::new([0; 1 << LOOKUP_BITS]),
            limits: [0; 17],
            offsets: [0; 17],
            values: values.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..).zip(counts) {
            table.offsets[length as usize] = index as i32 - code as i32;
            for _ in 0..count {
                if code >> length != 0 {
                    return Err(damaged("a Huffman table has more codes than fit"));
                }
                if length <= LOOKUP_BITS {
                    let free = LOOKUP_BITS - length;
                    let entry = (length as u16) << 8 | u16::from(values[index]);
                    table.lookup[(code << free) as usize..((code + 1) << free) as usize].fill(entry);
                }
                code += 1;
                index += 1;
            }
            table.limits[length as usize] = code << (LONGEST_CODE - length);
            code <<= 1;
        }
        Ok(table)
    }

    /// Takes a code and returns its value; `None` if no code begins so. 16 bits must be available.
    #[inline]
    pub(super) fn decode(&self, reader: &mut BitReader<'_>) -> Option<u8> {
        let entry = self.lookup[reader.peek(LOOKUP_BITS) as usize];
        if entry != 0 {
            reader.skip(u32::from(entry >> 8));
            return Some(entry as u8);
        }
        self.decode_long(reader)
    }

    #[cold]
    fn decode_long(&self, reader: &mut BitReader<'_>) -> Option<u8> {
        let next = reader.peek(LONGEST_CODE);
        let length = (LOOKUP_BITS + 1..=LONGEST_CODE).find(|&length| next < self.limits[length as usize])?;
        let index = (next >> (LONGEST_CODE - length)) as i32 + self.offsets[length as usize];
        reader.skip(length);
        self.values.get(usize::try_from(index).ok()?).copied()
    }

    /// The values of all codes.
    pub(super) fn values(&self) -> &[u8] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(table: &HuffmanTable, bytes: &[u8]) -> Option<u8> {
        let mut reader = BitReader::new(bytes);
        reader.refill();
        table.decode(&mut reader)
    }

    #[test]
    fn short_and_long_codes_are_decoded() {
        // 0, 10, and fourteen bits: 11 0000 0000 0000 and the next one.
        let mut counts = [0; 16];
        (counts[0], counts[1], counts[13]) = (1, 1, 2);
        let table = HuffmanTable::new(&counts, &[5, 6, 7, 8]).unwrap();
        assert_eq!(decode(&table, &[0b0111_1111]), Some(5));
        assert_eq!(decode(&table, &[0b1011_1111]), Some(6));
        assert_eq!(decode(&table, &[0b1100_0000, 0b0000_0011]), Some(7));
        assert_eq!(decode(&table, &[0b1100_0000, 0b0000_0111]), Some(8));
        assert_eq!(decode(&table, &[0xFF, 0xFF]), None);
    }

    #[test]
    fn too_many_codes_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 2;
        assert!(HuffmanTable::new(&counts, &[1, 2]).is_ok());
        counts[5] = 1;
        assert!(HuffmanTable::new(&counts, &[1, 2, 3]).is_err());
    }
}
