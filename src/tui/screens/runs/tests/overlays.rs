//! Several runs in one chart, the range that belongs to a run, and the pager.

use super::super::viewport::Viewport;
use super::*;
use crate::terminal::color_depth::ColorDepth;

/// Two runs overlaid: ten epochs, and the first seven.
fn app_with_overlay() -> App {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Char(' '), Key::Down, Key::Char(' ')]);
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_L"), update: Box::new(update_of(&events()[..150])) });
    app
}

#[test]
fn the_cursor_reads_every_run_at_its_place_and_none_beyond_its_end() {
    let mut app = app_with_overlay();
    drawn(&mut app, (120, 40));
    app.screens.runs.cursor = Some(300.0);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("step 300 b 0.9"), "{screen}");
    assert!(screen.lines().any(|line| line.contains(" a a_CC_R  loss 0.9") && line.contains("val 1.1000")), "{screen}");
    assert_drawn!("overlay_cursor", &mut app);
    // The selected run has ended before; the other one has not.
    app.screens.runs.cursor = Some(900.0);
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("step 900 b –"), "{screen}");
    assert!(screen.lines().any(|line| line.contains(" b a_CC_L  loss –")), "{screen}");
    // The keys move the cursor over the reports of both.
    press(&mut app, &[Key::Right]);
    assert!(app.screens.runs.cursor.is_some_and(|cursor| cursor > 900.0), "{:?}", app.screens.runs.cursor);
    for _ in 0..200 {
        press(&mut app, &[Key::Right]);
    }
    assert_eq!(app.screens.runs.cursor, Some(1000.0), "the end of the longer one");
}

#[test]
fn overlaid_curves_are_distinct_without_colours() {
    let mut app = app_with_overlay();
    app.shared.theme.depth = ColorDepth::None;
    insta::assert_snapshot!("overlay_without_colours_120x40", drawn(&mut app, (120, 40)));
}

#[test]
fn a_run_that_was_just_started_is_not_buried_under_overlays() {
    let mut app = app_with_overlay();
    press(&mut app, &[Key::Char('z'), Key::Char('z')]);
    app.navigate(Destination::Run(run_dir("c_CC_R")));
    assert_eq!(app.screens.runs.drawn_runs(), [run_dir("c_CC_R")]);
    assert_eq!((app.screens.runs.view.viewport, app.screens.runs.cursor), (Viewport::Whole, None));
}

#[test]
fn a_range_belongs_to_its_run_unless_several_are_compared() {
    let mut app = app_with_runs();
    drawn(&mut app, (120, 40));
    let zoom = |app: &mut App| {
        app.screens.runs.cursor = Some(500.0);
        press(app, &[Key::Char('z')]);
        assert_eq!(app.screens.runs.range(), (250.0, 750.0));
    };
    zoom(&mut app);
    press(&mut app, &[Key::Down]);
    assert_eq!(app.screens.runs.view.viewport, Viewport::Whole, "another run");
    let mut app = app_with_overlay();
    drawn(&mut app, (120, 40));
    zoom(&mut app);
    press(&mut app, &[Key::Up]);
    assert_eq!(app.screens.runs.range(), (250.0, 750.0), "the other one of the two");
    // A saved range is not applied to another run.
    let saved = RunsView { chosen: Some(run_dir("gone").path().to_owned()), ..app.screens.runs.view_state() };
    let mut again = fresh_app();
    again.screens.runs = RunsScreen::new(RunsView { marked: Vec::new(), ..saved });
    press(&mut again, &[Key::Char('3')]);
    send(&mut again, RunsMessage::Listed(Ok(rows())));
    assert_eq!(again.screens.runs.view.viewport, Viewport::Whole);
}

#[test]
fn zero_shows_all_values_and_cuts_peaks_again() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Char('z'), Key::Char('0')]);
    assert!(app.screens.runs.view.peaks && app.screens.runs.view.viewport == Viewport::Whole);
    assert!(drawn(&mut app, (200, 55)).contains("all values"));
    press(&mut app, &[Key::Char('0')]);
    assert!(!app.screens.runs.view.peaks);
}

#[test]
fn the_log_is_read_in_a_pager() {
    let mut app = app_with_runs();
    let mut update = update_of(&events());
    let line = |number: usize| LogLine {
        time: Some(fixed_time() + TimeDelta::seconds(number as i64)),
        level: if number == 30 { LogLevel::Warning } else { LogLevel::Info },
        text: if number % 20 == 7 { format!("checkpoint {number}") } else { format!("line {number}") },
    };
    update.log = Some((1..=100).map(line).collect());
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update) });
    drawn(&mut app, (80, 24));
    press(&mut app, &[Key::Char('i'), Key::Char('i'), Key::Char('f')]);
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("line 100") && screen.contains("100 of 100 · following"), "{screen}");
    press(&mut app, &[Key::Char('/')]);
    type_text(&mut app, "CHECK");
    press(&mut app, &[Key::Enter]);
    assert!(drawn(&mut app, (80, 24)).contains("5 found · 87 of 100"), "the last match, in either case");
    press(&mut app, &[Key::Char('N')]);
    assert_drawn!("pager", &mut app);
    assert!(drawn(&mut app, (120, 40)).contains("67 of 100"));
    press(&mut app, &[Key::Char('n'), Key::Char('n')]);
    assert!(drawn(&mut app, (80, 24)).contains("5 found · 7 of 100"), "on to the first");
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy("checkpoint 7".to_owned())]);
    press(&mut app, &[Key::Char('!')]);
    assert!(drawn(&mut app, (80, 24)).contains("30 of 100"), "the warning");
    press(&mut app, &[Key::Char('j'), Key::Char('F')]);
    assert!(drawn(&mut app, (80, 24)).contains("100 of 100 · following"));
    assert_eq!(app.screens.runs.chosen, Some(run_dir("a_CC_R")), "j moved in the log, not in the list");
    press(&mut app, &[Key::Char('i')]);
    assert!(drawn(&mut app, (80, 24)).contains("╭ configuration · a_CC_R"));
    press(&mut app, &[Key::Char('I'), Key::Char('I')]);
    assert!(drawn(&mut app, (80, 24)).contains("╭ events · a_CC_R"));
    press(&mut app, &[Key::Char('/')]);
    type_text(&mut app, "epoch");
    press(&mut app, &[Key::Enter]);
    assert_drawn!("pager_of_events", &mut app);
    press(&mut app, &[Key::Escape]);
    press(&mut app, &[Key::Escape]);
    assert!(app.screens.runs.pager.is_none());
}
