//! Charts and columns that are chosen, the machine's load, exports, and the settings of a run.

use super::super::columns::Column;
use super::*;
use crate::tui::protocol::screen_id::ScreenId;
use mammoscope_domain::run::machine_record::{GpuRecord, MachineRecord};
use mammoscope_domain::run::run_records::{BatchSplit, DataMove};
use mammoscope_domain::training::step_batches::StepBatches;
use mammoscope_domain::training::training_changes::SettingChange;

/// A run of ten epochs on a GPU.
fn app_with_machine() -> App {
    let mut app = app_with_runs();
    let mut update = update_of(&events());
    let record = |at: u64| MachineRecord {
        time: fixed_time() - TimeDelta::seconds(1100) + TimeDelta::seconds(at as i64 * 10),
        step: at * 10,
        cpu: Some(12 + (at % 5) as u32),
        memory: Some(31_000_000_000 + at * 1_000_000),
        gpus: vec![GpuRecord {
            index: 0,
            name: "H200".to_owned(),
            busy: Some(90 + (at % 9) as u32),
            memory: Some(61_000_000_000),
            watts: Some(640),
            celsius: Some(60 + (at / 20) as u32),
        }],
    };
    update.machine = (0..=100).map(record).collect();
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update) });
    app
}

#[test]
fn one_chart_is_shown_alone_and_the_others_are_reached_from_it() {
    let mut app = app_with_machine();
    drawn(&mut app, (120, 40));
    press(&mut app, &[Key::Char(']'), Key::Char('f')]);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("╭ accuracy") && !screen.contains("loss ─") && !screen.contains("╭ Runs"), "{screen}");
    press(&mut app, &[Key::Char(']'), Key::Char(']'), Key::Char(']'), Key::Char(']')]);
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("╭ GPU %"), "{screen}");
    assert_drawn!("alone", &mut app);
    press(&mut app, &[Key::Char('['), Key::Char('['), Key::Left]);
    assert!(drawn(&mut app, (120, 40)).contains("images/s"), "the cursor moves there too");
    press(&mut app, &[Key::Escape]);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("╭ Runs") && screen.contains("╭ loss"), "{screen}");
    // All that there is room for.
    let screen = drawn(&mut app, (200, 55));
    assert!(screen.contains("GPU memory GB") && screen.contains("GPU %"), "{screen}");
}

#[test]
fn metrics_and_columns_are_chosen_and_stay_chosen() {
    let mut app = app_with_machine();
    press(&mut app, &[Key::Char('m')]);
    assert_drawn!("metrics", &mut app);
    // All but the last three.
    for _ in 0..7 {
        press(&mut app, &[Key::Char(' '), Key::Down]);
    }
    press(&mut app, &[Key::Escape]);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("╭ CPU %") && screen.contains("╭ memory GB") && !screen.contains("╭ accuracy"), "{screen}");
    press(&mut app, &[Key::Char('|'), Key::Down, Key::Down, Key::Char(' ')]);
    assert_drawn!("columns", &mut app);
    assert_eq!(press(&mut app, &[Key::Escape]), [Effect::SaveView]);
    assert!(!drawn(&mut app, (120, 40)).contains("acc 0.640↑"));
    let saved = serde_json::to_string(&app.screens.runs.view_state()).unwrap();
    let again = RunsScreen::new(serde_json::from_str(&saved).unwrap());
    assert_eq!(again.view.metrics, [Metric::GpuTemperature, Metric::Cpu, Metric::Memory]);
    assert!(!again.view.columns.contains(&Column::Best));
    // One chart stays.
    press(&mut app, &[Key::Char('m'), Key::End]);
    for _ in 0..10 {
        press(&mut app, &[Key::Char(' '), Key::Down]);
    }
    assert_eq!(app.screens.runs.view.metrics.len(), 7);
}

#[test]
fn the_load_after_a_checkpoint_is_void_when_the_run_is_resumed_from_it() {
    let mut curves = RunCurves::default();
    let record =
        |step| MachineRecord { time: fixed_time(), step, cpu: Some(step as u32), memory: None, gpus: Vec::new() };
    let mut update = update_of(&events());
    update.machine = vec![record(100), record(200), record(300), record(150)];
    curves.apply(update);
    assert_eq!(curves.raw(Metric::Cpu).values(), [100.0, 150.0]);
    assert!(!curves.has(Metric::GpuUse), "no GPU, no chart");
    let mut update = update_of(&events());
    (update.machine, update.is_machine_restart) = (vec![record(7)], true);
    curves.apply(update);
    assert_eq!(curves.raw(Metric::Cpu).values(), [7.0]);
}

