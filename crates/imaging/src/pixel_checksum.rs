//! A checksum of an image's pixels, independent of the file format.

use mammoscope_domain::text::hexadecimal::hexadecimal;
use sha2::{Digest as _, Sha256};

use super::raster::Raster;

/// The SHA-256 of width and height (u32, little-endian), the number of channels (u8) and the samples row by row, in
/// hexadecimal: `PixelFacts::sha256` in a manifest.
#[must_use]
pub fn pixel_sha256(image: &Raster<u8>) -> String {
    let mut hasher = Sha256::new();
    for side in [image.width(), image.height()] {
        hasher.update((side as u32).to_le_bytes());
    }
    hasher.update([image.channels().count() as u8]);
    hasher.update(image.samples());
    hexadecimal(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::super::raster::Channels;
    use super::*;

    #[test]
    fn the_checksum_depends_on_shape_and_samples() {
        // printf '\2\0\0\0\1\0\0\0\1\7\11' | sha256sum
        let image = Raster::new(2, 1, Channels::Grey, vec![7, 9]);
        assert_eq!(pixel_sha256(&image), "f4c380eb98322b62badc2558799b880e9956726b30143a7fb7d4f7eb16bb5874");
        assert_ne!(pixel_sha256(&image), pixel_sha256(&Raster::new(1, 2, Channels::Grey, vec![7, 9])));
        let coloured = |samples| pixel_sha256(&Raster::new(1, 1, Channels::Rgb, samples));
        assert_ne!(coloured(vec![7, 9, 9]), pixel_sha256(&Raster::new(3, 1, Channels::Grey, vec![7, 9, 9])));
    }
}
