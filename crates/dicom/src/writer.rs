//! Writing of mammograms as DICOM files, for phantoms and tests.

use crate::codec::encode_jpeg_lossless;
use crate::file::tag::{self, ITEM, SEQUENCE_DELIMITER, Tag};
use crate::header::pixel_layout::Photometric;
use mammoscope_domain::subject::view::{Projection, Side, View};

/// Digital Mammography X-Ray Image Storage - For Presentation.
const SOP_CLASS: &str = "1.2.840.10008.5.1.4.1.1.1.2";

/// The predictor of the JPEG lossless files, the only one that their transfer syntax allows.
const PREDICTOR: u8 = 1;

/// The encoding of the pixels and of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenSyntax {
    Implicit,
    Explicit,
    /// JPEG lossless with first-order prediction, and restart markers every so many rows if given.
    JpegLossless {
        restart_rows: Option<usize>,
    },
}

impl WrittenSyntax {
    const fn uid(self) -> &'static str {
        match self {
            Self::Implicit => "1.2.840.10008.1.2",
            Self::Explicit => "1.2.840.10008.1.2.1",
            Self::JpegLossless { .. } => "1.2.840.10008.1.2.4.70",
        }
    }
}

/// The greyscale transformation that a file states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenGrey {
    /// A linear window over all values.
    Window,
    /// A lookup table with as many entries as there are values, each its own index.
    Table,
}

/// A mammogram to be written.
#[derive(Clone, Debug)]
pub struct WrittenMammogram<'a> {
    pub patient_id: &'a str,
    pub patient_name: &'a str,
    /// UIDs of study, series and image.
    pub uids: [&'a str; 3],
    /// A date, `YYYYMMDD`.
    pub date: &'a str,
    pub view: View,
    pub rows: usize,
    pub columns: usize,
    /// Bits Stored, 2 to 16.
    pub bits: u8,
    /// The stored values, row by row.
    pub samples: &'a [u16],
    pub photometric: Photometric,
    pub grey: WrittenGrey,
    pub syntax: WrittenSyntax,
    pub manufacturer: &'a str,
    pub comment: &'a str,
}

impl WrittenMammogram<'_> {
    /// The bytes of the file, with preamble and file meta information.
    ///
    /// # Panics
    /// If the number of samples is not `rows` × `columns`, or a side is over 65,535.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        assert_eq!(self.samples.len(), self.rows * self.columns, "samples of {} × {} pixels", self.columns, self.rows);
        let mut meta = Elements::new(true);
        meta.text(tag::MEDIA_STORAGE_SOP_CLASS_UID, *b"UI", SOP_CLASS);
        meta.text(Tag(0x0002, 0x0003), *b"UI", self.uids[2]);
        meta.text(tag::TRANSFER_SYNTAX_UID, *b"UI", self.syntax.uid());
        // A UID made from a UUID, as anyone may have one (PS3.5, B.2).
        meta.text(Tag(0x0002, 0x0012), *b"UI", "2.25.207853412637584991472098841716498320977");
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        let mut length = Elements::new(true);
        length.bytes(Tag(0x0002, 0x0000), *b"UL", &(meta.bytes.len() as u32).to_le_bytes());
        file.extend_from_slice(&length.bytes);
        file.extend_from_slice(&meta.bytes);
        file.extend_from_slice(&self.data_set());
        file
    }

    fn data_set(&self) -> Vec<u8> {
        let mut set = Elements::new(self.syntax != WrittenSyntax::Implicit);
        let side = self.view.side();
        let (position, code) = match self.view.projection() {
            Projection::Cc => ("CC", "399162004"),
            Projection::Mlo => ("MLO", "399368009"),
        };
        let orientation = match (self.view.projection(), side) {
            (Projection::Cc, Side::Left) => "A\\R",
            (Projection::Cc, Side::Right) => "P\\L",
            (Projection::Mlo, Side::Left) => "A\\FR",
            (Projection::Mlo, Side::Right) => "P\\FL",
        };
        set.text(tag::IMAGE_TYPE, *b"CS", "ORIGINAL\\PRIMARY");
        set.text(tag::SOP_CLASS_UID, *b"UI", SOP_CLASS);
        set.text(tag::SOP_INSTANCE_UID, *b"UI", self.uids[2]);
        set.text(tag::STUDY_DATE, *b"DA", self.date);
        set.text(tag::STUDY_TIME, *b"TM", "120000");
        set.text(tag::MODALITY, *b"CS", "MG");
        set.text(tag::PRESENTATION_INTENT_TYPE, *b"CS", "FOR PRESENTATION");
        set.text(tag::MANUFACTURER, *b"LO", self.manufacturer);
        set.text(tag::PATIENT_NAME, *b"PN", self.patient_name);
        set.text(tag::PATIENT_ID, *b"LO", self.patient_id);
        set.text(tag::BODY_PART_EXAMINED, *b"CS", "BREAST");
        set.text(tag::VIEW_POSITION, *b"CS", position);
        set.text(tag::STUDY_INSTANCE_UID, *b"UI", self.uids[0]);
        set.text(Tag(0x0020, 0x000E), *b"UI", self.uids[1]);
        set.text(tag::INSTANCE_NUMBER, *b"IS", "1");
        set.text(tag::PATIENT_ORIENTATION, *b"CS", orientation);
        set.text(tag::IMAGE_LATERALITY, *b"CS", if side == Side::Left { "L" } else { "R" });
        set.text(Tag(0x0020, 0x4000), *b"LT", self.comment);
        set.shorts(tag::SAMPLES_PER_PIXEL, *b"US", &[1]);
        set.text(tag::PHOTOMETRIC_INTERPRETATION, *b"CS", self.photometric.name());
        set.shorts(tag::ROWS, *b"US", &[u16::try_from(self.rows).expect("rows fit 16 bits")]);
        set.shorts(tag::COLUMNS, *b"US", &[u16::try_from(self.columns).expect("columns fit 16 bits")]);
        set.shorts(tag::BITS_ALLOCATED, *b"US", &[16]);
        set.shorts(tag::BITS_STORED, *b"US", &[self.bits.into()]);
        set.shorts(tag::HIGH_BIT, *b"US", &[u16::from(self.bits) - 1]);
        set.shorts(tag::PIXEL_REPRESENTATION, *b"US", &[0]);
        set.text(tag::BURNED_IN_ANNOTATION, *b"CS", "NO");
        let values = 1_u32 << self.bits;
        if self.grey == WrittenGrey::Window {
            set.text(tag::WINDOW_CENTER, *b"DS", &(values / 2).to_string());
            set.text(tag::WINDOW_WIDTH, *b"DS", &values.to_string());
        }
        set.text(tag::BREAST_IMPLANT_PRESENT, *b"CS", "NO");
        if self.grey == WrittenGrey::Table {
            let mut item = Elements::new(set.explicit);
            // 65,536 entries are written as 0.
            item.shorts(tag::LUT_DESCRIPTOR, *b"US", &[(values & 0xFFFF) as u16, 0, self.bits.into()]);
            item.shorts(tag::LUT_DATA, *b"OW", &(0..values).map(|value| value as u16).collect::<Vec<_>>());
            set.sequence(tag::VOI_LUT_SEQUENCE, &item);
        }
        let mut view_code = Elements::new(set.explicit);
        view_code.text(tag::CODE_VALUE, *b"SH", code);
        view_code.text(tag::CODING_SCHEME_DESIGNATOR, *b"SH", "SCT");
        set.sequence(tag::VIEW_CODE_SEQUENCE, &view_code);
        let shape = if self.photometric == Photometric::Monochrome1 { "INVERSE" } else { "IDENTITY" };
        set.text(Tag(0x2050, 0x0020), *b"CS", shape);
        match self.syntax {
            WrittenSyntax::JpegLossless { restart_rows } => {
                let encoded =
                    encode_jpeg_lossless(self.samples, self.rows, self.columns, self.bits, PREDICTOR, restart_rows);
                set.fragment(tag::PIXEL_DATA, &encoded);
            }
            _ => set.shorts(tag::PIXEL_DATA, *b"OW", self.samples),
        }
        set.bytes
    }
}

