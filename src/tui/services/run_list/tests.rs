use std::sync::mpsc::channel;

use chrono::Utc;

use super::*;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};

/// A workspace and the two small files of a completed run.
struct Fixture {
    folder: tempfile::TempDir,
    workspace: Workspace,
    files: [Vec<u8>; 2],
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(&folder.path().join("ws"))).unwrap();
        let elsewhere = Workspace::open(Some(&folder.path().join("template"))).unwrap();
        let history = SyntheticHistory { epochs: 2, steps_per_epoch: 1, seed: 0, study: None };
        let mut template = SyntheticRun::create(&elsewhere, history, Utc::now()).unwrap();
        let run = RunDir::new(template.path());
        while template.advance().unwrap() {}
        template.end().unwrap();
        let files = [run.spec(), run.status()].map(|path| fs::read(path).unwrap());
        Self { folder, workspace, files }
    }

    fn run(&self, name: &str) -> RunDir {
        let run = RunDir::new(self.workspace.runs().join(name));
        fs::create_dir_all(run.path()).unwrap();
        fs::write(run.spec(), &self.files[0]).unwrap();
        fs::write(run.status(), &self.files[1]).unwrap();
        run
    }

    fn fail(&self, run: &RunDir) {
        let text = String::from_utf8(self.files[1].clone()).unwrap();
        fs::write(run.status(), text.replace("\"completed\"", "\"failed\"")).unwrap();
    }
}

/// The names of all runs, or in brackets of those that changed.
fn names(listing: Listing) -> Vec<String> {
    match listing {
        Listing::All(rows) => rows.iter().map(|row| row.run.name()).collect(),
        Listing::Changed(rows) => rows.iter().map(|row| format!("({})", row.run.name())).collect(),
    }
}

#[test]
fn every_change_of_the_runs_is_reported_once() {
    let fixture = Fixture::new();
    let mut list = RunLister::default();
    let mut poll = || names(list.poll(&fixture.workspace).unwrap());
    assert_eq!(poll(), Vec::<String>::new());
    assert!(RunLister::default().newest(&fixture.workspace).is_none(), "a few are listed directly");
    let (a, b) = (fixture.run("a"), fixture.run("b"));
    assert_eq!(poll(), ["b", "a"]);
    assert_eq!(poll(), Vec::<String>::new(), "nothing is new");
    fixture.fail(&a);
    assert_eq!(poll(), ["(a)"]);
    fs::rename(b.path(), fixture.workspace.runs().join("c")).unwrap();
    assert_eq!(poll(), ["c", "a"]);
    fs::remove_dir_all(a.path()).unwrap();
    assert_eq!(poll(), ["c"]);
    fs::create_dir(fixture.workspace.runs().join(".d")).unwrap();
    assert_eq!(poll(), Vec::<String>::new(), "it is being created");
    fs::remove_dir_all(fixture.folder.path().join("ws")).unwrap();
    assert!(list.poll(&fixture.workspace).is_err(), "the workspace is gone");
}

#[test]
fn of_many_runs_those_that_are_over_are_checked_less_often() {
    let fixture = Fixture::new();
    let runs: Vec<RunDir> = (0..=MAX_CHECKED_ALWAYS).map(|number| fixture.run(&format!("run{number:04}"))).collect();
    let mut list = RunLister::default();
    let newest = list.newest(&fixture.workspace).unwrap();
    assert_eq!((newest.len(), newest[0].run.name()), (MAX_PRELIMINARY, format!("run{MAX_CHECKED_ALWAYS:04}")));
    assert_eq!(names(list.poll(&fixture.workspace).unwrap()).len(), MAX_CHECKED_ALWAYS + 1);
    fixture.fail(&runs[7]);
    let mut polls = 1;
    let changed = loop {
        polls += 1;
        let changed = names(list.poll(&fixture.workspace).unwrap());
        if !changed.is_empty() {
            break changed;
        }
        assert!(polls <= FULL_CHECK_PERIOD, "a run that is over is checked now and then");
    };
    assert_eq!((changed, polls), (vec!["(run0007)".to_owned()], FULL_CHECK_PERIOD + 1));
    let new = fixture.run("zzz");
    assert_eq!(
        names(list.poll(&fixture.workspace).unwrap()).len(),
        MAX_CHECKED_ALWAYS + 2,
        "a new one is noticed at once"
    );
    fs::remove_dir_all(new.path()).unwrap();
    assert_eq!(names(list.poll(&fixture.workspace).unwrap()).len(), MAX_CHECKED_ALWAYS + 1);
}

#[test]
fn a_new_run_gives_a_hint_but_reading_does_not() {
    let fixture = Fixture::new();
    let hints = Hints::new(&fixture.workspace);
    assert!(hints.watcher.is_some(), "this system watches directories");
    RunLister::default().poll(&fixture.workspace).unwrap();
    assert!(hints.receiver.try_recv().is_err());
    fixture.run("a");
    hints.receiver.recv_timeout(Duration::from_secs(60)).expect("a hint");
}

#[test]
fn new_runs_are_reported() {
    let fixture = Fixture::new();
    let (inbox, messages) = channel();
    watch(fixture.workspace.clone(), inbox);
    let until = |wanted: &dyn Fn(&[RunRow]) -> bool| loop {
        match messages.recv_timeout(Duration::from_secs(60)).expect("a message about the runs") {
            UiMessage::Runs(RunsMessage::Listed(Ok(rows)) | RunsMessage::Changed(rows)) if wanted(&rows) => return,
            _ => {}
        }
    };
    until(&<[RunRow]>::is_empty);
    fixture.run("a");
    let completed = |row: &RunRow| row.status.as_ref().is_some_and(|status| status.state == RunPhase::Completed);
    until(&|rows| rows.iter().any(completed));
}
