use super::*;
use crate::terminal::input::Input;
use crate::tui::app::App;
use crate::tui::popups::Popup;
use crate::tui::protocol::jobs::{ExitText, JobMessage, JobResult};
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::testing::{drawn, fixed_time, fresh_app, press};

const SIZES: [((u16, u16), &str); 3] = [((80, 24), "80x24"), ((120, 40), "120x40"), ((200, 55), "200x55")];

fn typed(app: &mut App, text: &str) -> Vec<Effect> {
    let keys: Vec<Key> = text.chars().map(Key::Char).collect();
    press(app, &keys)
}

fn send(app: &mut App, message: JobMessage) -> Vec<Effect> {
    app.update(UiMessage::Job(message), fixed_time())
}

/// Fills in the form of synthetic images, and starts the job.
fn started() -> (App, JobId) {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('J')]);
    press(&mut app, &[Key::Down, Key::Down, Key::Down, Key::Down, Key::Down, Key::Enter]);
    press(&mut app, &[Key::Enter]);
    typed(&mut app, "8");
    press(&mut app, &[Key::Enter]);
    typed(&mut app, "64");
    let effects = press(&mut app, &[Key::Enter]);
    let [Effect::Job(JobEffect::Spawn { id, arguments })] = &effects[..] else { panic!("{effects:?}") };
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let folder = "/density/workspace/datasets/phantoms";
    assert_eq!(words, ["phantom", folder, "--subjects", "8", "--size", "64", "--workspace", "/density/workspace"]);
    let id = *id;
    send(&mut app, JobMessage::Started { id, pid: 4711 });
    (app, id)
}

#[test]
fn a_job_is_chosen_filled_in_and_followed() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('J')]);
    for (size, name) in SIZES {
        insta::assert_snapshot!(format!("choice_{name}"), drawn(&mut app, size));
    }
    press(&mut app, &[Key::Down, Key::Enter]);
    for (size, name) in SIZES {
        insta::assert_snapshot!(format!("form_{name}"), drawn(&mut app, size));
    }
    let (mut app, id) = started();
    send(&mut app, JobMessage::Progress { id, text: "███░░ 12/32 images  8.1  3s left".to_owned() });
    send(&mut app, JobMessage::Line { id, text: "warning: little room on the disk".to_owned() });
    for (size, name) in SIZES {
        insta::assert_snapshot!(format!("list_{name}"), drawn(&mut app, size));
    }
    press(&mut app, &[Key::Char('i')]);
    for (size, name) in SIZES {
        insta::assert_snapshot!(format!("output_{name}"), drawn(&mut app, size));
    }
    press(&mut app, &[Key::Escape, Key::Escape]);
    assert!(app.popups.is_empty());
    assert!(drawn(&mut app, (120, 40)).contains("phantom 12/32"), "the status line has its progress");
}

#[test]
fn a_form_refuses_what_cannot_work() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('J')]);
    let effects = press(&mut app, &[Key::Down, Key::Down, Key::Enter]);
    assert_eq!(effects.len(), 1, "the typed path is looked at: {effects:?}");
    assert!(press(&mut app, &[Key::Enter]).is_empty());
    assert!(drawn(&mut app, (80, 24)).contains("data: must not be empty"));
    typed(&mut app, "/nowhere");
    let facts = PathFacts { typed: "/nowhere".to_owned(), exists: false, completions: Vec::new() };
    send(&mut app, JobMessage::LookedAt(facts));
    assert!(press(&mut app, &[Key::Enter]).is_empty());
    insta::assert_snapshot!("refused_80x24", drawn(&mut app, (80, 24)));
    assert_eq!(app.shared.jobs.active(), 0);
    // Tab completes.
    let completions = vec!["/nowhere/else/".to_owned()];
    send(&mut app, JobMessage::LookedAt(PathFacts { typed: "/nowhere".to_owned(), exists: false, completions }));
    press(&mut app, &[Key::Tab]);
    let effects = press(&mut app, &[Key::Enter]);
    assert!(matches!(&effects[..], [Effect::Job(JobEffect::Spawn { .. })]), "{effects:?}");
}