/// Elements in little-endian notation, in the order in which they are added.
struct Elements {
    explicit: bool,
    bytes: Vec<u8>,
}

impl Elements {
    fn new(explicit: bool) -> Self {
        Self { explicit, bytes: Vec::new() }
    }

    fn head(&mut self, tag: Tag, representation: [u8; 2], length: u32) {
        self.bytes.extend_from_slice(&tag.0.to_le_bytes());
        self.bytes.extend_from_slice(&tag.1.to_le_bytes());
        if !self.explicit {
            self.bytes.extend_from_slice(&length.to_le_bytes());
            return;
        }
        self.bytes.extend_from_slice(&representation);
        if matches!(&representation, b"OB" | b"OW" | b"SQ") {
            self.bytes.extend_from_slice(&[0, 0]);
            self.bytes.extend_from_slice(&length.to_le_bytes());
        } else {
            let length = u16::try_from(length).expect("short values");
            self.bytes.extend_from_slice(&length.to_le_bytes());
        }
    }

    fn bytes(&mut self, tag: Tag, representation: [u8; 2], value: &[u8]) {
        let padded = value.len().next_multiple_of(2);
        self.head(tag, representation, u32::try_from(padded).expect("values of less than 4 GB"));
        self.bytes.extend_from_slice(value);
        if padded > value.len() {
            self.bytes.push(if &representation == b"UI" || &representation == b"OB" { 0 } else { b' ' });
        }
    }

    fn text(&mut self, tag: Tag, representation: [u8; 2], value: &str) {
        self.bytes(tag, representation, value.as_bytes());
    }

    fn shorts(&mut self, tag: Tag, representation: [u8; 2], values: &[u16]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(tag, representation, &bytes);
    }

    /// A sequence of one item.
    fn sequence(&mut self, tag: Tag, item: &Elements) {
        let length = u32::try_from(item.bytes.len()).expect("items of less than 4 GB");
        self.head(tag, *b"SQ", length + 8);
        self.item(&item.bytes);
    }

    fn item(&mut self, value: &[u8]) {
        for half in [ITEM.0, ITEM.1] {
            self.bytes.extend_from_slice(&half.to_le_bytes());
        }
        let length = u32::try_from(value.len()).expect("items of less than 4 GB");
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(value);
    }

    /// Encapsulated pixel data of one fragment, with an empty Basic Offset Table.
    fn fragment(&mut self, tag: Tag, codestream: &[u8]) {
        self.head(tag, *b"OB", u32::MAX);
        self.item(&[]);
        let mut padded = codestream.to_vec();
        padded.resize(codestream.len().next_multiple_of(2), 0);
        self.item(&padded);
        for half in [SEQUENCE_DELIMITER.0, SEQUENCE_DELIMITER.1] {
            self.bytes.extend_from_slice(&half.to_le_bytes());
        }
        self.bytes.extend_from_slice(&0_u32.to_le_bytes());
    }
}
