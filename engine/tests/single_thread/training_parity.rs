//! Parity of ten steps of gradient descent with the Keras reference: losses, weights, moving statistics.
//!
//! The test detects each of the following mutations: the odd row of `same` padding above instead of below (step 0), an
//! epsilon of 1e-5 (step 0, by 1e-3), a slope of 0.2 (step 0, by 0.1), and, in the moving variances after the last
//! step, a momentum of 0.9 and the biased variance (by 7e-4), neither of which affects a loss.

use std::path::PathBuf;

use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine::learning::learner::{Batch, Learner};
use mammoscope_engine::learning::libtorch_ext::channels_last;
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_storage::keras::{ImportOptions, import};
use mammoscope_test_support::shared;
use tch::{Device, Kind, Tensor};

fn fixtures() -> Option<PathBuf> {
    shared("reference/train")
}

fn config() -> TrainingConfig {
    serde_json::from_value(serde_json::json!({
        "epochs": 1, "size": 64, "width": 0.125, "seed": 0, "batch_size": 4, "accumulate": 1, "optimizer": "sgd",
        "learning_rate": 0.01, "momentum": 0.0, "weight_decay": 0.0, "schedule": "constant", "warmup_epochs": 0,
        "plateau_factor": 0.1, "plateau_patience": 15, "plateau_min": 0.001, "precision": "f32", "dropout": 0.0, "bn_momentum": 0.99, "bn_warmup": false,
        "augment": false, "rotation": 0.0, "shift": 0.0, "zoom": 0.0, "class_weights": "none", "label_smoothing": 0.0,
        "ema": 0.0, "grad_clip": 0.0, "keep_best": 1, "monitor": "val_accuracy", "early_stop": 0,
        "checkpoint_minutes": 10.0, "nonfinite": "stop", "threads": 0
    }))
    .unwrap()
}

fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max)
}

#[test]
fn ten_steps_match_the_losses_and_weights_of_the_reference() {
    let Some(folder) = fixtures() else { return };
    // Sums over several threads round differently, by 1e-7. At step 6 one activation is so close to zero that this can
    // move it across the kink of the leaky ReLU, after which no two implementations agree to 1e-5.
    tch::set_num_threads(1);
    let config = config();
    assert_eq!(config.width, WidthFactor::of_stem(8).unwrap());
    let weights = |name: &str| import(&folder.join(name), ImportOptions::default()).unwrap().model.tensors;
    let images = Tensor::read_npy(folder.join("train_x_40x64x64x3_f16.npy")).unwrap().to_kind(Kind::Float);
    let labels = Tensor::read_npy(folder.join("train_y.npy")).unwrap().to_kind(Kind::Int64);
    let labels = if labels.dim() == 2 { labels.argmax(1, false) } else { labels };
    let parity: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("train_parity.json")).unwrap()).unwrap();
    let expected: Vec<f64> =
        parity["loss_float64"].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap()).collect();
    let mut learner =
        Learner::new(&config, &weights("train_initial.weights.h5"), CrossEntropy::plain(), Device::Cpu, Kind::Float)
            .unwrap();
    for (step, expected) in (0..).zip(&expected) {
        let input = channels_last(&images.narrow(0, 4 * step, 4).permute([0, 3, 1, 2])).unwrap();
        let batch = Batch { images: input, labels: labels.narrow(0, 4 * step, 4), targets: None };
        let result = learner.step_on(config.learning_rate, vec![batch]).unwrap();
        let loss = result.loss_sum / 4.0;
        assert!((loss - expected).abs() <= 1e-5, "step {step}: {loss}, not {expected}");
        let norm = result.gradient_norm;
        let reference = parity["grad_l2_total_float64"][usize::try_from(step).unwrap()].as_f64().unwrap();
        assert!((norm / reference - 1.0).abs() < 1e-4, "step {step}: gradient norm {norm}, not {reference}");
    }
    let ours = learner.values().unwrap();
    for (name, theirs) in weights("train_final.weights.h5") {
        let difference = largest_difference(&ours[&name], &theirs);
        assert!(difference <= 1e-5, "{name}: {difference}");
    }
}
