//! The end of an interrupted run; in a Slurm job that nears its time limit, its return to the queue.

use mammoscope_cluster::condition_text::REQUEUED;
use mammoscope_cluster::controller::requeue;
use mammoscope_cluster::job_environment::JobEnvironment;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::CheckpointKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::run::run_summary::RunSummary;

use super::recorder::Recorder;
use super::signals::InterruptSignal;
use crate::learning::training_observer::TrainingObserver as _;

/// The state and the reason of a run that a signal interrupted. Before the time limit of a Slurm job that may be
/// requeued, this requeues it, provided that a checkpoint is on disk and ahead of `first_step`, the step at which this
/// trainer began, and that the job finds the run where it was; SIGTERM then follows within a second.
pub(super) fn end_of_interrupted(
    signal: Option<InterruptSignal>,
    job: Option<&JobEnvironment>,
    first_step: Option<u64>,
    recorder: &mut Recorder,
) -> anyhow::Result<(RunPhase, String)> {
    let Some(signal) = signal else { return Ok((RunPhase::Interrupted, "by a signal".to_owned())) };
    let by = format!("by {}", signal.name());
    let job = job.filter(|job| signal == InterruptSignal::User1 && job.max_requeues.is_some());
    let Some(job) = job else { return Ok((RunPhase::Interrupted, by)) };
    let by = format!("{by}, before the job's time limit");
    let allowed = if recorder.has_moved() {
        Err("the job would look for the run directory by its earlier name".to_owned())
    } else if has_advanced(recorder.summary(), first_step) {
        job.requeue_allowed()
    } else {
        Err("no checkpoint is ahead of the step at which it began".to_owned())
    };
    if let Err(reason) = allowed {
        return Ok((RunPhase::Interrupted, format!("{by}; not requeued: {reason}")));
    }
    match requeue(job.id) {
        Ok(()) => Ok((RunPhase::Queued, format!("{REQUEUED}, restart {}", job.restarts + 1))),
        Err(error) => {
            let message = format!("the Slurm job {} could not be requeued: {error}", job.id);
            recorder.record(RunEventKind::Warning { message })?;
            Ok((RunPhase::Interrupted, format!("{by}; Slurm did not requeue it")))
        }
    }
}

fn has_advanced(summary: &RunSummary, first_step: Option<u64>) -> bool {
    let last = summary.checkpoints.iter().find(|checkpoint| checkpoint.kind == CheckpointKind::Last);
    matches!((last, first_step), (Some(last), Some(first)) if last.step > first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

    use std::sync::Arc;

    use chrono::Utc;
    use mammoscope_domain::run::run_records::SavedCheckpoint;
    use mammoscope_storage::runs::run_dir::RunDir;
    use mammoscope_storage::runs::run_status_file::status_of_this_process;

    use super::super::run_queue::RunQueue;
    use super::super::run_queue::tests::spec;
    use super::*;

    fn job(restarts: &str) -> JobEnvironment {
        let restarts = restarts.to_owned();
        JobEnvironment::read(|name| match name {
            "SLURM_JOB_ID" => Some("7".to_owned()),
            "SLURM_RESTART_COUNT" => Some(restarts.clone()),
            "MAMMOSCOPE_MAX_REQUEUES" => Some("2".to_owned()),
            _ => None,
        })
        .unwrap()
    }

    #[test]
    fn a_job_is_requeued_only_before_its_limit_and_after_progress() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap().hold();
        let queue = Arc::new(RunQueue::new(Vec::new()));
        queue.start_run(&run, None, status_of_this_process(&spec(), RunPhase::Running, Utc::now()));
        let mut recorder = Recorder::open(&run, &spec(), queue).unwrap();
        let mut reason = |signal, job: Option<&JobEnvironment>, first| {
            let (phase, reason) = end_of_interrupted(Some(signal), job, first, &mut recorder).unwrap();
            assert_eq!(phase, RunPhase::Interrupted);
            reason
        };
        let (term, usr1) = (InterruptSignal::Terminate, InterruptSignal::User1);
        assert_eq!(reason(term, Some(&job("0")), Some(0)), "by SIGTERM");
        assert_eq!(reason(usr1, None, Some(0)), "by SIGUSR1");
        let without_progress = reason(usr1, Some(&job("0")), Some(0));
        assert!(without_progress.starts_with("by SIGUSR1, before the job's time limit; not requeued: no checkpoint"));

        let kind = CheckpointKind::Last;
        let saved = SavedCheckpoint { epoch: 1, step: 5, kind, file: "last.safetensors".to_owned(), value: None };
        recorder.record(RunEventKind::CheckpointSaved(saved)).unwrap();
        assert!(has_advanced(recorder.summary(), Some(4)));
        assert!(!has_advanced(recorder.summary(), Some(5)) && !has_advanced(recorder.summary(), None));
        let (_, bounded) = end_of_interrupted(Some(usr1), Some(&job("2")), Some(4), &mut recorder).unwrap();
        assert!(bounded.ends_with("not requeued: it was started again 2 times already"), "{bounded}");

        std::fs::rename(folder.path().join("run"), folder.path().join("renamed")).unwrap();
        let (_, renamed) = end_of_interrupted(Some(usr1), Some(&job("0")), Some(4), &mut recorder).unwrap();
        assert!(
            renamed.ends_with("not requeued: the job would look for the run directory by its earlier name"),
            "{renamed}"
        );
    }
}
