//! The control of explanations: a random map that depends on neither image nor network.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};

use super::map_zoom::cubic_spline_zoom;
use super::raster::{Channels, Raster};

/// Random numbers per side; between them the map is smooth, like the maps of a last layer.
const KNOTS: usize = 8;

/// A smooth map of `side` × `side` numbers around zero, a pure function of the seed on every machine.
///
/// # Panics
/// If `side` is zero.
#[must_use]
pub fn random_map(side: usize, seed: u64) -> Raster<f32> {
    let mut key = *b"mammoscope random map...........";
    key[24..].copy_from_slice(&seed.to_le_bytes());
    let mut stream = ChaCha8Rng::from_seed(key);
    // 24 random bits, from −1 to 1.
    let mut number = || (stream.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let knots = (0..KNOTS * KNOTS).map(|_| number()).collect();
    cubic_spline_zoom(&Raster::new(KNOTS, KNOTS, Channels::Grey, knots), side, side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_is_smooth_around_zero_and_depends_on_the_seed() {
        let map = random_map(21, 7);
        assert_eq!(map, random_map(21, 7));
        assert_ne!(map, random_map(21, 8));
        let values = map.samples();
        let positive = values.iter().filter(|&&value| value > 0.0).count();
        assert!((100..340).contains(&positive), "{positive} of 441 above zero");
        let mean = |values: &mut dyn Iterator<Item = f32>| {
            let values: Vec<f32> = values.collect();
            values.iter().sum::<f32>() / values.len() as f32
        };
        let step = mean(&mut values.windows(2).map(|pair| (pair[1] - pair[0]).abs()));
        let size = mean(&mut values.iter().map(|value| value.abs()));
        assert!(step < size, "neighbours differ by {step:.2} where values are of {size:.2}");
    }
}
