//! DICOM files: their start, their transfer syntax and their data set.
//!
//! The reader keeps the few attributes that decide over a mammogram and skips all others unread, so identifiers in
//! nested, private or unknown elements never reach memory that anything prints.

pub mod data_set;
pub mod structure;
pub mod tag;
#[cfg(test)]
pub(crate) mod test_elements;
pub mod transfer_syntax;

use std::io::Read as _;

use flate2::read::DeflateDecoder;

use data_set::DataSet;
use mammoscope_domain::text::foreign_file::ForeignFile;
use structure::{Notation, StructureFault, is_representation, read_elements, read_meta};
use transfer_syntax::TransferSyntax;

/// The longest DICOM file, in bytes: a mammogram of 100 million pixels.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most bytes that a deflated data set may inflate to.
const MAX_INFLATED: u64 = 128 << 20;

/// Bytes before the magic word `DICM`.
const PREAMBLE: usize = 128;

/// A reason why bytes are not a DICOM file that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    #[error("is empty (0 bytes)")]
    Empty,
    #[error("is not a DICOM file{}", instead.map(|file| format!(" but {file}")).unwrap_or_default())]
    NotDicom { instead: Option<ForeignFile> },
    #[error("ends after the preamble: there is no data set")]
    NoDataSet,
    #[error("the file meta information is damaged: {0}")]
    Meta(StructureFault),
    #[error(
        "the transfer syntax {uid} is not supported; convert the file to Explicit VR Little Endian, for example with `dcmconv +te` or `gdcmconv --raw`"
    )]
    UnknownTransferSyntax { uid: String },
    #[error("the deflated data set is damaged: {0}")]
    Inflate(String),
    #[error("the deflated data set inflates to more than {} MB", MAX_INFLATED >> 20)]
    InflatesTooFar,
}

/// The bytes of a DICOM file, from the first element of its data set on.
#[derive(Debug)]
pub struct DicomFile {
    bytes: Vec<u8>,
    start: usize,
    pub syntax: TransferSyntax,
    /// True if the file states its transfer syntax; false if it was inferred from the first element.
    pub syntax_stated: bool,
    /// True for DICOMDIR, the index of a medium.
    pub is_directory: bool,
}

/// Media Storage Directory Storage.
const DICOMDIR: &str = "1.2.840.10008.1.3.10";

impl DicomFile {
    /// Recognises a DICOM file with or without preamble and file meta information, and inflates a deflated data set.
    pub fn open(bytes: Vec<u8>) -> Result<Self, FileFault> {
        if bytes.is_empty() {
            return Err(FileFault::Empty);
        }
        let with_preamble = bytes.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM");
        let start = if with_preamble { PREAMBLE + 4 } else { 0 };
        if with_preamble && bytes.len() == start {
            return Err(FileFault::NoDataSet);
        }
        let has_meta = bytes[start..].starts_with(&[2, 0]) && plausible_meta(&bytes[start..]);
        let (meta, length) =
            if has_meta { read_meta(&bytes[start..]).map_err(FileFault::Meta)? } else { (DataSet::default(), 0) };
        let stated = meta.text(tag::TRANSFER_SYNTAX_UID);
        let is_directory = meta.text(tag::MEDIA_STORAGE_SOP_CLASS_UID).as_deref() == Some(DICOMDIR);
        let start = start + length;
        let inferred = inferred_notation(&bytes[start..]);
        if !with_preamble && !has_meta && inferred.is_none() {
            return Err(FileFault::NotDicom { instead: ForeignFile::of(&bytes) });
        }
        let Some(uid) = stated else {
            let syntax = TransferSyntax::of(inferred.ok_or(FileFault::NoDataSet)?);
            return Ok(Self { bytes, start, syntax, syntax_stated: false, is_directory });
        };
        let syntax = TransferSyntax::with_uid(&uid).ok_or(FileFault::UnknownTransferSyntax { uid: safe_uid(&uid) })?;
        if !syntax.deflated {
            return Ok(Self { bytes, start, syntax, syntax_stated: true, is_directory });
        }
        let inflated = inflate(&bytes[start..])?;
        Ok(Self { bytes: inflated, start: 0, syntax, syntax_stated: true, is_directory })
    }

    /// The data set as far as it can be read, and the fault that ended the reading.
    #[must_use]
    pub fn data_set(&self) -> (DataSet<'_>, Option<StructureFault>) {
        read_elements(&self.bytes[self.start..], self.syntax.notation)
    }
}

/// True if the first element of the file meta information has a value representation.
fn plausible_meta(bytes: &[u8]) -> bool {
    bytes.get(4..6).and_then(<[u8]>::first_chunk).is_some_and(|pair| is_representation(*pair))
}

/// The notation that the first element shows: it belongs to a low group, and its value representation is there or not.
fn inferred_notation(bytes: &[u8]) -> Option<Notation> {
    let &[group, element, representation, _] = bytes.as_chunks::<2>().0.first_chunk::<4>()?;
    let low_group = |group: u16, element: u16| matches!(group, 0x0004 | 0x0008 | 0x0010) && element < 0x2200;
    let little = low_group(u16::from_le_bytes(group), u16::from_le_bytes(element));
    let big = low_group(u16::from_be_bytes(group), u16::from_be_bytes(element));
    match (little, big, is_representation(representation)) {
        (true, _, true) => Some(Notation::EXPLICIT_LITTLE),
        (_, true, true) => Some(Notation::EXPLICIT_BIG),
        // Zeros are not an element.
        (true, _, false) => {
            let length = u32::from_le_bytes(*bytes[4..].first_chunk()?);
            (length as usize <= bytes.len()).then_some(Notation::IMPLICIT_LITTLE)
        }
        _ => None,
    }
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, FileFault> {
    let mut inflated = Vec::new();
    let mut bounded = DeflateDecoder::new(bytes).take(MAX_INFLATED + 1);
    bounded.read_to_end(&mut inflated).map_err(|error| FileFault::Inflate(error.to_string()))?;
    if inflated.len() as u64 > MAX_INFLATED {
        return Err(FileFault::InflatesTooFar);
    }
    Ok(inflated)
}

/// A UID without anything else that a damaged file may have in its place.
fn safe_uid(text: &str) -> String {
    let uid: String = text.chars().filter(|letter| letter.is_ascii_digit() || *letter == '.').take(64).collect();
    if uid.is_empty() { "(unreadable)".to_owned() } else { uid }
}
