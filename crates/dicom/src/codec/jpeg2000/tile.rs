//! Decoding of one tile: packets, code blocks, wavelet, samples.

use std::borrow::Cow;

use super::bit_planes::BlockDecoder;
use super::codestream::{Image, Size};
use super::geometry::{Rect, Resolution};
use super::high_throughput::QuadDecoder;
use super::parameters::Parameters;
use super::wavelet::{Irreversible, Reversible, Wavelet, synthesize};
use super::{damaged, geometry, packets};
use crate::codec::CodecError;

/// Decodes a tile into its place among the image's samples. Returns true if it is quantized.
pub(super) fn decode(image: &Image<'_>, index: usize, samples: &mut [i32]) -> Result<bool, CodecError> {
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
    let tile = Tile { rect, resolutions, parameters, data: &data };
    if tile.parameters.coding.reversible {
        let coefficients = tile.samples::<Reversible>(|value, _| value / 2)?;
        tile.place(size, &coefficients, samples, |value| value);
    } else {
        let coefficients = tile.samples::<Irreversible>(|value, step| value as f32 * 0.5 * step)?;
        tile.place(size, &coefficients, samples, |value| value.round_ties_even() as i32);
    }
    Ok(!tile.parameters.coding.reversible)
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

    /// Shifts samples to the levels of the image, clamps them and copies them to their place.
    fn place<T: Copy>(&self, size: &Size, coefficients: &[T], samples: &mut [i32], value: impl Fn(T) -> i32) {
        let half = 1 << (size.precision - 1);
        let (offset, least) = if size.signed { (0, -half) } else { (half, 0) };
        let largest = least + 2 * half - 1;
        let columns = (size.end.0 - size.start.0) as usize;
        let left = (self.rect.left - u64::from(size.start.0)) as usize;
        let top = (self.rect.top - u64::from(size.start.1)) as usize;
        for (row, line) in coefficients.chunks_exact(self.rect.width()).enumerate() {
            let target = &mut samples[(top + row) * columns + left..];
            for (sample, &coefficient) in target.iter_mut().zip(line) {
                *sample = value(coefficient).saturating_add(offset).clamp(least, largest);
            }
        }
    }
}

/// Undoes the shift of coefficients in a region of interest, which are larger than all others (T.800 annex H).
fn without_region_shift(doubled: i32, shift: u32) -> i32 {
    if shift > 0 && doubled.unsigned_abs() >> (shift + 1) != 0 {
        return doubled.signum() * (doubled.abs() >> shift);
    }
    doubled
}
