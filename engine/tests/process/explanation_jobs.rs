//! Explanation jobs through the engine process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::image::image_seed::image_seed;
use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::image_job::{ExplanationEvent, ImageJobError, run_image_job};
use mammoscope_engine_protocol::command::{EngineCommand, ExplainWork, ExplainedClass, JobId, Work};
use mammoscope_engine_protocol::event::{EngineEvent, ExplainedSample, JobOutcome};
use mammoscope_imaging::random_map::random_map;
use mammoscope_storage::models::model_file::Model;

type SampleResult = Result<ExplainedSample, String>;

fn engine() -> EngineProcess {
    EngineProcess::start(Path::new(env!("CARGO_BIN_EXE_mammoscope-engine")), Timeouts::default(), Cancellation::never())
        .expect("an engine")
}

fn model(path: &Path, seed: u64) {
    let width = WidthFactor::new(0.125).expect("an eighth");
    initial_model(width, 64, None, seed).write(path).expect("room on disk");
}

/// Images in a folder of a fixed name: the seeds of random maps depend on it.
fn images(folder: &Path, count: u8) -> Vec<PathBuf> {
    let folder = folder.join("images");
    std::fs::create_dir_all(&folder).expect("room on disk");
    (0..count)
        .map(|number| {
            let path = folder.join(format!("{number}.png"));
            let image = image::GrayImage::from_fn(70, 90, |x, y| image::Luma([(x * y) as u8 ^ number]));
            image.save(&path).expect("room on disk");
            path
        })
        .collect()
}

fn work(model: &Path, samples: &[PathBuf]) -> ExplainWork {
    ExplainWork {
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        model: model.into(),
        samples: samples.iter().map(|path| path.as_path().into()).collect(),
        method: ExplanationMethod::GradCam,
        layer: ExplainedLayer::LAST,
        class: ExplainedClass::Predicted,
        parity: false,
        curves: false,
        randomised_stages: 0,
        seed: 1,
        batch_size: None,
        device: DeviceChoice::Cpu,
        precision: Precision::F32,
        threads: Some(2),
    }
}

fn answers(engine: &mut EngineProcess, job: u64, work: ExplainWork) -> Result<Vec<SampleResult>, ImageJobError> {
    let mut answers = Vec::new();
    run_image_job(engine, JobId(job), work, Cancellation::never(), &mut |event| {
        if let ExplanationEvent::Image { index, result } = event {
            assert_eq!(index, answers.len(), "results are in the order of the images");
            answers.push(result);
        }
        Ok(())
    })?;
    Ok(answers)
}

#[test]
fn one_engine_runs_many_jobs_and_isolates_bad_samples() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    model(&path, 1);
    let mut samples = images(folder.path(), 5);
    let mut engine = engine();
    let all = answers(&mut engine, 1, work(&path, &samples)).expect("maps");
    assert!(all.len() == 5 && all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(all, answers(&mut engine, 2, work(&path, &samples)).expect("maps"), "a job is repeatable");

    // One sample is missing, and one has no label.
    std::fs::remove_file(&samples[1]).expect("it was there");
    let mut classes = vec![Some(DensityClass::B); 5];
    classes[3] = None;
    let labelled = ExplainWork { class: ExplainedClass::PerSample(classes), ..work(&path, &samples) };
    let some = answers(&mut engine, 3, labelled.clone()).expect("maps");
    let error = |answer: &SampleResult| answer.as_ref().expect_err("an error").clone();
    assert!(error(&some[1]).contains("No such file"), "{}", error(&some[1]));
    assert!(error(&some[3]).contains("no label"), "{}", error(&some[3]));
    for number in [0, 2, 4] {
        assert_eq!(some[number].as_ref().expect("a map").class, DensityClass::B);
    }
    samples.remove(1);

    let too_few = ExplainWork { samples: Vec::new(), ..labelled };
    let refused = answers(&mut engine, 4, too_few).expect_err("five classes for no image").to_string();
    assert!(refused.contains("5 classes for 0 images"), "{refused}");
    let too_random = ExplainWork { randomised_stages: 7, ..work(&path, &samples) };
    let refused = answers(&mut engine, 5, too_random).expect_err("seven of six parts").to_string();
    assert!(refused.contains("it has 6"), "{refused}");

    // Random weights make another network, and leave the model unchanged.
    let random = ExplainWork { randomised_stages: 6, seed: 9, ..work(&path, &samples) };
    let random = answers(&mut engine, 6, random).expect("maps");
    assert_ne!(random[0], all[0]);
    assert_eq!(answers(&mut engine, 7, work(&path, &samples)).expect("maps")[0], all[0]);

    // The file of the model was replaced, as a checkpoint is.
    model(&path, 2);
    let other = answers(&mut engine, 8, work(&path, &samples)).expect("maps");
    assert_ne!(other[0], all[0], "the model at hand is not the file any more");
}

