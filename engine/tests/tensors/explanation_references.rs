//! Explanation maps against direct computations: patches covered by hand, noise added by hand, finite differences.

use std::path::{Path, PathBuf};

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::perturbation_curve::CURVE_STEPS;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::random_stream::RandomStream;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_engine::learning::explanation::explainer::{Explainer, ExplanationInput, MapRequest};
use mammoscope_engine::learning::explanation::perturbation::perturbation_curves;
use mammoscope_engine::learning::inference::batch_tensor;
use mammoscope_engine::learning::learning_stream::LearningStream;
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_imaging::map_zoom::bilinear_zoom;
use mammoscope_imaging::network_input::{NetworkInput, load_input};
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_storage::keras::{ImportOptions, import};
use mammoscope_storage::models::model_file::Model;
use tch::{Device, Kind, Tensor, no_grad};

const SIDE: usize = 64;
const CLASS: DensityClass = DensityClass::C;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn small_explainer() -> Explainer {
    small_explainer_in(Kind::Float)
}

fn small_explainer_in(kind: Kind) -> Explainer {
    let file = shipped("tests/fixtures/small_w8_autonames.h5");
    let model = import(&file, ImportOptions::default()).expect("a model of the reference").model;
    Explainer::new(&model, Device::Cpu, kind).expect("a network")
}

/// A bright disc on a periodic pattern.
fn small_image() -> NetworkInput {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("image.png");
    let image = image::GrayImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
        let distance = f64::from(x).hypot(f64::from(y) - 30.0);
        image::Luma([(220.0 * (-distance / 25.0).exp()) as u8 + ((x * 7 + y * 13) % 31) as u8])
    });
    image.save(&path).expect("room on disk");
    load_input(&path, SIDE, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
        .expect("an image")
        .0
}

fn explained(explainer: &Explainer, input: &NetworkInput, class: DensityClass, request: MapRequest) -> ExplainedSample {
    let image = [ExplanationInput { seed: 11, input, class: Some(class) }];
    let samples = explainer.explain(&image, request, Cancellation::never()).expect("maps").done();
    samples.expect("not cancelled").swap_remove(0).expect("finite logits")
}

fn logit(explainer: &Explainer, input: &Tensor) -> f64 {
    no_grad(|| explainer.network().forward(input)).expect("logits").double_value(&[0, CLASS.index() as i64])
}

#[test]
fn an_occlusion_cell_is_the_drop_of_the_logit_when_its_patch_is_zero() {
    let (explainer, input) = (small_explainer(), small_image());
    let request = MapRequest { method: ExplanationMethod::Occlusion, ..MapRequest::default() };
    let map = explained(&explainer, &input, CLASS, request).map;
    assert_eq!((map.rows(), map.columns()), (12, 12));
    let whole = batch_tensor(&[&input]).expect("a tensor");
    // Cells are 16/3 pixels wide; a patch is two cells wide, centred on its cell and cut at the image's edge.
    for (row, column, rows, columns) in [(3, 5, 13..24, 24..34), (0, 11, 0..8, 56..64)] {
        let mut values: Vec<f32> = input.values().to_vec();
        for y in rows {
            for x in columns.clone() {
                values[(y * SIDE + x) * 3..][..3].fill(0.0);
            }
        }
        let side = SIDE as i64;
        let covered = Tensor::from_slice(&values).reshape([1, side, side, 3]).permute([0, 3, 1, 2]);
        let expected = logit(&explainer, &whole) - logit(&explainer, &covered);
        let found = f64::from(map.values()[row * 12 + column]);
        assert!((found - expected).abs() < 1e-5, "row {row}, column {column}: {found} is not {expected}");
        assert!(expected.abs() > 1e-4, "a patch without effect tests nothing");
    }
}

#[test]
fn smooth_grad_is_the_magnitude_of_the_mean_gradient_over_noisy_copies() {
    let (explainer, input) = (small_explainer(), small_image());
    let request = MapRequest { method: ExplanationMethod::SmoothGrad, ..MapRequest::default() };
    let map = explained(&explainer, &input, CLASS, request).map;
    let (lowest, highest) =
        input.values().iter().fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
    let deviation = 0.15 * f64::from(highest - lowest);
    let mut stream = RandomStream::new(11, LearningStream::Noise);
    let mut mean = vec![0.0_f64; 3 * SIDE * SIDE];
    for _ in 0..16 {
        let mut values: Vec<f32> = input.values().to_vec();
        for pixel in values.chunks_exact_mut(3) {
            let radius = (-2.0 * (1.0 - stream.uniform(0.0, 1.0)).ln()).sqrt();
            let angle = stream.uniform(0.0, std::f64::consts::TAU);
            for value in pixel {
                *value += (deviation * radius * angle.cos()) as f32;
            }
        }
        let side = SIDE as i64;
        let noisy = Tensor::from_slice(&values).reshape([1, side, side, 3]).permute([0, 3, 1, 2]).contiguous();
        let noisy = noisy.set_requires_grad(true);
        explainer
            .network()
            .forward(&noisy)
            .expect("logits")
            .select(1, CLASS.index() as i64)
            .sum(Kind::Float)
            .backward();
        let gradient = Vec::<f32>::try_from(noisy.grad().flatten(0, -1)).expect("f32");
        for (sum, value) in mean.iter_mut().zip(gradient) {
            *sum += f64::from(value) / 16.0;
        }
    }
    for (at, &found) in map.values().iter().enumerate() {
        let (row, column) = (at / 8, at % 8);
        let mut expected = 0.0;
        for (channel, y, x) in (0..3).flat_map(|c| (0..8).flat_map(move |y| (0..8).map(move |x| (c, y, x)))) {
            expected += mean[(channel * SIDE + row * 8 + y) * SIDE + column * 8 + x].abs() / 64.0;
        }
        assert!((f64::from(found) - expected).abs() < 1e-4 * expected.max(1e-3), "{at}: {found} is not {expected}");
    }
}

