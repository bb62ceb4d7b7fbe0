//! Pixels in memory.

/// How many samples a pixel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One sample a pixel.
    Grey,
    /// Red, green and blue.
    Rgb,
}

impl Channels {
    /// Samples a pixel: 1 or 3.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// A picture of `height` × `width` pixels, row by row, the samples of a pixel side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster<S> {
    width: usize,
    height: usize,
    channels: Channels,
    samples: Vec<S>,
}

impl<S: Copy> Raster<S> {
    /// A picture from its samples, `height` × `width` × channels of them.
    ///
    /// # Panics
    /// When a side is zero or the number of samples is another.
    #[must_use]
    pub fn new(width: usize, height: usize, channels: Channels, samples: Vec<S>) -> Self {
        assert!(width > 0 && height > 0, "a picture has pixels");
        assert_eq!(samples.len(), width * height * channels.count(), "samples of {width} × {height} pixels");
        Self { width, height, channels, samples }
    }

    /// Pixels a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Samples a pixel.
    #[must_use]
    pub fn channels(&self) -> Channels {
        self.channels
    }

    /// All samples, row by row.
    #[must_use]
    pub fn samples(&self) -> &[S] {
        &self.samples
    }

    /// The samples themselves, row by row.
    #[must_use]
    pub fn into_samples(self) -> Vec<S> {
        self.samples
    }

    /// The samples of one row, `width` × channels of them.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[S] {
        let length = self.width * self.channels.count();
        &self.samples[row * length..(row + 1) * length]
    }

    /// The sample of a pixel of a picture of one channel.
    pub(super) fn at_mut(&mut self, x: usize, y: usize) -> &mut S {
        &mut self.samples[y * self.width + x]
    }

    /// The same picture with every sample changed.
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
