use std::fs;
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// A service whose commands are scripts of the shell, and its messages.
fn service() -> (JobService, Receiver<UiMessage>) {
    let (inbox, messages) = channel();
    (JobService::of_program(inbox, Some("/bin/sh".into())), messages)
}

fn spawn(service: &mut JobService, id: u64, script: &str) {
    let arguments = ["-c", script].map(OsString::from).to_vec();
    service.perform(JobEffect::Spawn { id: JobId(id), arguments });
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

fn end(messages: &[JobMessage]) -> &ExitText {
    match messages.last() {
        Some(JobMessage::Ended { outcome: Ok(exit), .. }) => exit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_reports_its_process_its_output_and_its_end() {
    let (mut service, messages) = service();
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
    assert_eq!(end(&found), &ExitText { code: Some(3), text: "exit status 3".to_owned() });
}

#[test]
fn a_job_is_stopped_cleanly() {
    let (mut service, messages) = service();
    spawn(&mut service, 1, "trap 'echo stopped; exit 130' TERM; echo ready; while :; do sleep .05; done");
    until(&messages, |message| matches!(message, JobMessage::Line { text, .. } if text == "ready"));
    service.perform(JobEffect::Terminate(JobId(1)));
    let found = until(&messages, is_end);
    assert!(found.iter().any(|message| matches!(message, JobMessage::Line { text, .. } if text == "stopped")));
    assert_eq!(end(&found).text, "exit status 130");
}

#[test]
fn jobs_end_with_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let (pid_file, ended) = (folder.path().join("pid"), folder.path().join("ended"));
    let (mut service, messages) = service();
    let script = format!(
        "trap 'echo > {}; exit 130' TERM; echo $$ > {}; echo ready; while :; do sleep .05; done",
        ended.display(),
        pid_file.display()
    );
    spawn(&mut service, 1, &script);
    until(&messages, |message| matches!(message, JobMessage::Line { text, .. } if text == "ready"));
    drop(service);
    assert!(ended.exists(), "it was asked to end, and had time to");
    let pid: i32 = fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    let gone = rustix::process::test_kill_process(Pid::from_raw(pid).unwrap());
    assert_eq!(gone, Err(rustix::io::Errno::SRCH));
}

#[test]
fn a_command_that_cannot_be_started_is_a_failure() {
    let (inbox, messages) = channel();
    let mut service = JobService::of_program(inbox, Some("/nowhere/mammoscope".into()));
    service.perform(JobEffect::Spawn { id: JobId(1), arguments: Vec::new() });
    let found = until(&messages, is_end);
    assert!(matches!(&found[..], [JobMessage::Ended { outcome: Err(_), .. }]), "{found:?}");
}

#[test]
fn a_typed_path_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("density")).unwrap();
    let (mut service, messages) = service();
    for (name, exists) in [("den", false), ("density", true)] {
        let typed = folder.path().join(name).to_string_lossy().into_owned();
        service.perform(JobEffect::LookAt(typed.clone()));
        let found = until(&messages, |message| matches!(message, JobMessage::LookedAt(_)));
        let Some(JobMessage::LookedAt(facts)) = found.last() else { panic!("{found:?}") };
        assert_eq!((&facts.typed, facts.exists, facts.completions.len()), (&typed, exists, 1), "{facts:?}");
    }
}
