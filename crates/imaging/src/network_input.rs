//! The network's input.

use std::path::Path;

use super::decode::decode_file;
use super::raster::{Channels, Raster};
use crate::image_error::ImageError;
pub use crate::resize::resize;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::network::input_route::InputRoute;

/// One image as network input: `size` × `size` × 3 values (HWC), centred on zero and within −1 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkInput {
    size: usize,
    values: Vec<f32>,
}

impl NetworkInput {
    pub const CHANNELS: usize = 3;

    /// Scales and centres an image that has been resized by [`resize`].
    ///
    /// - Training route: × 1/255 in single precision, then minus the mean over all pixels and channels.
    /// - Grad-CAM notebook route: minus that mean, then / 255, in double precision.
    ///
    /// Each of the 256 possible values is computed once, and the mean is computed from their counts.
    ///
    /// # Panics
    /// If the image is not square.
    #[must_use]
    pub fn from_resized(image: &Raster<u8>, route: InputRoute) -> Self {
        assert_eq!(image.width(), image.height(), "the network's input is square");
        let table = value_table(image.samples(), route);
        let mut values = Vec::with_capacity(image.width() * image.height() * Self::CHANNELS);
        match image.channels() {
            Channels::Grey => {
                values.extend(image.samples().iter().flat_map(|&sample| [table[usize::from(sample)]; Self::CHANNELS]));
            }
            Channels::Rgb => values.extend(image.samples().iter().map(|&sample| table[usize::from(sample)])),
        }
        Self { size: image.width(), values }
    }

    /// Side in pixels.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The `size` × `size` × 3 values, channels innermost.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    #[must_use]
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

/// Reads a file and returns the network's input and the findings in the image.
///
/// # Panics
/// If `size` is zero.
pub fn load_input(
    path: &Path,
    size: usize,
    route: InputRoute,
    range: GreyRange,
) -> Result<(NetworkInput, ImageFindings), ImageError> {
    let levels = decode_file(path)?.into_levels(range)?;
    let picture = resize(&levels.raster, size, route);
    Ok((NetworkInput::from_resized(&picture, route), levels.findings(&picture)))
}

/// The input value of each grey level in an image with these samples.
fn value_table(samples: &[u8], route: InputRoute) -> [f32; 256] {
    let mut counts = [0_u64; 256];
    for &sample in samples {
        counts[usize::from(sample)] += 1;
    }
    let mean_of = |value: &dyn Fn(usize) -> f64| {
        let sum: f64 = counts.iter().enumerate().map(|(level, &count)| count as f64 * value(level)).sum();
        sum / samples.len() as f64
    };
    match route {
        InputRoute::Training => {
            let scaled: [f32; 256] = std::array::from_fn(|level| level as f32 * (1.0 / 255.0));
            let mean = mean_of(&|level| f64::from(scaled[level])) as f32;
            scaled.map(|value| value - mean)
        }
        InputRoute::GradCamNotebook => {
            let mean = mean_of(&|level| level as f64);
            std::array::from_fn(|level| ((level as f64 - mean) / 255.0) as f32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_values_are_centred_and_repeated() {
        let image = Raster::new(2, 2, Channels::Grey, vec![0, 255, 0, 255]);
        for route in InputRoute::ALL {
            let input = NetworkInput::from_resized(&image, route);
            assert_eq!(input.values()[..6], [-0.5, -0.5, -0.5, 0.5, 0.5, 0.5], "{route}");
            assert_eq!((input.size(), input.values().len()), (2, 12));
        }
    }

    #[test]
    fn the_mean_is_taken_over_all_channels() {
        let image = Raster::new(1, 1, Channels::Rgb, vec![0, 51, 102]);
        let input = NetworkInput::from_resized(&image, InputRoute::GradCamNotebook);
        assert_eq!(input.values(), &[-0.2, 0.0, 0.2]);
    }
}
