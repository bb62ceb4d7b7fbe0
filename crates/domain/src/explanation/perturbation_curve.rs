//! Insertion and deletion curves: the class probability while pixels appear or disappear in the order of a map.

use serde::{Deserialize, Serialize};

/// The steps from no pixel changed to all; a curve has one more point.
pub const CURVE_STEPS: usize = 20;

/// The probability of the explained class at equal steps, while pixels change in descending order of the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerturbationCurves {
    /// From nothing to the image: the sooner it rises, the better the map.
    pub insertion: Vec<f64>,
    /// From the image to nothing: the sooner it falls, the better the map.
    pub deletion: Vec<f64>,
}

impl PerturbationCurves {
    /// The area under the insertion curve, see [`area_under`].
    #[must_use]
    pub fn insertion_area(&self) -> Option<f64> {
        area_under(&self.insertion)
    }

    /// The area under the deletion curve, see [`area_under`].
    #[must_use]
    pub fn deletion_area(&self) -> Option<f64> {
        area_under(&self.deletion)
    }
}

/// The pixels in the order in which they change: descending by the map, ties in their own order, NaN last.
#[must_use]
pub fn order_of_pixels(map: &[f32]) -> Vec<u32> {
    let key = |at: u32| if map[at as usize].is_nan() { f32::NEG_INFINITY } else { map[at as usize] };
    let mut order: Vec<u32> = (0..map.len() as u32).collect();
    order.sort_by(|&a, &b| key(b).partial_cmp(&key(a)).unwrap_or(std::cmp::Ordering::Equal));
    order
}

/// The number of pixels changed at each of the `steps` + 1 points of a curve, from none to all.
#[must_use]
pub fn changed_at_steps(pixels: usize, steps: usize) -> Vec<usize> {
    let steps = steps.max(1);
    (0..=steps).map(|step| (pixels * step + steps / 2) / steps).collect()
}

/// The area under the probabilities at equal steps, by trapezoids, 0 to 1; `None` with fewer than two points or if any
/// is not finite. Petsiuk, Das and Saenko 2018 (RISE).
#[must_use]
pub fn area_under(probabilities: &[f64]) -> Option<f64> {
    let intervals = probabilities.len().checked_sub(1).filter(|&intervals| intervals > 0)?;
    let sum: f64 = probabilities.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).sum();
    sum.is_finite().then(|| sum / intervals as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn areas_and_orders_match_a_hand_computation() {
        assert_eq!(area_under(&[1.0, 0.5, 0.0]), Some(0.5));
        assert_eq!(area_under(&[0.0, 1.0, 1.0, 1.0]), Some(2.5 / 3.0));
        assert_eq!([area_under(&[]), area_under(&[1.0]), area_under(&[1.0, f64::NAN])], [None; 3]);
        assert_eq!(order_of_pixels(&[1.0, f32::NAN, 3.0, 1.0, -2.0]), [2, 0, 3, 4, 1]);
        assert_eq!(changed_at_steps(10, 4), [0, 3, 5, 8, 10]);
        assert_eq!(changed_at_steps(2, 0), [0, 2]);
    }

    proptest! {
        #[test]
        fn an_area_is_a_mean_probability(probabilities in prop::collection::vec(0.0_f64..=1.0, 2..40)) {
            let area = area_under(&probabilities).unwrap();
            prop_assert!((0.0..=1.0).contains(&area));
            let backwards: Vec<_> = probabilities.iter().rev().copied().collect();
            prop_assert!((area_under(&backwards).unwrap() - area).abs() < 1e-12);
        }

        #[test]
        fn steps_go_from_none_to_all(pixels in 0_usize..2000, steps in 1_usize..60) {
            let changed = changed_at_steps(pixels, steps);
            prop_assert_eq!((changed[0], changed[steps]), (0, pixels));
            prop_assert!(changed.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}
