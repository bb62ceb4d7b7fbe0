//! Training runs without enough memory or without an engine, by the real binaries.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::training_fixture::{TrainingFixture, events, failure, status};
use mammoscope_test_support::{engine, names_in, script, stderr_of};

#[test]
fn a_run_out_of_memory_reports_what_would_fit_and_the_next_run_proceeds() {
    let fixture = TrainingFixture::empty();
    let image = fixture.add("train", "A", 0);
    for (subject, class) in (0..300).zip(["A", "B", "C", "D"].into_iter().cycle()) {
        for view in ["CC_L", "MLO_R"] {
            let folder = fixture.data.join(format!("{view}/{class}"));
            fs::create_dir_all(&folder).unwrap();
            fs::hard_link(&image, folder.join(format!("{subject}_1_{class}_{view}.png"))).unwrap();
        }
    }
    // All images at once take 1.5 GB before the first layer. The second run, which is queued, needs less.
    let limited = format!(
        "for run; do :; done; sed -i 's/^batch_size = .*/batch_size = 50/; s/^size = .*/size = 64/' \"$run/run.toml\"; \
         ulimit -v 1600000; exec '{}' \"$@\"",
        engine().display()
    );
    let program = script(&fixture.folder.path().join("limited engine"), &limited);
    let fixture = fixture.with_engine(&program);
    let data = fixture.data.to_str().unwrap();
    let output = fixture.output(&[
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
    let runs = fixture.workspace.join("runs");
    let [second, first] = ["MLO_R", "CC_L"].map(|view| {
        let name = names_in(&runs).into_iter().find(|name| name.contains(view)).unwrap();
        RunDir::new(runs.join(name))
    });
    let reason = failure(&first);
    assert!(reason.starts_with("not enough memory on the device for this batch; batch_size=300 at 650 px"), "{reason}");
    assert!(reason.contains("would fit"), "{reason}");
    // Found before the first step, and not by a failed allocation: where Linux overcommits memory, none fails.
    let is_epoch = |event: &RunEventKind| matches!(event, RunEventKind::EpochStarted { .. });
    assert!(!events(&first).iter().any(is_epoch) && !reason.contains("allocate"), "{reason}");
    assert!(events(&second).iter().any(is_epoch));
    assert_eq!(status(&second).state, RunPhase::Completed, "{:?}", status(&second).reason);
}

#[test]
fn without_an_engine_nothing_is_left_behind() {
    let fixture = TrainingFixture::new();
    let program = script(&fixture.folder.path().join("no engine"), "echo 'I am not an engine' >&2; exit 3");
    for (program, word) in [(program, "I am not an engine"), (fixture.folder.path().join("gone"), "MAMMOSCOPE_ENGINE")]
    {
        let fixture = TrainingFixture::new().with_engine(&program);
        let output = fixture.train(&[]);
        assert_eq!(output.status.code(), Some(1));
        let errors: Vec<_> = stderr_of(&output).lines().filter(|line| line.contains(word)).map(str::to_owned).collect();
        assert_eq!(errors.len(), 1, "{}", stderr_of(&output));
        assert_eq!(names_in(&fixture.workspace.join("runs")), Vec::<String>::new());
    }
}

#[test]
fn the_folders_of_detached_runs_are_printed_before_their_trainer_has_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    // It starts its run when the test says so, or never.
    let started =
        r#"{"time":"2026-11-23T10:15:02Z","event":"started","pid":'$$',"host":"'$(uname -n)'","version":"0"}"#;
    let body = format!(
        "while [ ! -e '{go}' ]; do sleep 0.02; done; read word < '{go}'; [ \"$word\" = start ] || exit 3; \
         echo '{started}' >> \"$3/events.jsonl\"",
        go = go.display()
    );
    let fixture = TrainingFixture::new().with_engine(&script(&folder.path().join("slow engine"), &body));
    for (word, status) in [("start", 0), ("fail", 1)] {
        let _ = fs::remove_file(&go);
        let mut command = fixture.train_command(&[], &["--detach"]);
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
        // A trainer that fails after that is still reported, and leaves nothing.
        assert_eq!(stderr_of(&output).contains("ended with exit status 3"), status == 1);
        assert_eq!(run.path().exists(), status == 0);
    }
}
