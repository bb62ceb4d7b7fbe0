//! Checks of the size that a file claims, before memory is allocated for it.

use crate::image_limits::MAX_IMAGE_BYTES;
use crate::image_limits::MAX_PIXELS;

use crate::image_error::ImageError;
use crate::image_facts::{ImageFacts, ImageFormat};

/// Returns an error if the image is empty or has more than [`MAX_PIXELS`].
pub(crate) fn check_size(width: u32, height: u32, format: ImageFormat) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        let reason = format!("it claims {width} × {height} pixels");
        return Err(ImageError::Damaged { format, reason });
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooManyPixels { width, height });
    }
    Ok(())
}

/// Checks the size and that the samples fit into [`MAX_IMAGE_BYTES`].
pub(crate) fn check_facts(facts: ImageFacts) -> Result<(), ImageError> {
    let ImageFacts { width, height, bits, color, format } = facts;
    check_size(width, height, format)?;
    let samples = u64::from(width) * u64::from(height) * color.samples();
    if samples * u64::from(bits).div_ceil(8) > MAX_IMAGE_BYTES {
        let reason = "it takes too much memory to decode".to_owned();
        return Err(ImageError::Unsupported { format, reason });
    }
    Ok(())
}
