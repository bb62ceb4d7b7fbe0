//! The predictors of lossless JPEG (T.81 table H.1).

/// The prediction of a sample from its neighbours to the left, above and in the corner between them.
#[inline]
pub(super) fn predict<const PREDICTOR: u8>(left: i32, above: i32, corner: i32) -> i32 {
    match PREDICTOR {
        1 => left,
        2 => above,
        3 => corner,
        4 => left + above - corner,
        5 => left + ((above - corner) >> 1),
        6 => above + ((left - corner) >> 1),
        _ => (left + above) >> 1,
    }
}
