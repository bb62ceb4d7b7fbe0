//! The list as a table: groups, order, small curves and labels.

use super::super::columns::Column;
use super::*;
use crate::tui::protocol::runs::RunSketch;
use mammoscope_domain::run::run_labels::RunLabels;

/// The four views of a group named `demo`, and two runs alone.
fn app_with_group() -> App {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('3')]);
    send(&mut app, RunsMessage::Listed(Ok(grouped_rows())));
    app
}

fn grouped_rows() -> Vec<RunRow> {
    use TrainerEvidence::{Alive, Gone};
    let of_group = |view: View, state, best: f64| {
        let name = format!("2026-11-18T10-15-02_{}_demo", view.name());
        let mut row = row(&name, view, state, 2, if state == RunPhase::Running { Alive } else { Gone });
        std::sync::Arc::make_mut(row.spec.as_mut().unwrap()).group = "2026-11-18T10-15-02_demo_7f3a".to_owned();
        row.status.as_mut().unwrap().best.as_mut().unwrap().value = best;
        row
    };
    let mut rows = vec![
        of_group(View::CcR, RunPhase::Completed, 0.71),
        of_group(View::CcL, RunPhase::Running, 0.82),
        of_group(View::MloR, RunPhase::Queued, 0.64),
        of_group(View::MloL, RunPhase::Failed, 0.55),
    ];
    let mut alone = row("2026-11-17T08-00-00_CC_R_by-hand", View::CcR, RunPhase::Completed, 90, Gone);
    alone.status.as_mut().unwrap().best = Some(BestEpoch { metric: "val_loss".to_owned(), value: 0.431, epoch: 9 });
    let labels = RunLabels {
        name: Some("the good one".to_owned()),
        tags: ["paper".to_owned(), "long".to_owned()].into(),
        note: "see Table 2".to_owned(),
    };
    alone.labels = Some(labels.into());
    rows.push(alone);
    rows.push(row("2026-11-16T08-00-00_MLO_L_seed", View::MloL, RunPhase::Stopped, 90, Gone));
    rows
}

fn shown_runs(app: &App) -> Vec<String> {
    let rows = app.screens.runs.picker.shown.iter().filter_map(ListLine::row);
    rows.map(|row| crate::tui::protocol::run_names::title(&app.shared.runs.rows[row])).collect()
}

#[test]
fn a_group_is_drawn_together_and_folds() {
    let mut app = app_with_group();
    for (at, run) in grouped_rows().iter().enumerate() {
        let losses = (0..20).map(|epoch| 2.0 / (1.0 + epoch as f32 * (at + 1) as f32 / 8.0)).collect();
        send(&mut app, RunsMessage::Sketched { run: run.run.clone(), sketch: RunSketch { losses } });
    }
    press(&mut app, &[Key::Down]);
    assert_drawn!("group", &mut app);
    press(&mut app, &[Key::Home]);
    assert_drawn!("group_selected", &mut app);
    assert!(drawn(&mut app, (120, 40)).contains("group demo"), "its details");
    press(&mut app, &[Key::Char(' ')]);
    assert!(drawn(&mut app, (120, 40)).contains("only runs can be marked; open the group or study"));
    press(&mut app, &[Key::Enter]);
    assert_eq!(shown_runs(&app), ["CC_R the good one", "MLO_L seed"]);
    let view = app.screens.runs.view_state();
    let mut again = fresh_app();
    again.screens.runs = RunsScreen::new(view);
    press(&mut again, &[Key::Char('3')]);
    send(&mut again, RunsMessage::Listed(Ok(grouped_rows())));
    assert_eq!(shown_runs(&again).len(), 2, "it stays closed");
    press(&mut app, &[Key::Enter]);
    assert_eq!(shown_runs(&app).len(), 6);
}

