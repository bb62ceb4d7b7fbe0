//! Sections, cloned settings, and the last runs with the data set.

use super::*;
use crate::tui::protocol::train::{ClonedRun, RunSplits, TableState};
use mammoscope_domain::run::run_spec::RunSpec;

fn cloned(run: &RunDir, spec: &RunSpec) -> ClonedRun {
    ClonedRun { run: run.clone(), spec: spec.clone().into() }
}

/// A form cloned from a run that took its splits from a table.
fn with_table(state: TableState) -> App {
    let mut app = app();
    let run = RunDir::new("/ws/runs/one");
    let phase = mammoscope_domain::run::run_status::RunPhase::Completed;
    let row = crate::tui::screens::evaluate::tests::fixture::row(run.clone(), "modern", 9, View::CcR, phase);
    let spec = row.spec.unwrap();
    app.navigate(Destination::NewTraining { data: spec.data.clone(), like: Some(cloned(&run, &spec)) });
    let splits = RunSplits { run: run.path().to_owned(), file: "folds.csv".to_owned(), fold: Some(2), state };
    let effects = send(&mut app, TrainMessage::SplitsRead { run, outcome: Ok(SplitChoice::OfRun(splits.clone())) });
    let [Effect::Train(TrainEffect::Scan { request, data: requested })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(requested.splits, SplitChoice::OfRun(splits));
    let mut summary = data(&[View::CcR]);
    summary.source = SplitSource::File;
    send(&mut app, TrainMessage::Scanned { request: *request, outcome: Ok(summary) });
    app
}

#[test]
fn a_clone_has_the_splits_of_the_run_and_says_what_became_of_their_table() {
    let mut app = with_table(TableState::Unchanged);
    assert!(drawn(&mut app, (80, 24)).contains("folds.csv, fold 2, as in the run"));
    let app = with_table(TableState::Changed);
    let notice = "folds.csv has changed since the run; the form uses the splits that the run recorded";
    assert_eq!(
        app.notice.as_ref().map(|(_, notice)| (notice.text.as_str(), notice.tone)),
        Some((notice, Tone::Warning))
    );
    let mut app = with_table(TableState::NotFound);
    press(&mut app, &[Key::Down, Key::Down]);
    insta::assert_snapshot!("cloned_splits_80x24", drawn(&mut app, (80, 24)));
    insta::assert_snapshot!("cloned_splits_120x40", drawn(&mut app, (120, 40)));
    // Other splits can be chosen, and those of the run again.
    let of_run = app.screens.train.form.splits.clone();
    press(&mut app, &[Key::Right]);
    assert_eq!(app.screens.train.form.splits, SplitChoice::OwnOrDrawn);
    press(&mut app, &[Key::Left]);
    assert_eq!(app.screens.train.form.splits, of_run);
    let saved = app.screens.train.view_state();
    assert_eq!(TrainScreen::new(saved).form.splits, of_run, "also in the next session");
    app.navigate(Destination::NewTraining { data: "/data/other".into(), like: None });
    assert_eq!(app.screens.train.form.splits, SplitChoice::OwnOrDrawn, "another data set has other subjects");
}

#[test]
fn the_settings_of_a_run_are_cloned() {
    let mut app = app();
    let run = RunDir::create(tempfile::tempdir().unwrap().path().join("run")).unwrap();
    let mut spec = (*crate::tui::screens::evaluate::tests::fixture::row(
        run.clone(),
        "modern",
        9,
        View::MloL,
        mammoscope_domain::run::run_status::RunPhase::Completed,
    )
    .spec
    .unwrap())
    .clone();
    spec.config.epochs = 7;
    let destination = Destination::NewTraining { data: spec.data.clone(), like: Some(cloned(&run, &spec)) };
    let effects = app.navigate(destination);
    assert!(effects.contains(&Effect::Train(TrainEffect::ReadSplits(cloned(&run, &spec)))), "{effects:?}");
    assert!(app.screens.train.obstacle().is_some(), "its splits are not known yet");
    let effects = send(&mut app, TrainMessage::SplitsRead { run: run.clone(), outcome: Ok(SplitChoice::OwnOrDrawn) });
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Train(TrainEffect::Scan { .. }))), "{effects:?}");
    let form = &app.screens.train.form;
    assert_eq!((&form.config, form.preset.name.as_str()), (&spec.config, "modern"));
    assert_eq!(form.selection(), ViewSelection::Only(vec![View::MloL]));
    assert_eq!(form.changes(), BTreeMap::from([("epochs".to_owned(), "7".to_owned())]));
    assert_drawn!("cloned", &mut app);
}

#[test]
fn sections_open_close_and_show_what_is_changed() {
    let mut app = with_data(&View::ALL);
    assert_drawn!("folded", &mut app);
    let section = |app: &App| app.screens.train.section();
    while section(&app) != Some("optimiser") {
        press(&mut app, &[Key::Down]);
    }
    press(&mut app, &[Key::Enter, Key::Down]);
    assert_eq!(app.screens.train.field().map(Field::name), Some("batch_size"));
    typed(&mut app, "16");
    press(&mut app, &[Key::Enter, Key::Up, Key::Left]);
    assert_eq!(section(&app), Some("optimiser"), "closed by the left arrow");
    assert_drawn!("one_changed", &mut app);
    let text = drawn(&mut app, (120, 40));
    assert!(
        text.contains("6 settings, 1 changed") && text.contains("16 images") && !text.contains("1 batch"),
        "{text}"
    );
    press(&mut app, &[Key::Right]);
    assert!(drawn(&mut app, (120, 40)).contains("1 batch "));
    press(&mut app, &[Key::Down, Key::Down]);
    assert_drawn!("unfolded", &mut app);
    assert_eq!(app.screens.train.view_state().open.len(), 1, "saved");
}

#[test]
fn the_last_runs_with_the_data_set_are_shown_with_their_losses() {
    let mut app = with_estimate();
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path().join("run")).unwrap();
    let phase = mammoscope_domain::run::run_status::RunPhase::Completed;
    let mut row = crate::tui::screens::evaluate::tests::fixture::row(run.clone(), "modern", 9, View::CcR, phase);
    let mut spec = (*row.spec.unwrap()).clone();
    spec.data = "/home/sam/density".into();
    row.spec = Some(spec.into());
    app.shared.runs.rows = vec![row];
    let effects = tick(&mut app, 3);
    assert_eq!(effects, [Effect::Train(TrainEffect::ReadHistories(vec![run.clone()]))]);
    let validation_losses = vec![1.2, 0.9, 0.7, 0.65];
    send(&mut app, TrainMessage::Histories(vec![crate::tui::protocol::train::RunHistory { run, validation_losses }]));
    assert!(tick(&mut app, 4).is_empty(), "once is enough");
    assert_drawn!("history", &mut app);
}
