//! The main header and the tile-parts of a codestream (T.800 annex A).

use super::byte_reader::ByteReader;
use super::failure::{ENDS_EARLY, damaged, unsupported};
use super::parameters::Stated;
use crate::codec::codec_error::CodecError;
use crate::codec::frame::FrameLayout;

/// The size of the image and of its tiles, on the reference grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Left and top, and the first column and row past the image.
    pub(super) start: (u32, u32),
    pub(super) end: (u32, u32),
    pub(super) tile: (u32, u32),
    pub(super) tile_start: (u32, u32),
    pub(super) precision: u8,
    pub(super) signed: bool,
}

/// What the codestream holds for a tile.
#[derive(Clone, Debug, Default)]
pub(super) struct TileData<'a> {
    pub(super) stated: Stated,
    /// The packets, one slice per tile-part.
    pub(super) parts: Vec<&'a [u8]>,
}

/// A parsed codestream.
pub(super) struct Image<'a> {
    pub(super) size: Size,
    pub(super) stated: Stated,
    pub(super) tiles: Vec<TileData<'a>>,
    /// True if the codestream has no end marker.
    pub(super) ends_early: bool,
}

impl<'a> Image<'a> {
    /// Reads all headers. The size is checked against the layout before anything is allocated.
    pub(super) fn parse(codestream: &'a [u8], layout: FrameLayout) -> Result<Self, CodecError> {
        let mut reader = Markers { codestream, position: 2 };
        let (marker, segment) = reader.segment()?;
        if marker != 0x51 {
            return Err(damaged("it does not begin with the image's size"));
        }
        let size = Size::read(segment, layout)?;
        let tiles = size.tiles_across() * size.tiles_down();
        // Each tile takes at least a tile-part header of 14 bytes.
        if tiles > 65_535 {
            return Err(damaged("it has more than 65,535 tiles"));
        }
        if tiles * 14 > codestream.len() {
            return Err(ENDS_EARLY);
        }
        let mut image =
            Self { size, stated: Stated::default(), tiles: vec![TileData::default(); tiles], ends_early: false };
        while reader.peek()? != 0x90 {
            let (marker, segment) = reader.segment()?;
            match marker {
                0x60 => return Err(unsupported("packet headers in the main header")),
                0x51 | 0x61 | 0x93 | 0xD9 => return Err(damaged(format!("the marker FF{marker:02X} is misplaced"))),
                _ => image.stated.read(marker, segment).map(|_| ())?,
            }
        }
        image.read_tile_parts(&mut reader)?;
        if image.tiles.iter().any(|tile| tile.parts.is_empty()) {
            return Err(if image.ends_early { ENDS_EARLY } else { damaged("a tile is missing") });
        }
        Ok(image)
    }

