//! The division of a tile into resolutions, subbands, precincts and code blocks (T.800 annex B).

use super::codestream::Size;
use super::failure::{ENDS_EARLY, damaged, unsupported};
use super::parameters::Parameters;
use super::tag_tree::TagTree;
use crate::codec::codec_error::CodecError;

/// A rectangle; the end is not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) left: u64,
    pub(super) top: u64,
    pub(super) right: u64,
    pub(super) bottom: u64,
}

impl Rect {
    pub(super) fn width(&self) -> usize {
        (self.right - self.left) as usize
    }

    pub(super) fn height(&self) -> usize {
        (self.bottom - self.top) as usize
    }

    fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    fn mapped(&self, x: impl Fn(u64) -> u64, y: impl Fn(u64) -> u64) -> Self {
        Self { left: x(self.left), top: y(self.top), right: x(self.right), bottom: y(self.bottom) }
    }

    fn intersection(&self, other: &Self) -> Self {
        let (left, top) = (self.left.max(other.left), self.top.max(other.top));
        Self { left, top, right: self.right.min(other.right).max(left), bottom: self.bottom.min(other.bottom).max(top) }
    }

    /// The cells of this size, given as exponents, that touch the rectangle: first column, first row, across and down.
    fn cells(&self, (width, height): (u32, u32)) -> (u64, u64, usize, usize) {
        if self.is_empty() {
            return (0, 0, 0, 0);
        }
        let (column, row) = (self.left >> width, self.top >> height);
        let across = ((self.right - 1) >> width) - column + 1;
        let down = ((self.bottom - 1) >> height) - row + 1;
        (column, row, across as usize, down as usize)
    }
}

/// The filters of a subband: low-pass, or high-pass across, down or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orientation {
    Low,
    HighAcross,
    HighDown,
    HighBoth,
}

/// A subband.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) orientation: Orientation,
    /// The number of bits of a coefficient's magnitude, without those of a region of interest.
    pub(super) magnitude_bits: u32,
    /// The size of a quantization step; 1 for reversible coding.
    pub(super) step: f32,
}

/// A stretch of passes in one codeword.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    pub(super) passes: u32,
    pub(super) bytes: usize,
}

/// A code block, and what packets contributed to it.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Column and row in the tile's coefficients.
    pub(super) place: (usize, usize),
    pub(super) size: (usize, usize),
    pub(super) included: bool,
    pub(super) zero_planes: u32,
    pub(super) length_bits: u32,
    pub(super) passes: u32,
    pub(super) segments: Vec<Segment>,
    /// Start and length of each contribution in the tile's data.
    pub(super) chunks: Vec<(usize, usize)>,
}

/// The code blocks of one subband in a precinct.
#[derive(Clone, Debug)]
pub(super) struct PrecinctBand {
    /// Index of the subband within the resolution.
    pub(super) band: usize,
    pub(super) across: usize,
    pub(super) blocks: Vec<Block>,
    pub(super) inclusion: TagTree,
    pub(super) zero_planes: TagTree,
}

/// A precinct: what one packet per layer contributes to.
#[derive(Clone, Debug)]
pub(super) struct Precinct {
    /// Row and column of its first sample on the reference grid.
    pub(super) position: (u64, u64),
    pub(super) layers_read: usize,
    pub(super) bands: Vec<PrecinctBand>,
}

/// A resolution with the subbands that it adds to the one below.
#[derive(Clone, Debug)]
pub(super) struct Resolution {
    pub(super) rect: Rect,
    pub(super) bands: Vec<Band>,
    pub(super) precincts: Vec<Precinct>,
}

/// The rectangle of a tile on the reference grid.
pub(super) fn tile_rect(size: &Size, index: usize) -> Rect {
    let (column, row) = (index % size.tiles_across(), index / size.tiles_across());
    let span = |at: usize, start: u32, tile: u32, first: u32, end: u32| {
        let left = u64::from(start) + at as u64 * u64::from(tile);
        (left.max(u64::from(first)), (left + u64::from(tile)).min(u64::from(end)))
    };
    let (left, right) = span(column, size.tile_start.0, size.tile.0, size.start.0, size.end.0);
    let (top, bottom) = span(row, size.tile_start.1, size.tile.1, size.start.1, size.end.1);
    Rect { left, top, right, bottom }
}

/// Divides a tile. `bytes` are the tile's data: each packet takes at least one.
pub(super) fn resolutions(
    tile: &Rect,
    parameters: &Parameters,
    precision: u8,
    bytes: usize,
) -> Result<Vec<Resolution>, CodecError> {
    let coding = &parameters.coding;
    let mut packets = 0_usize;
    let mut resolutions: Vec<Resolution> = Vec::new();
    for number in 0..=coding.levels {
        let above = coding.levels - number;
        let rect = tile.mapped(|x| ceil_shift(x, above), |y| ceil_shift(y, above));
        let (_, _, across, down) = rect.cells(coding.precincts[number]);
        packets = packets.saturating_add(across.saturating_mul(down).saturating_mul(coding.layers));
        if packets > bytes {
            return Err(ENDS_EARLY);
        }
        let below = resolutions.last().map(|resolution| resolution.rect);
        let bands = bands(parameters, precision, number)?;
        let mut resolution = Resolution { rect, bands, precincts: Vec::with_capacity(across * down) };
        add_precincts(&mut resolution, tile, below, parameters, number);
        resolutions.push(resolution);
    }
    Ok(resolutions)
}

