//! Decoding of one tile: packets, code blocks, wavelet, samples.

use std::borrow::Cow;

use super::bit_planes::BlockDecoder;
use super::codestream::{Image, Size};
use super::failure::damaged;
use super::geometry::{Rect, Resolution};
use super::high_throughput::QuadDecoder;
use super::parameters::Parameters;
use super::wavelet::{Irreversible, Reversible, Wavelet, synthesize};
use super::{geometry, packets};
use crate::codec::codec_error::CodecError;

/// The samples of a tile.
pub(super) struct DecodedTile {
    pub(super) rect: Rect,
    /// Row by row, shifted to the levels of the image and clamped to its precision.
    pub(super) samples: Vec<i32>,
    /// True if the coefficients are not quantized.
    pub(super) reversible: bool,
}

/// Decodes a tile.
pub(super) fn decode(image: &Image<'_>, index: usize) -> Result<DecodedTile, CodecError> {
    let (size, tile) = (&image.size, &image.tiles[index]);
    let rect = geometry::tile_rect(size, index);
    geometry::check(&rect)?;
    let parameters = image.stated.for_tile(&tile.stated)?;
    let data = match tile.parts[..] {
        [part] => Cow::Borrowed(part),
        _ => Cow::Owned(tile.parts.concat()),
    };
    let mut resolutions = geometry::resolutions(&rect, &parameters, size.precision, data.len())?;
    packets::read(&data, &mut resolutions, &parameters)?;
    let reversible = parameters.coding.reversible;
    let tile = Tile { rect, resolutions, parameters, data: &data };
    // Collecting reuses the memory of the coefficients.
    let samples = if reversible {
        let coefficients = tile.samples::<Reversible>(|value, _| value / 2)?;
        coefficients.into_iter().map(|value| level(size, value)).collect()
    } else {
        let coefficients = tile.samples::<Irreversible>(|value, step| value as f32 * 0.5 * step)?;
        coefficients.into_iter().map(|value| level(size, value.round_ties_even() as i32)).collect()
    };
    Ok(DecodedTile { rect, samples, reversible })
}

/// Shifts a sample around 0 to the levels of the image and clamps it.
fn level(size: &Size, value: i32) -> i32 {
    let half = 1 << (size.precision - 1);
    let (offset, least) = if size.signed { (0, -half) } else { (half, 0) };
    value.saturating_add(offset).clamp(least, least + 2 * half - 1)
}

struct Tile<'a> {
    rect: Rect,
    resolutions: Vec<Resolution>,
    parameters: Parameters,
    data: &'a [u8],
}

impl Tile<'_> {
    /// The tile's samples before the level shift. `dequantize` converts twice a coefficient's value.
    fn samples<W: Wavelet>(&self, dequantize: impl Fn(i32, f32) -> W::Sample) -> Result<Vec<W::Sample>, CodecError> {
        let stride = self.rect.width();
        let shift = self.parameters.region_shift;
        let style = self.parameters.coding.style;
        let mut coefficients = vec![W::Sample::default(); stride * self.rect.height()];
        let (mut bits, mut quads) = (BlockDecoder::new(), QuadDecoder::default());
        for resolution in &self.resolutions {
            for part in resolution.precincts.iter().flat_map(|precinct| &precinct.bands) {
                let band = &resolution.bands[part.band];
                for block in part.blocks.iter().filter(|block| block.passes > 0) {
                    let planes = (band.magnitude_bits + shift).checked_sub(block.zero_planes);
                    let planes = planes.ok_or_else(|| damaged("a code block has too few bit planes"))?;
                    let values = if style.high_throughput() {
                        quads.decode(block, planes, self.data)?;
                        quads.values()
                    } else {
                        bits.decode(block, planes, band.orientation, style, self.data)?;
                        bits.values()
                    };
                    let (left, top) = block.place;
                    for (row, values) in values.chunks_exact(block.size.0).enumerate() {
                        let target = &mut coefficients[(top + row) * stride + left..][..block.size.0];
                        for (coefficient, &value) in target.iter_mut().zip(values) {
                            *coefficient = dequantize(without_region_shift(value, shift), band.step);
                        }
                    }
                }
            }
        }
        let rects: Vec<Rect> = self.resolutions.iter().map(|resolution| resolution.rect).collect();
        synthesize::<W>(&mut coefficients, stride, &rects);
        Ok(coefficients)
    }
}

/// Undoes the shift of coefficients in a region of interest, which are larger than all others (T.800 annex H).
fn without_region_shift(doubled: i32, shift: u32) -> i32 {
    if shift > 0 && doubled.unsigned_abs() >> (shift + 1) != 0 {
        return doubled.signum() * (doubled.abs() >> shift);
    }
    doubled
}
