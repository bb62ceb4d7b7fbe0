//! The phantom's random numbers: the same on every machine and in every version of the random-number crates.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};

/// A stream of `ChaCha8` numbers that depends on nothing but the seed, the subject and what it is drawn for.
///
/// The distributions are computed here, from the generator's raw words, because those of the `rand` crate may change
/// their values between versions.
pub(super) struct RandomStream(ChaCha8Rng);

/// What a stream is drawn for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Class, density and anatomy of the subject.
    Subject,
    /// One view; the number is its place in [`mammoscope_domain::subject::view::View::ALL`].
    View(u8),
}

impl RandomStream {
    pub(super) fn new(seed: u64, subject: u32, purpose: Purpose) -> Self {
        let mut key = *b"mammoscope phantom, ............";
        key[20..28].copy_from_slice(&seed.to_le_bytes());
        key[28..32].copy_from_slice(&subject.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(match purpose {
            Purpose::Subject => 0,
            Purpose::View(view) => 1 + u64::from(view),
        });
        Self(generator)
    }

    /// A number in [0, 1), with 53 random bits.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A number in [`low`, `high`).
    pub(super) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A standard normal number (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        // 1 - u is never 0, so that the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// A normal number of the given mean and deviation, drawn again until it lies in [`low`, `high`].
    pub(super) fn truncated_normal(&mut self, mean: f64, deviation: f64, low: f64, high: f64) -> f64 {
        loop {
            let value = mean + deviation * self.normal();
            if (low..=high).contains(&value) {
                return value;
            }
        }
    }

    /// An approximately normal number of unit variance: the sum of four 16-bit uniform ones. Where millions are drawn
    /// and then mixed or rounded, its lack of tails beyond 3.46 cannot be seen, and no logarithm is computed.
    pub(super) fn quick_normal(&mut self) -> f32 {
        let word = self.0.next_u64();
        let sum = (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32 & 0xffff) + (word >> 48);
        // Each term has the mean 65535/2 and the variance (65536² - 1)/12.
        (sum as f32 - 131_070.0) * (1.732_050_8 / 65_536.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_subject_and_purpose_and_by_nothing_else() {
        let first = |seed, subject, purpose| RandomStream::new(seed, subject, purpose).unit();
        let reference = first(1, 1, Purpose::Subject);
        assert!(reference.to_bits() == first(1, 1, Purpose::Subject).to_bits());
        for other in [first(2, 1, Purpose::Subject), first(1, 2, Purpose::Subject), first(1, 1, Purpose::View(0))] {
            assert!(reference.to_bits() != other.to_bits());
        }
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut stream = RandomStream::new(3, 1, Purpose::Subject);
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
    fn truncation_holds() {
        let mut stream = RandomStream::new(5, 1, Purpose::Subject);
        assert!((0..1000).all(|_| (0.5..=11.0).contains(&stream.truncated_normal(4.3, 4.3, 0.5, 11.0))));
    }
}
