//! The random numbers of trainings and explanations: the same on every machine and in every version of the random-number crates.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};

/// What numbers are drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The weights before the first step.
    InitialWeights = 0,
    /// The order of the images in an epoch.
    Order = 1,
    /// Rotation, shift and zoom of an image in an epoch.
    Augmentation = 2,
    /// The seed of dropout in a step: the upper half of the step counts as the epoch, the lower as the position.
    Dropout = 3,
    /// What is added to an image before its gradient is taken; the seed is the image's.
    Noise = 5,
}

/// A stream of `ChaCha8` numbers that depends on nothing but the seed, the purpose, the epoch and the position.
///
/// The key is `"mammoscope train"`, purpose (u32), seed (u64) and epoch (u32), little-endian; the position is the number
/// of the stream. A resumed training draws what the uninterrupted one would have drawn, since no state is carried on.
#[derive(Debug)]
pub struct RandomStream(ChaCha8Rng);

impl RandomStream {
    /// The stream of one place; epoch and position are 0 where the purpose has none.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, epoch: u32, position: usize) -> Self {
        let mut key = *b"mammoscope train................";
        key[16..20].copy_from_slice(&(purpose as u32).to_le_bytes());
        key[20..28].copy_from_slice(&seed.to_le_bytes());
        key[28..32].copy_from_slice(&epoch.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(position as u64);
        Self(generator)
    }

    /// A number in [`low`, `high`), from 53 random bits.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
        low + (high - low) * unit
    }

    /// A number below `bound`, which is above zero. The probabilities differ by less than `bound` / 2⁶⁴ of their value.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_every_part_of_their_key_and_by_nothing_else() {
        let first = |seed, purpose, epoch, position| {
            RandomStream::new(seed, purpose, epoch, position).uniform(0.0, 1.0).to_bits()
        };
        let reference = first(1, Purpose::Augmentation, 1, 1);
        assert_eq!(reference, first(1, Purpose::Augmentation, 1, 1));
        let others = [
            first(2, Purpose::Augmentation, 1, 1),
            first(1, Purpose::Order, 1, 1),
            first(1, Purpose::Augmentation, 2, 1),
            first(1, Purpose::Augmentation, 1, 2),
        ];
        assert!(others.iter().all(|&other| other != reference));
    }

    #[test]
    fn every_number_below_the_bound_is_drawn_equally_often() {
        let mut stream = RandomStream::new(7, Purpose::Order, 0, 0);
        let mut counts = [0_u32; 5];
        for _ in 0..10_000 {
            counts[stream.below(5)] += 1;
        }
        // Four deviations of a binomial count.
        assert!(counts.iter().all(|&count| count.abs_diff(2000) < 160), "{counts:?}");
    }
}
