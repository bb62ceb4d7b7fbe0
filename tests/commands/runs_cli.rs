//! `mammoscope runs`, `status`, `follow` and `control` as a user runs them, on run directories written by the storage
//! layer, with real processes in the trainer's place.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{AcknowledgedRequest, SkippedSample};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequests;
use mammoscope_test_support::run_fixture::{RunFixture, end, end_epoch, idle_process, record, set_status, start, text};
use mammoscope_test_support::{names_in, skipped, stderr_of, wait_for};
use serde_json::Value;

fn send(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

#[test]
fn runs_are_listed_with_the_evidence_for_their_states() {
    let fixture = RunFixture::new();
    let empty = fixture.output(&["runs"]);
    assert!(empty.stdout.is_empty() && stderr_of(&empty).contains("no runs in"), "{}", stderr_of(&empty));

    let running = fixture.running(View::CcR, "pair");
    end_epoch(&running, 1);
    let queued = fixture.queued(View::CcL, "pair");
    let stale = fixture.running(View::MloR, "single");
    let mut trainer = idle_process();
    set_status(&stale, |status| status.pid = Some(trainer.id()));
    trainer.kill().unwrap();
    trainer.wait().unwrap();
    let failed = fixture.running(View::MloL, "other");
    end(&failed, RunPhase::Failed, Some("loss became NaN at step 30"));
    fs::create_dir(fixture.workspace.runs().join("half made")).unwrap();

    let output = fixture.output(&["runs"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let table = text(&output.stdout);
    let line_of = |run: &RunDir| table.lines().find(|line| line.contains(&run.name())).unwrap().to_owned();
    assert!(line_of(&running).starts_with("  ") && line_of(&running).contains("1/3"), "{table}");
    assert!(line_of(&running).contains("running · "), "{table}");
    assert!(line_of(&queued).contains("queued · "), "{table}");
    assert!(line_of(&stale).contains("stale · ") && line_of(&stale).ends_with("process gone"), "{table}");
    assert!(line_of(&failed).ends_with("failed · loss became NaN at step 30"), "{table}");
    assert!(
        table.contains("pair: 2 runs · 0/2 done · 1 running · 1 queued\n") && table.contains("damaged · run.toml"),
        "{table}"
    );

    let document = fixture.json(&["runs", "--json"]);
    assert_eq!(document["schema"], 1);
    let states: Vec<&str> =
        document["runs"].as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "stale", "running", "queued", "damaged"], "{table}");
    assert_eq!(document["runs"][1]["recorded_state"], "running");
    assert_eq!(document["runs"][2]["epoch"], 1);
    assert!(document["runs"][4]["problems"][0].as_str().unwrap().starts_with("run.toml"));
}

#[test]
fn status_shows_one_run_or_a_group() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "pair");
    end_epoch(&run, 1);
    end_epoch(&run, 2);
    record(
        &run,
        RunEventKind::SampleSkipped(SkippedSample { file: "7\u{1b}_A.png".to_owned(), reason: "truncated".to_owned() }),
    );
    fs::OpenOptions::new().append(true).open(run.events()).unwrap().write_all(b"{\"time\n").unwrap();
    set_status(&run, |status| (status.images_per_s, status.eta_s) = (Some(61.25), Some(90.0)));
    fixture.queued(View::CcL, "pair");

    let output = fixture.output(&["status", &run.name()]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    for part in [
        "state       running · ",
        "CC_R, preset quick, group pair",
        "cpu, f32, 2 threads",
        "40 train, 8 validation, 8 test",
        "epoch 2 of 3, step 20, 10 per epoch",
        "61.2 images/s, 1 min 30 s left",
        "val_accuracy 0.750 at epoch 2",
        "7\\u{1b}_A.png: truncated",
        "lines that cannot be read: 1",
        "2/3    0.7500",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");

    let document = fixture.json(&["status", &run.name(), "--json"]);
    assert_eq!(
        (&document["state"], &document["step"], &document["view"]),
        (&"running".into(), &20.into(), &"CC_R".into())
    );
    assert_eq!(document["history"][1]["val_accuracy"], 0.75);
    assert_eq!(document["skipped"][0]["reason"], "truncated");
    assert_eq!(document["config"]["optimizer"], Value::from("adamw"));
    let group = fixture.json(&["status", "pair", "--json"]);
    assert_eq!((group["group"].as_str(), group["runs"].as_array().unwrap().len()), (Some("pair"), 2));
    let latest = text(&fixture.output(&["status", "latest"]).stdout);
    assert!(latest.contains("CC_R, preset quick") && latest.contains("CC_L, preset quick"), "{latest}");

    let unknown = fixture.output(&["status", "CC_X"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(stderr_of(&unknown).lines().count(), 1, "{}", stderr_of(&unknown));
}

#[test]
fn follow_prints_every_epoch_until_the_run_ends() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    end_epoch(&run, 1);
    let child = fixture.spawn(&["follow", "latest"]);
    record(&run, RunEventKind::Warning { message: "fewer than 1,000 training images".to_owned() });
    end_epoch(&run, 2);
    record(&run, RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb: RequestVerb::Stop, step: 20 }));
    end(&run, RunPhase::Stopped, None);
    let output = child.wait_with_output().unwrap();
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 4, "{shown}");
    assert!(lines[0].trim_start().starts_with("epoch") && lines[2].trim_start().starts_with("2/3"), "{shown}");
    assert!(lines[3].starts_with(&format!("{}: stopped · ", run.name())), "{shown}");
    assert!(lines[3].ends_with("epochs 2/3, best val_accuracy 0.750 at epoch 2"), "{shown}");
    let notes = stderr_of(&output);
    assert!(notes.contains("warning: fewer than") && notes.contains("stop acknowledged at step 20"), "{notes}");

    let failed = fixture.running(View::CcL, "two");
    end(&failed, RunPhase::Failed, Some("out of memory"));
    let output = fixture.output(&["follow", &failed.name()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("failed · out of memory"));
}

