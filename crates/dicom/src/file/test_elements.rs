//! Data sets in implicit notation, for tests.

use super::data_set::DataSet;
use super::structure::{Notation, read_elements};
use super::tag::Tag;

/// The bytes of elements, whose tags ascend; values of an odd length are padded with a space.
pub(crate) fn elements(values: &[(Tag, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, value) in values {
        bytes.extend([tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat());
        bytes.extend((value.len().next_multiple_of(2) as u32).to_le_bytes());
        bytes.extend(*value);
        bytes.extend((value.len() % 2 == 1).then_some(b' '));
    }
    bytes
}

/// The result of `read` on a data set with these texts.
pub(crate) fn with_texts<T>(texts: &[(Tag, &str)], read: impl FnOnce(&DataSet<'_>) -> T) -> T {
    let values: Vec<(Tag, &[u8])> = texts.iter().map(|(tag, text)| (*tag, text.as_bytes())).collect();
    let bytes = elements(&values);
    let (header, fault) = read_elements(&bytes, Notation::IMPLICIT_LITTLE);
    assert_eq!(fault, None);
    read(&header)
}
