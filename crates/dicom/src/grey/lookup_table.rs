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
