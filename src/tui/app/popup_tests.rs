use super::notices::QUIET_DURATION;
use super::*;
use crate::settings::{Origin, Settings, SettingsPlace, ThemeChoice, VerbKeys};
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::effect::Tone;
use crate::tui::testing::{SIZES, assert_drawn, drawn, fresh_app, press};

fn notice(app: &App) -> Option<(&str, Tone)> {
    app.notice.as_ref().map(|(_, notice)| (notice.text.as_str(), notice.tone))
}

#[test]
fn help_is_drawn_searched_and_scrolled() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('3'), Key::Char('?')]);
    assert_drawn!("help", &mut app);
    let top = drawn(&mut app, (80, 24));
    press(&mut app, &[Key::Char('G')]);
    assert!(drawn(&mut app, (80, 24)).contains("suspend; `fg` resumes"), "the end");
    press(&mut app, &[Key::Char('g')]);
    assert_eq!(drawn(&mut app, (80, 24)), top);
    press(&mut app, &[Key::Char('/'), Key::Char('z'), Key::Char('o'), Key::Char('o'), Key::Char('m')]);
    let found = drawn(&mut app, (80, 24));
    assert_drawn!("help_searched", &mut app);
    assert!(found.contains("zoom out") && !found.contains("quit;"));
    press(&mut app, &[Key::Escape]);
    assert_eq!(drawn(&mut app, (80, 24)), top, "Escape ends the search first");
    // A letter begins the search as well.
    press(&mut app, &[Key::Char('m'), Key::Char('a'), Key::Char('r'), Key::Char('k')]);
    assert!(drawn(&mut app, (80, 24)).contains("mark or unmark the run"));
    press(&mut app, &[Key::Escape, Key::Escape]);
    assert!(app.popups.is_empty());
}

#[test]
fn the_settings_are_drawn_with_their_origins() {
    let place = SettingsPlace { path: "/home/ada/.config/mammoscope/config.toml".into(), is_named: false };
    let settings = Settings {
        mouse: false,
        keys: vec![VerbKeys { verb: "find".to_owned(), keys: vec![Key::Ctrl('f')], line: 4 }],
        given: vec![("mouse", Origin::Line(1)), ("keys", Origin::Line(3))],
        ..Settings::of_place(place)
    };
    let mut app = fresh_app();
    app.shared.settings = settings;
    ":theme light".chars().for_each(|character| drop(press(&mut app, &[Key::Char(character)])));
    press(&mut app, &[Key::Enter]);
    assert!(app.shared.theme.light);
    ":settings".chars().for_each(|character| drop(press(&mut app, &[Key::Char(character)])));
    press(&mut app, &[Key::Enter]);
    assert_drawn!("settings", &mut app);
    press(&mut app, &[Key::Escape]);
    assert!(app.popups.is_empty());
}

#[test]
fn the_theme_of_the_settings_outweighs_the_terminal() {
    use crate::terminal::input::TerminalReply;
    let reply = |app: &mut App| {
        let white = UiMessage::Input(Input::Reply(TerminalReply::Background(255, 255, 255)));
        app.update(white, crate::tui::testing::fixed_time());
        app.shared.theme.light
    };
    for (theme, light) in [(ThemeChoice::Auto, true), (ThemeChoice::Light, true), (ThemeChoice::Dark, false)] {
        let mut app = fresh_app();
        app.shared.settings.theme = theme;
        assert_eq!(reply(&mut app), light, "{theme:?}");
    }
}

#[test]
fn any_key_closes_the_tour_and_acts() {
    let mut app = fresh_app();
    app.show_tour();
    assert_drawn!("tour", &mut app);
    press(&mut app, &[Key::Char('3')]);
    assert_eq!((app.screen, app.popups.len()), (ScreenId::Runs, 0));
    app.show_tour();
    assert_eq!(press(&mut app, &[Key::Char('q')]), [Effect::Quit]);
    // All of it fits into the smallest terminal.
    app.show_tour();
    let drawn = drawn(&mut app, (60, 15));
    assert!(drawn.contains("training runs keep running"), "{drawn}");
}

#[test]
fn the_help_wraps_long_names() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('3'), Key::Char('?')]);
    press(&mut app, &"back through".chars().map(Key::Char).collect::<Vec<_>>());
    let drawn = drawn(&mut app, (60, 15));
    assert!(drawn.contains("I  go back through events") && drawn.contains("│    only "), "{drawn}");
}

