//! Trainings that find no memory, or no engine, by the real binaries.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use support::training_stage::{TrainingStage, events, failure, status};
use support::{engine, names_in, script, stderr_of};

#[test]
fn a_step_that_finds_no_memory_says_what_would_fit_and_the_next_run_goes_on() {
    let stage = TrainingStage::empty();
    let image = stage.add("train", "A", 0);
    for (subject, class) in (0..300).zip(["A", "B", "C", "D"].into_iter().cycle()) {
        for view in ["CC_L", "MLO_R"] {
            let folder = stage.data.join(format!("{view}/{class}"));
            fs::create_dir_all(&folder).unwrap();
            fs::hard_link(&image, folder.join(format!("{subject}_1_{class}_{view}.png"))).unwrap();
        }
    }
    // All images at once are 1.5 GB of numbers before the first layer. The second run, which waits, asks for less.
    let limited = format!(
        "for run; do :; done; sed -i 's/^batch_size = .*/batch_size = 50/; s/^size = .*/size = 64/' \"$run/run.toml\"; \
         ulimit -v 1600000; exec '{}' \"$@\"",
        engine().display()
    );
    let program = script(&stage.folder.path().join("limited engine"), &limited);
    let stage = stage.with_engine(&program);
    let data = stage.data.to_str().unwrap();
    let output = stage.output(&[
        "train",
        "--data",
        data,
        "--view",
        "CC_L,MLO_R",
        "--preset",
        "seed",
        "--device",
        "cpu",
        "--all-as-train",
        "--follow",
        "--set",
        "size=650,width=0.125,batch_size=300,epochs=1,threads=1,augment=false",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let runs = stage.workspace.join("runs");
    let [second, first] = ["MLO_R", "CC_L"].map(|view| {
        let name = names_in(&runs).into_iter().find(|name| name.contains(view)).unwrap();
        RunDir::new(runs.join(name))
    });
    let reason = failure(&first);
    assert!(reason.starts_with("not enough memory on the device for this batch; batch_size=300 at 650 px"), "{reason}");
    assert!(reason.contains("would fit"), "{reason}");
    // Found before a step was begun, and not by an allocation that failed: where Linux promises more than it has, none does.
    let begun = |event: &RunEventKind| matches!(event, RunEventKind::EpochStarted { .. });
    assert!(!events(&first).iter().any(begun) && !reason.contains("allocate"), "{reason}");
    assert!(events(&second).iter().any(begun));
    assert_eq!(status(&second).state, RunPhase::Completed, "{:?}", status(&second).reason);
}

#[test]
fn without_an_engine_nothing_is_left_behind() {
    let stage = TrainingStage::new();
    let program = script(&stage.folder.path().join("no engine"), "echo 'I am no engine' >&2; exit 3");
    for (program, word) in [(program, "I am no engine"), (stage.folder.path().join("gone"), "MAMMOSCOPE_ENGINE")] {
        let stage = TrainingStage::new().with_engine(&program);
        let output = stage.train(&[]);
        assert_eq!(output.status.code(), Some(1));
        let errors: Vec<_> = stderr_of(&output).lines().filter(|line| line.contains(word)).map(str::to_owned).collect();
        assert_eq!(errors.len(), 1, "{}", stderr_of(&output));
        assert_eq!(names_in(&stage.workspace.join("runs")), Vec::<String>::new());
    }
}

#[test]
fn the_folders_of_detached_runs_are_printed_before_their_trainer_has_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    // It takes its run up when it is told to, or never.
    let started = r#"{"time":"2026-11-23T10:15:02Z","event":"started","pid":1,"host":"h","version":"0"}"#;
    let body = format!(
        "while [ ! -e '{go}' ]; do sleep 0.02; done; read word < '{go}'; [ \"$word\" = start ] || exit 3; \
         echo '{started}' >> \"$3/events.jsonl\"",
        go = go.display()
    );
    let stage = TrainingStage::new().with_engine(&script(&folder.path().join("slow engine"), &body));
    for (word, status) in [("start", 0), ("fail", 1)] {
        let _ = fs::remove_file(&go);
        let mut command = stage.train_command(&[], &["--detach"]);
        let mut train = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut path = String::new();
        BufReader::new(train.stdout.take().unwrap()).read_line(&mut path).unwrap();
        let run = RunDir::new(path.trim_end());
        assert!(run.spec().is_file() && run.events().is_file() && !go.exists(), "{path}");
        let half = folder.path().join("half");
        fs::write(&half, format!("{word}\n")).unwrap();
        fs::rename(&half, &go).unwrap();
        let output = train.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", stderr_of(&output));
        // A trainer that fails after that is still told of, and leaves nothing.
        assert_eq!(stderr_of(&output).contains("ended by itself with exit status 3"), status == 1);
        assert_eq!(run.path().exists(), status == 0);
    }
}
