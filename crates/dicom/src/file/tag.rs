//! Tags of the data elements that are read.

use std::fmt;

/// The tag of a data element: group and element number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u16, pub u16);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:04X},{:04X})", self.0, self.1)
    }
}

/// Declares the attributes that are read, by their keywords in PS3.6, and the list of their tags.
macro_rules! attributes {
    ($($name:ident = ($group:literal, $element:literal);)*) => {
        $(pub const $name: Tag = Tag($group, $element);)*

        /// The attributes that are kept; all others are skipped unread.
        const READ: &[Tag] = &[$($name),*];
    };
}

// In ascending order, for the binary search in `Tag::is_read`.
attributes! {
    MEDIA_STORAGE_SOP_CLASS_UID = (0x0002, 0x0002);
    TRANSFER_SYNTAX_UID = (0x0002, 0x0010);
    IMAGE_TYPE = (0x0008, 0x0008);
    SOP_CLASS_UID = (0x0008, 0x0016);
    SOP_INSTANCE_UID = (0x0008, 0x0018);
    STUDY_DATE = (0x0008, 0x0020);
    ACQUISITION_DATE = (0x0008, 0x0022);
    STUDY_TIME = (0x0008, 0x0030);
    ACQUISITION_TIME = (0x0008, 0x0032);
    ACCESSION_NUMBER = (0x0008, 0x0050);
    MODALITY = (0x0008, 0x0060);
    PRESENTATION_INTENT_TYPE = (0x0008, 0x0068);
    MANUFACTURER = (0x0008, 0x0070);
    INSTITUTION_NAME = (0x0008, 0x0080);
    REFERRING_PHYSICIAN_NAME = (0x0008, 0x0090);
    CODE_VALUE = (0x0008, 0x0100);
    CODING_SCHEME_DESIGNATOR = (0x0008, 0x0102);
    OPERATORS_NAME = (0x0008, 0x1070);
    MANUFACTURER_MODEL_NAME = (0x0008, 0x1090);
    PATIENT_NAME = (0x0010, 0x0010);
    PATIENT_ID = (0x0010, 0x0020);
    ISSUER_OF_PATIENT_ID = (0x0010, 0x0021);
    PATIENT_BIRTH_DATE = (0x0010, 0x0030);
    OTHER_PATIENT_IDS = (0x0010, 0x1000);
    BODY_PART_EXAMINED = (0x0018, 0x0015);
    MAGNIFICATION_FACTOR = (0x0018, 0x1114);
    VIEW_POSITION = (0x0018, 0x5101);
    STUDY_INSTANCE_UID = (0x0020, 0x000D);
    INSTANCE_NUMBER = (0x0020, 0x0013);
    PATIENT_ORIENTATION = (0x0020, 0x0020);
    LATERALITY = (0x0020, 0x0060);
    IMAGE_LATERALITY = (0x0020, 0x0062);
    SAMPLES_PER_PIXEL = (0x0028, 0x0002);
    PHOTOMETRIC_INTERPRETATION = (0x0028, 0x0004);
    NUMBER_OF_FRAMES = (0x0028, 0x0008);
    ROWS = (0x0028, 0x0010);
    COLUMNS = (0x0028, 0x0011);
    BITS_ALLOCATED = (0x0028, 0x0100);
    BITS_STORED = (0x0028, 0x0101);
    HIGH_BIT = (0x0028, 0x0102);
    PIXEL_REPRESENTATION = (0x0028, 0x0103);
    PIXEL_PADDING_VALUE = (0x0028, 0x0120);
    PIXEL_PADDING_RANGE_LIMIT = (0x0028, 0x0121);
    BURNED_IN_ANNOTATION = (0x0028, 0x0301);
    WINDOW_CENTER = (0x0028, 0x1050);
    WINDOW_WIDTH = (0x0028, 0x1051);
    RESCALE_INTERCEPT = (0x0028, 0x1052);
    RESCALE_SLOPE = (0x0028, 0x1053);
    WINDOW_EXPLANATION = (0x0028, 0x1055);
    VOI_LUT_FUNCTION = (0x0028, 0x1056);
    BREAST_IMPLANT_PRESENT = (0x0028, 0x1300);
    PARTIAL_VIEW = (0x0028, 0x1350);
    LOSSY_IMAGE_COMPRESSION = (0x0028, 0x2110);
    MODALITY_LUT_SEQUENCE = (0x0028, 0x3000);
    LUT_DESCRIPTOR = (0x0028, 0x3002);
    LUT_EXPLANATION = (0x0028, 0x3003);
    LUT_DATA = (0x0028, 0x3006);
    VOI_LUT_SEQUENCE = (0x0028, 0x3010);
    VIEW_CODE_SEQUENCE = (0x0054, 0x0220);
    VIEW_MODIFIER_CODE_SEQUENCE = (0x0054, 0x0222);
    FLOAT_PIXEL_DATA = (0x7FE0, 0x0008);
    DOUBLE_FLOAT_PIXEL_DATA = (0x7FE0, 0x0009);
    PIXEL_DATA = (0x7FE0, 0x0010);
}

pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
pub(crate) const ITEM_DELIMITER: Tag = Tag(0xFFFE, 0xE00D);
pub(crate) const SEQUENCE_DELIMITER: Tag = Tag(0xFFFE, 0xE0DD);

impl Tag {
    /// True for the attributes that are kept.
    pub(crate) fn is_read(self) -> bool {
        READ.binary_search(&self).is_ok()
    }

    /// True for the sequences that are kept.
    pub(crate) fn is_sequence(self) -> bool {
        matches!(
            self,
            MODALITY_LUT_SEQUENCE | VOI_LUT_SEQUENCE | VIEW_CODE_SEQUENCE | VIEW_MODIFIER_CODE_SEQUENCE
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_ascending_order() {
        assert!(READ.is_sorted());
        assert!(READ.iter().all(|tag| tag.is_read()));
        assert!(!Tag(0x0010, 0x4000).is_read());
    }
}
