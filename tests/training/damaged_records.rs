//! Damage to every file of a run, cut at every length and with flipped bits: noticed, or without effect.
//!
//! All lengths: `cargo test --test training damaged_records -- --include-ignored --nocapture`.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::file_seal::seal_warning;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_test_support::faults::copy_folder;
use mammoscope_test_support::stderr_of;
use mammoscope_test_support::training_fixture::{TrainingFixture, events, summary};

use crate::completeness::Outcome;

/// A kind of damage, and what does it.
type Damage = (&'static str, fn(&RunDir));

/// The bits that are flipped in each file.
const FLIPS: u64 = 1000;

/// A completed run of two epochs with a small checkpoint.
fn run() -> (TrainingFixture, RunDir) {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=2", "optimizer=sgd", "momentum=0"]);
    (fixture, run)
}

/// Calls `check` with the damage done to a file and its description: cut to every length that `step` selects from the
/// 2,000th byte on, and with each of many bits flipped.
fn for_each_damage(path: &Path, step: usize, mut check: impl FnMut(&str)) {
    let whole = fs::read(path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let lengths = (0..whole.len()).rev().filter(|length| *length < 2000 || length % step == 0);
    for length in lengths {
        file.set_len(length as u64).unwrap();
        check(&format!("cut to {length} bytes"));
    }
    let mut random = 7_u64;
    for _ in 0..FLIPS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bit = (random >> 16) as usize % (whole.len() * 8);
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, &damaged).unwrap();
        check(&format!("bit {bit} flipped"));
    }
    fs::write(path, &whole).unwrap();
}

fn assert_checkpoints_notice(step: usize) {
    let (_fixture, run) = run();
    let path = run.last_checkpoint();
    let whole = Checkpoint::read(&path).unwrap();
    let (mut noticed, mut harmless) = (0, 0);
    for_each_damage(&path, step, |damage| match Checkpoint::read(&path) {
        Err(_) => noticed += 1,
        // Only the name of the header's checksum may be damaged unnoticed.
        Ok(read) => {
            harmless += 1;
            assert!(damage.ends_with("flipped") && read.tensors == whole.tensors, "{damage}");
            assert!(
                whole
                    .notes
                    .iter()
                    .filter(|(key, _)| *key != "header_sha256")
                    .all(|(key, value)| { read.notes.get(key) == Some(value) }),
                "{damage}"
            );
        }
    });
    println!("last.safetensors: {noticed} noticed, {harmless} harmless");
    assert!(noticed > FLIPS);
}

#[test]
fn damage_to_a_checkpoint_is_noticed() {
    assert_checkpoints_notice(8191);
}

#[test]
#[ignore = "takes minutes: cargo test --test training damaged_records -- --ignored --nocapture"]
fn a_checkpoint_cut_at_any_length_is_noticed() {
    assert_checkpoints_notice(1);
}

fn read_events(path: &Path) -> (Vec<RunEvent>, u32) {
    let (mut events, mut bad) = (Vec::new(), 0);
    let read = EventTail::new(path).read(|entry| match entry {
        TailEntry::Event(event) => events.push(event),
        _ => bad += 1,
    });
    read.unwrap();
    (events, bad)
}

#[test]
fn damage_to_the_events_loses_at_most_the_lines_it_touches() {
    let (_fixture, run) = run();
    let path = run.events();
    let (whole, _) = read_events(&path);
    for_each_damage(&path, 1, |damage| {
        let (read, bad) = read_events(&path);
        let mut rest = whole.iter();
        assert!(read.iter().all(|event| rest.any(|known| known == event)), "{damage}: an event that never was");
        if damage.ends_with("flipped") {
            let lost = whole.len() - read.len();
            // A flipped line break joins two lines, or tears one.
            assert!(lost <= 2 && (lost == 0 || bad > 0 || read[..] == whole[..read.len()]), "{damage}: {lost} lost");
        } else {
            assert_eq!(read[..], whole[..read.len()], "{damage}");
        }
        let _ = RunSnapshot::read(run.clone());
    });
}

#[test]
fn damage_to_the_status_never_gives_a_wrong_state() {
    let (_fixture, run) = run();
    let path = run.status();
    let whole = read_status(&path).unwrap();
    let of = |run: &RunDir| RunSnapshot::read(run.clone()).condition().ok().map(|condition| condition.name());
    let condition = of(&run).unwrap();
    let mut unnoticed = 0;
    for_each_damage(&path, 1, |damage| {
        let snapshot = RunSnapshot::read(run.clone());
        match read_status(&path) {
            Err(error) => {
                assert!(snapshot.problems().contains(&error.to_string()), "{damage}: {:?}", snapshot.problems());
            }
            Ok(status) => {
                unnoticed += u32::from(status != whole);
                assert_eq!(of(&run), Some(condition), "{damage}: {status:?}");
            }
        }
        // The figures are those of the events.
        assert_eq!(snapshot.summary().records.len(), 2, "{damage}");
    });
    println!("status.json: {unnoticed} other values, none of which changes the state or a figure");
}

