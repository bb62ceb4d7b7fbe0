//! Engines that are missing, foreign, of another version, silent, killed or out of memory: one clear line each time,
//! never a hang, and nothing half written.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_process::{EngineError, EngineProcess, Timeouts};
use mammoscope_engine_protocol::command::{EngineCommand, JobId, PredictWork, Work};
use mammoscope_engine_protocol::event::EngineEvent;
use mammoscope_engine_protocol::frame::write_frame;
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_engine_protocol::{PROTOCOL_VERSION, VERSION};
use mammoscope_test_support::{
    engine, has_ended, mammoscope, names_in, script, skipped, small_model, stderr_of, wait_for, write_many,
};

const SHORT: Timeouts = Timeouts { start: Duration::from_millis(500), silence: Duration::from_millis(300) };

/// A shell command that prints a stand-in's greeting, which is written to a file beside it.
fn greeting(folder: &Path, protocol: u32, version: &str) -> String {
    let path = folder.join("greeting");
    let mut bytes = Vec::new();
    write_frame(&mut bytes, &EngineEvent::Ready { protocol, version: version.to_owned() }).unwrap();
    std::fs::write(&path, bytes).unwrap();
    format!("cat '{}'", path.display())
}

fn start(folder: &Path, body: &str) -> Result<EngineProcess, EngineError> {
    EngineProcess::start(&script(&folder.join("engine"), body), SHORT, Cancellation::never())
}

fn predict(folder: &Path, model: &Path, more: &[&str]) -> Command {
    let mut command = mammoscope();
    command.arg("predict").arg("--model").arg(model).arg("--data").arg(folder.join("data"));
    command.arg("--out").arg(folder.join("out")).args(more);
    command
}

fn assert_one_error_line(output: &Output, words: &[&str]) {
    let stderr = stderr_of(output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    for word in words {
        assert!(errors[0].contains(word), "'{word}' is not in: {}", errors[0]);
    }
}

#[test]
fn an_engine_that_does_not_start_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let error = EngineProcess::start(&folder.path().join("nothing"), SHORT, Cancellation::never()).unwrap_err();
    assert!(matches!(error, EngineError::Start { .. }), "{error}");
    let error = start(folder.path(), "echo broken pipes >&2; exit 3").unwrap_err().to_string();
    assert!(error.contains("exit status 3") && error.contains("broken pipes"), "{error}");
    let error = start(folder.path(), "kill -SEGV $$").unwrap_err().to_string();
    assert!(error.contains("signal 11"), "{error}");
}

#[test]
fn processes_that_an_engine_leaves_running_are_ended() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let body = format!("sleep 600 > /dev/null & echo $! > '{}'; echo boom >&2; exit 3", pid_file.display());
    let error = start(folder.path(), &body).unwrap_err().to_string();
    assert!(error.contains("boom") && error.contains("exit status 3"), "{error}");
    let left: u32 = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    wait_for("the rest of the group to end", || match std::fs::read_to_string(format!("/proc/{left}/stat")) {
        Ok(stat) => stat.contains(") Z ").then_some(()),
        Err(_) => Some(()),
    });
}

#[test]
fn ctrl_c_works_while_the_engine_starts() {
    let folder = tempfile::tempdir().unwrap();
    let stand_in = script(&folder.path().join("engine"), "exec sleep 600");
    let error = EngineProcess::start(&stand_in, Timeouts::default(), Cancellation::new(&|| true)).unwrap_err();
    assert!(matches!(error, EngineError::Interrupted), "{error}");
}

/// The engine sends heartbeats but makes no progress.
#[test]
fn a_stalled_engine_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    let mut frame = Vec::new();
    write_frame(&mut frame, &EngineEvent::Alive { progress: 7 }).unwrap();
    std::fs::write(&alive, frame).unwrap();
    let greet = greeting(folder.path(), PROTOCOL_VERSION, VERSION);
    let body = format!("{greet}; while sleep 0.05; do cat '{}'; done", alive.display());
    let mut engine = start(folder.path(), &body).unwrap();
    wait_for("a stall", || {
        engine.next_event(Duration::from_millis(20)).unwrap();
        (engine.stalled_for() > Duration::from_millis(400)).then_some(())
    });
}

#[test]
fn missing_libraries_are_reported_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let body = "echo 'error while loading shared libraries: libtorch_cpu.so: no such file' >&2; exit 127";
    let error = start(folder.path(), body).unwrap_err().to_string();
    assert!(error.contains("cargo xtask setup") && error.contains("libtorch_cpu.so"), "{error}");
}

#[test]
fn other_programs_are_not_taken_for_an_engine() {
    let folder = tempfile::tempdir().unwrap();
    for body in ["echo Hello, I am a friendly program", "printf '\\002\\000\\000\\000{}'", "exit 0"] {
        let error = start(folder.path(), body).unwrap_err();
        assert!(matches!(error, EngineError::NotAnEngine { .. }), "{error}");
    }
}

#[test]
fn another_version_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (protocol, version) in [(PROTOCOL_VERSION + 1, VERSION), (PROTOCOL_VERSION, "0.0.1")] {
        let body = format!("{}; cat > /dev/null", greeting(folder.path(), protocol, version));
        let error = start(folder.path(), &body).unwrap_err().to_string();
        assert!(error.contains(version) && error.contains("cargo build --release"), "{error}");
    }
}

