//! Strips and tiles that the TIFF reader does not decode (JPEG streams and CCITT Group 4), and uncompressed ones, which
//! it would copy three times.

use tiff_reader::{ByteOrder, Ifd};

use super::first_page::FirstPage;
use super::page::{Page, unsupported};
use super::{Stored, damaged};
use crate::decode::jpeg;
use crate::image_error::ImageError;
use crate::image_facts::ColorKind;

const JPEG_TABLES: u16 = 347;
/// `FillOrder` 2: the bits of each byte are reversed.
const LOWEST_BIT_FIRST: u16 = 2;

/// A strip or tile.
struct Block {
    offset: u64,
    length: u64,
    /// Position of its first pixel.
    x: usize,
    y: usize,
    /// Size as stored: a tile may extend beyond the picture, a strip does not.
    width: usize,
    height: usize,
    /// The plane that it belongs to, if every sample of a pixel has its own.
    plane: Option<usize>,
}

/// Decodes a page whose strips or tiles are JPEG streams.
pub(super) fn decode_jpeg(file: &FirstPage, page: &Page) -> Result<Vec<u8>, ImageError> {
    let tables = file.directory.tag(JPEG_TABLES).and_then(|tag| tag.value.as_bytes()).unwrap_or_default();
    let mut canvas = Canvas::of(page);
    for block in blocks(&file.directory, page)? {
        let samples = if block.plane.is_some() { 1 } else { page.samples_per_pixel };
        let color = match samples {
            1 => ColorKind::Grey,
            3 => ColorKind::Rgb,
            count => return Err(unsupported(&format!("JPEG compression of {count} samples per pixel"))),
        };
        let stream = jpeg_stream(&file.bytes(block.offset, block.length)?, tables, page.luma_and_chroma);
        let picture = jpeg::pixels(&stream, color).map_err(in_this_file)?;
        if picture.width() < block.width || picture.height() < block.height {
            return Err(damaged("a JPEG stream is smaller than its strip or tile".to_owned()));
        }
        canvas.paste(&block, picture.samples(), picture.width() * samples, samples);
    }
    Ok(canvas.samples)
}

/// Completes a JPEG stream with the tables shared by all streams of a page, and with an Adobe marker for its colour
/// space, which libjpeg would guess otherwise.
fn jpeg_stream(stream: &[u8], tables: &[u8], luma_and_chroma: bool) -> Vec<u8> {
    let (start, rest) = stream.split_at(stream.len().min(2));
    // The tables are wrapped in a stream of their own, from start-of-image to end-of-image.
    let tables = tables.get(2..tables.len().saturating_sub(2)).unwrap_or_default();
    let adobe = [0xff, 0xee, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, u8::from(luma_and_chroma)];
    [start, &adobe, tables, rest].concat()
}

/// Turns the error of a stream into one of the file.
fn in_this_file(error: ImageError) -> ImageError {
    match error {
        ImageError::Damaged { reason, .. } => damaged(format!("a JPEG stream in it: {reason}")),
        ImageError::Truncated { .. } => damaged("a JPEG stream in it ends early".to_owned()),
        error => error,
    }
}

/// Decodes a page with one bit per pixel compressed by CCITT T.6; white in T.6 is 0.
pub(super) fn decode_group4(file: &FirstPage, page: &Page) -> Result<Vec<u8>, ImageError> {
    let mut canvas = Canvas::of(page);
    for block in blocks(&file.directory, page)? {
        let mut coded = file.bytes(block.offset, block.length)?.into_owned();
        if file.directory.fill_order() == LOWEST_BIT_FIRST {
            for byte in &mut coded {
                *byte = byte.reverse_bits();
            }
        }
        let width = block.width as u32;
        let mut samples = Vec::with_capacity(block.width * block.height);
        let decoded = fax::decoder::decode_g4(coded.into_iter(), width, Some(block.height as u32), |changes| {
            samples.extend(fax::decoder::pels(changes, width).map(|color| u8::from(color == fax::Color::Black)));
        });
        if decoded.is_none() || samples.len() != block.width * block.height {
            return Err(damaged("a strip or tile has invalid CCITT Group 4 data".to_owned()));
        }
        canvas.paste(&block, &samples, block.width, 1);
    }
    Ok(canvas.samples)
}

