//! Studies in the list: opened and closed, with their progress and ranking.

use super::*;
use mammoscope_domain::study::study_member::StudyMember;

fn of_study(name: &str, point: u32, state: RunPhase, best: f64) -> RunRow {
    let mut row = row(name, View::CcR, state, 2, TrainerEvidence::Alive);
    let rate = if point == 1 { "0.01" } else { "0.03" };
    let member = StudyMember {
        id: "2026-11-23T10-15-02_modern_7f3a".to_owned(),
        point,
        values: [("learning_rate".to_owned(), rate.to_owned())].into(),
        repetition: 1,
        fold: Some(if name.ends_with('1') { 1 } else { 2 }),
    };
    std::sync::Arc::make_mut(row.spec.as_mut().unwrap()).study = Some(member);
    row.status.as_mut().unwrap().best.as_mut().unwrap().value = best;
    row
}

/// A study of four runs between two others.
fn app_with_study() -> App {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('3')]);
    let mut listed = rows()[..1].to_vec();
    listed.extend([
        of_study("s_p1-fold1", 1, RunPhase::Completed, 0.61),
        of_study("s_p1-fold2", 1, RunPhase::Completed, 0.63),
        of_study("s_p2-fold1", 2, RunPhase::Completed, 0.71),
        of_study("s_p2-fold2", 2, RunPhase::Running, 0.75),
    ]);
    listed.push(rows()[3].clone());
    send(&mut app, RunsMessage::Listed(Ok(listed)));
    app
}

#[test]
fn a_study_is_one_line_until_it_is_opened() {
    let mut app = app_with_study();
    assert_eq!(app.screens.runs.picker.shown.len(), 3);
    let effects = press(&mut app, &[Key::Down]);
    assert_eq!(
        effects,
        [Effect::Runs(RunsEffect::Follow(vec![run_dir("s_p2-fold2")]))],
        "the curves are those of the run that is being trained"
    );
    assert_drawn!("study", &mut app);
    press(&mut app, &[Key::Enter, Key::Down, Key::Down, Key::Down]);
    assert_eq!(app.screens.runs.picker.shown.len(), 7);
    assert_eq!(app.screens.runs.chosen, Some(run_dir("s_p2-fold1")));
    assert_drawn!("open_study", &mut app);
    press(&mut app, &[Key::Up, Key::Up, Key::Up, Key::Enter]);
    assert_eq!(app.screens.runs.picker.shown.len(), 3, "the same key closes it");
}

#[test]
fn the_selected_study_survives_a_restart_and_a_new_list() {
    let mut app = app_with_study();
    press(&mut app, &[Key::Down]);
    let saved = serde_json::to_string(&app.screens.runs.view_state()).unwrap();
    let mut restarted = fresh_app();
    restarted.screens.runs = RunsScreen::new(serde_json::from_str(&saved).unwrap());
    press(&mut restarted, &[Key::Char('3')]);
    send(&mut restarted, RunsMessage::Listed(Ok(app.shared.runs.rows.clone())));
    assert!(restarted.screens.runs.chosen_folder(&restarted.shared).is_some());

    // The run on screen ends: the study shows the one that ended last, and stays selected.
    let mut ended = of_study("s_p2-fold2", 2, RunPhase::Completed, 0.75);
    ended.status.as_mut().unwrap().updated -= TimeDelta::seconds(60);
    send(&mut app, RunsMessage::Changed(vec![ended]));
    assert!(app.screens.runs.chosen_folder(&app.shared).is_some());
    assert_ne!(app.screens.runs.chosen, Some(run_dir("s_p2-fold2")));
}

#[test]
fn a_filter_shows_the_runs_of_studies_that_match() {
    let mut app = app_with_study();
    press(&mut app, &[Key::Char('/')]);
    type_text(&mut app, "modern fold1");
    let shown = &app.screens.runs.picker.shown;
    assert_eq!(shown.iter().filter_map(ListLine::row).collect::<Vec<_>>(), [1, 3]);
    assert!(matches!(shown[0], ListLine::Folder { .. }));
}

#[test]
fn a_run_that_was_just_started_is_shown_although_its_study_is_closed() {
    let mut app = app_with_study();
    let App { screens, shared, .. } = &mut app;
    screens.runs.select(&run_dir("s_p1-fold2"), shared);
    assert_eq!(screens.runs.chosen_row(shared).map(|row| row.run.clone()), Some(run_dir("s_p1-fold2")));
}

#[test]
fn a_study_is_resumed_and_stopped_as_a_whole() {
    let mut app = app_with_study();
    let failed = of_study("s_p1-fold1", 1, RunPhase::Failed, 0.61);
    send(&mut app, RunsMessage::Changed(vec![failed]));
    press(&mut app, &[Key::Down, Key::Char('x')]);
    assert_drawn!("study_menu", &mut app);
    let effects = press(&mut app, &[Key::Char('r')]);
    let study = "2026-11-23T10-15-02_modern_7f3a".to_owned();
    assert_eq!(effects, [Effect::Runs(RunsEffect::ResumeStudy { study, runs: vec![run_dir("s_p1-fold1")] })]);
    press(&mut app, &[Key::Char('x'), Key::Char('s')]);
    let question = drawn(&mut app, (80, 24));
    assert!(question.contains("stop 1 run of the study modern?"), "{question}");
    let effects = press(&mut app, &[Key::Char('y')]);
    let run = run_dir("s_p2-fold2");
    assert!(effects.contains(&Effect::Runs(RunsEffect::Ask { run, verb: RequestVerb::Stop })), "{effects:?}");
}
