//! The training loop's endings, commands and reports: resuming after an early stop, stopping despite a rollback,
//! pauses.

use std::collections::VecDeque;

use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, EpochMetrics, SavedCheckpoint, StepReport};
use mammoscope_domain::training::training_config::{NonfinitePolicy, TrainingConfig};
use mammoscope_engine::learning::replay::{Captured, Replay, StepPart};
use mammoscope_engine::learning::training_loop::Ending;
use mammoscope_engine::learning::training_observer::Command;
use tch::TchError;

use crate::support::{STEPS, ScriptedObserver, config, initial_state, resumed, run_dir, train, train_by};

fn epochs_started(observer: &ScriptedObserver) -> usize {
    observer.events.iter().filter(|event| matches!(event, RunEventKind::EpochStarted { .. })).count()
}

#[test]
fn a_run_resumed_after_its_early_stop_trains_no_further() {
    // A rate so small that nothing improves.
    let config = TrainingConfig { early_stop: 2, learning_rate: 1e-12, ..config(20) };
    let (_folder, run) = run_dir();
    let mut first = ScriptedObserver::default();
    let ending = train(&config, &run, &mut initial_state(&config, config.seed), &mut first).unwrap();
    let Ending::Completed { reason: Some(reason) } = &ending else { panic!("{ending:?}") };
    assert!(reason.contains("has not improved for 2 epochs"), "{reason}");
    assert!(epochs_started(&first) < 20);

    // Like a trainer that was killed before it could record its end.
    let mut second = ScriptedObserver::default();
    let mut state = resumed(&config, &run);
    assert_eq!(train(&config, &run, &mut state, &mut second).unwrap(), ending);
    assert_eq!(second.events, []);
    assert_eq!(state.to_checkpoint().unwrap(), resumed(&config, &run).to_checkpoint().unwrap());
}

#[test]
fn a_stop_command_survives_a_rollback() {
    let config = TrainingConfig { nonfinite: NonfinitePolicy::Rollback, ema: 0.5, ..config(3) };
    let (_folder, run) = run_dir();
    let mut whole = ScriptedObserver::default();
    train(&config, &run, &mut initial_state(&config, config.seed), &mut whole).unwrap();

    // A NaN in the moving average: no step notices it, but the checkpoint of the stop command does.
    let config = TrainingConfig { epochs: 9, ..config };
    let mut state = resumed(&config, &run);
    let _ = state.learner.average.as_ref().unwrap().weights.get(0).fill_(f64::NAN);
    let mut observer =
        ScriptedObserver { commands: VecDeque::from([(0, Command::Stop)]), ..ScriptedObserver::default() };
    assert_eq!(train(&config, &run, &mut state, &mut observer).unwrap(), Ending::Stopped);
    let is_rollback =
        |event: &&RunEventKind| matches!(event, RunEventKind::RolledBack { to_step, .. } if *to_step == 3 * STEPS);
    assert_eq!(observer.events.iter().filter(is_rollback).count(), 1, "{:?}", observer.events);
    assert_eq!(observer.acknowledged, [(Command::Stop, 3 * STEPS + 1)]);
    assert!(state.learner.is_finite().unwrap());
}

#[test]
fn stop_after_epoch_ends_a_pause() {
    let config = config(9);
    let (_folder, run) = run_dir();
    let commands = VecDeque::from([(1, Command::Pause), (3, Command::StopAfterEpoch)]);
    let mut observer = ScriptedObserver { commands, ..ScriptedObserver::default() };
    let mut state = initial_state(&config, config.seed);
    assert_eq!(train(&config, &run, &mut state, &mut observer).unwrap(), Ending::Stopped);
    assert_eq!((state.progress.step, state.progress.epochs_done), (STEPS, 1));
    let step = observer.acknowledged[0].1;
    assert_eq!(observer.acknowledged, [(Command::Pause, step), (Command::StopAfterEpoch, step)]);
    let pauses: Vec<_> = observer
        .events
        .iter()
        .filter(|event| matches!(event, RunEventKind::Paused { .. } | RunEventKind::Continued { .. }))
        .collect();
    assert_eq!(pauses, [&RunEventKind::Paused { step }, &RunEventKind::Continued { step }]);
}

#[test]
fn a_pause_after_stop_after_epoch_lasts_until_continue() {
    let config = config(9);
    let (_folder, run) = run_dir();
    let commands = VecDeque::from([(0, Command::StopAfterEpoch), (0, Command::Pause), (9, Command::Continue)]);
    let mut observer = ScriptedObserver { commands, ..ScriptedObserver::default() };
    let mut state = initial_state(&config, config.seed);
    assert_eq!(train(&config, &run, &mut state, &mut observer).unwrap(), Ending::Stopped);
    assert_eq!(state.progress.step, STEPS);
    assert_eq!(observer.acknowledged.last(), Some(&(Command::Continue, 1)));
}

