//! Parity of the network with the Keras reference: every file layout, every layer, logits, probabilities and the folded
//! form.

use mammoscope_test_support::{shared, skipped};
use std::path::{Path, PathBuf};

use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_engine::learning::folded_resnet::FoldedResNet;
use mammoscope_engine::learning::inference::{Predictor, batch_tensor};
use mammoscope_engine::learning::libtorch_ext::is_channels_last;
use mammoscope_engine::learning::resnet::ResNet;
use mammoscope_imaging::network_input::load_input;
use mammoscope_storage::keras::{ImportOptions, import};
use mammoscope_storage::models::model_file::Model;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn model(path: &Path) -> Model {
    import(path, ImportOptions::default()).expect("a model of the reference").model
}

/// The fixture's eight images of 64×64 grey pixels as N×3×64×64.
fn small_input() -> Tensor {
    let grey = Tensor::read_npy(fixtures().join("small_input_8x64x64.npy")).expect("the fixture");
    grey.to_kind(Kind::Float).unsqueeze(1).expand([-1, 3, -1, -1], false).contiguous()
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double).flatten(0, -1)).expect("f64")
}

fn largest_difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max)
}

fn probabilities(logits: &[f64]) -> Vec<f64> {
    let logits = std::array::from_fn(|class| logits[class] as f32);
    Probabilities::from_logits(logits).expect("finite logits").0.to_vec()
}

#[test]
fn every_file_layout_of_the_small_model_predicts_like_the_reference() {
    let expected = json(&fixtures().join("small_predictions.json"));
    for layout in [
        "small_w8_keras224names.h5",
        "small_w8_keras224layout.h5",
        "small_w8_keras224names.weights.h5",
        "small_w8_autonames.h5",
        "small_w8_keras3format.weights.h5",
    ] {
        let network = ResNet::from_model(&model(&fixtures().join(layout)), Device::Cpu).expect("a network");
        let folded = FoldedResNet::new(&network, Kind::Float).expect("a network");
        let forms = [network.forward(&small_input()), folded.forward(&small_input())];
        for logits in forms.map(|logits| flat(&logits.expect("logits"))) {
            for (image, logits) in logits.chunks(DensityClass::COUNT).enumerate() {
                let difference = largest_difference(logits, &numbers(&expected["logits"][image]));
                assert!(difference < 1e-4, "{layout}, image {image}: logits differ by {difference:.1e}");
                let difference =
                    largest_difference(&probabilities(logits), &numbers(&expected["probabilities"][image]));
                assert!(difference < 1e-5, "{layout}, image {image}: probabilities differ by {difference:.1e}");
            }
        }
    }
}

#[test]
fn the_sum_before_the_last_activation_matches_the_reference() {
    let expected = numbers(&json(&fixtures().join("small_predictions.json"))["add_12_mean"]);
    let model = model(&fixtures().join("small_w8_keras224names.h5"));
    let network = ResNet::from_model(&model, Device::Cpu).expect("a network");
    let mut means = Vec::new();
    let _ = network
        .forward_observed(&small_input(), &mut |name, tensor| {
            if name == "add_12" {
                means = flat(&tensor.mean_dim([1_i64, 2, 3].as_slice(), false, None));
            }
        })
        .expect("logits");
    let difference = largest_difference(&means, &expected);
    assert!(difference < 1e-5, "add_12 differs by {difference:.1e}");
}

