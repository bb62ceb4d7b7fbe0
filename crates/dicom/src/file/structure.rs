//! The structure of a data set: its elements, sequences and items, each within the bytes that there are.
//!
//! PS3.5, chapter 7 and annex A. A length is compared with the bytes that are left before anything is done with it, and
//! values are slices of the file: a lying length costs nothing. Elements that are not read are skipped.

use super::data_set::{DataSet, Element, Value};
use super::tag::{ITEM, ITEM_DELIMITER, PIXEL_DATA, SEQUENCE_DELIMITER, Tag};

/// The deepest nesting of sequences that is read. Mammograms have at most five.
const MAX_DEPTH: usize = 64;

const UNDEFINED: u32 = u32::MAX;

/// Value representations with a 32-bit length.
const LONG_LENGTH: [&[u8; 2]; 12] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT"];

/// Value representations with a 16-bit length.
const SHORT_LENGTH: [&[u8; 2]; 22] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
    b"ST", b"TM", b"UI", b"UL", b"US", b"XX",
];

/// The encoding of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notation {
    /// Explicit value representations.
    pub explicit: bool,
    pub big_endian: bool,
}

impl Notation {
    pub(crate) const IMPLICIT_LITTLE: Self = Self { explicit: false, big_endian: false };
    pub(super) const EXPLICIT_LITTLE: Self = Self { explicit: true, big_endian: false };
    pub(super) const EXPLICIT_BIG: Self = Self { explicit: true, big_endian: true };
}

/// A fault in the structure of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StructureFault {
    #[error("the file ends within the header")]
    EndsInHeader,
    #[error("the element {tag} claims {length} bytes and only {left} are left: the file was cut off, or is damaged")]
    BeyondEnd { tag: Tag, length: u32, left: usize },
    #[error("the pixel data end early: {left} of {length} bytes are there")]
    PixelDataCut { length: u32, left: usize },
    #[error("the pixel data end early: the file ends within the encoded image")]
    EncapsulatedCut,
    #[error("sequences are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("{tag} where an item of a sequence should be")]
    NotAnItem { tag: Tag },
    #[error("the element {tag} has no known value representation")]
    UnknownRepresentation { tag: Tag },
    #[error("the element {tag} has an undefined length, which only sequences may have")]
    UndefinedLength { tag: Tag },
}

/// The kept elements of a data set, and the fault that ended the reading, if any.
pub(crate) fn read_elements(bytes: &[u8], notation: Notation) -> (DataSet<'_>, Option<StructureFault>) {
    let mut reader = Reader { bytes, at: 0, notation };
    let mut data_set = DataSet { elements: Vec::new(), big_endian: notation.big_endian };
    let fault = reader.elements(bytes.len(), 0, Some(&mut data_set), false).err();
    (data_set, fault)
}

/// The elements of group 0002 at the start of `bytes`, and the number of bytes that they take.
pub(super) fn read_meta(bytes: &[u8]) -> Result<(DataSet<'_>, usize), StructureFault> {
    let mut reader = Reader { bytes, at: 0, notation: Notation::EXPLICIT_LITTLE };
    let mut meta = DataSet::default();
    while bytes.get(reader.at..reader.at + 2) == Some(&[2, 0]) {
        reader.element(bytes.len(), 0, Some(&mut meta))?;
    }
    Ok((meta, reader.at))
}

/// True if two bytes are a value representation.
pub(super) fn is_representation(pair: [u8; 2]) -> bool {
    LONG_LENGTH.contains(&&pair) || SHORT_LENGTH.contains(&&pair)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    notation: Notation,
}

impl<'a> Reader<'a> {
    /// Reads elements up to `end`, or up to an item delimiter if `delimited`.
    fn elements(
        &mut self,
        end: usize,
        depth: usize,
        mut kept: Option<&mut DataSet<'a>>,
        delimited: bool,
    ) -> Result<(), StructureFault> {
        if depth > MAX_DEPTH {
            return Err(StructureFault::TooDeep);
        }
        while self.at < end {
            if delimited && self.peek_tag(end)? == ITEM_DELIMITER {
                self.at += 8;
                return Ok(());
            }
            // Zeros after the last element are padding to a block of the medium.
            if depth == 0
                && self.bytes[self.at..end].len() < 8
                && self.bytes[self.at..end].iter().all(|&byte| byte == 0)
            {
                return Ok(());
            }
            self.element(end, depth, kept.as_deref_mut())?;
        }
        if delimited { Err(StructureFault::EndsInHeader) } else { Ok(()) }
    }

