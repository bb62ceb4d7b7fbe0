//! Steps of every optimizer against formulas in f64, and the parts of a learner around them: clipping, accumulation and
//! moving averages.

use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine::learning::flat_parameters::FlatParameters;
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::learner::{Batch, Learner};
use mammoscope_engine::learning::libtorch_ext::channels_last;
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::optimizer::Optimizer;
use tch::{Device, Kind, Tensor};

const STEPS: u64 = 3;
const SIZE: i64 = 32;

fn config(settings: &str) -> TrainingConfig {
    let mut config = Preset::named("seed").unwrap().config;
    config.set_all(&format!("size={SIZE},dropout=0,augment=false,{settings}")).unwrap();
    config.width = WidthFactor::of_stem(2).unwrap();
    config
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).flatten(0, -1)).unwrap()
}

fn assert_near(ours: &[f64], expected: &[f64], what: &str) {
    assert_eq!(ours.len(), expected.len(), "{what}");
    for (place, (ours, expected)) in ours.iter().zip(expected).enumerate() {
        assert!((ours - expected).abs() <= 2e-6 * (1.0 + expected.abs()), "{what}, {place}: {ours}, not {expected}");
    }
}

/// One weight and its optimizer state.
#[derive(Clone, Copy, Default)]
struct Weight {
    value: f64,
    first: f64,
    second: f64,
}

/// Updates a weight by its gradient, given the rate, the momentum, the weight's decay and the step number from 1.
type Formula = fn(weight: &mut Weight, gradient: f64, rate: f64, momentum: f64, decay: f64, step: i32);

/// The largest difference from a formula over three steps with random gradients and changing rates.
fn difference(settings: &str, formula: Formula) -> f64 {
    let config = config(settings);
    let plan = NetworkPlan::new(config.width);
    let values = initial_model(config.width, config.size, None, 3).tensors;
    let parameters = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
    // No weight may be zero, where decay would have no effect.
    let _ = parameters.weights.shallow_clone().g_add_scalar_(0.25);
    let mut optimizer = Optimizer::new(&config, &parameters.layout, Device::Cpu).unwrap();
    let kernels = parameters.layout.kernel_count() as usize;
    let mut weights: Vec<Weight> =
        numbers(&parameters.weights).into_iter().map(|value| Weight { value, ..Weight::default() }).collect();
    assert!(kernels > 0 && kernels < weights.len());
    let no_skip = Tensor::zeros([], (Kind::Float, Device::Cpu));
    tch::manual_seed(11);
    let mut largest = 0.0_f64;
    for step in 1..=STEPS {
        let gradients = Tensor::randn(parameters.gradients.size().as_slice(), (Kind::Float, Device::Cpu));
        parameters.gradients.shallow_clone().copy_(&gradients);
        let rate = 0.03 / step as f64;
        optimizer.start_step(rate).unwrap();
        optimizer.update(&parameters, &no_skip).unwrap();
        for (place, (weight, gradient)) in weights.iter_mut().zip(numbers(&gradients)).enumerate() {
            let decay = if place < kernels { config.weight_decay } else { 0.0 };
            formula(weight, gradient, rate, config.momentum, decay, i32::try_from(step).unwrap());
        }
        let ours = numbers(&parameters.weights);
        largest = ours.iter().zip(&weights).fold(largest, |most, (ours, weight)| most.max((ours - weight.value).abs()));
    }
    assert_eq!(optimizer.steps(), STEPS);
    largest
}

fn assert_follows(settings: &str, formula: Formula) {
    let difference = difference(settings, formula);
    assert!(difference < 2e-6, "{settings}: {difference}");
}

const NESTEROV: Formula = |weight, gradient, rate, momentum, decay, _| {
    let gradient = gradient + decay * weight.value;
    weight.first = momentum * weight.first + gradient;
    weight.value -= rate * (gradient + momentum * weight.first);
};

const ADAMW: Formula = |weight, gradient, rate, momentum, decay, step| {
    weight.value -= rate * decay * weight.value;
    weight.first = momentum * weight.first + (1.0 - momentum) * gradient;
    weight.second = 0.999 * weight.second + 0.001 * gradient * gradient;
    let mean = weight.first / (1.0 - momentum.powi(step));
    let square = weight.second / (1.0 - 0.999_f64.powi(step));
    weight.value -= rate * mean / (square.sqrt() + 1e-8);
};

