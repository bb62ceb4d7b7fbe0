//! Transfer syntaxes.

use super::structure::Notation;
use crate::codec::Encoding;

/// A transfer syntax that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferSyntax {
    pub uid: &'static str,
    pub name: &'static str,
    pub notation: Notation,
    pub deflated: bool,
    /// The encoding of the pixel data; `None` if they are not encoded.
    pub pixels: Option<Encoding>,
}

const fn native(uid: &'static str, name: &'static str, notation: Notation, deflated: bool) -> TransferSyntax {
    TransferSyntax { uid, name, notation, deflated, pixels: None }
}

const fn encoded(uid: &'static str, name: &'static str, pixels: Encoding) -> TransferSyntax {
    TransferSyntax { uid, name, notation: Notation::EXPLICIT_LITTLE, deflated: false, pixels: Some(pixels) }
}

/// PS3.6, annex A.
const READ: [TransferSyntax; 16] = [
    native("1.2.840.10008.1.2", "Implicit VR Little Endian", Notation::IMPLICIT_LITTLE, false),
    native("1.2.840.10008.1.2.1", "Explicit VR Little Endian", Notation::EXPLICIT_LITTLE, false),
    native("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", Notation::EXPLICIT_LITTLE, true),
    native("1.2.840.10008.1.2.2", "Explicit VR Big Endian", Notation::EXPLICIT_BIG, false),
    encoded("1.2.840.10008.1.2.4.50", "JPEG Baseline", Encoding::Jpeg),
    encoded("1.2.840.10008.1.2.4.51", "JPEG Extended", Encoding::Jpeg),
    encoded("1.2.840.10008.1.2.4.57", "JPEG Lossless", Encoding::Jpeg),
    encoded("1.2.840.10008.1.2.4.70", "JPEG Lossless, first-order prediction", Encoding::Jpeg),
    encoded("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", Encoding::JpegLs),
    encoded("1.2.840.10008.1.2.4.81", "JPEG-LS Near-lossless", Encoding::JpegLs),
    encoded("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", Encoding::Jpeg2000),
    encoded("1.2.840.10008.1.2.4.91", "JPEG 2000", Encoding::Jpeg2000),
    encoded("1.2.840.10008.1.2.4.201", "HTJ2K Lossless", Encoding::Jpeg2000),
    encoded("1.2.840.10008.1.2.4.202", "HTJ2K Lossless, RPCL", Encoding::Jpeg2000),
    encoded("1.2.840.10008.1.2.4.203", "HTJ2K", Encoding::Jpeg2000),
    encoded("1.2.840.10008.1.2.5", "RLE Lossless", Encoding::Rle),
];

impl TransferSyntax {
    /// The syntax with a UID, if it can be read.
    #[must_use]
    pub fn with_uid(uid: &str) -> Option<Self> {
        READ.into_iter().find(|syntax| syntax.uid == uid)
    }

    /// True if images of the syntax may have lost information: JPEG, near-lossless JPEG-LS, and the general syntaxes of
    /// JPEG 2000 and HTJ2K.
    #[must_use]
    pub fn may_be_lossy(&self) -> bool {
        ["4.50", "4.51", "4.81", "4.91", "4.203"].iter().any(|end| self.uid.ends_with(&format!(".{end}")))
    }

    /// The uncompressed syntax of a notation.
    pub(super) fn of(notation: Notation) -> Self {
        let uncompressed = READ.into_iter().find(|syntax| syntax.notation == notation && !syntax.deflated);
        uncompressed.expect("every notation has an uncompressed syntax")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_found() {
        assert_eq!(
            TransferSyntax::with_uid("1.2.840.10008.1.2.5").and_then(|syntax| syntax.pixels),
            Some(Encoding::Rle)
        );
        assert_eq!(TransferSyntax::with_uid("1.2.840.10008.1.2.4.100"), None);
        assert_eq!(TransferSyntax::of(Notation::IMPLICIT_LITTLE).uid, "1.2.840.10008.1.2");
        assert_eq!(TransferSyntax::of(Notation::EXPLICIT_LITTLE).uid, "1.2.840.10008.1.2.1");
        assert_eq!(TransferSyntax::of(Notation::EXPLICIT_BIG).uid, "1.2.840.10008.1.2.2");
    }
}
