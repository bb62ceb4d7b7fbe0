//! Strips and tiles that the reader does not read: JPEG streams and CCITT Group 4. And those without compression, which it
//! copies three times.

use tiff_reader::{ByteOrder, Ifd};

use super::first_page::FirstPage;
use super::page::{Page, unsupported};
use super::{Stored, damaged};
use crate::decode::jpeg;
use crate::image_error::ImageError;
use crate::image_facts::ColorKind;

const JPEG_TABLES: u16 = 347;
/// Bits of a byte are stored in reverse order.
const LOWEST_BIT_FIRST: u16 = 2;

/// A strip or tile.
struct Block {
    offset: u64,
    length: u64,
    /// Where its first pixel is.
    x: usize,
    y: usize,
    /// Its size as it is stored: a tile may reach beyond the picture, a strip does not.
    width: usize,
    height: usize,
    /// The sample of a pixel that it holds, where each has a plane of its own.
    plane: Option<usize>,
}

/// The samples of a page whose strips or tiles are JPEG streams.
pub(super) fn decode_jpeg(file: &FirstPage, page: &Page) -> Result<Vec<u8>, ImageError> {
    let tables = file.directory.tag(JPEG_TABLES).and_then(|tag| tag.value.as_bytes()).unwrap_or_default();
    let mut canvas = Canvas::of(page);
    for block in blocks(&file.directory, page)? {
        let samples = if block.plane.is_some() { 1 } else { page.samples_a_pixel };
        let color = match samples {
            1 => ColorKind::Grey,
            3 => ColorKind::Rgb,
            count => return Err(unsupported(&format!("JPEG compression of {count} samples a pixel"))),
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

/// A JPEG stream with the tables that all streams of a page share, and with a marker that says what its colours are,
/// which libjpeg would guess.
fn jpeg_stream(stream: &[u8], tables: &[u8], luma_and_chroma: bool) -> Vec<u8> {
    let (start, rest) = stream.split_at(stream.len().min(2));
    // The tables are a stream of their own, from the start to the end of an image.
    let tables = tables.get(2..tables.len().saturating_sub(2)).unwrap_or_default();
    let adobe = [0xff, 0xee, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, u8::from(luma_and_chroma)];
    [start, &adobe, tables, rest].concat()
}

/// The fault of a stream as one of the file that holds it.
fn in_this_file(error: ImageError) -> ImageError {
    match error {
        ImageError::Damaged { reason, .. } => damaged(format!("a JPEG stream in it: {reason}")),
        ImageError::Truncated { .. } => damaged("a JPEG stream in it ends early".to_owned()),
        error => error,
    }
}

/// The samples of a page of one bit a pixel that is compressed by CCITT T.6, 0 where T.6 says white.
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
            return Err(damaged("the CCITT Group 4 data of a strip or tile".to_owned()));
        }
        canvas.paste(&block, &samples, block.width, 1);
    }
    Ok(canvas.samples)
}

/// The samples of a page of 8 or 16 bits without compression.
pub(super) fn copy_samples(file: &FirstPage, page: &Page) -> Result<Stored, ImageError> {
    // A loop of its own for each way: a choice within it would cost more than the copy.
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
        let count = if block.plane.is_some() { 1 } else { page.samples_a_pixel };
        let bytes = file.bytes(block.offset, block.length)?;
        let wanted = block.width * block.height * count;
        let bytes = bytes.as_chunks::<BYTES>().0;
        if bytes.len() < wanted {
            return Err(damaged(format!("a strip or tile has {} samples of {wanted}", bytes.len())));
        }
        samples.clear();
        samples.extend(bytes[..wanted].iter().map(|&bytes| sample(bytes)));
        canvas.paste(&block, &samples, block.width * count, count);
    }
    Ok(canvas.samples)
}

/// The samples of a page, row by row, those of a pixel side by side.
struct Canvas<S> {
    samples: Vec<S>,
    width: usize,
    height: usize,
    a_pixel: usize,
}

impl<S: Copy + Default> Canvas<S> {
    fn of(page: &Page) -> Self {
        let (width, height, a_pixel) = (page.facts.width as usize, page.facts.height as usize, page.samples_a_pixel);
        Self { samples: vec![S::default(); width * height * a_pixel], width, height, a_pixel }
    }

    /// Puts the part of a block that lies within the picture where it belongs. A row of `source` has `stride` samples, a
    /// pixel `count` of them.
    fn paste(&mut self, block: &Block, source: &[S], stride: usize, count: usize) {
        let columns = block.width.min(self.width - block.x);
        let first = block.plane.unwrap_or(0);
        for row in 0..block.height.min(self.height - block.y) {
            let from = &source[row * stride..][..columns * count];
            let at = ((block.y + row) * self.width + block.x) * self.a_pixel;
            let to = &mut self.samples[at..][..columns * self.a_pixel];
            if count == self.a_pixel {
                to.copy_from_slice(from);
                continue;
            }
            for (to, from) in to.chunks_exact_mut(self.a_pixel).zip(from.chunks_exact(count)) {
                to[first..first + count].copy_from_slice(from);
            }
        }
    }
}

/// The strips or tiles of a page, each where it lies.
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
    // A tile is no larger than a picture may be: rounding up makes it at most as large again, and a bit.
    if width == 0 || height == 0 || width > 2 * columns + 4096 || height > 2 * rows + 4096 {
        return Err(damaged(format!("it claims strips or tiles of {width} × {height} pixels")));
    }
    let planes = if page.planar { page.samples_a_pixel } else { 1 };
    let (across, down) = (columns.div_ceil(width), rows.div_ceil(height));
    let (offsets, lengths) = (offsets.unwrap_or_default(), lengths.unwrap_or_default());
    let count = across * down * planes;
    if offsets.len() < count || lengths.len() < count {
        return Err(damaged(format!("it lists {} strips or tiles of {count}", offsets.len().min(lengths.len()))));
    }
    let block = |(number, (offset, length)): (usize, (u64, u64))| {
        let (plane, place) = (number / (across * down), number % (across * down));
        let (x, y) = (place % across * width, place / across * height);
        let height = if directory.is_tiled() { height } else { height.min(rows - y) };
        Block { offset, length, x, y, width, height, plane: page.planar.then_some(plane) }
    };
    Ok(offsets.into_iter().zip(lengths).take(count).enumerate().map(block).collect())
}