#[test]
fn random_maps_are_those_of_the_images_names_and_have_curves_where_they_are_wanted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    model(&path, 1);
    let samples = images(folder.path(), 3);
    let mut engine = engine();
    let random = ExplainWork { method: ExplanationMethod::Random, curves: true, ..work(&path, &samples) };
    let maps = answers(&mut engine, 1, random.clone()).expect("maps");
    for (sample, answer) in samples.iter().zip(&maps) {
        let answer = answer.as_ref().expect("a map");
        let expected = random_map(ExplainedLayer::LAST.side(64), image_seed(1, sample));
        assert_eq!(answer.map.values(), expected.samples(), "the client scores the same map that the engine makes");
        let curves = answer.curves.as_ref().expect("the job measures curves");
        assert!(curves.insertion_area().is_some() && curves.deletion_area().is_some(), "{curves:?}");
    }
    // Independent of the other images of the job.
    let alone = ExplainWork { samples: random.samples[2..].to_vec(), curves: false, ..random };
    let alone = answers(&mut engine, 2, alone).expect("maps").swap_remove(0).expect("a map");
    assert_eq!(alone.map, maps[2].as_ref().expect("a map").map);
    assert_eq!(alone.curves, None);
}

#[test]
fn nonfinite_weights_and_missing_models_fail_the_job_with_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    let samples = images(folder.path(), 1);
    let mut engine = engine();
    let error = answers(&mut engine, 1, work(&path, &samples)).expect_err("no model").to_string();
    assert!(error.contains("model.safetensors") && error.contains("No such file"), "{error}");

    let width = WidthFactor::new(0.125).expect("an eighth");
    let mut broken: Model = initial_model(width, 64, None, 1);
    broken.tensors.get_mut("conv2d_7.kernel").expect("a kernel")[3] = f32::NAN;
    // If such a model cannot even be written, there is nothing to explain.
    if let Err(error) = broken.write(&path) {
        assert!(error.to_string().contains("conv2d_7.kernel"), "{error}");
    } else {
        let error = answers(&mut engine, 2, work(&path, &samples)).expect_err("NaN").to_string();
        assert!(error.contains("conv2d_7.kernel") && error.contains("not finite"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    model(&path, 1);
    assert!(answers(&mut engine, 3, work(&path, &samples)).expect("maps")[0].is_ok(), "the engine survives");
}

#[test]
fn a_cancelled_job_makes_way_for_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    model(&path, 1);
    let samples = images(folder.path(), 2);
    let many: Vec<PathBuf> = samples.iter().cycle().take(4000).cloned().collect();
    let mut engine = engine();
    let slow = ExplainWork { method: ExplanationMethod::Occlusion, ..work(&path, &many) };
    engine.send(&EngineCommand::Run { job: JobId(1), work: Work::Explain(slow) }).expect("an engine");
    let mut maps = 0;
    let outcome = loop {
        match engine.next_event(Duration::from_millis(50)).expect("an engine") {
            Some(EngineEvent::MapDone { .. }) => {
                if maps == 0 {
                    engine.send(&EngineCommand::Cancel { job: JobId(1) }).expect("an engine");
                }
                maps += 1;
            }
            Some(EngineEvent::JobEnded { outcome, .. }) => break outcome,
            _ => {}
        }
    };
    assert!(matches!(outcome, JobOutcome::Stopped { .. }), "{outcome:?} after {maps} maps");
    assert!(maps < 4000);
    assert_eq!(answers(&mut engine, 2, work(&path, &samples)).expect("maps").len(), 2);
}
