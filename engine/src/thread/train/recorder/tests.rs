//! Tests of the recorder of a run.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_records::AcknowledgedRequest;
use mammoscope_storage::runs::run_status_file::{read_status, status_of_this_process};

use super::super::run_queue::tests::spec;
use super::*;

#[test]
fn a_time_limit_shorter_than_two_epochs_is_warned_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path().join("run")).unwrap();
    let spec = spec();
    let queue = Arc::new(RunQueue::new(Vec::new()));
    queue.start_run(&run, None, status_of_this_process(&spec, RunPhase::Running, Utc::now()));
    let mut recorder = Recorder::open(&run, &spec, queue).unwrap();
    let mut warnings = |limit: Option<u64>, epoch_s| {
        recorder.set_time_limit(limit.map(Duration::from_secs));
        recorder.warn_of_short_limit(epoch_s).unwrap();
        recorder.summary().warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(warnings(None, 9000.0), [""; 0]);
    assert_eq!(warnings(Some(600), 300.0), [""; 0], "two epochs fit");
    let expected = "the job's time limit is shorter than two epochs: 10 min against 7 min for an epoch; a longer --time \
                    wastes less on starting again";
    assert_eq!(warnings(Some(600), 420.0), [expected]);
    assert_eq!(warnings(Some(600), 480.0), [expected], "once is enough");
}

#[test]
fn a_run_that_stops_after_its_epoch_can_still_be_paused() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path().join("run")).unwrap();
    let spec = spec();
    let queue = Arc::new(RunQueue::new(Vec::new()));
    queue.start_run(&run, None, status_of_this_process(&spec, RunPhase::Running, Utc::now()));
    let mut recorder = Recorder::open(&run, &spec, queue).unwrap();
    let verb = RequestVerb::StopAfterEpoch;
    for (kind, phase) in [
        (RunEventKind::EpochStarted { epoch: 1, step: 0, learning_rate: 0.01 }, RunPhase::Running),
        (RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb, step: 1 }), RunPhase::Stopping),
        (RunEventKind::Paused { step: 1 }, RunPhase::Paused),
        (RunEventKind::Continued { step: 1 }, RunPhase::Stopping),
    ] {
        recorder.record(kind.clone()).unwrap();
        assert_eq!(read_status(&run.status()).unwrap().state, phase, "{kind:?}");
    }
}

#[test]
fn missing_events_are_reported_when_a_checkpoint_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path().join("run")).unwrap();
    let spec = spec();
    let open = || Recorder::open(&run, &spec, Arc::new(RunQueue::new(Vec::new()))).unwrap();
    let mut first = open();
    for step in 0..3 {
        first.record(RunEventKind::Paused { step }).unwrap();
    }
    first.sync();
    let notes = first.notes();
    let mut second = open();
    second.take_over_events(&notes).unwrap();
    assert!(second.summary().warnings.is_empty());

    let text = std::fs::read_to_string(run.events()).unwrap();
    let kept = text.lines().next().unwrap().len() + 1;
    std::fs::write(run.events(), &text[..kept]).unwrap();
    let mut third = open();
    third.record(RunEventKind::Paused { step: 3 }).unwrap();
    third.take_over_events(&notes).unwrap();
    let [warning] = third.summary().warnings.as_slice() else { panic!("{:?}", third.summary().warnings) };
    assert!(warning.message.contains(&format!("{} bytes shorter", text.len() - kept)), "{}", warning.message);
}