/// Compares every layer of the full network on a real image. The first failure names the layer where the
/// implementations diverge.
#[test]
fn every_layer_of_the_full_network_matches_the_reference() {
    let (Some(weights), Some(activations)) =
        (shared("reference/full/keras_resnet41.h5"), shared("reference/activations_1103_1_B_CC_R_route1.json"))
    else {
        return;
    };
    let expected = json(&activations);
    let image = expected["image"].as_str().expect("a path");
    let Some(image) = shared(&format!("seed/{image}")) else { return };
    let network = ResNet::from_model(&model(&weights), Device::Cpu).expect("a network");
    let input = load_input(&image, 650, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
        .expect("an image")
        .0;
    let input = batch_tensor(&[&input]).expect("a batch");
    assert!(is_channels_last(&input).expect("a tensor"), "images are channels-last");
    let mut compared = 0;
    let layers = expected["layers"].as_array().expect("layers");
    let _ = network
        .forward_observed(&input, &mut |name, tensor| {
            let Some(layer) = layers.iter().find(|layer| layer["layer"] == name) else { return };
            compare_layer(name, tensor, layer);
            compared += 1;
        })
        .expect("logits");
    assert_eq!(compared, layers.len(), "every layer of the fixture was computed");
}

fn compare_layer(name: &str, tensor: &Tensor, expected: &Value) {
    // The fixture's last layer includes the softmax.
    let tensor = if name == "dense_1" { tensor.softmax(-1, Kind::Float) } else { tensor.shallow_clone() };
    if tensor.dim() == 4 {
        assert!(is_channels_last(&tensor).expect("a tensor"), "{name} is channels-last");
    }
    let close = |what: &str, ours: f64, theirs: f64| {
        let tolerance = 2e-5 * theirs.abs().max(1.0);
        assert!((ours - theirs).abs() < tolerance, "{name}: {what} is {ours}, not {theirs}");
    };
    let values = tensor.to_kind(Kind::Double);
    close("the mean", values.mean(Kind::Double).double_value(&[]), expected["mean"].as_f64().expect("a number"));
    close("the deviation", values.std(false).double_value(&[]), expected["std"].as_f64().expect("a number"));
    close("the minimum", values.min().double_value(&[]), expected["min"].as_f64().expect("a number"));
    close("the maximum", values.max().double_value(&[]), expected["max"].as_f64().expect("a number"));
    if tensor.dim() != 4 {
        return;
    }
    let (_, channels, height, width) = tensor.size4().expect("four dimensions");
    let shape = [height, width, channels].map(|length| length as f64);
    assert!(largest_difference(&shape, &numbers(&expected["shape"])) < 0.5, "{name}: the shape is {shape:?}");
    for (place, row, column) in
        [("0,0", 0, 0), ("last,last", height - 1, width - 1), ("mid,mid", height / 2, width / 2)]
    {
        for (channel, theirs) in numbers(&expected[format!("at[{place},:4]")]).into_iter().enumerate() {
            close(&format!("at {place}"), tensor.double_value(&[0, channel as i64, row, column]), theirs);
        }
    }
}

/// Predicts eight real mammograms with the folded network through both routes, as the program does.
#[test]
fn real_mammograms_are_predicted_like_the_reference() {
    let (Some(weights), Some(predictions)) =
        (shared("reference/full/keras_resnet41.h5"), shared("reference/predictions.json"))
    else {
        return;
    };
    let predictor = Predictor::new(&model(&weights), Device::Cpu, Kind::Float).expect("a predictor");
    let expected = json(&predictions);
    let images = expected["images"].as_array().expect("images");
    assert_eq!(images.len(), 8);
    for image in images {
        let file = image["file"].as_str().expect("a path");
        let Some(path) = shared(&format!("seed/{file}")) else { return };
        for (route, key) in [(InputRoute::Training, "route1"), (InputRoute::GradCamNotebook, "route2")] {
            let input = load_input(&path, 650, route, mammoscope_domain::image::grey_range::GreyRange::Auto)
                .expect("an image")
                .0;
            let logits = predictor.logits(&[&input]).expect("logits")[0].map(f64::from);
            let difference = largest_difference(&logits, &numbers(&image[key]["logits"]));
            assert!(difference < 1e-4, "{file}, {key}: logits differ by {difference:.1e}");
            let difference = largest_difference(&probabilities(&logits), &numbers(&image[key]["probabilities"]));
            assert!(difference < 1e-5, "{file}, {key}: probabilities differ by {difference:.1e}");
        }
    }
}

/// Folding changes logits only by rounding, within 1e-5 of the largest logit, on weights with non-trivial moving
/// statistics.
#[test]
fn folding_batch_normalisation_preserves_the_logits() {
    let weights = model(&fixtures().join("small_w8_autonames.h5"));
    let network = ResNet::from_model(&weights, Device::Cpu).expect("a network");
    let folded = FoldedResNet::new(&network, Kind::Float).expect("a network");
    tch::manual_seed(5);
    for side in [32, 64, 97, 130] {
        let input = Tensor::randn([2, 3, side, side], (Kind::Float, Device::Cpu)) * 0.25;
        let unfolded = flat(&network.forward(&input).expect("logits"));
        let scale = unfolded.iter().fold(1.0_f64, |largest, logit| largest.max(logit.abs()));
        let difference = largest_difference(&flat(&folded.forward(&input).expect("logits")), &unfolded) / scale;
        assert!(difference < 1e-5, "at {side} pixels the logits differ by {difference:.1e}");
    }
}

/// bf16 has 8 bits of precision. In the full network this costs 1 or 2 % of the largest logit; the random weights of
/// the small one amplify rounding errors, so its bound is wide.
#[test]
fn bf16_logits_stay_close_to_f32() {
    if !mammoscope_engine::learning::device::cpu_has_bf16() {
        skipped("this CPU has no bf16 instructions");
        return;
    }
    let cost = |weights: &Model, input: &Tensor| {
        let network = ResNet::from_model(weights, Device::Cpu).expect("a network");
        let logits =
            |kind| flat(&FoldedResNet::new(&network, kind).and_then(|network| network.forward(input)).expect("logits"));
        let exact = logits(Kind::Float);
        let scale = exact.iter().fold(0.0_f64, |largest, logit| largest.max(logit.abs()));
        largest_difference(&exact, &logits(Kind::BFloat16)) / scale
    };
    let small = cost(&model(&fixtures().join("small_w8_keras224names.h5")), &small_input());
    assert!(small > 0.0 && small < 0.2, "the small network's logits change by {small:.3} of the largest");
    let (Some(weights), Some(image)) =
        (shared("reference/full/keras_resnet41.h5"), shared("seed/TestSet/CC_R/test/D/1346_1_D_CC_R.png"))
    else {
        return;
    };
    let image = load_input(&image, 650, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
        .expect("an image")
        .0;
    let full = cost(&model(&weights), &batch_tensor(&[&image]).expect("a batch"));
    assert!(full > 0.0 && full < 0.02, "the full network's logits change by {full:.3} of the largest");
}

#[test]
fn logits_are_independent_of_the_batch() {
    let weights = model(&fixtures().join("small_w8_keras224names.h5"));
    let predictor = Predictor::new(&weights, Device::Cpu, Kind::Float).expect("a predictor");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images: Vec<_> = (1..=3)
        .map(|number| {
            let path = folder.path().join(format!("{number}.png"));
            let image = image::GrayImage::from_fn(80, 90, |x, y| image::Luma([(x * y * number % 251) as u8]));
            image.save(&path).expect("room on disk");
            load_input(&path, 64, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
                .expect("an image")
                .0
        })
        .collect();
    let together = predictor.logits(&images.iter().collect::<Vec<_>>()).expect("logits");
    for (image, together) in images.iter().zip(together) {
        let alone = predictor.logits(&[image]).expect("logits")[0];
        let scale = alone.iter().fold(1.0, |largest: f64, &logit| largest.max(f64::from(logit).abs()));
        let difference = largest_difference(&alone.map(f64::from), &together.map(f64::from)) / scale;
        assert!(difference < 1e-5, "alone and together differ by {difference:.1e} of the largest logit");
    }
    assert!(predictor.logits(&[]).expect("nothing").is_empty());
}
