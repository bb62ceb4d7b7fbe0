use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::jobs::job_folder::JobExit;
use crate::jobs::supervisor::supervise;
use crate::tui::protocol::job_findings::JobWork;
use crate::tui::protocol::jobs::FoundJob;

/// A service whose commands are scripts of the shell, supervised by threads, and its messages.
fn service(workspace: &TempDir) -> (JobService, Receiver<UiMessage>) {
    let (inbox, messages) = channel();
    let start = |folder: &JobFolder, lock| {
        let folder = folder.clone();
        thread::spawn(move || {
            supervise(&folder, Path::new("/bin/sh")).unwrap();
            drop::<fs::File>(lock);
        });
        Ok(None)
    };
    (JobService::starting(workspace.path(), inbox, Box::new(start)), messages)
}

fn spawn(service: &mut JobService, id: u64, script: &str) {
    let arguments = ["-c", script].map(OsString::from).to_vec();
    let title = format!("job {id}");
    let order = JobOrder { title, work: JobWork::Command, arguments, result: None, rehearsed: None };
    service.perform(JobEffect::Spawn { id: JobId(id), order, started: Utc::now() });
}

/// The messages up to one that fulfils a condition.
fn until(messages: &Receiver<UiMessage>, done: impl Fn(&JobMessage) -> bool) -> Vec<JobMessage> {
    let mut found = Vec::new();
    loop {
        let message = messages.recv_timeout(Duration::from_secs(30)).expect("a message of the job");
        let UiMessage::Job(message) = message else { panic!("{message:?}") };
        let is_last = done(&message);
        found.push(message);
        if is_last {
            return found;
        }
    }
}

fn is_end(message: &JobMessage) -> bool {
    matches!(message, JobMessage::Ended { .. })
}

