//! CMYK to RGB.

/// Converts cyan, magenta, yellow and black (0 is no ink) to red, green and blue by Pillow's formula.
pub(crate) fn rgb_of_inks([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let white = u32::from(255 - black);
    [cyan, magenta, yellow].map(|ink| {
        // Rounds ink × white / 255 without a division.
        let product = u32::from(ink) * white + 128;
        (white - ((product + (product >> 8)) >> 8)) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversion_matches_hand_computed_values() {
        assert_eq!(rgb_of_inks([0, 0, 0, 0]), [255; 3]);
        assert_eq!(rgb_of_inks([255, 0, 128, 0]), [0, 255, 127]);
        assert_eq!(rgb_of_inks([255, 0, 128, 127]), [0, 128, 64]);
        assert_eq!(rgb_of_inks([9, 9, 9, 255]), [0; 3]);
    }
}
