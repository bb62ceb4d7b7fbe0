//! Explanation maps: parity with the Keras reference and with autograd, and the properties of every method.

use mammoscope_test_support::{shared, skipped};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use mammoscope_domain::cancellation::{Cancellation, Completion};
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::explanation::weight_cascade::CASCADE;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_engine::learning::device::cpu_has_bf16;
use mammoscope_engine::learning::explanation::explainer::{Explainer, ExplanationInput, GradientSource, MapRequest};
use mammoscope_engine::learning::explanation::random_weights::randomised;
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_imaging::network_input::{NetworkInput, load_input};
use mammoscope_storage::keras::{ImportOptions, import};
use mammoscope_storage::models::model_file::Model;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

fn small_model() -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/small_w8_autonames.h5");
    import(&file, ImportOptions::default()).expect("a model of the reference").model
}

/// Images of 64×64 with a bright disc at different positions.
fn small_images() -> Vec<NetworkInput> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    (0..3_u32)
        .map(|number| {
            let path = folder.path().join(format!("{number}.png"));
            let image = image::GrayImage::from_fn(64, 64, |x, y| {
                let distance = f64::from(x).hypot(f64::from(y) - 20.0 * f64::from(number));
                image::Luma([(240.0 * (-distance / 25.0).exp()) as u8 + ((x * 7 + y * 13) % 11) as u8])
            });
            image.save(&path).expect("room on disk");
            load_input(&path, 64, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
                .expect("an image")
                .0
        })
        .collect()
}

fn explain(
    explainer: &Explainer,
    inputs: &[NetworkInput],
    class: Option<DensityClass>,
    request: MapRequest,
) -> Vec<ExplainedSample> {
    let images: Vec<ExplanationInput<'_>> =
        (3..).zip(inputs).map(|(seed, input)| ExplanationInput { seed, input, class }).collect();
    let samples = explainer.explain(&images, request, Cancellation::never()).expect("maps").done();
    samples.expect("not cancelled").into_iter().map(|sample| sample.expect("finite logits")).collect()
}

fn explainer(model: &Model) -> Explainer {
    Explainer::new(model, Device::Cpu, Kind::Float).expect("a network")
}

fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(f64::from(value.abs())))
}

/// The largest difference, relative to the largest value of the second map.
fn difference(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let differences: Vec<f32> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
    largest(&differences) / largest(theirs).max(f64::MIN_POSITIVE)
}

/// Eight real mammograms through both routes: class, logits, and the 21×21 maps of keras-vis, signed and after the
/// ReLU.
#[test]
fn maps_of_real_mammograms_match_keras_vis() {
    let (Some(weights), Some(predictions), Some(cams)) =
        (shared("reference/full/keras_resnet41.h5"), shared("reference/predictions.json"), shared("reference/cams"))
    else {
        return;
    };
    let explainer = explainer(&import(&weights, ImportOptions::default()).expect("the reference").model);
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(predictions).expect("a fixture")).expect("JSON");
    let images = expected["images"].as_array().expect("images");
    for (route, key) in [(InputRoute::Training, "route1"), (InputRoute::GradCamNotebook, "route2")] {
        let theirs = |kind: &str| {
            let maps = Tensor::read_npy(cams.join(format!("cam21_{key}_{kind}.npy"))).expect("the fixture");
            Vec::<f32>::try_from(maps.flatten(0, -1)).expect("f32")
        };
        let (signed, rectified) = (theirs("signed"), theirs("relu"));
        let mut inputs = Vec::new();
        for image in images {
            let file = image["file"].as_str().expect("a path");
            let Some(path) = shared(&format!("seed/{file}")) else { return };
            inputs.push(
                load_input(&path, 650, route, mammoscope_domain::image::grey_range::GreyRange::Auto)
                    .expect("an image")
                    .0,
            );
        }
        let request = MapRequest { keras_vis: true, ..MapRequest::default() };
        let mut samples = Vec::new();
        for inputs in inputs.chunks(4) {
            samples.extend(explain(&explainer, inputs, None, request));
        }
        assert_eq!((samples.len(), signed.len()), (8, 8 * 21 * 21));
        for ((sample, image), at) in samples.iter().zip(images).zip((0..).step_by(21 * 21)) {
            let (file, cam) = (&image["file"], &image[key]["cam"]);
            assert_eq!(sample.class.letter(), cam["class"].as_str().expect("a class"), "{file}");
            assert_eq!((sample.map.rows(), sample.map.columns()), (21, 21));
            assert!(!sample.all_gradients_negative);
            let maps = [
                ("signed", sample.map.values().to_vec(), &signed),
                ("rectified", sample.map.rectified().into_values(), &rectified),
            ];
            for (kind, ours, theirs) in maps {
                let off = difference(&ours, &theirs[at..at + 21 * 21]);
                assert!(off <= 1e-5, "{file}, {key}: the {kind} map is off by {off:.1e} of its largest value");
            }
            let minimum = cam["signed_min"].as_f64().expect("a number");
            assert!((f64::from(sample.map.minimum()) - minimum).abs() < 1e-3, "{file}, {key}");
        }
    }
}