#[test]
fn every_epoch_reports_at_least_once() {
    // One step of the narrowest network per epoch.
    let config = TrainingConfig { width: WidthFactor::of_stem(1).unwrap(), batch_size: 8, ..config(12) };
    let (_folder, run) = run_dir();
    let mut observer = ScriptedObserver::default();
    train(&config, &run, &mut initial_state(&config, config.seed), &mut observer).unwrap();
    let mut reported = Vec::new();
    for event in &observer.events {
        match event {
            RunEventKind::StepReported(StepReport { epoch, step, loss, accuracy, images_per_s, .. }) => {
                assert!(*step <= u64::from(*epoch) && images_per_s.is_finite() && *images_per_s > 0.0);
                reported.push((*epoch, *step, *loss, *accuracy));
            }
            RunEventKind::EpochEnded(record) => {
                let EpochMetrics { epoch, step, train_loss, train_accuracy, .. } = record.metrics;
                let last = reported.last().filter(|(of, ..)| *of == epoch);
                let last = last.unwrap_or_else(|| panic!("no report in epoch {epoch}"));
                if last.1 == step {
                    assert_eq!((last.2, last.3), (train_loss, train_accuracy), "epoch {epoch}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn events_are_synced_before_each_checkpoint() {
    let config = config(3);
    let (_folder, run) = run_dir();
    let mut observer = ScriptedObserver::default();
    train(&config, &run, &mut initial_state(&config, config.seed), &mut observer).unwrap();
    let mut saved = Vec::new();
    for (place, event) in observer.events.iter().enumerate() {
        if let RunEventKind::CheckpointSaved(SavedCheckpoint { kind: CheckpointKind::Last, epoch, .. }) = event {
            // Written while the next epoch has begun; what the checkpoint counts comes before the sync, and the models that
            // it lists are recorded before it.
            let synced = observer.synced[saved.len()];
            let is_of_epoch = |event: &RunEventKind| matches!(event, RunEventKind::EpochEnded(record) if record.metrics.epoch == *epoch);
            assert!(synced <= place && observer.events[..synced].iter().any(is_of_epoch), "{epoch}");
            let later = |event: &RunEventKind| {
                let is_model = |saved: &SavedCheckpoint| saved.kind == CheckpointKind::Best && saved.epoch == *epoch;
                !matches!(event, RunEventKind::EpochStarted { .. } | RunEventKind::StepReported(_))
                    && !matches!(event, RunEventKind::CheckpointSaved(saved) if is_model(saved))
            };
            assert!(!observer.events[synced..place].iter().any(later), "{epoch}");
            saved.push(*epoch);
        }
    }
    assert_eq!(saved, [1, 2, 3]);
    assert_eq!(observer.synced.len(), 3);
}

/// Here there is no CUDA, so that nothing can be recorded.
#[test]
fn steps_that_cannot_be_recorded_are_carried_out_with_one_warning() {
    tch::set_num_threads(1);
    let config = TrainingConfig { epochs: 2, ..config(2) };
    let (_folder, run) = run_dir();
    let mut expected = initial_state(&config, config.seed);
    let mut without = ScriptedObserver::default();
    train(&config, &run, &mut expected, &mut without).unwrap();

    let (_folder, run) = run_dir();
    let mut state = initial_state(&config, config.seed);
    let mut observer = ScriptedObserver::default();
    train_by(Box::new(Captured::new()), &config, &run, &mut state, &mut observer).unwrap();
    assert_eq!(state.to_checkpoint().unwrap(), expected.to_checkpoint().unwrap());
    let warnings = |observer: &ScriptedObserver| -> Vec<String> {
        let message = |event: &RunEventKind| match event {
            RunEventKind::Warning { message } => Some(message.clone()),
            _ => None,
        };
        observer.events.iter().filter_map(message).collect()
    };
    assert_eq!(warnings(&without), [""; 0]);
    let [warning] = warnings(&observer).try_into().expect("one warning");
    assert!(warning.contains("CUDAGraph") && warning.contains("changes no result"), "{warning}");
}

/// Recordings that need more memory than there is, from some step on.
#[derive(Debug)]
struct Large {
    runs: usize,
    is_released: bool,
}

impl Replay for Large {
    fn run(&mut self, _part: StepPart, operations: &mut dyn FnMut() -> Result<(), TchError>) -> Result<(), TchError> {
        self.runs += 1;
        if self.runs > 11 && !self.is_released {
            return Err(TchError::Torch("CUDA out of memory. Tried to allocate 2.00 GiB.".to_owned()));
        }
        operations()
    }

    fn warm_ups(&self) -> usize {
        0
    }

    fn forget(&mut self) {}

    fn release(&mut self) -> bool {
        !std::mem::replace(&mut self.is_released, true)
    }

    fn take_failure(&mut self) -> Option<String> {
        None
    }
}

#[test]
fn recordings_give_their_memory_back_before_batches_are_split() {
    tch::set_num_threads(1);
    let config = config(3);
    let (_folder, run) = run_dir();
    let mut expected = initial_state(&config, config.seed);
    train(&config, &run, &mut expected, &mut ScriptedObserver::default()).unwrap();

    let (_folder, run) = run_dir();
    let mut state = initial_state(&config, config.seed);
    let mut observer = ScriptedObserver::default();
    let large = Box::new(Large { runs: 0, is_released: false });
    train_by(large, &config, &run, &mut state, &mut observer).unwrap();
    // Memory ran out in the second epoch, after a checkpoint, from which the run has continued.
    assert_eq!(state.to_checkpoint().unwrap(), expected.to_checkpoint().unwrap());
    assert_eq!(epochs_started(&observer), 4);
    let released = |event: &&RunEventKind| matches!(event, RunEventKind::Warning { message } if message.contains("needs less memory"));
    assert_eq!(observer.events.iter().filter(released).count(), 1);
    assert!(!observer.events.iter().any(|event| matches!(event, RunEventKind::BatchSplit(_))));
}
