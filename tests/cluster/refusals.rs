//! Submissions that are refused leave nothing behind.

use mammoscope_test_support::trainer_fixture::TrainerFixture;
use mammoscope_test_support::{names_in, stderr_of};

use crate::fixture::ClusterFixture;

#[test]
fn a_wrong_partition_is_answered_with_those_that_exist() {
    let Some(fixture) = ClusterFixture::start(24, "") else { return };
    let output = fixture.submit_train("CC_R", "epochs=2", &["--partition", "gpus"]);
    assert_eq!(output.status.code(), Some(1));
    let problem = stderr_of(&output);
    let line = problem.lines().find(|line| line.starts_with("error: ")).unwrap();
    let expected =
        "error: sbatch: Batch job submission failed: Invalid partition name specified; partitions: debug (default)";
    assert_eq!(line, expected);
    assert!(fixture.trainer.runs().is_empty() && fixture.submissions().is_empty());
    assert_eq!(names_in(&fixture.trainer.workspace().join("submissions")), [""; 0]);
    assert!(fixture.cluster.jobs().is_empty());
}

#[test]
fn a_dry_run_prints_the_scripts_and_makes_nothing() {
    let Some(fixture) = ClusterFixture::start(24, "") else { return };
    let options = ["--dry-run", "--gres", "gpu:1", "--time", "04:00:00", "--array-limit", "1", "--account", "breast"];
    let output = fixture.submit_train("CC_R,CC_L", "epochs=2", &options);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let scripts = String::from_utf8(output.stdout).unwrap();
    for expected in ["--array=0-1%1", "--gres=gpu:1", "--time=04:00:00", "--account=breast", "--foreground", "evaluate"]
    {
        assert!(scripts.contains(expected), "{expected} in {scripts}");
    }
    assert!(fixture.trainer.runs().is_empty() && fixture.submissions().is_empty());
    assert!(!fixture.trainer.workspace().join("submissions").exists());
    assert!(fixture.cluster.jobs().is_empty());
}

#[test]
fn a_machine_without_slurm_is_named_in_one_line() {
    let trainer = TrainerFixture::new(4);
    let empty = tempfile::tempdir().unwrap();
    let data = trainer.data();
    let submit = |more: &[&str]| {
        let own = ["submit", "train", "--data", data.to_str().unwrap(), "--view", "CC_R", "--preset", "seed"];
        trainer.command(&[&own, more].concat()).env("PATH", empty.path()).output().unwrap()
    };
    let output = submit(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).starts_with("error: sbatch is not in PATH: "), "{}", stderr_of(&output));
    assert_eq!(stderr_of(&output).lines().count(), 1);

    let short = submit(&["--time", "1", "--dry-run"]);
    assert_eq!(short.status.code(), Some(2));
    assert!(stderr_of(&short).contains("--time 1 is not longer than the 120 s"), "{}", stderr_of(&short));
    let devices = submit(&["--device", "cuda:0,1", "--dry-run"]);
    assert_eq!(devices.status.code(), Some(2));
    assert!(trainer.runs().is_empty());
}
