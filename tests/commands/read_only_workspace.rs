//! Reading needs no right to write, and creates nothing.

use std::fs;
use std::process::Stdio;

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::view::View;
use mammoscope_test_support::folder_tree::files_below;
use mammoscope_test_support::read_only_folder::ReadOnlyCopy;
use mammoscope_test_support::run_fixture::{RunFixture, end, end_epoch};
use mammoscope_test_support::{mammoscope, stderr_of};

const READING: [&[&str]; 7] = [
    &["runs"],
    &["runs", "--json"],
    &["status", "latest"],
    &["status", "latest", "--json"],
    &["follow", "latest"],
    &["evaluate", "latest"],
    &["control", "latest", "pause"],
];

#[test]
fn runs_are_shown_from_a_workspace_that_can_only_be_read() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "group");
    end_epoch(&run, 1);
    end(&run, RunPhase::Completed, None);
    let Some(copy) = ReadOnlyCopy::make(fixture.workspace.path(), &fixture.folder.path().join("copy")) else { return };
    for arguments in &READING[..5] {
        let output = mammoscope().arg("--workspace").arg(copy.path()).args(*arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr_of(&output));
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn reading_a_workspace_that_does_not_exist_does_not_make_it() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("workspace");
    for arguments in READING {
        let mut command = mammoscope();
        let output = command.arg("--workspace").arg(&workspace).args(arguments).stdin(Stdio::null()).output().unwrap();
        let stderr = stderr_of(&output);
        assert!(output.status.success() || stderr.contains("no runs in"), "{arguments:?}: {stderr}");
        assert!(!workspace.exists(), "{arguments:?}");
    }
}

#[test]
fn shown_runs_are_unchanged() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "group");
    end(&run, RunPhase::Stopped, Some("on request"));
    fs::remove_dir_all(run.requests()).unwrap();
    let before = files_below(fixture.workspace.path());
    for arguments in &READING[..5] {
        fixture.output(arguments);
    }
    assert_eq!(files_below(fixture.workspace.path()), before);
    assert!(!run.requests().exists());
}
