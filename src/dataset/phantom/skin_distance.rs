//! Distance from the skin.

/// Euclidean distance, in pixels, from every pixel of a mask to the nearest pixel of the image outside it, less half a
/// pixel (the skin runs between the two); 0 outside the mask. What lies beyond the image counts as inside, so that the
/// chest wall and cropped edges are no skin. `width` is the length of a row.
///
/// Felzenszwalb and Huttenlocher 2012, Theory of Computing 8:415, for a mask whose rows begin inside.
pub(super) fn skin_distance(inside: &[bool], width: usize) -> Vec<f32> {
    let height = inside.len() / width;
    let far = (width * width + height * height) as f32;
    // Along the columns: distance to the nearest outside pixel above or below.
    let mut squares = vec![0.0_f32; inside.len()];
    let mut steps = vec![far.sqrt(); width];
    for row in 0..height {
        for (column, step) in steps.iter_mut().enumerate() {
            let at = row * width + column;
            *step = if inside[at] { *step + 1.0 } else { 0.0 };
            squares[at] = *step;
        }
    }
    steps.fill(far.sqrt());
    for row in (0..height).rev() {
        for (column, step) in steps.iter_mut().enumerate() {
            let at = row * width + column;
            *step = if inside[at] { *step + 1.0 } else { 0.0 };
            let nearest = squares[at].min(*step);
            squares[at] = (nearest * nearest).min(far);
        }
    }
    // Along the rows: the lower envelope of parabolas.
    let mut parabolas = Vec::with_capacity(width);
    let mut distances = vec![0.0_f32; inside.len()];
    for (squares, distances) in squares.chunks_exact(width).zip(distances.chunks_exact_mut(width)) {
        lower_envelope(squares, &mut parabolas);
        let mut next = 0;
        for (column, distance) in distances.iter_mut().enumerate() {
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

/// The parabolas (column of the apex, first column where it is the lowest) of the lower envelope of a row.
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
        fn agrees_with_a_search_over_all_pixels(inside in prop::collection::vec(prop::bool::weighted(0.8), 12 * 9)) {
            prop_assume!(inside.iter().any(|&inside| !inside));
            let (width, height) = (12_usize, 9_usize);
            let distances = skin_distance(&inside, width);
            for row in 0..height {
                for column in 0..width {
                    let nearest = (0..width * height)
                        .filter(|&at| !inside[at])
                        .map(|at| (at / width).abs_diff(row).pow(2) + (at % width).abs_diff(column).pow(2))
                        .min()
                        .expect("a pixel is outside");
                    let expected = ((nearest as f32).sqrt() - 0.5).max(0.0);
                    prop_assert!((distances[row * width + column] - expected).abs() < 1e-4);
                }
            }
        }
    }
}
