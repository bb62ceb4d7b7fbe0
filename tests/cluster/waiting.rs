//! Tasks that wait: their states, and their end.

use std::fs;

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_test_support::{stderr_of, wait_for};

use crate::fixture::ClusterFixture;

/// Keeps a task pending for longer than a test takes.
const LATER: [&str; 2] = ["--sbatch-arg", "--begin=now+1hour"];

#[test]
fn tasks_that_wait_are_shown_and_cancelled() {
    let Some(fixture) = ClusterFixture::start(24, "") else { return };
    let (submission, runs) = fixture.submitted("CC_R,CC_L", "epochs=2", &LATER);
    let tasks: Vec<String> = submission.ids().map(|(task, _)| task.to_string()).collect();
    let [first, second] = [&runs[0].dir, &runs[1].dir];
    let shown = fixture.wait_shown(&format!("queued · Slurm {} pending: BeginTime", tasks[0]));
    assert!(shown.contains("CC_R"), "{shown}");
    let status = fixture.output(&["status", &first.name()]);
    assert!(status.contains(&format!("queued · Slurm {} pending: BeginTime", tasks[0])), "{status}");

    let resumed = fixture.run(&["resume", &first.name(), "--detach"]);
    assert_eq!(resumed.status.code(), Some(1));
    assert!(stderr_of(&resumed).contains(&format!("it is trained by its Slurm job {}", tasks[0])));
    let again = fixture.run(&["submit", "resume", &first.name()]);
    assert!(stderr_of(&again).contains(&format!("has a job: Slurm {} is pending", tasks[0])), "{}", stderr_of(&again));
    let twice = fixture.submit_train("CC_R,CC_L", "epochs=2", &LATER);
    assert_eq!(twice.status.code(), Some(1));
    let problem = stderr_of(&twice);
    assert!(problem.contains(&format!("the same work was submitted as {}", submission.id)), "{problem}");
    assert_eq!(fixture.trainer.runs().len(), 2, "nothing is left of the second submission");

    let stopped = fixture.output(&["control", &first.name(), "stop"]);
    assert!(stopped.contains(&format!("stop requested; Slurm {} is cancelled", tasks[0])), "{stopped}");
    let status = read_status(&first.status()).unwrap();
    assert_eq!(status.state, RunPhase::Stopped);
    assert_eq!(runs[0].summary().phase, RunPhase::Stopped, "the events say so too");

    assert!(fixture.cluster.output("scancel", &[&tasks[1]]).is_some());
    fixture.wait_shown(&format!("cancelled in Slurm before the trainer started ({})", tasks[1]));
    let stopped = fixture.output(&["control", &second.name(), "stop"]);
    assert!(stopped.contains("had ended before, and the run is marked as stopped"), "{stopped}");
    let array = format!("{}_", submission.arrays[0].job);
    let is_gone = || fixture.cluster.jobs().iter().all(|job| !job.starts_with(&array));
    wait_for("the end of the array", || is_gone().then_some(()));
}

#[test]
fn a_drained_node_is_named_with_the_administrators_reason() {
    let Some(fixture) = ClusterFixture::start(24, "") else { return };
    let drain = ["update", "NodeName=localhost", "State=DRAIN", "Reason=new disk"];
    assert!(fixture.cluster.output("scontrol", &drain).is_some());
    let (submission, _) = fixture.submitted("CC_R", "epochs=2", &[]);
    let shown = fixture.wait_shown("localhost drained: new disk");
    let task = submission.ids().next().unwrap().0;
    assert!(shown.contains(&format!("queued · Slurm {task} pending: ")), "{shown}");
}

#[test]
fn a_node_without_the_workspace_says_so() {
    let Some(fixture) = ClusterFixture::start(24, "") else { return };
    let (submission, runs) = fixture.submitted("CC_R", "epochs=2", &LATER);
    fs::write(fixture.file(&submission, "token"), "of another workspace").unwrap();
    let task = submission.ids().next().unwrap().0.to_string();
    let log = fixture.file(&submission, &format!("logs/{task}.txt"));
    fixture.cluster.start_now(&[task], || log.exists());
    fixture.wait_shown("failed in Slurm before the trainer started: is the workspace shared with the nodes?");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("that this job was submitted from: is it on a shared file system?"), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
    // Once the reason is gone, the run can be submitted again.
    let again = fixture.output(&["submit", "resume", &runs[0].dir.name()]);
    assert_ne!(again.trim(), submission.id);
    fixture.wait_shown("completed");
}

#[test]
fn more_tasks_than_an_array_may_have_are_divided() {
    let Some(fixture) = ClusterFixture::start(24, "MaxArraySize=3") else { return };
    let (submission, runs) = fixture.submitted("all", "epochs=2", &LATER);
    let sizes: Vec<(u32, u32)> = submission.arrays.iter().map(|array| (array.first, array.tasks)).collect();
    assert_eq!(sizes, [(0, 3), (3, 1)]);
    let script = fs::read_to_string(fixture.file(&submission, "array-2.sbatch")).unwrap();
    assert!(script.contains(&runs[3].dir.name()) && script.contains("--array=0-0"), "{script}");
    let task = submission.ids().last().unwrap().0;
    fixture.wait_shown(&format!("queued · Slurm {task} pending: BeginTime"));
}
