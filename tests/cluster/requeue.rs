//! Runs that are requeued before their time limit end with the same bytes as runs without one.

use std::fs;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_test_support::trainer_fixture::{EVERY_STEP, WatchedRun};
use mammoscope_test_support::wait_for;

use crate::fixture::ClusterFixture;

/// 38 of them are for training, in ten steps an epoch.
const SUBJECTS: u32 = 48;
const EPOCHS: u32 = 10;

/// Waits for the start of the trainer of the job's n-th restart.
fn wait_restart(run: &mut WatchedRun, restarts: u32) {
    run.wait(&format!("restart {restarts}"), |kind| match kind {
        RunEventKind::Started(trainer) => trainer.slurm.as_ref().filter(|slurm| slurm.restarts == restarts).map(|_| ()),
        _ => None,
    });
}

#[test]
fn an_array_that_is_requeued_twice_ends_with_the_same_bytes_and_is_pooled() {
    let Some(fixture) = ClusterFixture::start(SUBJECTS, "") else { return };
    let settings = format!("epochs={EPOCHS},optimizer=sgd,momentum=0.9,learning_rate=0.01");
    let whole = fixture.train_arguments(&["train"], "CC_R,CC_L", &settings, &["--device", "cpu", "--detach"]);
    let whole = fixture.output(&whole.iter().map(String::as_str).collect::<Vec<_>>());
    let whole: Vec<WatchedRun> = whole.lines().map(|path| WatchedRun::new(RunDir::new(path))).collect();

    let settings = format!("{settings},{EVERY_STEP}");
    let options = ["--time", "10", "--cpus", "1"];
    let (submission, mut runs) = fixture.submitted("CC_R,CC_L", &settings, &options);
    let tasks: Vec<String> = submission.ids().map(|(task, _)| task.to_string()).collect();
    for restart in 0..2 {
        let mut reached = Vec::new();
        for (run, task) in runs.iter_mut().zip(&tasks) {
            wait_restart(run, restart);
            let from = u64::from(restart + 1) * 7;
            run.wait_checkpoint(from);
            // As Slurm does before the time limit: the batch shell alone gets it, whose place the trainer has taken.
            assert!(fixture.cluster.output("scancel", &["--batch", "--signal=USR1", task]).is_some());
        }
        for run in &mut runs {
            let (phase, step) = run.wait_ended();
            assert_eq!(phase, RunPhase::Queued, "{}", run.log());
            let status = read_status(&run.dir.status()).unwrap();
            let reason = format!("requeued in Slurm, restart {}", restart + 1);
            assert_eq!((status.reason.as_deref(), status.pid), (Some(reason.as_str()), None));
            reached.push(step);
        }
        let is_working =
            |run: &WatchedRun| read_status(&run.dir.status()).is_ok_and(|status| status.state != RunPhase::Queued);
        fixture.cluster.start_now(&tasks, || runs.iter().all(is_working));
        for (run, reached) in runs.iter_mut().zip(reached) {
            let resumed = run.wait("the resumption", |kind| match kind {
                RunEventKind::Resumed { step, .. } => Some(*step),
                _ => None,
            });
            assert_eq!(resumed, reached);
            // The events of this attempt are needed again.
            *run = WatchedRun::new(run.dir.clone());
        }
    }
    for (run, whole) in runs.iter_mut().zip(whole) {
        let mut whole = whole;
        assert_eq!(whole.wait_ended().0, RunPhase::Completed, "{}", whole.log());
        run.wait("the end", |kind| {
            matches!(kind, RunEventKind::Ended { state: RunPhase::Completed, .. }).then_some(())
        });
        run.wait_unlocked();
        assert_eq!(run.summary().history(), whole.summary().history());
        assert!(run.data_section() == whole.data_section(), "the last checkpoints differ");
    }
    let evaluation = fixture.file(&submission, "evaluation/evaluation.json");
    wait_for("the evaluation", || evaluation.exists().then_some(()));
    let evaluation = fs::read_to_string(evaluation).unwrap();
    assert!(["CC_R", "CC_L", "n"].iter().all(|name| evaluation.contains(&format!("\"{name}\""))), "{evaluation}");
    assert!(fixture.output(&["status", &runs[0].dir.name()]).contains(&format!("Slurm job {}, restart 2", tasks[0])));
}

#[test]
fn the_number_of_requeues_is_bounded() {
    let Some(fixture) = ClusterFixture::start(SUBJECTS, "") else { return };
    let (submission, mut runs) = fixture.submitted("CC_R", "epochs=500", &["--time", "10", "--requeues", "0"]);
    let task = submission.ids().next().unwrap().0.to_string();
    let run = &mut runs[0];
    run.wait_checkpoint(10);
    assert!(fixture.cluster.output("scancel", &["--batch", "--signal=USR1", &task]).is_some());
    let (phase, _) = run.wait_ended();
    let reason = read_status(&run.dir.status()).unwrap().reason.unwrap();
    assert_eq!(phase, RunPhase::Interrupted, "{reason}");
    assert!(reason.starts_with("by SIGUSR1, before the job's time limit; not requeued: "), "{reason}");
}
