//! Tests of the queue of a trainer.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

use std::cell::RefCell;

use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::preset::Preset;
use mammoscope_storage::runs::run_requests::RunRequest;
use mammoscope_storage::runs::run_status_file::{read_status, status_of_this_process};

use super::*;

fn runs(count: usize) -> (tempfile::TempDir, Vec<RunDir>) {
    let folder = tempfile::tempdir().unwrap();
    let runs = (0..count).map(|number| RunDir::create(folder.path().join(number.to_string())).unwrap()).collect();
    (folder, runs)
}

/// The specification of a run with the preset `seed`.
pub(in crate::thread::train) fn spec() -> RunSpec {
    RunSpec {
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        schema: RUN_SCHEMA,
        on_event: None,
        placement: None,
        study: None,
        created: Utc::now(),
        group: "group".to_owned(),
        view: View::CcR,
        preset: "seed".to_owned(),
        data: "data".into(),
        device: DeviceChoice::Cpu,
        config: Preset::named("seed").unwrap().config,
    }
}

fn status() -> RunStatus {
    status_of_this_process(&spec(), RunPhase::Running, Utc::now())
}

#[test]
fn a_command_stays_pending_until_it_is_acknowledged() {
    let (_folder, runs) = runs(1);
    let queue = RunQueue::new(Vec::new());
    queue.start_run(&runs[0], None, status());
    assert_eq!((queue.next_command(), queue.acknowledge()), (None, None));
    let request_file = RunRequest::new(RequestVerb::Stop).write(&runs[0]).unwrap();
    assert!(queue.take_requests().unwrap().is_empty());
    queue.interrupt(InterruptSignal::Terminate);
    for _ in 0..2 {
        // A rollback may come between the command and the checkpoint that it asks for.
        assert_eq!(queue.next_command(), Some(Command::Stop));
        assert!(queue.should_stop() && request_file.exists());
    }
    assert_eq!(queue.acknowledge(), Some(RequestVerb::Stop));
    assert!(queue.should_stop() && !request_file.exists());
    assert_eq!((queue.next_command(), queue.acknowledge()), (Some(Command::Interrupt), None));
    assert_eq!((queue.next_command(), queue.should_stop()), (None, false));
}

#[test]
fn the_status_follows_the_run_until_it_is_stopping() {
    let (_folder, runs) = runs(1);
    let queue = RunQueue::new(Vec::new());
    queue.start_run(&runs[0], None, status());
    let written = |phase| {
        queue.update_status(|status| status.state = phase);
        queue.write_status();
        read_status(&runs[0].status()).unwrap().state
    };
    RunRequest::new(RequestVerb::StopAfterEpoch).write(&runs[0]).unwrap();
    queue.take_requests().unwrap();
    for phase in [RunPhase::Stopping, RunPhase::Paused, RunPhase::Running] {
        assert_eq!(written(phase), phase);
    }
    queue.interrupt(InterruptSignal::Terminate);
    assert_eq!(written(RunPhase::Running), RunPhase::Stopping);
    assert_eq!(written(RunPhase::Interrupted), RunPhase::Interrupted);
}

#[test]
fn a_run_that_has_left_the_queue_is_not_written_to_as_queued() {
    let (_folder, runs) = runs(3);
    let queue = RunQueue::new(runs.clone());
    let written = RefCell::new(Vec::new());
    queue.for_each_queued(|run| {
        // In the meantime the engine thread takes this run and the next.
        while queue.queued().len() > 1 {
            queue.next_run();
        }
        written.borrow_mut().push(run.clone());
    });
    assert_eq!(written.into_inner(), [runs[0].clone(), runs[2].clone()]);
}
