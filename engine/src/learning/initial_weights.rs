//! The initial weights, drawn as in Keras.

use std::collections::BTreeMap;

use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::{NetworkPlan, ParameterPlan, WidthFactor};
use mammoscope_domain::random_stream::RandomStream;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::models::model_file::{Model, ModelMetadata};

use super::learning_stream::LearningStream;

/// A model with Keras' initial weights: kernels uniform within ±√(6 / (fan in + fan out)) (`glorot_uniform`; Glorot and
/// Bengio 2010), biases 0; batch normalisations with scale 1, shift 0, mean 0 and variance 1.
///
/// The weights depend only on width and seed, not on the device; each tensor has its own random stream. `size` (the
/// input's height and width in pixels) and `view` are stored in the metadata.
#[must_use]
pub fn initial_model(width: WidthFactor, size: usize, view: Option<View>, seed: u64) -> Model {
    let tensors = NetworkPlan::new(width)
        .parameters()
        .into_iter()
        .enumerate()
        .map(|(position, parameter)| {
            let values = initial_values(&parameter, seed, position);
            (parameter.name, values)
        })
        .collect();
    let provenance = BTreeMap::from([("initial_weights".to_owned(), format!("glorot_uniform, seed {seed}"))]);
    Model { metadata: ModelMetadata { width, size, view, input_route: InputRoute::Training, provenance }, tensors }
}

fn initial_values(parameter: &ParameterPlan, seed: u64, position: usize) -> Vec<f32> {
    let count = parameter.count();
    match parameter.name.rsplit('.').next() {
        Some("kernel") => {
            let limit = glorot_limit(&parameter.shape);
            let mut stream = RandomStream::new(seed, LearningStream::InitialWeights { position });
            (0..count).map(|_| stream.uniform(-limit, limit) as f32).collect()
        }
        Some("gamma" | "moving_variance") => vec![1.0; count],
        _ => vec![0.0; count],
    }
}

/// √(6 / (fan in + fan out)) of a kernel O×I×H×W or O×I; a fan is the number of channels times H·W.
fn glorot_limit(shape: &[usize]) -> f64 {
    let positions: usize = shape[2..].iter().product();
    (6.0 / ((shape[0] + shape[1]) * positions) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eighth(seed: u64) -> Model {
        initial_model(WidthFactor::new(0.125).expect("an eighth"), 64, Some(View::CcR), seed)
    }

    #[test]
    fn limits_match_glorot_and_bengio() {
        // The stem at width 1: 3·9 values in, 64·9 out.
        assert!((glorot_limit(&[64, 3, 3, 3]) - (6.0 / 603.0_f64).sqrt()).abs() < 1e-15);
        assert!((glorot_limit(&[4, 256]) - (6.0 / 260.0_f64).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn kernels_fill_their_limits_evenly() {
        let model = initial_model(WidthFactor::ONE, 650, None, 1);
        for parameter in model.metadata.plan().parameters() {
            if !parameter.name.ends_with(".kernel") {
                continue;
            }
            let limit = glorot_limit(&parameter.shape);
            let values: Vec<f64> = model.tensors[&parameter.name].iter().map(|&value| f64::from(value)).collect();
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            let extent = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            // The uniform distribution has the variance limit²/3, its square the variance 4·limit⁴/45. The tolerance is
            // five standard deviations.
            let name = &parameter.name;
            assert!(extent <= limit && extent > limit * (1.0 - 10.0 / count), "{name} reaches {extent} of {limit}");
            assert!(mean.abs() < 5.0 * limit / (3.0 * count).sqrt(), "{name}: the mean is {mean}");
            let of_uniform = variance / (limit * limit / 3.0);
            assert!(
                (of_uniform - 1.0).abs() < 5.0 * (0.8 / count).sqrt(),
                "{name}: the variance is {of_uniform} of the expected one"
            );
        }
    }

    #[test]
    fn everything_except_kernels_is_zero_or_one() {
        let model = eighth(1);
        assert_eq!(model.tensors.len(), model.metadata.plan().parameters().len());
        for (name, values) in &model.tensors {
            let expected = match name.rsplit('.').next() {
                Some("kernel") => continue,
                Some("gamma" | "moving_variance") => 1.0,
                _ => 0.0_f32,
            };
            assert!(values.iter().all(|value| value.to_bits() == expected.to_bits()), "{name}");
        }
    }

    #[test]
    fn weights_depend_on_the_seed_and_kernels_differ() {
        assert_eq!(eighth(1), eighth(1));
        assert_ne!(eighth(1), eighth(2));
        let model = eighth(1);
        let kernel = |number: usize| &model.tensors[&format!("conv2d_{number}.kernel")];
        assert_eq!(kernel(7).len(), kernel(10).len());
        assert_ne!(kernel(7), kernel(10));
    }
}