/// The comparison with a formula detects each of these variants.
#[test]
fn variants_of_the_formulas_are_detected() {
    const MOMENTUM: &str = "optimizer=sgd,momentum=0.9,weight_decay=0.1";
    const ADAM: &str = "optimizer=adamw,momentum=0.8,weight_decay=0.1";
    const RMS: &str = "optimizer=rmsprop,momentum=0,weight_decay=0.1";
    let variants: [(&str, &str, Formula); 7] = [
        ("Nesterov's form", MOMENTUM, NESTEROV),
        ("a damped gradient", MOMENTUM, |weight, gradient, rate, momentum, decay, _| {
            weight.first = momentum * weight.first + (1.0 - momentum) * (gradient + decay * weight.value);
            weight.value -= rate * weight.first;
        }),
        ("no decay", MOMENTUM, |weight, gradient, rate, momentum, _, _| {
            weight.first = momentum * weight.first + gradient;
            weight.value -= rate * weight.first;
        }),
        ("decay of all weights", ADAM, |weight, gradient, rate, momentum, _, step| {
            ADAMW(weight, gradient, rate, momentum, 0.1, step);
        }),
        ("coupled decay", ADAM, |weight, gradient, rate, momentum, decay, step| {
            ADAMW(weight, gradient + decay * weight.value, rate, momentum, 0.0, step);
        }),
        ("means without bias correction", ADAM, |weight, gradient, rate, momentum, decay, _| {
            ADAMW(weight, gradient, rate, momentum, decay, 1000);
        }),
        ("a different decay of the squares", RMS, |weight, gradient, rate, _, decay, _| {
            let gradient = gradient + decay * weight.value;
            weight.second = 0.99 * weight.second + 0.01 * gradient * gradient;
            weight.value -= rate * gradient / (weight.second.sqrt() + 1e-7);
        }),
    ];
    for (variant, settings, formula) in variants {
        let difference = difference(settings, formula);
        assert!(difference > 2e-5, "{variant}: {difference}");
    }
}

#[test]
fn gradient_descent_follows_its_formula() {
    assert_follows("optimizer=sgd,momentum=0,weight_decay=0.1", |weight, gradient, rate, _, decay, _| {
        weight.value -= rate * (gradient + decay * weight.value);
    });
}

#[test]
fn gradient_descent_with_momentum_follows_its_formula() {
    assert_follows("optimizer=sgd,momentum=0.9,weight_decay=0.1", |weight, gradient, rate, momentum, decay, _| {
        weight.first = momentum * weight.first + gradient + decay * weight.value;
        weight.value -= rate * weight.first;
    });
}

#[test]
fn nesterov_follows_its_formula() {
    assert_follows("optimizer=nesterov,momentum=0.9,weight_decay=0.1", NESTEROV);
}

#[test]
fn adamw_follows_its_formula() {
    assert_follows("optimizer=adamw,momentum=0.8,weight_decay=0.1", ADAMW);
}

#[test]
fn rmsprop_follows_its_formula() {
    assert_follows("optimizer=rmsprop,momentum=0,weight_decay=0.1", |weight, gradient, rate, _, decay, _| {
        let gradient = gradient + decay * weight.value;
        weight.second = 0.9 * weight.second + 0.1 * gradient * gradient;
        weight.value -= rate * gradient / (weight.second.sqrt() + 1e-7);
    });
}

#[test]
fn rmsprop_with_momentum_follows_its_formula() {
    assert_follows("optimizer=rmsprop,momentum=0.9,weight_decay=0.1", |weight, gradient, rate, momentum, decay, _| {
        let gradient = gradient + decay * weight.value;
        weight.second = 0.9 * weight.second + 0.1 * gradient * gradient;
        weight.first = momentum * weight.first + rate * gradient / (weight.second.sqrt() + 1e-7);
        weight.value -= weight.first;
    });
}