    fn read_tile_parts(&mut self, reader: &mut Markers<'a>) -> Result<(), CodecError> {
        loop {
            match reader.peek() {
                Ok(0x90) => self.read_tile_part(reader)?,
                Ok(0xD9) => {
                    let rest = &reader.codestream[reader.position + 2..];
                    let padding = rest.iter().all(|&byte| byte == 0 || byte == 0xFF);
                    return if padding { Ok(()) } else { Err(damaged("data follow the end of the codestream")) };
                }
                Ok(marker) => return Err(damaged(format!("the marker FF{marker:02X} is misplaced"))),
                Err(CodecError::EndsEarly(_)) => {
                    self.ends_early = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn read_tile_part(&mut self, reader: &mut Markers<'a>) -> Result<(), CodecError> {
        let start = reader.position;
        let (_, segment) = reader.segment()?;
        let mut fields = ByteReader(segment);
        let (index, length) = (usize::from(fields.u16()?), fields.u32()? as usize);
        let _part = fields.u8()?;
        let codestream = reader.codestream;
        let end = match length {
            // Up to the end marker. Padding may follow it.
            0 => {
                let used = codestream.iter().rposition(|&byte| byte != 0 && byte != 0xFF).map_or(0, |last| last + 1);
                let ended = used >= 2 && codestream[used - 2..used] == [0xFF, 0xD9];
                if ended { used - 2 } else { codestream.len() }
            }
            length => start + length,
        };
        if end > codestream.len() {
            return Err(ENDS_EARLY);
        }
        let tile = self.tiles.get_mut(index).ok_or_else(|| damaged("a tile-part of a tile that does not exist"))?;
        loop {
            if reader.peek()? == 0x93 {
                reader.position += 2;
                break;
            }
            let (marker, segment) = reader.segment()?;
            match marker {
                0x61 => return Err(unsupported("packet headers in a tile-part's header")),
                0x51 | 0x60 | 0x90 | 0xD9 => return Err(damaged(format!("the marker FF{marker:02X} is misplaced"))),
                _ => tile.stated.read(marker, segment).map(|_| ())?,
            }
        }
        let part = codestream.get(reader.position..end);
        tile.parts.push(part.ok_or_else(|| damaged("a tile-part is shorter than its header"))?);
        reader.position = end;
        Ok(())
    }
}

impl Size {
    fn read(segment: &[u8], layout: FrameLayout) -> Result<Self, CodecError> {
        let mut reader = ByteReader(segment);
        let _capabilities = reader.u16()?;
        let mut pair = || Ok::<_, CodecError>((reader.u32()?, reader.u32()?));
        let (end, start, tile, tile_start) = (pair()?, pair()?, pair()?, pair()?);
        let components = reader.u16()?;
        if components != 1 {
            return Err(CodecError::NotGrey { components: usize::from(components) });
        }
        let (depth, step) = (reader.u8()?, (reader.u8()?, reader.u8()?));
        let precision = (depth & 0x7F) + 1;
        let columns = end.0.saturating_sub(start.0) as usize;
        let rows = end.1.saturating_sub(start.1) as usize;
        layout.check(columns, rows, precision)?;
        if step != (1, 1) {
            return Err(unsupported("a subsampled component"));
        }
        let contains_start = |tile_start: u32, tile: u32, start: u32| {
            tile_start <= start && u64::from(tile_start) + u64::from(tile) > u64::from(start)
        };
        if !contains_start(tile_start.0, tile.0, start.0) || !contains_start(tile_start.1, tile.1, start.1) {
            return Err(damaged("the first tile is outside the image"));
        }
        Ok(Self { start, end, tile, tile_start, precision, signed: depth & 0x80 != 0 })
    }

    pub(super) fn tiles_across(&self) -> usize {
        (self.end.0 - self.tile_start.0).div_ceil(self.tile.0) as usize
    }

    pub(super) fn tiles_down(&self) -> usize {
        (self.end.1 - self.tile_start.1).div_ceil(self.tile.1) as usize
    }
}

/// A reader of marker segments.
struct Markers<'a> {
    codestream: &'a [u8],
    position: usize,
}

impl<'a> Markers<'a> {
    /// The second byte of the marker that follows.
    fn peek(&self) -> Result<u8, CodecError> {
        match self.codestream.get(self.position..) {
            Some([0xFF, marker, ..]) => Ok(*marker),
            None | Some([] | [0xFF]) => Err(ENDS_EARLY),
            Some(_) => Err(damaged(format!("byte {} should begin a marker", self.position))),
        }
    }

    /// The marker that follows, and its segment without the length.
    fn segment(&mut self) -> Result<(u8, &'a [u8]), CodecError> {
        let marker = self.peek()?;
        let rest = &self.codestream[self.position + 2..];
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk::<2>().ok_or(ENDS_EARLY)?));
        if length < 2 {
            return Err(damaged(format!("the segment FF{marker:02X} has a length below 2")));
        }
        let segment = rest.get(2..length).ok_or(ENDS_EARLY)?;
        self.position += 2 + length;
        Ok((marker, segment))
    }
}
