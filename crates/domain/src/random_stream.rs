//! Counter-based random numbers: the same on every machine and in every version of the random-number crates.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};

/// The address of a random stream, apart from the seed. Two streams are independent if any part of it differs.
pub trait StreamKey: Copy {
    /// The application's name and, where the numbers serve several purposes, the purpose.
    fn purpose(&self) -> [u8; 20];

    /// The item within the purpose, such as a subject or an epoch.
    fn item(&self) -> u32;

    /// The number of the `ChaCha8` stream within the item, such as a view or a position.
    fn stream(&self) -> u64;
}

/// A stream of `ChaCha8` numbers that depends on the seed and the [`StreamKey`] alone.
///
/// The 32 bytes of the generator's key are the purpose (20 bytes), the seed (u64) and the item (u32), little-endian. No
/// state has to be saved: a resumed computation draws what the uninterrupted one would have drawn.
///
/// The distributions are computed here, from the generator's raw words, because those of the `rand` crate may change
/// their values between versions.
#[derive(Debug)]
pub struct RandomStream(ChaCha8Rng);

impl RandomStream {
    /// Opens the stream of a seed and a key at its first number.
    #[must_use]
    pub fn new(seed: u64, key: impl StreamKey) -> Self {
        let mut bytes = [0; 32];
        bytes[..20].copy_from_slice(&key.purpose());
        bytes[20..28].copy_from_slice(&seed.to_le_bytes());
        bytes[28..].copy_from_slice(&key.item().to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(bytes);
        generator.set_stream(key.stream());
        Self(generator)
    }

    /// A uniform number in [0, 1), with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A uniform number in [`low`, `high`).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A uniform number below `bound`, which must be positive. The relative bias is below `bound` / 2⁶⁴.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A standard normal number (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        // 1 - u is never 0, so that the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// A normal number with the given mean and standard deviation, by rejection outside [`low`, `high`].
    pub fn truncated_normal(&mut self, mean: f64, deviation: f64, low: f64, high: f64) -> f64 {
        loop {
            let value = mean + deviation * self.normal();
            if (low..=high).contains(&value) {
                return value;
            }
        }
    }

    /// An approximately standard normal number: the sum of four 16-bit uniform ones.
    ///
    /// For noise drawn by the million and then mixed or rounded, where the missing tails beyond 3.46 are invisible and a
    /// logarithm each would be slow.
    pub fn quick_normal(&mut self) -> f32 {
        let word = self.0.next_u64();
        let sum = (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32 & 0xffff) + (word >> 48);
        // Each term has the mean 65535/2 and the variance (65536² - 1)/12.
        (sum as f32 - 131_070.0) * (1.732_050_8 / 65_536.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Key {
        purpose: [u8; 20],
        item: u32,
        stream: u64,
    }

    impl StreamKey for Key {
        fn purpose(&self) -> [u8; 20] {
            self.purpose
        }

        fn item(&self) -> u32 {
            self.item
        }

        fn stream(&self) -> u64 {
            self.stream
        }
    }

    const KEY: Key = Key { purpose: *b"mammoscope phantom, ", item: 1, stream: 0 };

    #[test]
    fn streams_are_those_of_chacha8_with_the_documented_key() {
        // Computed by an independent implementation of ChaCha8.
        let words = |seed, key| {
            let mut stream = RandomStream::new(seed, key);
            [stream.0.next_u64(), stream.0.next_u64()]
        };
        assert_eq!(words(1, KEY), [0x99c1_f8a9_db3b_5b75, 0xb235_49a0_5236_ba8e]);
        assert_eq!(words(7, Key { item: 3, stream: 2, ..KEY }), [0xc47a_2d44_cabc_0d16, 0xdb50_ab29_0cff_1922]);
    }

    #[test]
    fn every_part_of_the_address_selects_another_stream() {
        let first = |seed, key| RandomStream::new(seed, key).unit().to_bits();
        let reference = first(1, KEY);
        assert_eq!(reference, first(1, KEY));
        let others = [
            first(2, KEY),
            first(1, Key { purpose: *b"mammoscope train\0\0\0\0", ..KEY }),
            first(1, Key { item: 2, ..KEY }),
            first(1, Key { stream: 1, ..KEY }),
        ];
        assert!(others.iter().all(|&other| other != reference));
    }

    #[test]
    fn numbers_below_a_bound_are_equally_frequent() {
        let mut stream = RandomStream::new(7, KEY);
        let mut counts = [0_u32; 5];
        for _ in 0..10_000 {
            counts[stream.below(5)] += 1;
        }
        // Four standard deviations of a binomial count.
        assert!(counts.iter().all(|&count| count.abs_diff(2000) < 160), "{counts:?}");
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut stream = RandomStream::new(3, KEY);
        let count = 40_000;
        let exact: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
        let quick: Vec<f64> = (0..count).map(|_| f64::from(stream.quick_normal())).collect();
        for values in [exact, quick] {
            let mean = values.iter().sum::<f64>() / f64::from(count);
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / f64::from(count);
            assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "mean {mean}, variance {variance}");
        }
    }

    #[test]
    fn truncated_normal_numbers_stay_within_their_limits() {
        let mut stream = RandomStream::new(5, KEY);
        assert!((0..1000).all(|_| (0.5..=11.0).contains(&stream.truncated_normal(4.3, 4.3, 0.5, 11.0))));
    }
}