fn learner(config: &TrainingConfig) -> Learner {
    let values = initial_model(config.width, config.size, None, 5).tensors;
    Learner::new(config, &values, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap()
}

/// Two images of noise whose brightness grows with `number`, so that the statistics of batches differ.
fn batch(number: i64) -> Batch {
    tch::manual_seed(number);
    let images = Tensor::randn([2, 3, SIZE, SIZE], (Kind::Float, Device::Cpu)) * (number as f64) + number as f64;
    Batch {
        images: channels_last(&images).unwrap(),
        labels: Tensor::from_slice(&[number % 4, (number + 1) % 4]),
        targets: None,
    }
}

/// Takes one step with all batches together and returns the gradient norm.
fn step(learner: &mut Learner, rate: f64, batches: &[i64]) -> f64 {
    let result = learner.step_on(rate, batches.iter().map(|&number| batch(number)).collect()).unwrap();
    assert!(!result.is_skipped);
    result.gradient_norm
}

/// The weights after a step and the gradient of that step.
fn after(learner: &Learner) -> (Vec<f64>, Vec<f64>) {
    (numbers(&learner.parameters.weights), numbers(&learner.parameters.gradients))
}

#[test]
fn accumulated_batches_use_their_mean_loss_and_are_normalised_separately() {
    const RATE: f64 = 0.1;
    let config = config("optimizer=sgd,momentum=0,weight_decay=0");
    let before = numbers(&learner(&config).parameters.weights);
    let gradients = [1, 2].map(|number| {
        let mut alone = learner(&config);
        step(&mut alone, 0.0, &[number]);
        after(&alone).1
    });
    let mean: Vec<f64> = gradients[0].iter().zip(&gradients[1]).map(|(one, other)| (one + other) / 2.0).collect();
    let expected: Vec<f64> = before.iter().zip(&mean).map(|(weight, gradient)| weight - RATE * gradient).collect();
    let mut together = learner(&config);
    let norm = step(&mut together, RATE, &[1, 2]);
    let (weights, gradient) = after(&together);
    assert_near(&gradient, &mean, "the gradient");
    assert_near(&weights, &expected, "the weights");
    assert!((norm - mean.iter().map(|part| part * part).sum::<f64>().sqrt()).abs() < 1e-5 * norm);

    // Four images in one batch are normalised together, which gives a different result.
    let mut joint = learner(&config);
    let (one, other) = (batch(1), batch(2));
    let images = Tensor::cat(&[one.images, other.images], 0);
    let labels = Tensor::cat(&[one.labels, other.labels], 0);
    joint.step_on(RATE, vec![Batch { images, labels, targets: None }]).unwrap();
    let difference = numbers(&joint.parameters.weights)
        .iter()
        .zip(&weights)
        .fold(0.0_f64, |most, (one, other)| most.max((one - other).abs()));
    assert!(difference > 1e-3, "{difference}");
}

#[test]
fn gradients_are_clipped_only_above_the_limit() {
    const RATE: f64 = 0.1;
    let settings = "optimizer=sgd,momentum=0,weight_decay=0";
    let mut free = learner(&config(settings));
    let before = numbers(&free.parameters.weights);
    let norm = step(&mut free, RATE, &[1]);
    let (free_weights, gradient) = after(&free);
    for (limit, factor, is_free) in [(norm / 4.0, 0.25, false), (norm * 2.0, 1.0, true)] {
        let mut clipped = learner(&config(&format!("{settings},grad_clip={limit}")));
        // The order of sums over threads is not fixed: f32 sums of some 10⁵ terms differ by a few units of 1e-6.
        assert!((step(&mut clipped, RATE, &[1]) - norm).abs() < 1e-5 * norm, "the norm is reported before clipping");
        let expected: Vec<f64> =
            before.iter().zip(&gradient).map(|(weight, gradient)| weight - RATE * factor * gradient).collect();
        assert_near(&after(&clipped).0, &expected, &format!("clipped to {limit}"));
        // Below the limit the expected weights are those without one; bitwise they differ where threads sum in another order.
        assert!(is_free || after(&clipped).0 != free_weights, "the limit {limit} has no effect");
    }
}

#[test]
fn a_moving_average_tracks_weights_and_statistics_faster_at_first() {
    const DECAY: f64 = 0.2;
    let config = config(&format!("optimizer=sgd,momentum=0,learning_rate=0.1,ema={DECAY}"));
    let mut learner = learner(&config);
    let flats = |learner: &Learner| [numbers(&learner.parameters.weights), numbers(&learner.parameters.statistics)];
    let mut expected = flats(&learner);
    for number in 1..=4 {
        step(&mut learner, 0.1, &[number]);
        let steps = number as f64;
        // 2/11, then the decay itself.
        let decay = DECAY.min((1.0 + steps) / (10.0 + steps));
        assert_eq!(decay < DECAY, number == 1);
        for (average, now) in expected.iter_mut().zip(flats(&learner)) {
            for (average, now) in average.iter_mut().zip(now) {
                *average = decay * *average + (1.0 - decay) * now;
            }
        }
        let average = learner.average.as_ref().unwrap();
        assert_near(&numbers(&average.weights), &expected[0], &format!("weights, step {number}"));
        assert_near(&numbers(&average.statistics), &expected[1], &format!("statistics, step {number}"));
    }
}

#[test]
fn statistics_in_warmup_are_the_mean_of_all_batches_so_far() {
    let warm = config("optimizer=sgd,momentum=0,weight_decay=0,bn_momentum=0.6,bn_warmup=true");
    // At a rate of zero the weights stay unchanged, so each batch has the same statistics as alone.
    let alone = |number: i64| {
        let mut learner = learner(&warm);
        step(&mut learner, 0.0, &[number]);
        numbers(&learner.parameters.statistics)
    };
    let of_batches: Vec<Vec<f64>> = (1..=4).map(alone).collect();
    let mut learner = learner(&warm);
    let mut expected = numbers(&learner.parameters.statistics);
    for (number, of_batch) in (1_u8..).zip(&of_batches) {
        step(&mut learner, 0.0, &[i64::from(number)]);
        // 0, 1/2, then bn_momentum, which is less than 2/3.
        let kept = [0.0, 0.5, 0.6, 0.6][usize::from(number) - 1];
        for (expected, of_batch) in expected.iter_mut().zip(of_batch) {
            *expected = kept * *expected + (1.0 - kept) * of_batch;
        }
        assert_near(&numbers(&learner.parameters.statistics), &expected, &format!("batch {number}"));
    }
    let mut cold = self::learner(&config("optimizer=sgd,momentum=0,bn_momentum=0.6,bn_warmup=false"));
    step(&mut cold, 0.0, &[1]);
    assert_ne!(numbers(&cold.parameters.statistics), of_batches[0]);
}