/// Copies the samples of an uncompressed page of 8 or 16 bits.
pub(super) fn copy_samples(file: &FirstPage, page: &Page) -> Result<Stored, ImageError> {
    // One loop per byte order: a branch inside the loop would cost more than the copy.
    let reversed = file.directory.fill_order() == LOWEST_BIT_FIRST;
    if page.facts.bits == 8 {
        return Ok(Stored::Bytes(if reversed {
            copied(file, page, |[byte]: [u8; 1]| byte.reverse_bits())?
        } else {
            copied(file, page, |[byte]| byte)?
        }));
    }
    Ok(Stored::Words(match (file.tiff.byte_order(), reversed) {
        (ByteOrder::LittleEndian, false) => copied(file, page, u16::from_le_bytes)?,
        (ByteOrder::BigEndian, false) => copied(file, page, u16::from_be_bytes)?,
        (ByteOrder::LittleEndian, true) => copied(file, page, |bytes| u16::from_le_bytes(bytes.map(u8::reverse_bits)))?,
        (ByteOrder::BigEndian, true) => copied(file, page, |bytes| u16::from_be_bytes(bytes.map(u8::reverse_bits)))?,
    }))
}

fn copied<S: Copy + Default, const BYTES: usize>(
    file: &FirstPage,
    page: &Page,
    sample: impl Fn([u8; BYTES]) -> S,
) -> Result<Vec<S>, ImageError> {
    let mut canvas = Canvas::of(page);
    let mut samples = Vec::new();
    for block in blocks(&file.directory, page)? {
        let count = if block.plane.is_some() { 1 } else { page.samples_per_pixel };
        let bytes = file.bytes(block.offset, block.length)?;
        let expected = block.width * block.height * count;
        let bytes = bytes.as_chunks::<BYTES>().0;
        if bytes.len() < expected {
            return Err(damaged(format!("a strip or tile has {} of {expected} samples", bytes.len())));
        }
        samples.clear();
        samples.extend(bytes[..expected].iter().map(|&bytes| sample(bytes)));
        canvas.paste(&block, &samples, block.width * count, count);
    }
    Ok(canvas.samples)
}

/// The samples of a page, row by row and interleaved.
struct Canvas<S> {
    samples: Vec<S>,
    width: usize,
    height: usize,
    samples_per_pixel: usize,
}

impl<S: Copy + Default> Canvas<S> {
    fn of(page: &Page) -> Self {
        let (width, height) = (page.facts.width as usize, page.facts.height as usize);
        let samples_per_pixel = page.samples_per_pixel;
        Self { samples: vec![S::default(); width * height * samples_per_pixel], width, height, samples_per_pixel }
    }

    /// Copies a block to its position, clipped to the picture. A row of `source` has `stride` samples, a pixel `count` of
    /// them.
    fn paste(&mut self, block: &Block, source: &[S], stride: usize, count: usize) {
        let columns = block.width.min(self.width - block.x);
        let first = block.plane.unwrap_or(0);
        for row in 0..block.height.min(self.height - block.y) {
            let from = &source[row * stride..][..columns * count];
            let at = ((block.y + row) * self.width + block.x) * self.samples_per_pixel;
            let to = &mut self.samples[at..][..columns * self.samples_per_pixel];
            if count == self.samples_per_pixel {
                to.copy_from_slice(from);
                continue;
            }
            for (to, from) in to.chunks_exact_mut(self.samples_per_pixel).zip(from.chunks_exact(count)) {
                to[first..first + count].copy_from_slice(from);
            }
        }
    }
}

/// The strips or tiles of a page with their positions.
fn blocks(directory: &Ifd, page: &Page) -> Result<Vec<Block>, ImageError> {
    let (columns, rows) = (page.facts.width as usize, page.facts.height as usize);
    let (offsets, lengths, width, height) = if directory.is_tiled() {
        let side = |side: Option<u32>| side.unwrap_or(0) as usize;
        let (width, height) = (side(directory.tile_width()), side(directory.tile_height()));
        (directory.tile_offsets(), directory.tile_byte_counts(), width, height)
    } else {
        let height = (directory.rows_per_strip() as usize).min(rows);
        (directory.strip_offsets(), directory.strip_byte_counts(), columns, height)
    };
    // A tile may be rounded up to at most about twice the picture's size: a larger one would take too much memory.
    if width == 0 || height == 0 || width > 2 * columns + 4096 || height > 2 * rows + 4096 {
        return Err(damaged(format!("it claims strips or tiles of {width} × {height} pixels")));
    }
    let planes = if page.planar { page.samples_per_pixel } else { 1 };
    let (across, down) = (columns.div_ceil(width), rows.div_ceil(height));
    let (offsets, lengths) = (offsets.unwrap_or_default(), lengths.unwrap_or_default());
    let count = across * down * planes;
    if offsets.len() < count || lengths.len() < count {
        return Err(damaged(format!("it lists {} of {count} strips or tiles", offsets.len().min(lengths.len()))));
    }
    let block = |(number, (offset, length)): (usize, (u64, u64))| {
        let (plane, index) = (number / (across * down), number % (across * down));
        let (x, y) = (index % across * width, index / across * height);
        let height = if directory.is_tiled() { height } else { height.min(rows - y) };
        Block { offset, length, x, y, width, height, plane: page.planar.then_some(plane) }
    };
    Ok(offsets.into_iter().zip(lengths).take(count).enumerate().map(block).collect())
}