#[test]
fn follow_ends_when_the_trainer_was_killed() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    let mut trainer = idle_process();
    set_status(&run, |status| status.pid = Some(trainer.id()));
    let child = fixture.spawn(&["follow", &run.name()]);
    trainer.kill().unwrap();
    trainer.wait().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    assert!(text(&output.stdout).contains("process gone"), "{}", text(&output.stdout));
}

#[test]
fn the_runs_of_a_group_are_followed_as_they_become_active() {
    let fixture = RunFixture::new();
    let group = [View::CcR, View::CcL, View::MloR].map(|view| fixture.queued(view, "three"));
    start(&group[0]);
    end(&group[0], RunPhase::Completed, None);
    start(&group[2]);
    end_epoch(&group[2], 1);
    let mut child = fixture.spawn(&["follow", "three"]);
    // A run that is already over is only summarised: wait for the first epoch before the others go on.
    let mut shown_first = Vec::new();
    let stdout = child.stdout.as_mut().unwrap();
    while !shown_first.ends_with(b"1/3 ") {
        let mut byte = [0];
        std::io::Read::read_exact(stdout, &mut byte).unwrap();
        shown_first.extend(byte);
    }
    end_epoch(&group[2], 2);
    end(&group[2], RunPhase::Completed, None);
    start(&group[1]);
    end_epoch(&group[1], 1);
    end(&group[1], RunPhase::Completed, None);
    let output = child.wait_with_output().unwrap();
    let shown = text(&shown_first) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    for run in &group {
        assert_eq!(shown.matches(&format!("{}: completed", run.name())).count(), 1, "{shown}");
    }
    assert_eq!(shown.matches("/3 ").count(), 3, "three epochs: {shown}");
}

#[test]
fn ctrl_c_without_a_terminal_leaves_the_run_alone() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    end_epoch(&run, 1);
    let mut child = fixture.spawn(&["follow", &run.name()]);
    // It handles signals before it prints.
    let mut first = [0];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    send(&child, rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("continues"), "{}", stderr_of(&output));
    assert_eq!(names_in(&run.requests()), Vec::<String>::new());
}