#[test]
fn every_layer_has_the_same_logits_and_gradients_match_finite_differences() {
    let (explainer, input) = (small_explainer(), small_image());
    let precise = small_explainer_in(Kind::Double);
    let batch = batch_tensor(&[&input]).expect("a tensor");
    let reference = explained(&explainer, &input, CLASS, MapRequest::default()).logits;
    for layer in ExplainedLayer::all() {
        let request = MapRequest { method: ExplanationMethod::HiResCam, layer, ..MapRequest::default() };
        let sample = explained(&explainer, &input, CLASS, request);
        let same = sample.logits.iter().zip(reference).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(same, "{layer}: {:?} are not {reference:?}", sample.logits);
        // The sum of g ⊙ A over all positions is the derivative of the logit as A is scaled.
        let slope: f64 = sample.map.values().iter().map(|&value| f64::from(value)).sum();
        let grown = |factor: f64| {
            let network = precise.network();
            let logits = no_grad(|| network.logits_of(&(network.sum_of(&batch, layer)? * factor), layer));
            logits.expect("logits").double_value(&[0, CLASS.index() as i64])
        };
        // So small that hardly any activation changes sign in between; f32 could not resolve such differences of
        // logits.
        let step = 1e-5;
        let difference = (grown(1.0 + step) - grown(1.0 - step)) / (2.0 * step);
        let off = (slope - difference).abs();
        // The last layer stays f32. A gradient that misses a branch of a block is off by half or more.
        assert!(off < 0.03 * difference.abs().max(0.3), "{layer}: slope {slope} is not {difference}");
    }
}

/// On the shipped network, whose task the testset's images are.
#[test]
fn the_curves_of_a_faithful_map_beat_those_of_its_inverse() {
    let model = Model::read(&shipped("models/CC_R.safetensors")).expect("it ships");
    let size = model.metadata.size;
    let explainer = Explainer::new(&model, Device::Cpu, Kind::Float).expect("a network");
    // The loss of the logit under a patch is the true importance of that patch.
    let request = MapRequest { method: ExplanationMethod::Occlusion, curves: true, ..MapRequest::default() };
    let mut gains = [0.0; 2];
    for class in DensityClass::ALL {
        let number = class.index() + 1;
        let path = shipped(&format!("testset/CC_R/{class}/{number}_1_{class}_CC_R.png"));
        let input =
            load_input(&path, size, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
                .expect("it ships")
                .0;
        let sample = explained(&explainer, &input, class, request);
        let curves = sample.curves.expect("the map is sound");
        assert_eq!([curves.insertion.len(), curves.deletion.len()], [CURVE_STEPS + 1; 2]);
        // Both curves run between the blank and the whole image.
        let whole = DensityClass::ALL.map(|class| f64::from(sample.logits[class.index()]).exp());
        let probability = whole[class.index()] / whole.iter().sum::<f64>();
        for (from, to) in [(&curves.insertion, &curves.deletion), (&curves.deletion, &curves.insertion)] {
            assert!((from[0] - to[CURVE_STEPS]).abs() < 1e-5, "{curves:?}");
        }
        assert!((curves.deletion[0] - probability).abs() < 1e-5);
        let map = sample.map;
        let reversed = map.values().iter().map(|value| -value).collect();
        let reversed = bilinear_zoom(&Raster::new(map.columns(), map.rows(), Channels::Grey, reversed), size, size);
        let image = batch_tensor(&[&input]).expect("a tensor");
        let index = class.index() as i64;
        let reverse =
            perturbation_curves(explainer.network(), &image, index, reversed.samples(), 4, Cancellation::never());
        let reverse = reverse.expect("curves").done().expect("not cancelled");
        gains[0] += curves.insertion_area().expect("points") - reverse.insertion_area().expect("points");
        gains[1] += reverse.deletion_area().expect("points") - curves.deletion_area().expect("points");
    }
    assert!(gains.iter().all(|&gain| gain > 0.2), "insertion and deletion, summed over four images: {gains:?}");
}