/// The number of kinds of damage that are noticed, as an error or a warning; the others do not change what is read.
fn noticed<T: PartialEq, E>(path: &Path, read: impl Fn(&Path) -> Result<T, E>) -> u64 {
    let Ok(whole) = read(path) else { panic!("{} cannot be read", path.display()) };
    let mut noticed = 0;
    for_each_damage(path, 1, |damage| match read(path) {
        Err(_) => noticed += 1,
        Ok(_) if seal_warning(path).unwrap().is_some() => noticed += 1,
        Ok(read) => assert!(read == whole, "{damage}: unnoticed"),
    });
    noticed
}

#[test]
fn damage_to_the_specification_or_the_manifest_is_noticed_or_changes_nothing() {
    let (_fixture, run) = run();
    for (file, noticed) in
        [("run.toml", noticed(&run.spec(), read_run_spec)), ("dataset.json", noticed(&run.manifest(), read_manifest))]
    {
        println!("{file}: {noticed} noticed");
        assert!(noticed > FLIPS);
    }
}

#[test]
fn a_resume_warns_of_an_edited_file() {
    let (fixture, run) = run();
    assert!(summary(&run).warnings.iter().all(|warning| !warning.message.contains("edited")));
    let text = fs::read_to_string(run.spec()).unwrap();
    fs::write(run.spec(), text.replace("preset = \"seed\"", "preset = \"mine\"")).unwrap();
    let output = fixture.resume(&run, &["--epochs", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let warned = summary(&run).warnings.iter().any(|warning| {
        warning.message
            == "run.toml was edited or damaged after it was written: its contents do not match the checksum in it"
    });
    assert!(warned, "{:?}", summary(&run).warnings);
}

/// Flips a bit in the first place where a text is found.
fn flip_in(path: &Path, text: &str) {
    let mut bytes = fs::read(path).unwrap();
    let place = bytes.windows(text.len()).position(|part| part == text.as_bytes()).unwrap() + text.len();
    bytes[place + 2] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, length: u64) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn a_run_with_a_damaged_file_continues_as_without_or_is_refused_by_name() {
    let (fixture, run) = run();
    let copy = |name: &str| {
        let copy = RunDir::new(fixture.workspace.join("runs").join(name));
        copy_folder(run.path(), copy.path());
        copy
    };
    let resume = |run: &RunDir| fixture.resume(run, &["--epochs", "3"]);
    let undisturbed = copy("undisturbed");
    assert_eq!(resume(&undisturbed).status.code(), Some(0));
    let expected = Outcome::of(&undisturbed);

    let previous_is_used: [Damage; 4] = [
        ("empty-checkpoint", |run| cut(&run.last_checkpoint(), 0)),
        ("cut-header", |run| cut(&run.last_checkpoint(), 300)),
        ("flipped-hash", |run| flip_in(&run.last_checkpoint(), "config_sha256\":\"")),
        ("flipped-time", |run| flip_in(&run.last_checkpoint(), "\"events_offset\":\"")),
    ];
    for (name, damage) in previous_is_used {
        let damaged = copy(name);
        damage(&damaged);
        let output = resume(&damaged);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr_of(&output));
        let rejected = |event: &RunEventKind| matches!(event, RunEventKind::CheckpointRejected { .. });
        assert!(events(&damaged).iter().any(rejected), "{name}");
        fs::remove_file(damaged.rejected_checkpoint()).unwrap();
        expected.assert_same(&damaged);
    }

    let harmless: [Damage; 3] = [
        ("empty-status", |run| cut(&run.status(), 0)),
        ("cut-events", |run| cut(&run.events(), fs::metadata(run.events()).unwrap().len() - 20)),
        ("flipped-event", |run| flip_in(&run.events(), "\"event\":\"ended\",\"state\":\"")),
    ];
    for (name, damage) in harmless {
        let damaged = copy(name);
        damage(&damaged);
        let output = resume(&damaged);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr_of(&output));
        expected.assert_same(&damaged);
    }

    let refused: [(&str, Damage); 4] = [
        ("run.toml", ("cut-spec", |run| cut(&run.spec(), 40))),
        ("run.toml", ("flipped-spec", |run| flip_in(&run.spec(), "learning_rate = "))),
        ("dataset.json", ("cut-manifest", |run| cut(&run.manifest(), 200))),
        ("dataset.json", ("flipped-manifest", |run| flip_in(&run.manifest(), "\"sha256\": \""))),
    ];
    for (file, (name, damage)) in refused {
        let damaged = copy(name);
        damage(&damaged);
        let before = fs::read(damaged.last_checkpoint()).unwrap();
        let output = resume(&damaged);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let said = format!("{}{}", stderr_of(&output), summary(&damaged).reason.unwrap_or_default());
        assert!(said.contains(file) && !said.contains("panicked"), "{name}: {said}");
        assert_eq!(fs::read(damaged.last_checkpoint()).unwrap(), before, "{name}");
    }
}