fn end(messages: &[JobMessage]) -> &JobExit {
    match messages.last() {
        Some(JobMessage::Ended { outcome: Ok(exit), .. }) => exit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_reports_its_process_its_output_and_its_end() {
    let workspace = tempfile::tempdir().unwrap();
    let (mut service, messages) = service(&workspace);
    spawn(
        &mut service,
        1,
        "test -t 2 && echo result; printf 'step 1/2\\r' >&2; sleep .3; echo 'warning: x' >&2; exit 3",
    );
    let found = until(&messages, is_end);
    assert!(matches!(found[0], JobMessage::Started { id: JobId(1), pid } if pid > 0), "{found:?}");
    let lines: Vec<&str> = found
        .iter()
        .filter_map(|message| if let JobMessage::Line { text, .. } = message { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(lines.len(), 2, "standard error is a terminal: {found:?}");
    assert!(lines.contains(&"result") && lines.contains(&"warning: x"), "{lines:?}");
    assert!(found.iter().any(|message| matches!(message, JobMessage::Progress { text, .. } if text == "step 1/2")));
    let end = end(&found);
    assert_eq!((end.code, end.text.as_str(), end.was_stopped), (Some(3), "exit status 3", false));
}

#[test]
fn a_job_is_stopped_cleanly() {
    let workspace = tempfile::tempdir().unwrap();
    let (mut service, messages) = service(&workspace);
    spawn(&mut service, 1, "trap 'echo stopped; exit 130' TERM; echo ready; while :; do sleep .05; done");
    until(&messages, |message| matches!(message, JobMessage::Line { text, .. } if text == "ready"));
    service.perform(JobEffect::Terminate(JobId(1)));
    let found = until(&messages, is_end);
    assert!(found.iter().any(|message| matches!(message, JobMessage::Line { text, .. } if text == "stopped")));
    assert_eq!((end(&found).text.as_str(), end(&found).was_stopped), ("exit status 130", true));
}

/// The next earlier job.
fn found(messages: &Receiver<UiMessage>) -> FoundJob {
    match until(messages, |message| matches!(message, JobMessage::Found(_))).pop() {
        Some(JobMessage::Found(found)) => *found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_outlives_the_service_and_is_followed_and_stopped_by_the_next_one() {
    let workspace = tempfile::tempdir().unwrap();
    let (mut first, messages) = service(&workspace);
    spawn(&mut first, 1, "trap 'echo stopped; exit 130' TERM; echo ready; while :; do sleep .05; done");
    until(&messages, |message| matches!(message, JobMessage::Line { text, .. } if text == "ready"));
    // A folder where the request would be: it cannot be written.
    let request = JobFolder::all(workspace.path()).unwrap()[0].as_path().join("stop");
    fs::create_dir(&request).unwrap();
    first.perform(JobEffect::Terminate(JobId(1)));
    until(&messages, |message| matches!(message, JobMessage::NotAsked { id: JobId(1), .. }));
    fs::remove_dir(request).unwrap();
    drop((first, messages));

    let (mut second, messages) = service(&workspace);
    let job = found(&messages);
    assert_eq!((job.order.title.as_str(), &job.ended), ("job 1", &None));
    second.perform(JobEffect::Follow { id: JobId(9), folder: job.folder });
    let found_again = until(&messages, |message| matches!(message, JobMessage::Line { text, .. } if text == "ready"));
    assert!(matches!(found_again[0], JobMessage::Started { id: JobId(9), .. }), "{found_again:?}");
    second.perform(JobEffect::Terminate(JobId(9)));
    assert_eq!(end(&until(&messages, is_end)).code, Some(130));

    // Once it has ended, it is found with its output and its end.
    let (_third, messages) = service(&workspace);
    let job = found(&messages);
    assert_eq!(job.lines, ["ready", "stopped"]);
    assert!(job.ended.is_some_and(|end| end.was_stopped));
}

#[test]
fn a_job_whose_supervisor_was_killed_has_failed() {
    let workspace = tempfile::tempdir().unwrap();
    let (inbox, messages) = channel();
    let lost = |folder: &JobFolder, lock: fs::File| {
        fs::write(folder.output(), "ready\nhalf a li").unwrap();
        drop(lock);
        Ok(None)
    };
    let mut service = JobService::starting(workspace.path(), inbox, Box::new(lost));
    spawn(&mut service, 1, "true");
    let reported = until(&messages, is_end);
    let [JobMessage::Line { text, .. }, JobMessage::Ended { outcome: Err(failure), .. }] = &reported[..] else {
        panic!("{reported:?}")
    };
    assert_eq!(text, "ready");
    assert!(failure.text().contains("has left no exit status"), "{failure:?}");
    drop(service);
    let (_next, messages) = self::service(&workspace);
    let end = found(&messages).ended.unwrap();
    assert_eq!((end.code, end.text.as_str()), (None, failure.text()));
}

#[test]
fn what_cannot_be_started_is_a_failure_and_leaves_nothing() {
    let workspace = tempfile::tempdir().unwrap();
    let (inbox, messages) = channel();
    let start = |folder: &JobFolder, lock| start_supervisor(folder, Path::new("/nowhere/mammoscope"), lock).map(Some);
    let mut service = JobService::starting(workspace.path(), inbox, Box::new(start));
    spawn(&mut service, 1, "true");
    let reported = until(&messages, is_end);
    assert!(matches!(&reported[..], [JobMessage::Ended { outcome: Err(_), .. }]), "{reported:?}");
    assert_eq!(fs::read_dir(workspace.path().join("jobs")).unwrap().count(), 0);

    // A workspace that cannot have the folder.
    let workspace = tempfile::tempdir().unwrap();
    fs::write(workspace.path().join("jobs"), "a file").unwrap();
    let (mut service, messages) = self::service(&workspace);
    spawn(&mut service, 1, "true");
    let reported = until(&messages, is_end);
    let [JobMessage::Ended { outcome: Err(failure), .. }] = &reported[..] else { panic!("{reported:?}") };
    assert!(failure.text().contains("/jobs: "), "{failure:?}");
}

#[test]
fn a_typed_path_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("density")).unwrap();
    let workspace = tempfile::tempdir().unwrap();
    let (mut service, messages) = service(&workspace);
    for (name, exists) in [("den", false), ("density", true)] {
        let typed = folder.path().join(name).to_string_lossy().into_owned();
        service.perform(JobEffect::LookAt(typed.clone()));
        let found = until(&messages, |message| matches!(message, JobMessage::LookedAt(_)));
        let Some(JobMessage::LookedAt(facts)) = found.last() else { panic!("{found:?}") };
        assert_eq!((&facts.typed, facts.exists, facts.completions.len()), (&typed, exists, 1), "{facts:?}");
    }
}
