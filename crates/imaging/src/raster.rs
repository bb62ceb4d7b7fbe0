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
