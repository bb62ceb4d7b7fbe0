//! Memory used while a thousand images are explained, by the engine alone, and by the program that writes their files
//! together with its engine.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Child, Stdio};

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::image_job::{ExplanationEvent, run_image_job};
use mammoscope_engine_protocol::command::{ExplainWork, ExplainedClass, JobId};
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_test_support::{engine, mammoscope, names_in, small_model, wait_for, write_image, write_many};

const IMAGES: usize = 1000;

fn resident_kb(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The child process of a program.
fn engine_of(program: u32) -> Option<u32> {
    let threads = fs::read_dir(format!("/proc/{program}/task")).ok()?;
    let children = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    children.collect::<String>().split_whitespace().next()?.parse().ok()
}

/// Asserts that the second half of the images took at most 2 % more memory.
fn assert_flat(what: &str, half: u64, end: u64) {
    assert!(end <= half + half / 50, "{what}: {half} kB after half of the images, {end} kB at the end");
}

#[test]
fn engine_memory_stays_flat() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_many(&data, IMAGES);
    let image = |number: usize| data.join(format!("CC_R/B/{number}_1_B_CC_R.png"));
    let mut engine = EngineProcess::start(&engine(), Timeouts::default(), Cancellation::never()).unwrap();
    let process = engine.id();
    let work = ExplainWork {
        grey_range: GreyRange::Auto,
        model: WirePath::from(small_model(folder.path(), 32).as_path()),
        samples: (1..=IMAGES).map(|number| WirePath::from(image(number).as_path())).collect(),
        method: ExplanationMethod::LayerCam,
        layer: ExplainedLayer::stages()[0],
        class: ExplainedClass::Predicted,
        parity: false,
        curves: false,
        randomised_stages: 0,
        seed: 0,
        batch_size: Some(8),
        device: DeviceChoice::Cpu,
        precision: Precision::F32,
        threads: Some(1),
    };
    let (mut seen, mut half, mut end) = (0, 0, 0);
    run_image_job(&mut engine, JobId(1), work, Cancellation::never(), &mut |event| {
        if let ExplanationEvent::Image { result, .. } = event {
            assert!(result.is_ok(), "{result:?}");
            seen += 1;
            if seen == IMAGES / 2 {
                half = resident_kb(process).unwrap();
            } else if seen == IMAGES {
                end = resident_kb(process).unwrap();
            }
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, IMAGES);
    assert_flat("engine", half, end);
}

/// Classes come one after another, as folders are read: the contact sheet of the last starts when most images are done.
#[test]
fn memory_of_program_and_engine_stays_flat() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("maps"));
    for class in ["A", "B", "C", "D"] {
        let place = data.join("CC_R").join(class);
        let first = folder.path().join(format!("{class}.png"));
        write_image(&first, 7);
        fs::create_dir_all(&place).unwrap();
        for number in 0..IMAGES / 4 {
            fs::hard_link(&first, place.join(format!("{number}_1_{class}_CC_R.png"))).unwrap();
        }
    }
    let model = small_model(folder.path(), 32);
    let mut command = mammoscope();
    command.arg("explain").arg("--model").arg(model).arg("--data").arg(&data).arg("--out").arg(&out);
    command.args(["--device", "cpu", "--threads", "1", "--quiet"]).stdout(Stdio::null());
    let mut program = command.spawn().unwrap();
    let is_map = |name: &String| name.ends_with("_map.npy");
    let maps = |class: &str| names_in(&out.join("CC_R").join(class)).iter().filter(|name| is_map(name)).count();
    let written = || ["A", "B", "C", "D"].map(maps).iter().sum::<usize>();
    // Not of the program alone: the scores that it keeps of each image are a notable part of its 15 MB.
    let at = |images: usize, program: &mut Child| {
        wait_for("the images' files", || (written() >= images || program.try_wait().unwrap().is_some()).then_some(()));
        let engine = engine_of(program.id())?;
        Some(resident_kb(program.id())? + resident_kb(engine)?)
    };
    let half = at(IMAGES / 2, &mut program).expect("it runs");
    let late = at(IMAGES * 95 / 100, &mut program).expect("it runs");
    assert!(program.wait().unwrap().success());
    assert!(out.join("contact_D.png").is_file());
    assert_flat("program and engine", half, late);
}
