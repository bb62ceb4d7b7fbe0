//! Data sets: the elements of a file or of a sequence item.

use super::tag::Tag;

/// The value of a data element, in the bytes of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Bytes(&'a [u8]),
    /// The items of a sequence.
    Items(Vec<DataSet<'a>>),
    /// Encapsulated pixel data: its fragments, without the Basic Offset Table.
    Fragments(Vec<&'a [u8]>),
}

/// A data element.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Element<'a> {
    pub(super) tag: Tag,
    /// The value representation; `None` in implicit notation.
    pub(super) representation: Option<[u8; 2]>,
    pub(super) value: Value<'a>,
}

/// The elements of a file or of a sequence item that are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataSet<'a> {
    pub(super) elements: Vec<Element<'a>>,
    pub(super) big_endian: bool,
}

impl<'a> DataSet<'a> {
    /// The value of an element; the first one if a file repeats it.
    #[must_use]
    pub fn value(&self, tag: Tag) -> Option<&Value<'a>> {
        self.elements.iter().find(|element| element.tag == tag).map(|element| &element.value)
    }

    /// The value representation of an element, if the file states it.
    #[must_use]
    pub fn representation(&self, tag: Tag) -> Option<[u8; 2]> {
        self.elements.iter().find(|element| element.tag == tag)?.representation
    }

    /// The bytes of an element that is not a sequence.
    #[must_use]
    pub fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.value(tag) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The items of a sequence; none if it is absent.
    #[must_use]
    pub fn items(&self, tag: Tag) -> &[DataSet<'a>] {
        match self.value(tag) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }

    /// A text without the padding around it; `None` if it is absent or empty. Bytes outside ASCII become U+FFFD: the
    /// attributes that are interpreted have none.
    #[must_use]
    pub fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.bytes(tag)?;
        let text: String = bytes.iter().map(|&byte| if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' }).collect();
        let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_ascii_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The values of a text element, split at backslashes and trimmed; none if it is absent or empty.
    #[must_use]
    pub fn texts(&self, tag: Tag) -> Vec<String> {
        let text = self.text(tag);
        text.iter().flat_map(|text| text.split('\\')).map(|value| value.trim().to_owned()).collect()
    }

    /// The first value of a 16-bit integer element.
    #[must_use]
    pub fn short(&self, tag: Tag) -> Option<u16> {
        self.shorts(tag)?.first().copied()
    }

    /// The values of a 16-bit integer element; `None` if it is absent or has an odd number of bytes.
    #[must_use]
    pub fn shorts(&self, tag: Tag) -> Option<Vec<u16>> {
        let (pairs, rest) = self.bytes(tag)?.as_chunks::<2>();
        rest.is_empty().then(|| pairs.iter().map(|&pair| self.short_of(pair)).collect())
    }

    fn short_of(&self, pair: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    /// True if the numbers of the data set are big endian.
    #[must_use]
    pub fn big_endian(&self) -> bool {
        self.big_endian
    }
}
