//! A run that is looked at: followed on a thread of its own, what is new of it told as it comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;
use std::{fs, thread};

use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::runs::{NoteKind, RunNote, RunUpdate, RunsMessage};
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_runs::follower::RunFollower;
use mammoscope_runs::snapshot::{RunChange, RunSnapshot};
use mammoscope_storage::runs::log_tail::last_lines;
use mammoscope_storage::runs::run_dir::RunDir;

/// How long nothing may happen before the log is looked at all the same.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Between two messages: what comes meanwhile is told together.
const PAUSE: Duration = Duration::from_millis(100);

/// A run that is followed until this is dropped.
pub(super) struct RunWatch {
    over: Arc<AtomicBool>,
}

impl Drop for RunWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl RunWatch {
    /// Follows a run, after a delay in which it may turn out that nobody wants to know.
    pub(super) fn start(run: RunDir, delay: Duration, inbox: Sender<UiMessage>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&over);
        thread::spawn(move || {
            thread::sleep(delay);
            follow(&run, &|| flag.load(Ordering::Relaxed), &inbox);
        });
        Self { over }
    }
}

/// What has changed since it was last told.
struct Pending {
    kept: usize,
    anew: bool,
    notes: Vec<RunNote>,
}

impl Pending {
    fn take(&mut self, snapshot: &RunSnapshot, change: &RunChange) {
        let state = snapshot.state();
        match change {
            RunChange::Appeared | RunChange::Gone | RunChange::Restarted => {
                *self = Self { kept: 0, anew: true, notes: Vec::new() };
            }
            RunChange::Event(event) => {
                let is_report = matches!(event.kind, RunEventKind::StepReported { .. });
                self.kept = self.kept.min(state.steps.len() - usize::from(is_report));
                if !is_report {
                    let kind = NoteKind::Event(event.kind.clone());
                    self.notes.push(RunNote { time: event.time, step: state.step, kind });
                }
            }
            RunChange::BadLine(_) | RunChange::Status => {}
        }
    }
}

fn follow(run: &RunDir, over: &dyn Fn() -> bool, inbox: &Sender<UiMessage>) {
    let mut follower = RunFollower::new(run.clone());
    let mut pending = Pending { kept: 0, anew: true, notes: Vec::new() };
    let (mut problems, mut log_length, mut first) = (Vec::new(), None, true);
    while !over() {
        let mut take = |snapshot: &RunSnapshot, change: &RunChange| pending.take(snapshot, change);
        let mut changed = if first { follower.poll(&mut take) || first } else { false };
        if !first {
            changed = follower.wait(TIMEOUT, over, &mut take);
        }
        first = false;
        let length = fs::metadata(run.log()).ok().map(|facts| facts.len());
        let log = (length != log_length).then(|| last_lines(&run.log()).unwrap_or_default());
        log_length = length;
        let snapshot = follower.snapshot();
        let found = snapshot.problems();
        changed |= found != problems || log.is_some();
        problems = found;
        if !changed || over() {
            continue;
        }
        let state = snapshot.state();
        let news = RunUpdate {
            kept: pending.kept,
            steps: state.steps[pending.kept..].to_vec(),
            anew: pending.anew,
            notes: std::mem::take(&mut pending.notes),
            state: Box::new(without_steps(state)),
            problems: problems.clone(),
            log,
        };
        (pending.kept, pending.anew) = (state.steps.len(), false);
        if inbox.send(UiMessage::Runs(RunsMessage::Followed { run: run.clone(), news: Box::new(news) })).is_err() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

/// The state without the reports of its steps, which are told apart.
fn without_steps(state: &RunState) -> RunState {
    RunState {
        monitor: state.monitor,
        epochs: state.epochs,
        phase: state.phase,
        stops: state.stops,
        reason: state.reason.clone(),
        trainer: state.trainer.clone(),
        setting: state.setting.clone(),
        epoch: state.epoch,
        step: state.step,
        learning_rate: state.learning_rate,
        steps: Vec::new(),
        records: state.records.clone(),
        best: state.best.clone(),
        reductions: state.reductions.clone(),
        checkpoints: state.checkpoints.clone(),
        skipped: state.skipped.clone(),
        warnings: state.warnings.clone(),
        acknowledged: state.acknowledged.clone(),
        evaluations: state.evaluations.clone(),
        last_error: state.last_error.clone(),
        started: state.started,
        updated: state.updated,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use chrono::Utc;

    use super::*;
    use crate::tui::screens::runs::curves::{Metric, RunCurves};
    use mammoscope_domain::run::run_event::RunEvent;
    use mammoscope_storage::runs::event_log::EventLog;

    fn report(run: &RunDir, step: u64) {
        let kind = RunEventKind::StepReported {
            epoch: 1,
            step,
            loss: step as f64,
            accuracy: 0.5,
            learning_rate: 0.01,
            gradient_norm: 1.0,
            images_per_s: 30.0,
        };
        append(run, kind);
    }

    fn append(run: &RunDir, kind: RunEventKind) {
        EventLog::open(&run.events()).unwrap().append(&RunEvent { time: Utc::now(), kind }).unwrap();
    }

    #[test]
    fn the_curves_are_those_of_the_files_whatever_happens_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        (1..=3).for_each(|step| report(&run, step));
        let (inbox, messages) = channel();
        let watch = RunWatch::start(run.clone(), Duration::ZERO, inbox);
        let mut curves = RunCurves::default();
        let mut until = |wanted: &[f32]| {
            while curves.raw(Metric::Loss).values() != wanted {
                let Ok(UiMessage::Runs(RunsMessage::Followed { news, .. })) =
                    messages.recv_timeout(Duration::from_secs(60))
                else {
                    panic!("no news; the curve is {:?}, not {wanted:?}", curves.raw(Metric::Loss).values());
                };
                curves.take(*news);
            }
            curves.notes.len()
        };
        assert_eq!(until(&[1.0, 2.0, 3.0]), 0);
        report(&run, 4);
        assert_eq!(until(&[1.0, 2.0, 3.0, 4.0]), 0);
        append(&run, RunEventKind::Resumed { step: 2, epochs_done: 0, checkpoint: "last.safetensors".to_owned() });
        report(&run, 3);
        assert_eq!(until(&[1.0, 2.0, 3.0]), 1, "the resume is noted");
        fs::write(run.events(), "").unwrap();
        report(&run, 7);
        assert_eq!(until(&[7.0]), 0);
        fs::rename(run.path(), folder.path().join("renamed")).unwrap();
        until(&[]);
        drop(watch);
    }
}