#[test]
fn a_silent_engine_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let error = start(folder.path(), "exec sleep 600").unwrap_err();
    assert!(matches!(error, EngineError::Silent(_)), "{error}");
    // It greets, and then sends no heartbeats.
    let body = format!("{}; exec sleep 600", greeting(folder.path(), PROTOCOL_VERSION, VERSION));
    let mut engine = start(folder.path(), &body).unwrap();
    // Nor does it read: a command larger than any pipe must not hang the program either.
    engine.send(&long_command()).unwrap();
    let error = (0..50).find_map(|_| engine.next_event(Duration::from_millis(50)).err()).unwrap();
    assert!(matches!(error, EngineError::Silent(_)), "{error}");
}

fn long_command() -> EngineCommand {
    let path = WirePath::Text("a name that is long enough".to_owned());
    let work = PredictWork {
        grey_range: GreyRange::Auto,
        model: path.clone(),
        samples: vec![path; 100_000],
        batch_size: None,
        device: DeviceChoice::Auto,
        precision: Precision::F32,
        threads: None,
        augmented: None,
    };
    EngineCommand::Run { job: JobId(1), work: Work::Predict(work) }
}

#[test]
fn a_real_engine_starts_and_ends_with_its_program() {
    let engine = EngineProcess::start(&engine(), Timeouts::default(), Cancellation::never()).unwrap();
    let process = format!("/proc/{}", engine.id());
    assert!(Path::new(&process).exists());
    drop(engine);
    assert!(!Path::new(&process).exists(), "the engine outlived its program");
}

#[test]
fn a_missing_engine_gives_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let model = small_model(folder.path(), 64);
    write_many(&folder.path().join("data"), 1);
    let output =
        predict(folder.path(), &model, &[]).env("MAMMOSCOPE_ENGINE", folder.path().join("gone")).output().unwrap();
    assert_one_error_line(&output, &["MAMMOSCOPE_ENGINE", "gone"]);
    assert!(!folder.path().join("out").exists(), "no empty folder is made");
}

/// A running prediction with the engine's process ID: the stand-in writes its own ID and becomes the engine.
fn running_prediction(folder: &Path) -> (std::process::Child, i32) {
    let model = small_model(folder, 64);
    write_many(&folder.join("data"), 20_000);
    let pid_file = folder.join("pid");
    let body = format!("echo $$ > '{}'; exec '{}' \"$@\"", pid_file.display(), engine().display());
    let stand_in = script(&folder.join("engine"), &body);
    let child = predict(folder, &model, &["--threads", "1"])
        .env("MAMMOSCOPE_ENGINE", stand_in)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = wait_for("the engine", || std::fs::read_to_string(&pid_file).ok()?.trim().parse().ok());
    wait_for("the first rows", || {
        let folder = folder.join("out");
        let part = names_in(&folder).into_iter().find(|name| name.contains("predictions.csv"))?;
        (std::fs::metadata(folder.join(part)).ok()?.len() > 0).then_some(())
    });
    (child, pid)
}

fn signal(pid: i32, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn an_engine_killed_mid_job_gives_one_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (child, engine) = running_prediction(folder.path());
    signal(engine, "KILL");
    let output = child.wait_with_output().unwrap();
    assert_one_error_line(&output, &["was killed", "CC_R"]);
    assert_eq!(names_in(&folder.path().join("out")), Vec::<String>::new());
}

/// Ctrl-C, the system's request to end, and the end of the terminal.
#[test]
fn signals_end_program_and_engine_and_leave_nothing() {
    for name in ["INT", "TERM", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let (child, engine) = running_prediction(folder.path());
        signal(i32::try_from(child.id()).unwrap(), name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{name}: {}", stderr_of(&output));
        assert_eq!(names_in(&folder.path().join("out")), Vec::<String>::new(), "{name}");
        assert!(has_ended(engine), "{name}: the engine outlived its program");
    }
}

#[test]
fn an_engine_whose_program_is_killed_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, engine) = running_prediction(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("the engine to end", || has_ended(engine).then_some(()));
}

fn has_nvidia_gpu() -> bool {
    Path::new("/dev/nvidiactl").exists()
}

#[test]
fn a_batch_too_large_for_memory_gives_one_line() {
    if has_nvidia_gpu() {
        skipped("CUDA reserves more address space than the limit of this test leaves");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let model = small_model(folder.path(), 650);
    write_many(&folder.path().join("data"), 600);
    let stand_in =
        script(&folder.path().join("engine"), &format!("ulimit -v 6000000; exec '{}' \"$@\"", engine().display()));
    let output = predict(folder.path(), &model, &["--batch-size", "600", "--threads", "1"])
        .env("MAMMOSCOPE_ENGINE", stand_in)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    assert_one_error_line(&output, &["--batch-size", "memory"]);
    assert_eq!(names_in(&folder.path().join("out")), Vec::<String>::new());
}

#[test]
fn a_missing_gpu_gives_one_line() {
    if has_nvidia_gpu() {
        skipped("this machine has an NVIDIA GPU");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let model = small_model(folder.path(), 64);
    write_many(&folder.path().join("data"), 1);
    let output = predict(folder.path(), &model, &["--device", "cuda:0"]).output().unwrap();
    assert_one_error_line(&output, &["cuda:0", "no NVIDIA driver", "doctor"]);
}
