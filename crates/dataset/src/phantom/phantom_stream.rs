//! The random streams of the phantoms.

use mammoscope_domain::random_stream::StreamKey;

/// A random stream of one subject, numbered from 1.
#[derive(Clone, Copy, Debug)]
pub(super) enum PhantomStream {
    /// Class, density and anatomy.
    Subject(u32),
    /// One view; `index` is its position in [`mammoscope_domain::subject::view::View::ALL`].
    View { subject: u32, index: u8 },
}

impl StreamKey for PhantomStream {
    fn purpose(&self) -> [u8; 20] {
        *b"mammoscope phantom, "
    }

    fn item(&self) -> u32 {
        match *self {
            Self::Subject(subject) | Self::View { subject, .. } => subject,
        }
    }

    fn stream(&self) -> u64 {
        match *self {
            Self::Subject(_) => 0,
            Self::View { index, .. } => 1 + u64::from(index),
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
        let first = |seed, key| (RandomStream::new(seed, key).unit() * (1_u64 << 53) as f64) as u64;
        assert_eq!(first(1, PhantomStream::Subject(1)), 0x99c1_f8a9_db3b_5b75 >> 11);
        assert_eq!(first(2, PhantomStream::View { subject: 1, index: 0 }), 0x675b_2295_c8cd_31fe >> 11);
        assert_eq!(first(7, PhantomStream::View { subject: 3, index: 1 }), 0xc47a_2d44_cabc_0d16 >> 11);
    }
}
