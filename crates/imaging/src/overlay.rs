//! Overlays of a coloured map on the picture that it explains.

use super::colormap::Colormap;
use super::mask::Mask;
use super::raster::{Channels, Raster};

/// The map value that is drawn in full colour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MapScale {
    /// The map's own largest value, so that every picture shows where its map is strongest.
    #[default]
    PerImage,
    /// The same value for all pictures, so that they are comparable.
    Fixed(f32),
}

impl MapScale {
    /// The largest finite value of a map; `None` if none is positive.
    #[must_use]
    pub fn largest(map: &Raster<f32>) -> Option<f32> {
        let largest = map.samples().iter().copied().filter(|value| value.is_finite()).fold(0.0, f32::max);
        (largest > 0.0).then_some(largest)
    }

    /// A map as shares of the scale's value, clamped to 0 to 1. NaN becomes 0, and so does a map without positive values.
    #[must_use]
    pub fn shares(self, map: &Raster<f32>) -> Raster<f32> {
        let full = match self {
            Self::PerImage => Self::largest(map).unwrap_or(0.0),
            Self::Fixed(full) => full,
        };
        map.map(|value| if full > 0.0 && value > 0.0 { (value / full).min(1.0) } else { 0.0 })
    }
}

/// A map in colours, as RGB.
#[must_use]
pub fn painted(shares: &Raster<f32>, colors: Colormap) -> Raster<u8> {
    let samples = shares.samples().iter().flat_map(|&share| colors.color(share)).collect();
    Raster::new(shares.width(), shares.height(), Channels::Rgb, samples)
}

/// A picture with a map over it, as RGB: each pixel is blended with the map's colour at a weight of `opacity` × share,
/// both from 0 to 1.
///
/// A share of 0 leaves the pixel unchanged, and no pixel becomes lighter than the lighter of the two colours. (The
/// reference adds them, which saturates to white.)
///
/// # Panics
/// If the sizes differ.
#[must_use]
pub fn overlay(picture: &Raster<u8>, shares: &Raster<f32>, colors: Colormap, opacity: f32) -> Raster<u8> {
    let size = (picture.width(), picture.height());
    assert_eq!(size, (shares.width(), shares.height()), "map and picture have the same size");
    blended(picture, |at| {
        let share = shares.samples()[at];
        (share > 0.0).then(|| (colors.color(share), opacity.clamp(0.0, 1.0) * share))
    })
}

/// A picture with the pixels of a mask tinted, as RGB.
///
/// # Panics
/// If the sizes differ.
#[must_use]
pub fn tinted(picture: &Raster<u8>, mask: &Mask, color: [u8; 3], opacity: f32) -> Raster<u8> {
    let size = (picture.width(), picture.height());
    assert_eq!(size, (mask.width(), mask.height()), "mask and picture have the same size");
    blended(picture, |at| mask.pixels()[at].then_some((color, opacity.clamp(0.0, 1.0))))
}

/// A picture as RGB; `over` returns the colour and weight that a pixel is blended with.
pub(super) fn blended(picture: &Raster<u8>, over: impl Fn(usize) -> Option<([u8; 3], f32)>) -> Raster<u8> {
    let channels = picture.channels().count();
    let mut samples = Vec::with_capacity(picture.width() * picture.height() * 3);
    for (at, pixel) in picture.samples().chunks_exact(channels).enumerate() {
        let under: [u8; 3] = std::array::from_fn(|channel| pixel[channel % channels]);
        samples.extend(match over(at) {
            Some((color, weight)) => std::array::from_fn(|channel| {
                let (under, color) = (f32::from(under[channel]), f32::from(color[channel]));
                (under + weight * (color - under)).round() as u8
            }),
            None => under,
        });
    }
    Raster::new(picture.width(), picture.height(), Channels::Rgb, samples)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grey(levels: &[u8]) -> Raster<u8> {
        Raster::new(levels.len(), 1, Channels::Grey, levels.to_vec())
    }

    fn map(values: &[f32]) -> Raster<f32> {
        Raster::new(values.len(), 1, Channels::Grey, values.to_vec())
    }

    #[test]
    fn colours_are_blended_and_not_added() {
        // The end of seismic, [128, 0, 0], at 0.5 over 200: the reference's sum would be white.
        let over = overlay(&grey(&[200, 200]), &map(&[1.0, 0.75]), Colormap::Seismic, 0.5);
        assert_eq!(over.samples()[..3], [164, 100, 100]);
        // Three quarters of the scale are [255, 0, 0], at 0.375.
        assert_eq!(over.samples()[3..], [221, 125, 125]);
    }

    #[test]
    fn shares_are_relative_to_the_scale() {
        let values = map(&[-2.0, 0.0, 1.0, 4.0, f32::NAN]);
        assert_eq!(MapScale::PerImage.shares(&values).samples(), &[0.0, 0.0, 0.25, 1.0, 0.0]);
        assert_eq!(MapScale::Fixed(2.0).shares(&values).samples(), &[0.0, 0.0, 0.5, 1.0, 0.0]);
        assert_eq!(MapScale::PerImage.shares(&map(&[-1.0, -2.0])).samples(), &[0.0, 0.0]);
        assert_eq!(MapScale::Fixed(0.0).shares(&values).samples(), &[0.0; 5]);
    }

    #[test]
    fn a_share_of_zero_is_transparent_and_one_is_opaque() {
        let picture = overlay(&grey(&[0, 100, 255, 255]), &map(&[0.0, 0.0, 0.0, 1.0]), Colormap::Seismic, 1.0);
        assert_eq!(picture.samples(), &[0, 0, 0, 100, 100, 100, 255, 255, 255, 128, 0, 0]);
        let half = overlay(&grey(&[100]), &map(&[1.0]), Colormap::Grey, 0.5);
        assert_eq!(half.samples(), &[178, 178, 178]);
        let mask = Mask::new(2, 1, vec![true, false]);
        assert_eq!(tinted(&grey(&[0, 9]), &mask, [200, 100, 0], 0.5).samples(), &[100, 50, 0, 9, 9, 9]);
    }

    proptest! {
        #[test]
        fn a_blend_is_between_both_colours(level in 0_u8.., share in 0.0_f32..=1.0, opacity in 0.0_f32..=1.0) {
            let picture = overlay(&grey(&[level]), &map(&[share]), Colormap::Inferno, opacity);
            for (sample, color) in picture.samples().iter().zip(Colormap::Inferno.color(share)) {
                prop_assert!((level.min(color)..=level.max(color)).contains(sample));
            }
        }
    }
}