/// For every gradient method and every class, with and without keras-vis' scaling.
#[test]
fn the_closed_form_matches_a_backward_pass() {
    let (explainer, images) = (explainer(&small_model()), small_images());
    for method in [
        ExplanationMethod::GradCam,
        ExplanationMethod::GradCamPlusPlus,
        ExplanationMethod::HiResCam,
        ExplanationMethod::LayerCam,
    ] {
        for class in DensityClass::ALL {
            for keras_vis in [false, true] {
                let request = MapRequest { method, keras_vis, ..MapRequest::default() };
                let closed = explain(&explainer, &images, Some(class), request);
                let check = MapRequest { gradient: GradientSource::Autograd, ..request };
                for (ours, theirs) in closed.iter().zip(explain(&explainer, &images, Some(class), check)) {
                    let off = difference(ours.map.values(), theirs.map.values());
                    assert!(off < 1e-6, "{method} for {class}: closed form and autograd differ by {off:.1e}");
                    assert!(difference(&ours.logits, &theirs.logits) < 1e-6);
                }
            }
        }
    }
}

/// The same checks on the full-size reference network.
#[test]
fn closed_form_and_completeness_hold_on_a_real_mammogram() {
    let (Some(weights), Some(image)) =
        (shared("reference/full/keras_resnet41.h5"), shared("seed/TestSet/CC_R/test/D/1346_1_D_CC_R.png"))
    else {
        return;
    };
    let model = import(&weights, ImportOptions::default()).expect("the reference").model;
    let images = [load_input(&image, 650, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
        .expect("an image")
        .0];
    let explainer = explainer(&model);
    let request = MapRequest::default();
    let closed = explain(&explainer, &images, None, request);
    let autograd = explain(&explainer, &images, None, MapRequest { gradient: GradientSource::Autograd, ..request });
    let off = difference(closed[0].map.values(), autograd[0].map.values());
    assert!(off < 1e-6, "closed form and autograd differ by {off:.1e}");
    assert_complete(&explainer, &model, &images);
}

#[test]
fn hires_cam_adds_up_to_the_logit() {
    let model = small_model();
    assert_complete(&explainer(&model), &model, &small_images());
}

/// Asserts that a HiResCAM summed over all positions, plus the bias of its class, is the logit.
fn assert_complete(explainer: &Explainer, model: &Model, images: &[NetworkInput]) {
    let bias = &model.tensors["dense_1.bias"];
    let request = MapRequest { method: ExplanationMethod::HiResCam, ..MapRequest::default() };
    for class in DensityClass::ALL {
        for sample in explain(explainer, images, Some(class), request) {
            let sum: f64 = sample.map.values().iter().map(|&value| f64::from(value)).sum();
            let (whole, logit) = (sum + f64::from(bias[class.index()]), f64::from(sample.logits[class.index()]));
            assert!((whole - logit).abs() < 1e-4, "{class}: {whole} is not {logit}");
        }
    }
}

#[test]
fn every_method_returns_a_map_of_the_expected_shape_for_every_class() {
    let (explainer, images) = (explainer(&small_model()), small_images());
    for method in ExplanationMethod::ALL {
        let layers = if method.is_of_layer() { ExplainedLayer::all().collect() } else { vec![ExplainedLayer::LAST] };
        for layer in layers {
            let mut of_classes = Vec::new();
            for class in DensityClass::ALL {
                let request = MapRequest { method, layer, ..MapRequest::default() };
                let samples = explain(&explainer, &images[..2], Some(class), request);
                let side = match method {
                    ExplanationMethod::SmoothGrad => 8,
                    ExplanationMethod::Occlusion => 12,
                    _ => layer.side(64),
                };
                for sample in &samples {
                    let map = &sample.map;
                    assert_eq!((map.rows(), map.columns()), (side, side), "{method} of {layer}");
                    assert_ne!(map.status(), MapStatus::NotFinite, "{method} of {layer} for {class}");
                    assert_eq!(sample.class, class);
                }
                assert_ne!(samples[0].map, samples[1].map, "{method} of {layer}: all images look alike");
                of_classes.push(samples[0].map.clone());
            }
            assert_eq!(of_classes[0] != of_classes[3], method.is_of_class(), "{method} of {layer}");
        }
    }
}

#[test]
fn maps_are_repeatable_and_independent_of_the_batch() {
    let (explainer, images) = (explainer(&small_model()), small_images());
    for method in ExplanationMethod::ALL {
        for layer in [ExplainedLayer::LAST, ExplainedLayer::stages()[1]] {
            let request = MapRequest { method, layer, ..MapRequest::default() };
            let together = explain(&explainer, &images, None, request);
            assert_eq!(together, explain(&explainer, &images, None, request), "{method} is not repeatable");
            for (seed, (input, together)) in (3..).zip(images.iter().zip(&together)) {
                let image = [ExplanationInput { seed, input, class: None }];
                let alone = explainer.explain(&image, request, Cancellation::never()).expect("maps").done();
                let alone = alone.expect("not cancelled").swap_remove(0).expect("finite logits");
                assert_eq!(alone.class, together.class);
                let off = difference(together.map.values(), alone.map.values());
                assert!(off < 2e-5, "{method} of {layer}: alone and together differ by {off:.1e}");
            }
        }
    }
    let none = explainer.explain(&[], MapRequest::default(), Cancellation::never()).expect("no maps");
    assert_eq!(none, Completion::Done(Vec::new()));
}

#[test]
fn every_step_of_the_cascade_changes_the_map() {
    let (model, images) = (small_model(), small_images());
    let maps: Vec<_> = (0..=CASCADE.len())
        .map(|steps| {
            let explainer = explainer(&randomised(model.clone(), steps, 11));
            explain(&explainer, &images[..1], Some(DensityClass::C), MapRequest::default()).swap_remove(0).map
        })
        .collect();
    for pair in maps.windows(2) {
        assert_ne!(pair[0].status(), MapStatus::NotFinite);
        assert!(difference(pair[0].values(), pair[1].values()) > 1e-3, "a step changes nothing");
    }
}

#[test]
fn nonfinite_logits_are_an_error_of_their_image() {
    let mut model = small_model();
    model.tensors.get_mut("dense_1.kernel").expect("the dense layer")[0] = f32::NAN;
    let (explainer, images) = (explainer(&model), small_images());
    for method in ExplanationMethod::ALL {
        let request = MapRequest { method, ..MapRequest::default() };
        let image = [ExplanationInput { seed: 0, input: &images[0], class: None }];
        let samples = explainer.explain(&image, request, Cancellation::never()).expect("a batch").done();
        assert_eq!(samples.expect("not cancelled"), [Err(NonfiniteOutput)], "{method}");
    }
}

#[test]
fn methods_of_many_passes_can_be_cancelled_between_passes() {
    let (explainer, images) = (explainer(&small_model()), small_images());
    for method in [ExplanationMethod::SmoothGrad, ExplanationMethod::Occlusion] {
        let checks = AtomicU32::new(0);
        let is_cancelled = || checks.fetch_add(1, Ordering::Relaxed) == 2;
        let image = [ExplanationInput { seed: 0, input: &images[0], class: None }];
        let request = MapRequest { method, ..MapRequest::default() };
        let cancelled = explainer.explain(&image, request, Cancellation::new(&is_cancelled)).expect("a batch");
        assert_eq!(cancelled, Completion::Cancelled, "{method}");
        assert_eq!(checks.load(Ordering::Relaxed), 3, "{method}");
    }
}

#[test]
fn bf16_maps_stay_close_to_f32() {
    if !cpu_has_bf16() {
        skipped("this CPU has no bf16 instructions");
        return;
    }
    let (Some(weights), Some(image)) =
        (shared("reference/full/keras_resnet41.h5"), shared("seed/TestSet/CC_R/test/D/1346_1_D_CC_R.png"))
    else {
        return;
    };
    let model = import(&weights, ImportOptions::default()).expect("the reference").model;
    let images = [load_input(&image, 650, InputRoute::Training, mammoscope_domain::image::grey_range::GreyRange::Auto)
        .expect("an image")
        .0];
    let map = |kind| {
        let explainer = Explainer::new(&model, Device::Cpu, kind).expect("a network");
        explain(&explainer, &images, None, MapRequest::default()).swap_remove(0).map
    };
    let off = difference(map(Kind::BFloat16).values(), map(Kind::Float).values());
    assert!(off > 0.0 && off < 0.05, "bf16 changes the map by {off:.3} of its largest value");
}
