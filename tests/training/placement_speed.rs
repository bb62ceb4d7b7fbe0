//! The speed of placements as they are timed, and as runs are then trained, to be run alone on an idle machine
//! (docs/benchmarks.md):
//!
//! ```text
//! cargo test --test training placement_speed -- --ignored --nocapture --test-threads 1
//! ```
#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::Instant;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::placement_limits::{Candidate, DeviceKind, PlacementLimits};
use mammoscope_domain::training::preset::Preset;
use mammoscope_engine_client::placement_benchmark::{PlacementWork, time_placements};
use mammoscope_test_support::trainer_fixture::{TrainerFixture, WatchedRun};
use mammoscope_test_support::{engine, stderr_of};

/// Each placement is timed and trained this many times, in turn with the others; medians are compared.
const ROUNDS: usize = 3;
/// The largest accepted loss against the best placement.
const TOLERANCE: f64 = 0.05;
/// Four fifths of them are trained on.
const SUBJECTS: u32 = 80;
const TRAINED: f64 = 64.0;
/// Epochs that take a few seconds together, by size in pixels.
const SIZES: [(usize, u32); 4] = [(64, 24), (128, 12), (256, 6), (650, 3)];

/// `mammoscope train` with the preset `quick` and every view named.
fn command(fixture: &TrainerFixture, views: &str, jobs: &str, settings: &str) -> Command {
    let mut command = fixture.command(&["train", "--preset", "quick", "--device", "cpu", "--view", views]);
    command.args(["--jobs", jobs, "--set", settings, "--follow", "--data"]).arg(fixture.data());
    command
}

fn run(mut command: Command) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
}

/// Trains a view on each place of a placement. Returns the training images per second of all together, validation
/// included, without the first epoch, in which processes start at different moments.
fn train(fixture: &TrainerFixture, candidate: Candidate, settings: &str) -> f64 {
    let views = ["CC_R", "CC_L", "MLO_R", "MLO_L"][..candidate.jobs].join(",");
    let before = fixture.runs().len();
    run(command(fixture, &views, &candidate.jobs.to_string(), &format!("{settings},threads={}", candidate.threads)));
    let speed = |run: &WatchedRun| {
        let seconds: Vec<f64> = run.summary().records.iter().skip(1).map(|epoch| epoch.record.seconds).collect();
        TRAINED * seconds.len() as f64 / seconds.iter().sum::<f64>()
    };
    let runs = fixture.runs();
    assert_eq!(runs.len(), before + candidate.jobs);
    runs[before..].iter().map(speed).sum()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[test]
#[ignore = "minutes on an idle machine: cargo test --test training placement_speed -- --ignored --nocapture"]
fn the_chosen_placement_trains_fastest() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let fixture = TrainerFixture::new(SUBJECTS);
    let limits = PlacementLimits { kind: DeviceKind::Cpu, runs: 4, cores, jobs: None, threads: None };
    let mut misses = Vec::new();
    for (size, epochs) in SIZES {
        let settings = format!("size={size},epochs={epochs},early_stop=0");
        let mut config = Preset::named("quick").unwrap().config;
        config.size = size;
        let work = PlacementWork { config, device: DeviceChoice::Cpu, limits, images: 0 };
        let candidates = limits.candidates();
        let mut trained = vec![Vec::new(); candidates.len()];
        let mut chosen = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let placement = time_placements(&engine(), &work, Cancellation::never(), &mut |_| {}).unwrap().placement;
            println!("{size} px: timed in {:.1} s: {placement}", start.elapsed().as_secs_f64());
            chosen.push(Candidate { jobs: placement.jobs, threads: placement.threads });
            for (candidate, speeds) in candidates.iter().zip(&mut trained) {
                speeds.push(train(&fixture, *candidate, &settings));
            }
        }
        let medians: Vec<f64> = trained.iter().map(|speeds| median(speeds)).collect();
        let best = medians.iter().copied().fold(0.0, f64::max);
        for ((candidate, speeds), median) in candidates.iter().zip(&trained).zip(&medians) {
            let Candidate { jobs, threads } = candidate;
            println!("{size} px: trained {jobs} × {threads}: {median:.1} images/s of {speeds:.1?}");
        }
        for candidate in chosen {
            let place = candidates.iter().position(|other| *other == candidate).unwrap();
            if medians[place] < best * (1.0 - TOLERANCE) {
                misses.push(format!("{size} px: {candidate:?} trains {:.1} of {best:.1} images/s", medians[place]));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:#?}");
}

/// The four training runs of the demo, with its images, settings and chosen placement, against one run after another.
#[test]
#[ignore = "minutes on an idle machine: cargo test --test training placement_speed -- --ignored --nocapture"]
fn the_demo_trains_twice_as_fast_as_one_run_after_another() {
    let folder = tempfile::tempdir().unwrap();
    let mammoscope = |arguments: &[&str]| {
        let mut command = mammoscope_test_support::mammoscope();
        command.current_dir(folder.path()).args(arguments);
        let start = Instant::now();
        run(command);
        start.elapsed().as_secs_f64()
    };
    mammoscope(&["phantom", "data", "--subjects", "240", "--size", "128", "--seed", "7"]);
    let train = ["train", "--data", "data", "--view", "all", "--preset", "quick", "--device", "cpu", "--follow"];
    let mut ratios = Vec::new();
    for round in ["first", "second"] {
        let chosen = mammoscope(&[&train[..], &["--workspace", &format!("{round} auto")]].concat());
        let one_by_one = [&train[..], &["--workspace", &format!("{round} jobs"), "--jobs", "1", "--set", "threads=2"]];
        let one_by_one = mammoscope(&one_by_one.concat());
        println!("demo: {chosen:.1} s as chosen, {one_by_one:.1} s one after another with two threads");
        ratios.push(one_by_one / chosen);
    }
    assert!(ratios.iter().all(|&ratio| ratio >= 2.0), "{ratios:?}");
}