#[test]
fn the_list_and_a_chart_are_exported() {
    let mut app = app_with_runs();
    drawn(&mut app, (120, 40));
    let effects = press(&mut app, &[Key::Char('E')]);
    assert!(matches!(&effects[..], [Effect::Runs(RunsEffect::ExportTable(rows))] if rows.len() == 6), "{effects:?}");
    press(&mut app, &[Key::Char(']')]);
    let effects = press(&mut app, &[Key::Char('E')]);
    let [Effect::Runs(RunsEffect::ExportCurves { metric, curves })] = &effects[..] else { panic!("{effects:?}") };
    let names: Vec<&str> = curves.iter().map(|curve| curve.metric.as_str()).collect();
    assert_eq!((metric.as_str(), names), ("accuracy", vec!["accuracy", "val accuracy"]));
    assert_eq!(curves[0].series.len(), curves[0].places[2].len());
    send(&mut app, RunsMessage::Exported { outcome: Ok("/density/workspace/exports/x.csv".into()) });
    assert_eq!(notice(&app), "written to /density/workspace/exports/x.csv");
}

#[test]
fn the_settings_of_a_run_are_shown_compared_and_used_again() {
    let mut changed = rows();
    for (at, rate) in [(0, 0.003), (1, 0.01)] {
        let spec = std::sync::Arc::make_mut(changed[at].spec.as_mut().unwrap());
        spec.config.learning_rate = rate;
        spec.config.seed = 7;
    }
    let mut app = app_with_runs();
    send(&mut app, RunsMessage::Listed(Ok(changed)));
    drawn(&mut app, (120, 40));
    press(&mut app, &[Key::Char('i'), Key::Char('i')]);
    assert_drawn!("configuration", &mut app);
    press(&mut app, &[Key::Char('f')]);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("configuration · a_CC_R") && screen.contains("cuda:0, f32, 2 threads"), "{screen}");
    assert_drawn!("configuration_full", &mut app);
    press(&mut app, &[Key::Escape, Key::Char(' '), Key::Down, Key::Char(' ')]);
    let lines = app.screens.runs.info_lines(Lower::Configuration, &app.shared);
    let names: Vec<&str> = lines.iter().filter_map(|line| line.text.split_whitespace().next()).collect();
    assert_eq!(names, ["a", "view", "learning_rate"], "{lines:?}");
    press(&mut app, &[Key::Up, Key::Char('t')]);
    assert_eq!(app.screen, ScreenId::Train);
    let saved = serde_json::to_value(app.screens.train.view_state()).unwrap();
    assert_eq!(saved["changes"], serde_json::json!({ "learning_rate": "0.003", "seed": "7" }));
    assert_eq!((&saved["data"], &saved["views"]), (&"/data".into(), &serde_json::json!(["CC_R"])));
}

#[test]
fn changes_of_a_resumed_run_are_among_its_details() {
    let mut app = app_with_runs();
    let mut events = events();
    let change = |key: &str, from: &str, to: &str| {
        let [key, from, to] = [key, from, to].map(str::to_owned);
        RunEventKind::SettingChanged(SettingChange { key, from, to })
    };
    let moved = DataMove { from: "/data".into(), to: "/archive/data".into() };
    let kinds = [change("early_stop", "0", "30"), change("threads", "1", "2"), RunEventKind::DataMoved(moved)];
    events.extend(kinds.map(|kind| RunEvent { time: fixed_time(), kind }));
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update_of(&events)) });
    let screen = drawn(&mut app, (140, 50));
    assert!(screen.contains("changed early_stop from 0 to 30, threads from 1 to 2"), "{screen}");
    assert!(screen.contains("data moved to /archive/data"), "{screen}");
    assert!(screen.contains("changed threads from 1 to 2; from here on"), "{screen}");
    press(&mut app, &[Key::Char('i'), Key::Char('i')]);
    let screen = drawn(&mut app, (140, 50));
    assert!(screen.contains("changed since the run began") && screen.contains("0 → 30"), "{screen}");
}

#[test]
fn smaller_batches_after_gpu_memory_ran_out_are_an_event_and_among_the_details() {
    let mut app = app_with_runs();
    let mut events = events();
    let [from, to] = [(4, 1), (2, 2)].map(|(batch_size, accumulate)| StepBatches { batch_size, accumulate });
    let kind = RunEventKind::BatchSplit(BatchSplit { from_step: 1, to_step: 0, from, to });
    events.push(RunEvent { time: fixed_time(), kind });
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update_of(&events)) });
    let screen = drawn(&mut app, (200, 55));
    assert!(screen.contains("changed batch_size from 4 to 2, accumulate from 1 to 2"), "{screen}");
    assert!(screen.contains("out of GPU memory after step 1: batch_size from 4 to 2"), "{screen}");
    press(&mut app, &[Key::Char('i'), Key::Char('i')]);
    let screen = drawn(&mut app, (200, 55));
    assert!(screen.contains("changed since the run began") && screen.contains("4 → 2"), "{screen}");
}
