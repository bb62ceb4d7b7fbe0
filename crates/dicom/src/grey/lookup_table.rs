//! Lookup tables of DICOM (PS3.3, C.11.1 and C.11.2).

use crate::file::data_set::DataSet;
use crate::file::tag;
use crate::header::finding::GreyFault;

/// A lookup table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupTable {
    /// The input value of the first entry.
    first: i32,
    /// Bits of an entry.
    bits: u32,
    entries: Vec<u16>,
}

impl LookupTable {
    /// The table in an item of a sequence. `table` is its kind, for errors: modality or VOI. `signed` tells whether the
    /// input values are signed.
    pub(crate) fn of(item: &DataSet<'_>, table: &'static str, signed: bool) -> Result<Self, GreyFault> {
        let descriptor = item.shorts(tag::LUT_DESCRIPTOR).unwrap_or_default();
        let &[count, first, bits] = descriptor.as_slice() else { return Err(GreyFault::LutDescriptor { table }) };
        if !(1..=16).contains(&bits) {
            return Err(GreyFault::LutDescriptor { table });
        }
        let count = if count == 0 { 1 << 16 } else { usize::from(count) };
        let bytes = item.bytes(tag::LUT_DATA).unwrap_or_default();
        // Entries of up to 8 bits may be packed.
        let packed = bits <= 8 && bytes.len() < 2 * count;
        let there = if packed { bytes.len() } else { bytes.len() / 2 };
        if there < count {
            return Err(GreyFault::LutLength { table, stated: count, there });
        }
        let mut entries = if packed {
            bytes.iter().copied().map(u16::from).collect()
        } else {
            item.shorts(tag::LUT_DATA).unwrap_or_default()
        };
        entries.truncate(count);
        if entries.len() < count {
            return Err(GreyFault::LutLength { table, stated: count, there: entries.len() });
        }
        let first = if signed { i32::from(first.cast_signed()) } else { i32::from(first) };
        Ok(Self { first, bits: bits.into(), entries })
    }

    /// The entry of a value; values before and after the table have its first and last entry.
    #[must_use]
    pub fn entry(&self, value: i32) -> u16 {
        let last = self.entries.len() as i64 - 1;
        let index = (i64::from(value) - i64::from(self.first)).clamp(0, last);
        self.entries[index as usize]
    }

    /// The largest value that an entry of these bits can have.
    #[must_use]
    pub fn white(&self) -> f64 {
        f64::from((1_u32 << self.bits) - 1)
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there are no entries, which a table that was read never has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::structure::{Notation, read_elements};
    use crate::file::test_elements::elements;

    fn table(descriptor: [u16; 3], data: &[u8], signed: bool) -> Result<LookupTable, GreyFault> {
        let descriptor: Vec<u8> = descriptor.iter().flat_map(|word| word.to_le_bytes()).collect();
        let bytes = elements(&[(tag::LUT_DESCRIPTOR, &descriptor), (tag::LUT_DATA, data)]);
        let (item, fault) = read_elements(&bytes, Notation::IMPLICIT_LITTLE);
        assert_eq!(fault, None);
        LookupTable::of(&item, "VOI", signed)
    }

    #[test]
    fn values_outside_have_the_first_and_last_entry() {
        let table = table([3, 300, 12], &[1, 0, 2, 0, 9, 0], false).unwrap();
        let entries: Vec<u16> = [0, 299, 300, 301, 302, 303, 5000].map(|value| table.entry(value)).to_vec();
        assert_eq!(entries, [1, 1, 1, 2, 9, 9, 9]);
        assert_eq!((table.white(), table.len()), (4095.0, 3));
    }

    #[test]
    fn entries_of_eight_bits_may_be_packed() {
        assert_eq!(table([4, 0, 8], &[1, 2, 3, 255], false).unwrap().entry(3), 255);
        assert_eq!(table([2, 0, 8], &[7, 0, 255, 0], false).unwrap().entry(1), 255, "two bytes each");
    }

    #[test]
    fn signed_inputs_begin_below_zero() {
        assert_eq!(table([2, 0xFFFF, 12], &[5, 0, 6, 0], true).unwrap().entry(-1), 5);
        assert_eq!(table([2, 0xFFFF, 12], &[5, 0, 6, 0], false).unwrap().entry(-1), 5, "65535 and below");
    }

    #[test]
    fn tables_that_lie_are_errors() {
        assert_eq!(
            table([4096, 0, 12], &[0; 32], false).unwrap_err().to_string(),
            "the VOI LUT says 4096 entries and has 16"
        );
        // 0 stands for 65,536 entries.
        assert!(matches!(
            table([0, 0, 16], &[0; 8], false),
            Err(GreyFault::LutLength { stated: 65_536, there: 4, .. })
        ));
        assert!(matches!(table([2, 0, 0], &[0; 8], false), Err(GreyFault::LutDescriptor { .. })));
        assert!(matches!(table([2, 0, 17], &[0; 8], false), Err(GreyFault::LutDescriptor { .. })));
    }
}
