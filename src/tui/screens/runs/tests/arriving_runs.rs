//! Runs that are awaited, and a workspace that disappears.

use super::*;
use crate::tui::protocol::runs::RunsMessage;
use crate::tui::testing::empty_shared_state;
use crate::tui::view_state::ViewState;
use mammoscope_runs::control::RequestOutcome;

fn chosen_row(app: &App) -> Option<RunDir> {
    app.screens.runs.chosen_row(&app.shared).map(|row| row.run.clone())
}

#[test]
fn a_requested_run_is_shown_in_spite_of_the_filter() {
    let runs = RunsView { filter: "failed".to_owned(), ..RunsView::default() };
    let mut app = App::new(empty_shared_state(), ViewState { runs, ..ViewState::default() });
    let effects = app.navigate(Destination::Run(run_dir("b_MLO_R")));
    assert!(effects.contains(&Effect::Runs(RunsEffect::Follow(vec![run_dir("b_MLO_R")]))), "{effects:?}");
    send(&mut app, RunsMessage::Listed(Ok(rows())));
    assert_eq!(chosen_row(&app), Some(run_dir("b_MLO_R")));
    assert_eq!(app.screens.runs.picker.filter.text(), "", "it would hide the run");

    // A filter that matches it stays.
    let runs = RunsView { filter: "mlo".to_owned(), ..RunsView::default() };
    let mut app = App::new(empty_shared_state(), ViewState { runs, ..ViewState::default() });
    app.navigate(Destination::Run(run_dir("b_MLO_R")));
    send(&mut app, RunsMessage::Listed(Ok(rows())));
    assert_eq!((chosen_row(&app), app.screens.runs.picker.filter.text()), (Some(run_dir("b_MLO_R")), "mlo"));
}

#[test]
fn a_run_that_was_just_started_is_awaited() {
    let mut app = app_with_runs();
    let new = row("z_CC_R", View::CcR, RunPhase::Queued, 0, TrainerEvidence::Alive);
    app.navigate(Destination::Run(new.run.clone()));
    assert_eq!(send(&mut app, RunsMessage::Listed(Ok(rows()))), [], "it stays followed");
    assert!(drawn(&mut app, (120, 40)).contains("z_CC_R is not listed yet"));
    press(&mut app, &[Key::Char('x'), Key::Char('p')]);
    assert!(app.screens.runs.requests.verbs.is_empty(), "no other run gets the request");
    let mut more = rows();
    more.insert(3, new.clone());
    send(&mut app, RunsMessage::Listed(Ok(more)));
    assert_eq!(chosen_row(&app), Some(new.run.clone()));

    let mut app = app_with_runs();
    app.navigate(Destination::Run(new.run));
    press(&mut app, &[Key::Down]);
    assert_eq!(chosen_row(&app), Some(run_dir("a_CC_L")), "moving on ends the wait");
}

#[test]
fn the_selected_run_stays_selected_while_only_the_newest_are_listed() {
    let runs = RunsView { chosen: Some(run_dir("e_CC_R").path().to_owned()), ..RunsView::default() };
    let mut app = App::new(empty_shared_state(), ViewState { runs, ..ViewState::default() });
    press(&mut app, &[Key::Char('3')]);
    send(&mut app, RunsMessage::Newest(rows()[..2].to_vec()));
    assert_eq!((chosen_row(&app), app.screens.runs.picker.shown.len()), (None, 2));
    assert!(drawn(&mut app, (80, 24)).contains("2 so far"));
    send(&mut app, RunsMessage::Listed(Ok(rows())));
    assert_eq!(chosen_row(&app), Some(run_dir("e_CC_R")));
    assert!(drawn(&mut app, (80, 24)).contains("6 of 6"));
}

#[test]
fn a_run_of_another_workspace_is_reported() {
    let mut app = fresh_app();
    app.navigate(Destination::Run(RunDir::new("/elsewhere/runs/x_CC_R")));
    let effects = send(&mut app, RunsMessage::Listed(Ok(rows())));
    assert_eq!(effects, [Effect::Runs(RunsEffect::Follow(vec![run_dir("a_CC_R")]))]);
    assert_eq!(notice(&app), "x_CC_R is not a run of the workspace /density/workspace");
}

#[test]
fn a_missing_workspace_is_reported_and_its_runs_stay_listed() {
    let mut app = app_with_runs();
    send(&mut app, RunsMessage::Listed(Err("read /density: stale file handle".into())));
    assert_eq!(notice(&app), "the runs cannot be listed: read /density: stale file handle");
    assert!(drawn(&mut app, (80, 24)).contains("Runs (outdated)"));
    send(&mut app, RunsMessage::Listed(Ok(rows())));
    assert!(!drawn(&mut app, (80, 24)).contains("outdated"));
}

#[test]
fn a_request_is_shown_until_it_is_answered() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Char('x'), Key::Char('s')]);
    assert!(app.screens.runs.requests.verbs.is_empty(), "not confirmed yet");
    press(&mut app, &[Key::Char('y')]);
    assert!(drawn(&mut app, (120, 40)).contains("stop requested, not answered yet"));
    let answer = Ok(RequestOutcome::Written(" → acknowledged at step 1004".to_owned()));
    send(&mut app, RunsMessage::Answered { run: run_dir("a_CC_R"), verb: RequestVerb::Stop, answer });
    assert!(!drawn(&mut app, (120, 40)).contains("not answered yet"));
}

#[test]
fn menu_and_question_respond_to_the_mouse() {
    let mut app = app_with_runs();
    let click = |app: &mut App, text: &str| {
        let screen = drawn(app, (120, 40));
        let (row, line) = screen
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(text))
            .unwrap_or_else(|| panic!("no {text}: {screen}"));
        let column = line[..line.find(text).unwrap()].chars().count();
        let mouse = Mouse { kind: MouseKind::Press, column: column as u16, row: row as u16 };
        app.update(UiMessage::Input(Input::Mouse(mouse)), fixed_time())
    };
    press(&mut app, &[Key::Char('x')]);
    let pause = RunsEffect::Ask { run: run_dir("a_CC_R"), verb: RequestVerb::Pause };
    assert_eq!(click(&mut app, "p  pause"), [Effect::Runs(pause)]);
    press(&mut app, &[Key::Char('x')]);
    click(&mut app, "1 of 6");
    assert!(app.screens.runs.menu.is_none(), "a click elsewhere closes it");
    press(&mut app, &[Key::Char('x')]);
    assert_eq!(click(&mut app, "s  stop now"), []);
    assert_eq!(click(&mut app, "It finishes its step"), [], "no answer");
    let stop = RunsEffect::Ask { run: run_dir("a_CC_R"), verb: RequestVerb::Stop };
    assert_eq!(click(&mut app, "y stop"), [Effect::Runs(stop)]);
    press(&mut app, &[Key::Char('x')]);
    click(&mut app, "s  stop now");
    assert_eq!(click(&mut app, "Esc cancel"), []);
    assert!(app.popups.is_empty());
}