#[test]
fn a_job_is_stopped_and_its_end_is_the_proof() {
    let (mut app, id) = started();
    let effects = press(&mut app, &[Key::Char('x')]);
    assert_eq!(effects, [Effect::Job(JobEffect::Terminate(id))]);
    assert!(drawn(&mut app, (120, 40)).contains("process 4711 was asked to stop"));
    let outcome = Ok(ExitText { succeeded: false, text: "exit status 130".to_owned() });
    send(&mut app, JobMessage::Ended { id, outcome });
    insta::assert_snapshot!("stopped_80x24", drawn(&mut app, (80, 24)));
    assert!(app.notice.as_ref().is_some_and(|(_, notice)| notice.text.contains("stopped, exit status 130")));
    assert!(press(&mut app, &[Key::Char('x')]).is_empty(), "nothing is running");
}

#[test]
fn a_result_is_opened_where_it_belongs() {
    let (mut app, id) = started();
    let outcome = Ok(ExitText { succeeded: true, text: "exit status 0".to_owned() });
    send(&mut app, JobMessage::Ended { id, outcome });
    let effects = press(&mut app, &[Key::Enter]);
    assert_eq!(app.screen, ScreenId::Datasets);
    assert!(format!("{effects:?}").contains("datasets/phantoms"), "{effects:?}");
    // Predictions belong to Evaluate.
    let order = crate::tui::protocol::jobs::JobOrder {
        title: "predict".to_owned(),
        arguments: Vec::new(),
        result: Some(JobResult::Predictions { folder: "/out".into(), data: "/data".into() }),
        rehearsed: None,
    };
    let id = app.shared.jobs.add(order, fixed_time());
    send(&mut app, JobMessage::Ended { id, outcome: Ok(ExitText { succeeded: true, text: String::new() }) });
    let effects = press(&mut app, &[Key::Char('J'), Key::Enter]);
    assert_eq!(app.screen, ScreenId::Evaluate);
    assert!(format!("{effects:?}").contains("Folder { path: \"/out\", data: [\"/data\"] }"), "{effects:?}");
}

#[test]
fn a_submission_starts_from_the_output_of_its_plan() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('J'), Key::Down, Key::Down, Key::Down, Key::Down, Key::Enter]);
    typed(&mut app, "/data");
    let effects = press(&mut app, &[Key::Enter, Key::Enter]);
    let [Effect::Job(JobEffect::Spawn { id, arguments })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(arguments.last().unwrap(), "--dry-run");
    let id = *id;
    assert!(press(&mut app, &[Key::Char('i'), Key::Enter]).is_empty(), "the plan is not there yet");
    send(&mut app, JobMessage::Ended { id, outcome: Ok(ExitText { succeeded: true, text: String::new() }) });
    let effects = press(&mut app, &[Key::Enter]);
    let [Effect::Job(JobEffect::Spawn { arguments, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert!(!arguments.contains(&"--dry-run".into()), "{arguments:?}");
    assert_eq!(app.shared.jobs.iter().len(), 2);
}

#[test]
fn quitting_asks_while_a_job_runs() {
    let (mut app, _) = started();
    press(&mut app, &[Key::Escape]);
    assert!(press(&mut app, &[Key::Char('q')]).is_empty());
    insta::assert_snapshot!("quit_80x24", drawn(&mut app, (80, 24)));
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Quit]);
    // Ctrl-C asks too; the second one means it.
    let (mut app, _) = started();
    assert!(press(&mut app, &[Key::Ctrl('c')]).is_empty());
    assert!(matches!(app.popups.last(), Some(Popup::Confirm(_))));
    assert_eq!(press(&mut app, &[Key::Ctrl('c')]), [Effect::Quit]);
}

#[test]
fn the_mouse_chooses_and_tiny_areas_can_be_drawn() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('J')]);
    for kind in [MouseKind::WheelDown, MouseKind::WheelUp, MouseKind::Press] {
        drawn(&mut app, (80, 24));
        app.update(UiMessage::Input(Input::Mouse(Mouse { kind, column: 40, row: 11 })), fixed_time());
    }
    let (mut app, _) = started();
    for keys in [&[][..], &[Key::Char('i')], &[Key::Escape, Key::Char('p')], &[Key::Enter]] {
        press(&mut app, keys);
        for size in [(60, 15), (61, 16), (200, 60)] {
            drawn(&mut app, size);
        }
    }
}
