//! Pictures in memory.

use std::fmt;

/// The width and height of a picture in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    pub width: usize,
    pub height: usize,
}

impl fmt::Display for PictureSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.width, self.height)
    }
}

/// The channels of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    Grey,
    Rgb,
}

impl Channels {
    /// Samples per pixel: 1 or 3.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// A picture of `height` × `width` pixels, row by row and interleaved (HWC).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster<S> {
    width: usize,
    height: usize,
    channels: Channels,
    samples: Vec<S>,
}

impl<S: Copy> Raster<S> {
    /// A picture from its `height` × `width` × channels samples.
    ///
    /// # Panics
    /// If a side is zero or the number of samples does not match.
    #[must_use]
    pub fn new(width: usize, height: usize, channels: Channels, samples: Vec<S>) -> Self {
        assert!(width > 0 && height > 0, "a picture has pixels");
        assert_eq!(samples.len(), width * height * channels.count(), "samples of {width} × {height} pixels");
        Self { width, height, channels, samples }
    }

    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    #[must_use]
    pub fn size(&self) -> PictureSize {
        PictureSize { width: self.width, height: self.height }
    }

    #[must_use]
    pub fn channels(&self) -> Channels {
        self.channels
    }

    /// All samples, row by row.
    #[must_use]
    pub fn samples(&self) -> &[S] {
        &self.samples
    }

    #[must_use]
    pub fn into_samples(self) -> Vec<S> {
        self.samples
    }

    /// The `width` × channels samples of one row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[S] {
        let length = self.width * self.channels.count();
        &self.samples[row * length..(row + 1) * length]
    }

    /// The sample of a pixel in a picture of one channel.
    pub(super) fn at_mut(&mut self, x: usize, y: usize) -> &mut S {
        &mut self.samples[y * self.width + x]
    }

    /// Applies a function to every sample.
    #[must_use]
    pub fn map<T: Copy>(&self, change: impl Fn(S) -> T) -> Raster<T> {
        Raster {
            width: self.width,
            height: self.height,
            channels: self.channels,
            samples: self.samples.iter().map(|&sample| change(sample)).collect(),
        }
    }
}

impl Raster<u8> {
    /// The picture in one channel if its colours are all grey, otherwise unchanged. Mammograms are often stored as RGB; one
    /// channel has the same information in a third of the memory.
    #[must_use]
    pub fn grey_if_colourless(self) -> Self {
        let (pixels, rest) = self.samples.as_chunks::<3>();
        let colourless = self.channels == Channels::Rgb
            && rest.is_empty()
            && pixels.iter().all(|[red, green, blue]| red == green && green == blue);
        if !colourless {
            return self;
        }
        Self::new(self.width, self.height, Channels::Grey, pixels.iter().map(|[level, ..]| *level).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_channels_become_one() {
        let stored_as_rgb = Raster::new(2, 1, Channels::Rgb, vec![9_u8, 9, 9, 0, 0, 0]);
        assert_eq!(stored_as_rgb.grey_if_colourless(), Raster::new(2, 1, Channels::Grey, vec![9, 0]));
        let coloured = Raster::new(2, 1, Channels::Rgb, vec![9_u8, 9, 9, 0, 1, 0]);
        assert_eq!(coloured.clone().grey_if_colourless(), coloured);
        let grey = Raster::new(3, 1, Channels::Grey, vec![9_u8, 9, 9]);
        assert_eq!(grey.clone().grey_if_colourless(), grey);
    }
}