/// `follow` in a terminal made by `script`, and the file with what that terminal shows. Bytes written to the process's
/// stdin are typed. Returns `None` and records a skip without `script`.
fn follow_on_a_terminal(fixture: &RunFixture, run: &RunDir) -> Option<(Child, PathBuf)> {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        skipped("Ctrl-C on a terminal: `script` is not installed");
        return None;
    }
    let shown = fixture.folder.path().join(format!("shown {}", run.name()));
    let follow = fixture.command(&["follow", &run.name()]);
    let arguments: Vec<String> = std::iter::once(follow.get_program())
        .chain(follow.get_args())
        .map(|argument| format!("'{}'", argument.to_str().unwrap()))
        .collect();
    let child = Command::new("script")
        // `exec`, since not every shell replaces itself with its last command, and a shell that stays dies of Ctrl-C.
        .args(["--quiet", "--flush", "--return", "--command", &format!("exec {}", arguments.join(" "))])
        .arg(&shown)
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Some((child, shown))
}

fn wait_until_shown(shown: &PathBuf, part: &str) {
    let read = || fs::read(shown).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    wait_for(&format!("'{part}' on the terminal"), || read().contains(part).then_some(()));
}

#[test]
fn ctrl_c_on_a_terminal_asks_and_leaves_the_run_alone_by_default() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    end_epoch(&run, 1);
    let Some((mut child, shown)) = follow_on_a_terminal(&fixture, &run) else { return };
    wait_until_shown(&shown, "1/3");
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    wait_until_shown(&shown, "or stop it [s]?");
    child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names_in(&run.requests()), Vec::<String>::new());
}

#[test]
fn ctrl_c_on_a_terminal_stops_the_run_on_request() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    end_epoch(&run, 1);
    let Some((mut child, shown)) = follow_on_a_terminal(&fixture, &run) else { return };
    wait_until_shown(&shown, "1/3");
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    wait_until_shown(&shown, "or stop it [s]?");
    child.stdin.as_mut().unwrap().write_all(b"s\n").unwrap();
    let mut requests = RunRequests::new(&run);
    let pending = wait_for("the request", || requests.pending().unwrap().0.pop());
    assert_eq!(pending.request.verb, RequestVerb::Stop);
    end(&run, RunPhase::Stopped, None);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn requests_are_acknowledged() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    // The acknowledgement of an earlier request of the same kind does not count.
    record(&run, RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb: RequestVerb::Pause, step: 7 }));
    let child = fixture.spawn(&["control", &run.name(), "pause"]);
    let mut requests = RunRequests::new(&run);
    let pending = wait_for("the request", || requests.pending().unwrap().0.pop());
    assert_eq!(pending.request.verb, RequestVerb::Pause);
    assert!(pending.request.by.ends_with(&host_name()));
    record(&run, RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb: RequestVerb::Pause, step: 12 }));
    requests.remove(&pending).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(text(&output.stdout), format!("{}: pause requested → acknowledged at step 12\n", run.name()));

    let output = fixture.output(&["control", &run.name(), "stop-after-epoch", "--no-wait"]);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(0), format!("{}: stop-after-epoch requested\n", run.name()))
    );
    assert_eq!(names_in(&run.requests()).len(), 1);
    let wrong = fixture.output(&["control", &run.name(), "explode"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn requests_need_a_trainer() {
    let fixture = RunFixture::new();
    let over = fixture.running(View::CcR, "pair");
    end(&over, RunPhase::Completed, None);
    let output = fixture.output(&["control", &over.name(), "stop"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("no trainer is running") && stderr_of(&output).contains("completed"));
    assert_eq!(names_in(&over.requests()), Vec::<String>::new());

    // In a group, the queued run is asked. It reads the request when its turn comes.
    let queued = fixture.queued(View::CcL, "pair");
    let output = fixture.output(&["control", "pair", "checkpoint"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert!(text(&output.stdout).starts_with(&format!("{}: checkpoint requested; the run is queued", queued.name())));
    assert_eq!((names_in(&over.requests()).len(), names_in(&queued.requests()).len()), (0, 1));

    // If the trainer is killed before it reads the request, the request goes with it and not to the next trainer.
    let run = fixture.running(View::MloR, "killed");
    let mut trainer = idle_process();
    set_status(&run, |status| status.pid = Some(trainer.id()));
    let child = fixture.spawn(&["control", &run.name(), "stop"]);
    wait_for("the request", || (!names_in(&run.requests()).is_empty()).then_some(()));
    trainer.kill().unwrap();
    trainer.wait().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("process gone"), "{}", stderr_of(&output));
    assert_eq!(names_in(&run.requests()), Vec::<String>::new());
}
