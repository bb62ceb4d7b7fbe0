//! The control: a map that knows neither image nor network.

use tch::{Kind, TchError, Tensor};

use crate::learning::random_stream::{Purpose, RandomStream};

/// Random numbers a side; between them the map is smooth, as maps of a last layer are.
const KNOTS: usize = 8;

/// A smooth map of `side` × `side` numbers around zero for the image of a number; the same for the same seed.
pub fn random_map(side: usize, seed: u64, image: usize) -> Result<Tensor, TchError> {
    let mut stream = RandomStream::new(seed, Purpose::RandomMap, 0, image);
    let knots: Vec<f32> = (0..KNOTS * KNOTS).map(|_| stream.uniform(-1.0, 1.0) as f32).collect();
    let (knot_count, side) = (KNOTS as i64, side as i64);
    Tensor::f_from_slice(&knots)?
        .f_reshape([1, 1, knot_count, knot_count])?
        .f_upsample_bicubic2d([side, side], false, None, None)?
        .f_to_kind(Kind::Float)?
        .f_reshape([side, side])
}
