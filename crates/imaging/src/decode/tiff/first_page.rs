//! Access to the first page of a TIFF file that ignores all other pages.

use std::borrow::Cow;
use std::sync::Arc;

use tiff_reader::header::TiffHeader;
use tiff_reader::source::{SharedSource, TiffSource};
use tiff_reader::{Ifd, OpenOptions, ParseBudgets, TiffError, TiffFile};

use super::explain;
use crate::image_error::ImageError;
use crate::image_facts::ImageFormat;
use crate::image_limits::MAX_IMAGE_BYTES;

/// The longest value of a tag, such as the list of strips or tiles, in bytes.
const MAX_TAG_BYTES: usize = 16 << 20;

/// A TIFF file and the directory of its first page.
pub(super) struct FirstPage {
    pub(super) tiff: TiffFile,
    pub(super) directory: Ifd,
}

impl FirstPage {
    /// Reads the directory of the first page alone, so that damage to other pages is not an error.
    pub(super) fn open(source: impl TiffSource + 'static) -> Result<Self, ImageError> {
        let header = source.read_exact_at(0, source.len().min(HEADER) as usize).map_err(explain)?;
        let offset = TiffHeader::parse(&header).map_err(explain)?.first_ifd_offset;
        if offset == 0 {
            return Err(super::damaged("it has no page".to_owned()));
        }
        let options = OpenOptions {
            // No cache: every strip and tile is read once.
            block_cache_bytes: 0,
            block_cache_slots: 0,
            parse_budgets: ParseBudgets {
                max_ifds: 1,
                max_ifd_entries: 4096,
                max_tag_value_bytes: MAX_TAG_BYTES,
                max_metadata_value_bytes: 2 * MAX_TAG_BYTES,
            },
            decode_output_bytes: MAX_IMAGE_BYTES as usize,
        };
        let source: SharedSource = Arc::new(WithoutPages(source));
        let tiff = TiffFile::from_source_with_options(source, options).map_err(explain)?;
        let directory = tiff.read_ifd_at_offset(offset).map_err(explain)?;
        Ok(Self { tiff, directory })
    }

    /// Reads `length` bytes at `offset`.
    pub(super) fn bytes(&self, offset: u64, length: u64) -> Result<Cow<'_, [u8]>, ImageError> {
        let length = usize::try_from(length).map_err(|_| super::damaged("a strip or tile has no end".to_owned()))?;
        if let Some(all) = self.tiff.source().as_slice() {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = all.get(start..start.saturating_add(length));
            return bytes.map(Cow::Borrowed).ok_or(ImageError::Truncated { format: ImageFormat::Tiff });
        }
        self.tiff.source().read_exact_at(offset, length).map(Cow::Owned).map_err(explain)
    }
}

/// Length of the header of a BigTIFF file in bytes; that of a classic TIFF is shorter.
const HEADER: u64 = 16;

/// A source whose header claims that it has no pages: the reader would parse all of them on opening.
struct WithoutPages<S>(S);

impl<S: TiffSource> TiffSource for WithoutPages<S> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_exact_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, TiffError> {
        let mut bytes = self.0.read_exact_at(offset, len)?;
        if offset == 0 {
            let big = TiffHeader::parse(&bytes).is_ok_and(|header| header.is_bigtiff());
            let field = if big { 8..16 } else { 4..8 };
            if let Some(first_page) = bytes.get_mut(field) {
                first_page.fill(0);
            }
        }
        Ok(bytes)
    }

    fn as_slice(&self) -> Option<&[u8]> {
        self.0.as_slice()
    }
}
