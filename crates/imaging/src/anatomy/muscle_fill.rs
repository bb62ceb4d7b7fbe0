//! Filling of the pectoral muscle.

use crate::mask::Mask;
use crate::raster::Raster;

/// A muscle that cannot be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    #[error("the muscle covers the whole breast; there is no grey to fill it with")]
    NoTissue,
    #[error("masks of another size than the picture")]
    SizeMismatch,
}

/// A picture whose muscle was filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledRaster<S> {
    pub image: Raster<S>,
    /// The samples of the fill, one per channel.
    pub level: Vec<S>,
    /// The number of filled pixels.
    pub pixels: usize,
}

/// Fills the muscle, as far as it is in the breast, with the mean grey of the breast outside it, rounded half up; each
/// channel for itself. The sums are exact for samples of up to 16 bits.
pub fn fill<S>(image: &Raster<S>, muscle: &Mask, breast: &Mask) -> Result<FilledRaster<S>, FillError>
where
    S: Copy + Into<u64> + TryFrom<u64>,
{
    let size = (image.width(), image.height());
    if (muscle.width(), muscle.height()) != size || (breast.width(), breast.height()) != size {
        return Err(FillError::SizeMismatch);
    }
    let channels = image.channels().count();
    let mut sums = vec![0_u64; channels];
    let mut count = 0_u64;
    let masks = || muscle.pixels().iter().zip(breast.pixels());
    for (pixel, (&muscle, &breast)) in image.samples().chunks_exact(channels).zip(masks()) {
        if breast && !muscle {
            count += 1;
            for (sum, &sample) in sums.iter_mut().zip(pixel) {
                *sum += sample.into();
            }
        }
    }
    if count == 0 {
        return Err(FillError::NoTissue);
    }
    let rounded = |sum: u64| S::try_from((sum + count / 2) / count).ok();
    let level: Vec<S> =
        sums.into_iter().map(|sum| rounded(sum).expect("a mean is within the samples' range")).collect();
    let mut samples = image.samples().to_vec();
    let mut pixels = 0;
    for (pixel, (&muscle, &breast)) in samples.chunks_exact_mut(channels).zip(masks()) {
        if muscle && breast {
            pixel.copy_from_slice(&level);
            pixels += 1;
        }
    }
    Ok(FilledRaster { image: Raster::new(size.0, size.1, image.channels(), samples), level, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Channels;

    #[test]
    fn the_muscle_gets_the_rounded_mean_of_the_rest() {
        let breast = Mask::new(3, 2, vec![true, true, true, true, true, false]);
        let muscle = Mask::new(3, 2, vec![true, false, false, false, false, true]);
        let image = Raster::new(3, 2, Channels::Grey, vec![60_000_u16, 10, 11, 10, 11, 500]);
        let filled = fill(&image, &muscle, &breast).unwrap();
        // 10.5 is rounded up; the background stays although the muscle's mask covers it.
        assert_eq!(filled.image.samples(), [11, 10, 11, 10, 11, 500]);
        assert_eq!((filled.level, filled.pixels), (vec![11], 1));
        let bytes = Raster::new(3, 2, Channels::Grey, vec![200_u8, 10, 10, 10, 11, 50]);
        assert_eq!(fill(&bytes, &muscle, &breast).unwrap().level, [10]);
        let colour = Raster::new(1, 2, Channels::Rgb, vec![1_u8, 2, 3, 4, 5, 6]);
        let upper = Mask::new(1, 2, vec![true, false]);
        assert_eq!(fill(&colour, &upper, &Mask::new(1, 2, vec![true; 2])).unwrap().image.samples(), [4, 5, 6, 4, 5, 6]);
    }

    #[test]
    fn a_fill_without_tissue_or_with_other_sizes_is_refused() {
        let image = Raster::new(2, 1, Channels::Grey, vec![1_u8, 2]);
        let whole = Mask::new(2, 1, vec![true; 2]);
        assert_eq!(fill(&image, &whole, &whole), Err(FillError::NoTissue));
        assert_eq!(fill(&image, &whole, &Mask::new(1, 1, vec![true])), Err(FillError::SizeMismatch));
    }
}