    /// Reads one element, and adds it to `kept` if it is among those that are read.
    fn element(&mut self, end: usize, depth: usize, kept: Option<&mut DataSet<'a>>) -> Result<(), StructureFault> {
        let tag = self.peek_tag(end)?;
        self.at += 4;
        let (length, representation) = self.length(tag, end)?;
        let kept = kept.filter(|_| tag.is_read());
        if length == UNDEFINED {
            if tag == PIXEL_DATA && depth == 0 {
                let fragments = self.fragments(end)?;
                if let Some(kept) = kept {
                    kept.elements.push(Element { tag, representation, value: Value::Fragments(fragments) });
                }
                return Ok(());
            }
            let outer = self.notation;
            match representation {
                Some(pair) if &pair == b"UN" => self.notation = Notation::IMPLICIT_LITTLE,
                Some(pair) if &pair != b"SQ" => return Err(StructureFault::UndefinedLength { tag }),
                _ => {}
            }
            let items = self.items(end, depth, kept.is_some(), true);
            self.notation = outer;
            let items = items?;
            if let Some(kept) = kept {
                kept.elements.push(Element { tag, representation, value: Value::Items(items) });
            }
            return Ok(());
        }
        let left = end - self.at;
        if length as usize > left {
            return Err(match tag {
                PIXEL_DATA => StructureFault::PixelDataCut { length, left },
                _ => StructureFault::BeyondEnd { tag, length, left },
            });
        }
        let end_of_value = self.at + length as usize;
        if let Some(kept) = kept {
            let value = if tag.is_sequence() {
                Value::Items(self.items(end_of_value, depth, true, false)?)
            } else {
                Value::Bytes(&self.bytes[self.at..end_of_value])
            };
            kept.elements.push(Element { tag, representation, value });
        }
        self.at = end_of_value;
        Ok(())
    }

    /// Reads the items of a sequence up to `end`, or up to a sequence delimiter if `delimited`.
    fn items(
        &mut self,
        end: usize,
        depth: usize,
        keep: bool,
        delimited: bool,
    ) -> Result<Vec<DataSet<'a>>, StructureFault> {
        let mut items = Vec::new();
        while self.at < end {
            let tag = self.peek_tag(end)?;
            self.at += 4;
            let length = self.u32(end)?;
            match tag {
                SEQUENCE_DELIMITER if delimited => return Ok(items),
                ITEM => {}
                tag => return Err(StructureFault::NotAnItem { tag }),
            }
            let mut item = DataSet { elements: Vec::new(), big_endian: self.notation.big_endian };
            let kept = keep.then_some(&mut item);
            if length == UNDEFINED {
                self.elements(end, depth + 1, kept, true)?;
            } else {
                let left = end - self.at;
                if length as usize > left {
                    return Err(StructureFault::BeyondEnd { tag, length, left });
                }
                self.elements(self.at + length as usize, depth + 1, kept, false)?;
            }
            if keep {
                items.push(item);
            }
        }
        if delimited { Err(StructureFault::EndsInHeader) } else { Ok(items) }
    }

    /// Reads the fragments of encapsulated pixel data; the first item, the Basic Offset Table, is left out.
    fn fragments(&mut self, end: usize) -> Result<Vec<&'a [u8]>, StructureFault> {
        let cut = |_| StructureFault::EncapsulatedCut;
        let mut items = Vec::new();
        loop {
            let tag = self.peek_tag(end).map_err(cut)?;
            self.at += 4;
            let length = self.u32(end).map_err(cut)?;
            match tag {
                SEQUENCE_DELIMITER => break,
                ITEM => {}
                tag => return Err(StructureFault::NotAnItem { tag }),
            }
            if length as usize > end - self.at {
                return Err(StructureFault::EncapsulatedCut);
            }
            items.push(&self.bytes[self.at..self.at + length as usize]);
            self.at += length as usize;
        }
        if !items.is_empty() {
            items.remove(0);
        }
        Ok(items)
    }

    fn length(&mut self, tag: Tag, end: usize) -> Result<(u32, Option<[u8; 2]>), StructureFault> {
        // Delimiters and items have no value representation.
        if !self.notation.explicit || tag.0 == 0xFFFE {
            return Ok((self.u32(end)?, None));
        }
        let pair = self.take::<2>(end)?;
        if LONG_LENGTH.contains(&&pair) {
            self.take::<2>(end)?;
            return Ok((self.u32(end)?, Some(pair)));
        }
        if !SHORT_LENGTH.contains(&&pair) {
            return Err(StructureFault::UnknownRepresentation { tag });
        }
        let length = self.take::<2>(end)?;
        let length = if self.notation.big_endian { u16::from_be_bytes(length) } else { u16::from_le_bytes(length) };
        Ok((length.into(), Some(pair)))
    }

    fn peek_tag(&self, end: usize) -> Result<Tag, StructureFault> {
        let halves = self.bytes[..end].get(self.at..).and_then(|rest| rest.as_chunks::<2>().0.first_chunk::<2>());
        let &[group, element] = halves.ok_or(StructureFault::EndsInHeader)?;
        let half = if self.notation.big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        Ok(Tag(half(group), half(element)))
    }

    fn u32(&mut self, end: usize) -> Result<u32, StructureFault> {
        let bytes = self.take::<4>(end)?;
        Ok(if self.notation.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn take<const N: usize>(&mut self, end: usize) -> Result<[u8; N], StructureFault> {
        let rest = self.bytes[..end].get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *rest.ok_or(StructureFault::EndsInHeader)?;
        self.at += N;
        Ok(bytes)
    }
}
