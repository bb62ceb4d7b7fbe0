//! The training loop's ends and reports: an early stop that is taken up again, orders that nothing makes forgotten, pauses.

#![allow(clippy::unwrap_used, reason = "a test's own files are as they are")]

mod support;

use std::collections::VecDeque;

use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::run::run_event::{CheckpointKind, RunEventKind};
use mammoscope_domain::training::training_config::{NonfinitePolicy, TrainingConfig};
use mammoscope_engine::learning::training_loop::Ending;
use mammoscope_engine::learning::training_observer::Order;

use support::{Listener, STEPS, beginning, config, resumed, run_dir, train};

fn epochs_started(listener: &Listener) -> usize {
    listener.events.iter().filter(|event| matches!(event, RunEventKind::EpochStarted { .. })).count()
}

#[test]
fn a_training_that_is_taken_up_behind_its_early_stop_trains_no_further() {
    // A rate so small that nothing gets better.
    let config = TrainingConfig { early_stop: 2, learning_rate: 1e-12, ..config(20) };
    let (_folder, run) = run_dir();
    let mut first = Listener::default();
    let ending = train(&config, &run, &mut beginning(&config, config.seed), &mut first).unwrap();
    let Ending::Completed { reason: Some(reason) } = &ending else { panic!("{ending:?}") };
    assert!(reason.contains("not better for 2 epochs"), "{reason}");
    assert!(epochs_started(&first) < 20);

    // As a trainer does that was killed before it could say how it ended.
    let mut second = Listener::default();
    let mut state = resumed(&config, &run);
    assert_eq!(train(&config, &run, &mut state, &mut second).unwrap(), ending);
    assert_eq!(second.events, []);
    assert_eq!(state.to_checkpoint().unwrap(), resumed(&config, &run).to_checkpoint().unwrap());
}

#[test]
fn an_order_to_stop_outlives_numbers_that_are_not_finite() {
    let config = TrainingConfig { nonfinite: NonfinitePolicy::Rollback, ema: 0.5, ..config(3) };
    let (_folder, run) = run_dir();
    let mut whole = Listener::default();
    train(&config, &run, &mut beginning(&config, config.seed), &mut whole).unwrap();

    // A moving average that is no number: no step sees it, the checkpoint that the order wants does.
    let config = TrainingConfig { epochs: 9, ..config };
    let mut state = resumed(&config, &run);
    let _ = state.learner.average.as_ref().unwrap().weights.get(0).fill_(f64::NAN);
    let mut listener = Listener { orders: VecDeque::from([(0, Order::Stop)]), ..Listener::default() };
    assert_eq!(train(&config, &run, &mut state, &mut listener).unwrap(), Ending::Stopped);
    let back =
        |event: &&RunEventKind| matches!(event, RunEventKind::RolledBack { to_step, .. } if *to_step == 3 * STEPS);
    assert_eq!(listener.events.iter().filter(back).count(), 1, "{:?}", listener.events);
    assert_eq!(listener.obeyed, [(Order::Stop, 3 * STEPS + 1)]);
    assert!(state.learner.is_finite().unwrap());
}

#[test]
fn to_stop_after_the_epoch_ends_a_pause() {
    let config = config(9);
    let (_folder, run) = run_dir();
    let orders = VecDeque::from([(1, Order::Pause), (3, Order::StopAfterEpoch)]);
    let mut listener = Listener { orders, ..Listener::default() };
    let mut state = beginning(&config, config.seed);
    assert_eq!(train(&config, &run, &mut state, &mut listener).unwrap(), Ending::Stopped);
    assert_eq!((state.progress.step, state.progress.epochs_done), (STEPS, 1));
    let step = listener.obeyed[0].1;
    assert_eq!(listener.obeyed, [(Order::Pause, step), (Order::StopAfterEpoch, step)]);
    let pauses: Vec<_> = listener
        .events
        .iter()
        .filter(|event| matches!(event, RunEventKind::Paused { .. } | RunEventKind::Continued { .. }))
        .collect();
    assert_eq!(pauses, [&RunEventKind::Paused { step }, &RunEventKind::Continued { step }]);
}

#[test]
fn a_pause_after_that_is_kept_until_it_is_ended() {
    let config = config(9);
    let (_folder, run) = run_dir();
    let orders = VecDeque::from([(0, Order::StopAfterEpoch), (0, Order::Pause), (9, Order::Continue)]);
    let mut listener = Listener { orders, ..Listener::default() };
    let mut state = beginning(&config, config.seed);
    assert_eq!(train(&config, &run, &mut state, &mut listener).unwrap(), Ending::Stopped);
    assert_eq!(state.progress.step, STEPS);
    assert_eq!(listener.obeyed.last(), Some(&(Order::Continue, 1)));
}

#[test]
fn every_epoch_reports_at_least_once_however_short_it_is() {
    // One step of the narrowest network an epoch.
    let config = TrainingConfig { width: WidthFactor::of_stem(1).unwrap(), batch_size: 8, ..config(12) };
    let (_folder, run) = run_dir();
    let mut listener = Listener::default();
    train(&config, &run, &mut beginning(&config, config.seed), &mut listener).unwrap();
    let mut reported = Vec::new();
    for event in &listener.events {
        match event {
            RunEventKind::StepReported { epoch, step, loss, accuracy, images_per_s, .. } => {
                assert!(*step <= u64::from(*epoch) && images_per_s.is_finite() && *images_per_s > 0.0);
                reported.push((*epoch, *step, *loss, *accuracy));
            }
            RunEventKind::EpochEnded { epoch, step, train_loss, train_accuracy, .. } => {
                let last = reported.last().filter(|(of, ..)| of == epoch);
                let last = last.unwrap_or_else(|| panic!("no report in epoch {epoch}"));
                if last.1 == *step {
                    assert_eq!((last.2, last.3), (*train_loss, *train_accuracy), "epoch {epoch}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn events_are_safe_before_a_checkpoint_knows_of_them() {
    let config = config(3);
    let (_folder, run) = run_dir();
    let mut listener = Listener::default();
    train(&config, &run, &mut beginning(&config, config.seed), &mut listener).unwrap();
    let saved = listener
        .events
        .iter()
        .enumerate()
        .filter(|(_, event)| matches!(event, RunEventKind::CheckpointSaved { kind: CheckpointKind::Last, .. }));
    assert_eq!(saved.map(|(place, _)| place).collect::<Vec<_>>(), listener.synced);
    assert_eq!(listener.synced.len(), 3);
}