#[test]
fn an_unbound_key_is_said_quietly_and_briefly() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('Q')]);
    assert_eq!(notice(&app), Some(("Q is not bound · ? shows the keys", Tone::Quiet)));
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains(" Q is not bound") && screen.contains("q quit"), "the keys stay in sight: {screen}");
    app.update(UiMessage::Tick, crate::tui::testing::fixed_time() + QUIET_DURATION * 2);
    assert_eq!(notice(&app), None);
    press(&mut app, &[Key::Char('E')]);
    assert_eq!(notice(&app), Some(("E (export to files) does nothing here · ? shows the keys", Tone::Quiet)));
    app.notice = None;
    press(&mut app, &[Key::Escape]);
    assert_eq!(notice(&app), None, "Escape is pressed by habit");
    app.resolve(vec![Effect::failed("the disk is full")]);
    press(&mut app, &[Key::Char('Q')]);
    assert_eq!(notice(&app), Some(("the disk is full", Tone::Failed)), "nothing important is hidden");
}

#[test]
fn notices_leave_the_keys_in_sight() {
    for (name, size) in SIZES {
        let mut app = fresh_app();
        let mut text = String::new();
        for tone in [Tone::Done, Tone::Neutral, Tone::Quiet, Tone::Warning, Tone::Failed] {
            app.notice = None;
            app.resolve(vec![Effect::Notice(Notice { text: "CC_R seed: something was reported".to_owned(), tone })]);
            text += &drawn(&mut app, size).lines().skip(usize::from(size.1) - 2).take(2).collect::<Vec<_>>().join("\n");
            text.push('\n');
        }
        insta::assert_snapshot!(format!("notices_{name}"), text);
    }
}

#[test]
fn a_notice_that_does_not_fit_is_shown_in_full_on_request() {
    let mut app = fresh_app();
    let long = "cannot write /scratch/ward/density/2026/exports/run_of_monday_morning/map.npy: no space is left there";
    app.resolve(vec![Effect::done("2 runs started"), Effect::failed(long)]);
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.lines().nth(22).unwrap().ends_with("… :messages"), "{screen}");
    ":messages".chars().for_each(|character| drop(press(&mut app, &[Key::Char(character)])));
    press(&mut app, &[Key::Enter]);
    assert_drawn!("messages", &mut app);
    let screen = drawn(&mut app, (80, 24));
    let text: String = screen.lines().take(21).map(|line| line.trim_matches(['│', ' '])).collect();
    assert!(text.contains("no space is left there") && text.contains("2 runs started"), "{screen}");
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy(long.to_owned())], "the latest is at the top");
    press(&mut app, &[Key::Escape]);
    assert!(app.popups.is_empty());
}

#[test]
fn a_question_names_what_is_lost() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char(':'), Key::Char('q'), Key::Char('i'), Key::Enter]);
    assert_drawn!("question", &mut app);
}

#[test]
fn focus_and_choice_are_visible_without_colour() {
    let mut app = fresh_app();
    app.shared.theme.depth = ColorDepth::None;
    press(&mut app, &[Key::Char(':')]);
    let palette = drawn(&mut app, (80, 24));
    assert!(!palette.contains("fg ") && palette.contains("reversed"), "{palette}");
    insta::assert_snapshot!("palette_without_colour_80x24", palette);
    press(&mut app, &[Key::Char('q'), Key::Char('i'), Key::Enter]);
    let question = drawn(&mut app, (80, 24));
    assert!(!question.contains("fg ") && question.contains("y run it"), "{question}");
    let row = question.lines().position(|line| line.contains("y run it")).unwrap();
    let bold =
        question.lines().filter(|line| line.starts_with(&format!("{row:>2}: ")) && line.contains("bold")).count();
    assert!(bold >= 2, "the keys of both answers stand out: {question}");
}

#[test]
fn the_latest_message_is_copied_by_name_and_copies_do_not_count() {
    let mut app = fresh_app();
    let copy = |app: &mut App| app.act(Action::App(AppAction::CopyMessage));
    assert_eq!(copy(&mut app), [Effect::quiet("nothing was reported yet")]);
    app.resolve(vec![Effect::failed("the disk is full"), Effect::Copy("/density/a.png".to_owned())]);
    assert_eq!(copy(&mut app), [Effect::Copy("the disk is full".to_owned())]);
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_taken_again() {
    let mut app = fresh_app();
    assert_eq!(press(&mut app, &[Key::Function(2)]), [Effect::TakeMouse(false)]);
    press(&mut app, &[Key::Char('?'), Key::Char('G')]);
    assert!(drawn(&mut app, (80, 24)).contains("The mouse is the terminal's: drag to select text."));
    press(&mut app, &[Key::Escape]);
    assert_eq!(press(&mut app, &[Key::Function(2)]), [Effect::TakeMouse(true)]);
    let rows = app.shared.settings.rows();
    assert_eq!(rows.iter().find(|row| row.name == "mouse").unwrap().origin, "this session");
}
