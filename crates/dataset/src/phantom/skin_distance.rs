//! Distance from the skin.

/// The Euclidean distance in pixels from every pixel of a breast to the nearest pixel outside, less half a pixel (the skin
/// is between the two); 0 outside. Row `i` of `width` pixels begins with `breast[i]` pixels of breast. Pixels beyond the
/// image count as breast, so that the chest wall and cropped edges are not skin.
///
/// Felzenszwalb and Huttenlocher 2012, Theory of Computing 8:415.
pub(super) fn skin_distance(breast: &[usize], width: usize) -> Vec<f32> {
    let far = (width * width + breast.len() * breast.len()) as f32;
    let mut squares = vec![0.0_f32; breast.len() * width];
    // Along the columns: the distance to the nearest pixel outside, first above only, then above or below.
    let mut steps = vec![far.sqrt(); width];
    for (row, &inside) in squares.chunks_exact_mut(width).zip(breast) {
        steps[inside..].fill(0.0);
        for (square, step) in row.iter_mut().zip(&mut steps).take(inside) {
            *step += 1.0;
            *square = *step;
        }
    }
    steps.fill(far.sqrt());
    for (row, &inside) in squares.chunks_exact_mut(width).zip(breast).rev() {
        steps[inside..].fill(0.0);
        for (square, step) in row.iter_mut().zip(&mut steps).take(inside) {
            *step += 1.0;
            let nearest = square.min(*step);
            *square = (nearest * nearest).min(far);
        }
    }
    // Along the rows: the lower envelope of parabolas. Those after the first pixel outside are never the lowest.
    let mut parabolas = Vec::with_capacity(width);
    let mut distances = vec![0.0_f32; squares.len()];
    let rows = squares.chunks_exact(width).zip(distances.chunks_exact_mut(width));
    for ((squares, distances), &inside) in rows.zip(breast) {
        lower_envelope(&squares[..(inside + 1).min(width)], &mut parabolas);
        let mut next = 0;
        for (column, distance) in distances.iter_mut().enumerate().take(inside) {
            while parabolas.get(next + 1).is_some_and(|&(_, from)| from < column as f32) {
                next += 1;
            }
            let apex = parabolas[next].0;
            let offset = column as f32 - apex as f32;
            *distance = ((offset * offset + squares[apex]).sqrt() - 0.5).max(0.0);
        }
    }
    distances
}

/// The parabolas in the lower envelope of a row, as the column of the apex and the position from which on it is the lowest.
fn lower_envelope(squares: &[f32], parabolas: &mut Vec<(usize, f32)>) {
    parabolas.clear();
    for (column, &square) in squares.iter().enumerate() {
        let mut from = f32::NEG_INFINITY;
        while let Some(&(apex, start)) = parabolas.last() {
            let (here, there) = (column as f32, apex as f32);
            from = ((square + here * here) - (squares[apex] + there * there)) / (2.0 * (here - there));
            if from > start {
                break;
            }
            parabolas.pop();
            from = f32::NEG_INFINITY;
        }
        parabolas.push((column, from));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn distances_match_an_exhaustive_search(breast in prop::collection::vec(0_usize..=12, 9)) {
            let width = 12;
            prop_assume!(breast.iter().any(|&inside| inside < width));
            let distances = skin_distance(&breast, width);
            for (row, &inside) in breast.iter().enumerate() {
                for column in 0..width {
                    let nearest = (0..breast.len() * width)
                        .filter(|&at| at % width >= breast[at / width])
                        .map(|at| (at / width).abs_diff(row).pow(2) + (at % width).abs_diff(column).pow(2))
                        .min()
                        .expect("a pixel is outside");
                    let expected = if column < inside { (nearest as f32).sqrt() - 0.5 } else { 0.0 };
                    prop_assert!((distances[row * width + column] - expected).abs() < 1e-4);
                }
            }
        }
    }
}
