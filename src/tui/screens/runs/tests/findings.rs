//! Findings in curves, and the reference under them.

use super::*;
use crate::tui::protocol::runs::RunsMessage;
use mammoscope_domain::run::run_records::{
    CheckpointKind, EpochMetrics, EpochRecord, SavedCheckpoint, SplitEvaluation, StepReport,
};
use mammoscope_storage::runs::history_files::ReferenceHistory;

const EPOCHS: u32 = 14;

/// A run of epochs of 100 steps, each reported with the mean of its epoch, with one bad step, and without a better
/// validation loss after epoch 3.
fn plain_run() -> Vec<RunEvent> {
    let mut events = events();
    events.truncate(2);
    let start = events[0].time;
    for epoch in 1..=EPOCHS {
        let mut sum = 0.0;
        for within in 1..=STEPS_PER_EPOCH {
            let step = u64::from(epoch - 1) * STEPS_PER_EPOCH + within;
            sum += if step == 470 { 9.0 } else { 1.0 + (step * 7919 % 101) as f64 / 1000.0 };
            let kind = RunEventKind::StepReported(StepReport {
                epoch,
                step,
                loss: sum / within as f64,
                accuracy: 0.5,
                learning_rate: 0.01,
                gradient_norm: 1.0,
                images_per_s: 30.0,
            });
            events.push(RunEvent { time: start + TimeDelta::seconds(step as i64), kind });
        }
        let step = u64::from(epoch) * STEPS_PER_EPOCH;
        let time = start + TimeDelta::seconds(step as i64);
        let accuracy = 0.4 + if epoch == 3 { 0.2 } else { 0.01 * f64::from(epoch) };
        let kind = RunEventKind::EpochEnded(EpochRecord {
            metrics: EpochMetrics {
                epoch,
                step,
                train_loss: 1.0,
                train_accuracy: 0.5,
                val_loss: Some(if epoch < 3 { 2.0 } else { 1.25 }),
                val_accuracy: Some(accuracy),
                val_kappa: None,
                learning_rate: 0.01,
            },
            seconds: 100.0,
        });
        events.push(RunEvent { time, kind });
        if epoch == 1 || epoch == 3 {
            let (kind, file) = (CheckpointKind::Best, format!("best-{epoch:03}.safetensors"));
            let kind =
                RunEventKind::CheckpointSaved(SavedCheckpoint { epoch, step, kind, file, value: Some(accuracy) });
            events.push(RunEvent { time, kind });
        }
    }
    events
}

fn app_with_plain_run() -> App {
    let mut app = app_with_runs();
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update_of(&plain_run())) });
    app
}

#[test]
fn a_spike_and_a_plateau_are_marked_listed_and_visited() {
    let mut app = app_with_plain_run();
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains('▲') && screen.contains('═'), "{screen}");
    press(&mut app, &[Key::Char('!')]);
    assert!(notice(&app).starts_with("step 470: spike: loss 9.0"), "{}", notice(&app));
    assert_eq!(app.screens.runs.cursor, Some(470.0));
    press(&mut app, &[Key::Char('!')]);
    assert_eq!(notice(&app), "step 1300: plateau: val loss not below 1.2500 in 10 epochs");
    assert!(drawn(&mut app, (120, 40)).contains("! plateau: val loss"), "listed among the events");
}

#[test]
fn findings_in_replaced_steps_are_dropped() {
    let mut curves = RunCurves::default();
    let found = |curves: &RunCurves| -> Vec<u64> {
        let notes = curves.notes.iter().filter(|note| !matches!(note.kind, NoteKind::Event(_)));
        notes.map(|note| note.step).collect()
    };
    // The run grows in two parts.
    let whole = update_of(&plain_run());
    let mut first = update_of(&plain_run());
    first.steps.truncate(469);
    curves.apply(first);
    let mut rest = update_of(&plain_run());
    (rest.valid_below, rest.is_restart) = (u64::MAX, false);
    rest.notes.clear();
    rest.steps.drain(..469);
    curves.apply(rest);
    assert_eq!(found(&curves), [470, 1300]);
    // The run is resumed at step 400 and passes step 470 without a spike.
    let mut again = whole;
    (again.valid_below, again.is_restart) = (again.steps[400].step, false);
    again.notes.clear();
    again.steps.drain(..400);
    again.steps.truncate(60);
    std::sync::Arc::make_mut(&mut again.summary.records).truncate(4);
    curves.apply(again);
    assert_eq!(found(&curves), Vec::<u64>::new());
}

