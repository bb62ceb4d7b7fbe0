//! The training loop's endings, commands and reports: resuming after an early stop, stopping despite a rollback,
//! pauses.

use std::collections::VecDeque;

use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, EpochMetrics, SavedCheckpoint, StepReport};
use mammoscope_domain::training::training_config::{NonfinitePolicy, TrainingConfig};
use mammoscope_engine::learning::training_loop::Ending;
use mammoscope_engine::learning::training_observer::Command;

use crate::support::{STEPS, ScriptedObserver, config, initial_state, resumed, run_dir, train};

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
    let saved = observer.events.iter().enumerate().filter(|(_, event)| {
        matches!(event, RunEventKind::CheckpointSaved(SavedCheckpoint { kind: CheckpointKind::Last, .. }))
    });
    assert_eq!(saved.map(|(place, _)| place).collect::<Vec<_>>(), observer.synced);
    assert_eq!(observer.synced.len(), 3);
}