#[test]
fn runs_are_sorted_by_columns_and_metrics_are_not_mixed() {
    let mut app = app_with_group();
    let screen = &mut app.screens.runs;
    screen.update(RunsAction::NextSort, &app.shared);
    let best = ["CC_L demo", "CC_R demo", "MLO_R demo", "MLO_L seed", "MLO_L demo", "CC_R the good one"];
    assert_eq!(shown_runs(&app), best, "accuracies, then losses");
    assert!(drawn(&mut app, (120, 40)).contains("best▼"));
    app.screens.runs.update(RunsAction::ReverseSort, &app.shared);
    assert_eq!(shown_runs(&app)[0], "CC_R the good one");
    assert!(drawn(&mut app, (120, 40)).contains("best▲"));
    app.screens.runs.update(RunsAction::NextSort, &app.shared);
    assert_eq!(shown_runs(&app)[..2], ["CC_L demo", "CC_R demo"], "names");
    app.screens.runs.update(RunsAction::NextSort, &app.shared);
    assert_eq!(shown_runs(&app)[0], "CC_L demo", "the running one");
    for _ in 0..3 {
        app.screens.runs.update(RunsAction::NextSort, &app.shared);
    }
    assert_eq!(app.screens.runs.view.sort, Column::Tags);
    assert_eq!(shown_runs(&app)[0], "CC_R the good one");
    app.screens.runs.update(RunsAction::ReverseSort, &app.shared);
    assert_eq!(shown_runs(&app)[0], "CC_R the good one", "runs without tags come last in either order");
    // A new value moves its run, and the cursor stays on the selected one.
    app.screens.runs.view.sort = Column::Best;
    app.screens.runs.view.reversed = false;
    let mut changed = grouped_rows()[3].clone();
    changed.status.as_mut().unwrap().best.as_mut().unwrap().value = 0.99;
    send(&mut app, RunsMessage::Changed(vec![changed]));
    assert_eq!(shown_runs(&app)[0], "MLO_L demo");
}

#[test]
fn only_the_curves_of_runs_on_screen_are_read_and_again_when_they_grow() {
    let mut app = app_with_group();
    drawn(&mut app, (120, 40));
    let sketch = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Runs(RunsEffect::Sketch(runs)) => Some(runs.len()),
            _ => None,
        })
    };
    assert_eq!(sketch(app.after_draw()), Some(6));
    drawn(&mut app, (120, 40));
    assert_eq!(sketch(app.after_draw()), None, "once");
    let mut grown = grouped_rows()[1].clone();
    grown.status.as_mut().unwrap().epoch = 11;
    send(&mut app, RunsMessage::Changed(vec![grown]));
    drawn(&mut app, (120, 40));
    assert_eq!(sketch(app.after_draw()), Some(1));
    let mut many = fresh_app();
    press(&mut many, &[Key::Char('3')]);
    let rows = (0..10_000)
        .map(|number| row(&format!("run{number:05}"), View::CcR, RunPhase::Completed, 2, TrainerEvidence::Gone));
    send(&mut many, RunsMessage::Listed(Ok(rows.collect())));
    drawn(&mut many, (120, 40));
    assert!(sketch(many.after_draw()).is_some_and(|count| count < 40));
}

#[test]
fn labels_are_edited_in_a_form_and_found_by_the_filter() {
    let mut app = app_with_group();
    press(&mut app, &[Key::End]);
    app.screens.runs.update(RunsAction::Label, &app.shared);
    type_text(&mut app, "final");
    press(&mut app, &[Key::Tab]);
    type_text(&mut app, "paper a=b");
    assert_eq!(press(&mut app, &[Key::Enter]), [], "refused");
    assert_drawn!("label_form", &mut app);
    (0..4).for_each(|_| drop(press(&mut app, &[Key::Backspace])));
    press(&mut app, &[Key::Tab]);
    type_text(&mut app, "q is typed, too");
    assert_drawn!("note", &mut app);
    let labels = RunLabels {
        name: Some("final".to_owned()),
        tags: ["paper".to_owned()].into(),
        note: "q is typed, too".to_owned(),
    };
    let run = grouped_rows()[5].run.clone();
    let effects = press(&mut app, &[Key::Enter]);
    assert_eq!(effects, [Effect::Runs(RunsEffect::Label { run: run.clone(), labels: labels.clone() })]);
    send(&mut app, RunsMessage::Labelled { run: run.clone(), outcome: Ok(labels) });
    assert!(drawn(&mut app, (120, 40)).contains("MLO_L final"));
    press(&mut app, &[Key::Char('/')]);
    type_text(&mut app, "paper");
    assert_eq!(shown_runs(&app), ["CC_R the good one", "MLO_L final"]);
    press(&mut app, &[Key::Escape, Key::Escape]);
    let refused = Err("the run is read-only: Permission denied".into());
    send(&mut app, RunsMessage::Labelled { run, outcome: refused });
    assert_eq!(notice(&app), "the run is read-only: Permission denied");
}
