//! The parameters of a JPEG-LS scan and their defaults (T.87 C.2.4.1).

use super::{damaged, unsupported};
use crate::codec::CodecError;

/// Coding parameters as a segment states them; 0 stands for the default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Presets {
    max_value: u16,
    thresholds: [u16; 3],
    reset: u16,
}

/// The parameters of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    /// The largest sample.
    pub(super) max_value: i32,
    /// The largest error of a sample.
    pub(super) near: i32,
    /// The thresholds of gradients, ascending.
    pub(super) thresholds: [i32; 3],
    /// The number of samples after which a context's counts are halved.
    pub(super) reset: i32,
    /// The number of different prediction errors.
    pub(super) range: i32,
    /// Bits of a prediction error that is written as it is.
    pub(super) error_bits: u32,
    /// The longest code, in bits.
    pub(super) limit: u32,
}

impl Presets {
    pub(super) fn read(segment: &[u8]) -> Result<Self, CodecError> {
        match segment {
            [1, values @ ..] if values.len() == 10 => {
                let value = |index: usize| u16::from_be_bytes([values[2 * index], values[2 * index + 1]]);
                Ok(Self { max_value: value(0), thresholds: [value(1), value(2), value(3)], reset: value(4) })
            }
            [1, ..] => Err(damaged("a parameter segment of bad length")),
            [2 | 3, ..] => Err(unsupported("a mapping table")),
            [4, ..] => Err(unsupported("more than 65,535 rows or columns")),
            _ => Err(unsupported("an unknown parameter segment")),
        }
    }
}

impl Parameters {
    pub(super) fn new(precision: u8, near: u8, presets: Presets) -> Result<Self, CodecError> {
        let near = i32::from(near);
        let largest = (1 << precision) - 1;
        let or_default = |value: u16, default: i32| if value == 0 { default } else { i32::from(value) };
        let max_value = or_default(presets.max_value, largest);
        if max_value > largest || near > (max_value / 2).min(255) {
            return Err(damaged("parameters that do not fit the precision"));
        }
        let defaults = default_thresholds(max_value, near);
        let thresholds = std::array::from_fn(|index| or_default(presets.thresholds[index], defaults[index]));
        let [low, middle, high] = thresholds;
        let reset = or_default(presets.reset, 64);
        if low <= near || low > middle || middle > high || high > max_value || reset < 3 {
            return Err(damaged("parameters that contradict each other"));
        }
        let range = (max_value + 2 * near) / (2 * near + 1) + 1;
        let bits = bits_for(max_value + 1).max(2);
        let limit = 2 * (bits + bits.max(8));
        Ok(Self { max_value, near, thresholds, reset, range, error_bits: bits_for(range), limit })
    }
}

/// The smallest number of bits that tells `values` values apart.
fn bits_for(values: i32) -> u32 {
    (values - 1).checked_ilog2().map_or(0, |bits| bits + 1)
}

fn default_thresholds(max_value: i32, near: i32) -> [i32; 3] {
    let clamped = |value: i32, least: i32| if value > max_value || value < least { least } else { value };
    let [low, middle, high] = if max_value >= 128 {
        let factor = (max_value.min(4095) + 128) / 256;
        [factor + 2 + 3 * near, factor * 4 + 3 + 5 * near, factor * 17 + 4 + 7 * near]
    } else {
        let factor = 256 / (max_value + 1);
        [(3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4)]
    };
    let low = clamped(low, near + 1);
    let middle = clamped(middle, low);
    [low, middle, clamped(high, middle)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_standard() {
        // T.87 table C.3, and the segments that encoders of medical images write for 16 bits.
        assert_eq!(default_thresholds(255, 0), [3, 7, 21]);
        assert_eq!(default_thresholds(4095, 0), [18, 67, 276]);
        assert_eq!(default_thresholds(65_535, 2), [24, 77, 290]);
        assert_eq!(default_thresholds(1023, 4), [18, 39, 100]);
        let parameters = Parameters::new(12, 0, Presets::default()).unwrap();
        assert_eq!((parameters.range, parameters.error_bits, parameters.limit), (4096, 12, 48));
    }

    #[test]
    fn contradictory_parameters_are_refused() {
        let presets = Presets { thresholds: [9, 8, 21], ..Presets::default() };
        assert!(Parameters::new(8, 0, presets).is_err());
        let presets = Presets { max_value: 300, ..Presets::default() };
        assert!(Parameters::new(8, 0, presets).is_err());
        assert!(Parameters::new(8, 200, Presets::default()).is_err());
    }
}