#[test]
fn with_a_cursor_the_evaluated_checkpoint_is_reported() {
    let mut app = app_with_runs();
    let mut events = plain_run();
    let split = mammoscope_domain::subject::split::Split::Test;
    let kind = RunEventKind::Evaluated(SplitEvaluation { split, images: 100, accuracy: 0.6, kappa_linear: None });
    events.push(RunEvent { time: fixed_time(), kind });
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update_of(&events)) });
    app.screens.runs.cursor = Some(110.0);
    press(&mut app, &[Key::Enter]);
    assert_eq!(app.screen, crate::tui::protocol::screen_id::ScreenId::Evaluate);
    assert_eq!(
        notice(&app),
        "nearest to the cursor: epoch 1, val accuracy 0.410; the evaluation is that of the best: epoch 3, val accuracy 0.600"
    );
    press(&mut app, &[Key::Char('3')]);
    app.screens.runs.cursor = Some(1000.0);
    press(&mut app, &[Key::Enter]);
    assert!(notice(&app).ends_with("the best: epoch 3, val accuracy 0.600"), "{}", notice(&app));
}

#[test]
fn a_reference_is_drawn_as_a_whole_over_steps_and_epochs() {
    let mut app = app_with_plain_run();
    let series = |first: f64| (1..=40).map(|epoch| first / f64::from(epoch)).collect::<Vec<f64>>();
    let history = ReferenceHistory {
        loss_train: series(2.0),
        acc_train: series(0.9),
        loss_val: series(3.0),
        acc_val: series(0.8),
    };
    send(&mut app, RunsMessage::Reference { folder: "/seed".into(), outcome: Ok(history) });
    assert_eq!(app.screens.runs.range(), (0.0, 4000.0), "its forty epochs, of which the run has done fourteen");
    let screen = drawn(&mut app, (120, 40));
    assert_eq!(screen.matches("─• reference ").count(), 1, "{screen}");
    assert_drawn!("reference", &mut app);
    press(&mut app, &[Key::Char('F')]);
    assert_eq!(app.screens.runs.range(), (1050.0, 1400.0), "the tail is that of the run");
    press(&mut app, &[Key::Char('0'), Key::Char('X')]);
    assert_eq!(app.screens.runs.range(), (0.0, 40.0), "epochs");
    press(&mut app, &[Key::Char('X')]);
    assert_eq!(app.screens.runs.range(), (0.0, 1400.0), "the times of its epochs are unknown");
    assert!(!drawn(&mut app, (120, 40)).contains("reference"), "the legend names only what is drawn");
}

#[test]
fn smoothing_restarts_after_replaced_steps() {
    let mut curves = RunCurves::default();
    curves.set_smoothing(0.9);
    curves.apply(update_of(&events()));
    let whole = curves.smooth(Metric::Accuracy).unwrap().values().to_vec();
    let mut again = update_of(&events());
    again.valid_below = again.steps[120].step;
    again.steps.drain(..120);
    curves.apply(again);
    let same = |one: &[f32], other: &[f32]| one.iter().zip(other).all(|(a, b)| a.to_bits() == b.to_bits());
    assert!(same(curves.smooth(Metric::Accuracy).unwrap().values(), &whole));
    assert_eq!(curves.raw(Metric::Loss).gaps().first(), Some(&(99..100)));
}
