//! Parity of the augmentation with the Keras reference: four transforms of a mammogram, before and after
//! standardisation.

use std::path::{Path, PathBuf};

use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_engine::learning::augmentation::{AffineParameters, transform};
use mammoscope_engine::learning::batches::standardise;
use mammoscope_engine::learning::folded_resnet::FoldedResNet;
use mammoscope_engine::learning::inference::Predictor;
use mammoscope_engine::learning::resnet::ResNet;
use mammoscope_imaging::network_input::NetworkInput;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_storage::keras::{ImportOptions, import};
use mammoscope_test_support::shared;
use serde_json::Value;
use tch::{Device, Kind, Tensor, no_grad};

fn reference(name: &str) -> Option<PathBuf> {
    shared(&format!("reference/augment/{name}"))
}

/// Reads one channel S×S as 1×1×S×S.
fn image(path: &Path) -> Tensor {
    Tensor::read_npy(path).expect("a fixture").to_kind(Kind::Float).unsqueeze(0).unsqueeze(0)
}

fn largest_difference(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    (ours - theirs).abs().max().double_value(&[])
}

#[test]
fn transforms_match_the_reference() {
    let (Some(input), Some(sets)) = (reference("input_128_u8.npy"), reference("augment.json")) else { return };
    let sets: Value = serde_json::from_str(&std::fs::read_to_string(sets).expect("a fixture")).expect("JSON");
    let sets = sets["sets"].as_array().expect("sets");
    assert_eq!(sets.len(), 4);
    let parameters: Vec<AffineParameters> = sets
        .iter()
        .map(|set| {
            let number = |key: &str| set[key].as_f64().expect("a number");
            AffineParameters {
                theta: number("theta"),
                tx: number("tx"),
                ty: number("ty"),
                zx: number("zx"),
                zy: number("zy"),
            }
        })
        .collect();
    let batch = image(&input).expand([sets.len() as i64, -1, -1, -1], false);
    let transformed = transform(&batch, &parameters).expect("a batch");
    let standardised = standardise(&transformed, Kind::Float).expect("a batch");
    for number in 0..sets.len() {
        let (Some(affine), Some(standard)) = (
            reference(&format!("set{number}_affine_seed.npy")),
            reference(&format!("set{number}_standardized_seed.npy")),
        ) else {
            return;
        };
        let of_set = |tensor: &Tensor| tensor.narrow(0, number as i64, 1);
        let difference = largest_difference(&of_set(&transformed), &image(&affine));
        assert!(difference < 5e-3, "set {number}: {difference:.1e} grey levels");
        let difference = 255.0 * largest_difference(&of_set(&standardised), &image(&standard));
        assert!(difference < 5e-3, "set {number}, standardised: {difference:.1e} grey levels");
    }
}

/// Copies for test-time augmentation are what training would have made of the images.
#[test]
fn copies_are_predicted_as_training_sees_them() {
    let size = 64;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/small_w8_keras224names.h5");
    let model = import(&file, ImportOptions { view: None, size: Some(size) }).expect("a model").model;
    let predictor = Predictor::new(&model, Device::Cpu, Kind::Float).expect("a predictor");
    let network = ResNet::from_model(&model, Device::Cpu).and_then(|network| FoldedResNet::new(&network, Kind::Float));
    let network = network.expect("a network");
    let pictures: Vec<Vec<u8>> = (1..=3_usize)
        .map(|number| (0..size * size).map(|place| (place / size * 3 + place % size * number) as u8).collect())
        .collect();
    let inputs: Vec<NetworkInput> = pictures
        .iter()
        .map(|picture| Raster::new(size, size, Channels::Grey, picture.clone()))
        .map(|picture| NetworkInput::from_resized(&picture, InputRoute::Training))
        .collect();
    let levels = Tensor::from_slice(&pictures.concat()).to_kind(Kind::Float).reshape([3, 1, size as i64, size as i64]);
    let parameters = [
        AffineParameters { theta: 8.0, tx: 9.5, ty: -7.25, zx: 1.2, zy: 1.15 },
        AffineParameters { theta: 0.0, tx: 0.0, ty: 0.0, zx: 1.0, zy: 1.0 },
        AffineParameters { theta: -9.0, tx: -6.0, ty: 5.0, zx: 0.8, zy: 1.2 },
    ];
    let batch = inputs.iter().collect::<Vec<_>>();
    let copies = predictor.logits_of_copies(&batch, &parameters).expect("logits");
    let transformed = standardise(&transform(&levels, &parameters).expect("a batch"), Kind::Float).expect("a batch");
    let expected = no_grad(|| network.forward(&transformed)).expect("logits");
    let plain = predictor.logits(&batch).expect("logits");
    for (image, logits) in copies.iter().enumerate() {
        let scale = logits.iter().fold(1.0_f32, |largest, logit| largest.max(logit.abs()));
        for (class, logit) in logits.iter().enumerate() {
            let theirs = expected.double_value(&[image as i64, class as i64]) as f32;
            assert!((logit - theirs).abs() < 1e-3 * scale, "image {image}: {logit}, not {theirs}");
        }
        let change = logits.iter().zip(plain[image]).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert_eq!(change > 1e-2 * scale, image != 1, "image {image} changes by {change} of {scale}");
    }
}