fn ceil_shift(value: u64, shift: usize) -> u64 {
    (value + (1 << shift) - 1) >> shift
}

/// The subbands of a resolution.
fn bands(parameters: &Parameters, precision: u8, number: usize) -> Result<Vec<Band>, CodecError> {
    let orientations: &[Orientation] = match number {
        0 => &[Orientation::Low],
        _ => &[Orientation::HighAcross, Orientation::HighDown, Orientation::HighBoth],
    };
    let band = |(index, &orientation): (usize, &Orientation)| {
        let step_index = if number == 0 { 0 } else { 3 * number - 2 + index };
        let step = parameters.quantization.step(step_index, number.saturating_sub(1))?;
        let gain = match orientation {
            Orientation::Low => 0,
            Orientation::HighAcross | Orientation::HighDown => 1,
            Orientation::HighBoth => 2,
        };
        let exponent = i32::from(precision) + gain - step.exponent as i32;
        let size = (1.0 + step.mantissa as f32 / 2048.0) * (exponent as f32).exp2();
        let magnitude_bits = parameters.quantization.magnitude_bits(step);
        if magnitude_bits + parameters.region_shift > 30 {
            return Err(unsupported("coefficients of more than 30 bits"));
        }
        Ok(Band { orientation, magnitude_bits, step: if parameters.coding.reversible { 1.0 } else { size } })
    };
    orientations.iter().enumerate().map(band).collect()
}

fn add_precincts(
    resolution: &mut Resolution,
    tile: &Rect,
    below: Option<Rect>,
    parameters: &Parameters,
    number: usize,
) {
    let coding = &parameters.coding;
    let precinct = coding.precincts[number];
    let above = coding.levels - number;
    let (first_column, first_row, across, down) = resolution.rect.cells(precinct);
    for index in 0..across * down {
        let (column, row) = (first_column + (index % across) as u64, first_row + (index / across) as u64);
        let position = ((row << precinct.1 << above).max(tile.top), (column << precinct.0 << above).max(tile.left));
        // A subband has half the resolution, but for the lowest.
        let half = u32::from(number > 0);
        let (width, height) = (precinct.0 - half, precinct.1 - half);
        let cell = Rect {
            left: column << width,
            top: row << height,
            right: (column + 1) << width,
            bottom: (row + 1) << height,
        };
        let block = (coding.block.0.min(width), coding.block.1.min(height));
        let bands = resolution.bands.iter().enumerate().map(|(band, facts)| {
            let (rect, place) = band_rect(tile, facts.orientation, above, below);
            precinct_band(band, &rect, place, &cell, block)
        });
        resolution.precincts.push(Precinct { position, layers_read: 0, bands: bands.collect() });
    }
}

/// A subband's rectangle, and its place in the tile's coefficients.
fn band_rect(tile: &Rect, orientation: Orientation, above: usize, below: Option<Rect>) -> (Rect, (usize, usize)) {
    let Some(below) = below else {
        return (tile.mapped(|x| ceil_shift(x, above), |y| ceil_shift(y, above)), (0, 0));
    };
    let level = above + 1;
    let high = |value: u64, is_high: bool| {
        let offset = if is_high { 1 << (level - 1) } else { 0 };
        // The numerator may be negative; its quotient is then rounded up to 0.
        (value + (1 << level) - 1).saturating_sub(offset) >> level
    };
    let across = matches!(orientation, Orientation::HighAcross | Orientation::HighBoth);
    let down = matches!(orientation, Orientation::HighDown | Orientation::HighBoth);
    let place = (if across { below.width() } else { 0 }, if down { below.height() } else { 0 });
    (tile.mapped(|x| high(x, across), |y| high(y, down)), place)
}

fn precinct_band(band: usize, rect: &Rect, place: (usize, usize), cell: &Rect, block: (u32, u32)) -> PrecinctBand {
    let part = rect.intersection(cell);
    let (first_column, first_row, across, down) = part.cells(block);
    let blocks = (0..across * down).map(|index| {
        let (column, row) = (first_column + (index % across) as u64, first_row + (index / across) as u64);
        let whole = Rect {
            left: column << block.0,
            top: row << block.1,
            right: (column + 1) << block.0,
            bottom: (row + 1) << block.1,
        };
        let used = part.intersection(&whole);
        Block {
            place: (place.0 + (used.left - rect.left) as usize, place.1 + (used.top - rect.top) as usize),
            size: (used.width(), used.height()),
            included: false,
            zero_planes: 0,
            length_bits: 3,
            passes: 0,
            segments: Vec::new(),
            chunks: Vec::new(),
        }
    });
    let blocks = blocks.collect();
    let tree = TagTree::new(across, down);
    PrecinctBand { band, across, blocks, inclusion: tree.clone(), zero_planes: tree }
}

/// Checks that the tile is not empty.
pub(super) fn check(tile: &Rect) -> Result<(), CodecError> {
    if tile.is_empty() { Err(damaged("a tile is empty")) } else { Ok(()) }
}
