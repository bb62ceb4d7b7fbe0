//! The random streams of training and explanation.

use mammoscope_domain::random_stream::StreamKey;

/// A random stream of a training run or an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearningStream {
    /// The initial values of the parameter at a position of the network's plan.
    InitialWeights { position: usize },
    /// The order of the images in an epoch.
    Order { epoch: u32 },
    /// Rotation, shift and zoom of the image at a position of an epoch's order.
    Augmentation { epoch: u32, position: usize },
    /// The seed of dropout in a step.
    Dropout { step: u64 },
    /// The noise added to an image before its gradient is taken; the seed is the image's.
    Noise,
}

impl StreamKey for LearningStream {
    fn purpose(&self) -> [u8; 20] {
        let mut purpose = *b"mammoscope train....";
        let number: u32 = match self {
            Self::InitialWeights { .. } => 0,
            Self::Order { .. } => 1,
            Self::Augmentation { .. } => 2,
            Self::Dropout { .. } => 3,
            Self::Noise => 5,
        };
        purpose[16..].copy_from_slice(&number.to_le_bytes());
        purpose
    }

    fn item(&self) -> u32 {
        match *self {
            Self::Order { epoch } | Self::Augmentation { epoch, .. } => epoch,
            Self::Dropout { step } => (step >> 32) as u32,
            Self::InitialWeights { .. } | Self::Noise => 0,
        }
    }

    fn stream(&self) -> u64 {
        match *self {
            Self::InitialWeights { position } | Self::Augmentation { position, .. } => position as u64,
            Self::Dropout { step } => step & 0xffff_ffff,
            Self::Order { .. } | Self::Noise => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::random_stream::RandomStream;

    use super::*;

    #[test]
    fn streams_start_with_their_published_numbers() {
        // The leading 53 bits of the first word of ChaCha8, by an independent implementation.
        let cases = [
            (1, LearningStream::InitialWeights { position: 5 }, 0x92ef_e05a_374e_0ed0_u64),
            (7, LearningStream::Order { epoch: 2 }, 0xa75d_2114_7fd6_a928),
            (1, LearningStream::Augmentation { epoch: 3, position: 4 }, 0xa0df_b0c0_16db_3b3f),
            (9, LearningStream::Dropout { step: (1 << 32) + 2 }, 0x0f7d_6a9a_4b61_d82d),
            (11, LearningStream::Noise, 0x21a0_6633_945b_0571),
        ];
        for (seed, key, word) in cases {
            let drawn = (RandomStream::new(seed, key).unit() * (1_u64 << 53) as f64) as u64;
            assert_eq!(drawn, word >> 11, "{key:?}");
        }
    }
}
