use std::sync::mpsc::channel;

use chrono::Utc;

use super::*;
use crate::cli::synthetic_run_files::{SyntheticHistory, SyntheticRun};
use mammoscope_domain::run::run_status::RunPhase;

/// A workspace, and the two small files of a run that is complete.
struct Stage {
    folder: tempfile::TempDir,
    workspace: Workspace,
    files: [Vec<u8>; 2],
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(&folder.path().join("ws"))).unwrap();
        let elsewhere = Workspace::open(Some(&folder.path().join("template"))).unwrap();
        let history = SyntheticHistory { epochs: 2, steps_per_epoch: 1, seed: 0 };
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

/// The names of all runs; of those only where not all are told, in brackets.
fn names(listing: Listing) -> Vec<String> {
    match listing {
        Listing::All(rows) => rows.iter().map(|row| row.run.name()).collect(),
        Listing::Changed(rows) => rows.iter().map(|row| format!("({})", row.run.name())).collect(),
    }
}

#[test]
fn runs_that_appear_change_are_renamed_and_go_are_told_once() {
    let stage = Stage::new();
    let mut list = RunList::default();
    let mut look = || names(list.look(&stage.workspace).unwrap());
    assert_eq!(look(), Vec::<String>::new());
    assert!(RunList::default().newest(&stage.workspace).is_none(), "few are listed at once");
    let (a, b) = (stage.run("a"), stage.run("b"));
    assert_eq!(look(), ["b", "a"]);
    assert_eq!(look(), Vec::<String>::new(), "nothing is new");
    stage.fail(&a);
    assert_eq!(look(), ["(a)"]);
    fs::rename(b.path(), stage.workspace.runs().join("c")).unwrap();
    assert_eq!(look(), ["c", "a"]);
    fs::remove_dir_all(a.path()).unwrap();
    assert_eq!(look(), ["c"]);
    fs::create_dir(stage.workspace.runs().join(".d")).unwrap();
    assert_eq!(look(), Vec::<String>::new(), "it is being made");
    fs::remove_dir_all(stage.folder.path().join("ws")).unwrap();
    assert!(list.look(&stage.workspace).is_err(), "the workspace is gone");
}

#[test]
fn of_many_runs_those_that_are_over_are_looked_at_seldom() {
    let stage = Stage::new();
    let runs: Vec<RunDir> = (0..=FEW).map(|number| stage.run(&format!("run{number:04}"))).collect();
    let mut list = RunList::default();
    let newest = list.newest(&stage.workspace).unwrap();
    assert_eq!((newest.len(), newest[0].run.name()), (NEWEST, format!("run{FEW:04}")));
    assert_eq!(names(list.look(&stage.workspace).unwrap()).len(), FEW + 1);
    stage.fail(&runs[7]);
    let mut looks = 1;
    let told = loop {
        looks += 1;
        let told = names(list.look(&stage.workspace).unwrap());
        if !told.is_empty() {
            break told;
        }
        assert!(looks <= SELDOM, "a run that is over is looked at every so often");
    };
    assert_eq!((told, looks), (vec!["(run0007)".to_owned()], SELDOM + 1));
    let new = stage.run("zzz");
    assert_eq!(names(list.look(&stage.workspace).unwrap()).len(), FEW + 2, "a new one is seen at once");
    fs::remove_dir_all(new.path()).unwrap();
    assert_eq!(names(list.look(&stage.workspace).unwrap()).len(), FEW + 1);
}

#[test]
fn the_system_gives_a_hint_when_a_run_comes_and_none_for_our_own_reading() {
    let stage = Stage::new();
    let hints = Hints::new(&stage.workspace);
    assert!(hints.watcher.is_some(), "this system watches directories");
    RunList::default().look(&stage.workspace).unwrap();
    assert!(hints.receiver.try_recv().is_err());
    stage.run("a");
    hints.receiver.recv_timeout(Duration::from_secs(60)).expect("a hint");
}

#[test]
fn whoever_listens_hears_of_new_runs() {
    let stage = Stage::new();
    let (inbox, messages) = channel();
    watch(stage.workspace.clone(), inbox);
    let until = |wanted: &dyn Fn(&[RunRow]) -> bool| loop {
        match messages.recv_timeout(Duration::from_secs(60)).expect("news of the runs") {
            UiMessage::Runs(RunsMessage::Listed(Ok(rows)) | RunsMessage::Changed(rows)) if wanted(&rows) => return,
            _ => {}
        }
    };
    until(&<[RunRow]>::is_empty);
    stage.run("a");
    let completed = |row: &RunRow| row.status.as_ref().is_some_and(|status| status.state == RunPhase::Completed);
    until(&|rows| rows.iter().any(completed));
}
