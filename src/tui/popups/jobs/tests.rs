use super::*;
use crate::terminal::input::Input;
use crate::tui::app::App;
use crate::tui::popups::Popup;
use crate::tui::protocol::datasets::{DatasetsEffect, DatasetsMessage};
use crate::tui::protocol::effect::Tone;
use crate::tui::protocol::job_findings::JobWork;
use crate::tui::protocol::jobs::{ExitText, JobMessage, JobResult};
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::preparation::{
    PreparationEffect, PreparationMessage, PreparationOutcome, PreparationPath, PreparationProgress,
};
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::testing::{assert_drawn, drawn, fixed_time, fresh_app, press};
use mammoscope_preprocessing::run::{Stage, Summary};

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
    assert_drawn!("choice", &mut app);
    press(&mut app, &[Key::Down, Key::Enter]);
    assert_drawn!("form", &mut app);
    let (mut app, id) = started();
    send(&mut app, JobMessage::Progress { id, text: "███░░ 12/32 images  8.1  3s left".to_owned() });
    send(&mut app, JobMessage::Line { id, text: "warning: little room on the disk".to_owned() });
    assert_drawn!("list", &mut app);
    press(&mut app, &[Key::Char('i')]);
    assert_drawn!("output", &mut app);
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
    assert_drawn!("refused", &mut app);
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
    let outcome = Ok(ExitText { code: Some(130), text: "exit status 130".to_owned() });
    send(&mut app, JobMessage::Ended { id, outcome });
    assert_drawn!("stopped", &mut app);
    assert!(app.notice.as_ref().is_some_and(|(_, notice)| notice.text.contains("stopped, exit status 130")));
    assert!(press(&mut app, &[Key::Char('x')]).is_empty(), "nothing is running");
}

#[test]
fn a_result_is_opened_where_it_belongs() {
    let (mut app, id) = started();
    let outcome = Ok(ExitText { code: Some(0), text: "exit status 0".to_owned() });
    send(&mut app, JobMessage::Ended { id, outcome });
    let effects = press(&mut app, &[Key::Enter]);
    assert_eq!(app.screen, ScreenId::Datasets);
    assert!(format!("{effects:?}").contains("datasets/phantoms"), "{effects:?}");
    // Predictions belong to Evaluate.
    let order = crate::tui::protocol::jobs::JobOrder {
        title: "predict".to_owned(),
        work: JobWork::Predictions,
        arguments: Vec::new(),
        result: Some(JobResult::Predictions { folder: "/out".into(), data: "/data".into() }),
        rehearsed: None,
    };
    let id = app.shared.jobs.add(order, fixed_time());
    send(&mut app, JobMessage::Ended { id, outcome: Ok(ExitText { code: Some(0), text: String::new() }) });
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
    send(&mut app, JobMessage::Ended { id, outcome: Ok(ExitText { code: Some(0), text: String::new() }) });
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
    assert_drawn!("quit", &mut app);
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Quit]);
    // Ctrl-C asks too; the second one means it.
    let (mut app, _) = started();
    assert!(press(&mut app, &[Key::Ctrl('c')]).is_empty());
    assert!(matches!(app.popups.last(), Some(Popup::Confirm(_))));
    assert_eq!(press(&mut app, &[Key::Ctrl('c')]), [Effect::Quit]);
}

#[test]
fn findings_are_no_failure() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('J'), Key::Down, Key::Down, Key::Enter]);
    typed(&mut app, "/data");
    let effects = press(&mut app, &[Key::Enter]);
    let [Effect::Job(JobEffect::Spawn { id, .. })] = &effects[..] else { panic!("{effects:?}") };
    let id = *id;
    send(&mut app, JobMessage::Started { id, pid: 4711 });
    let text = "/data: 60 images of 15 subjects, 3 errors, 11 warnings".to_owned();
    send(&mut app, JobMessage::Line { id, text });
    let outcome = Ok(ExitText { code: Some(1), text: "exit status 1".to_owned() });
    send(&mut app, JobMessage::Ended { id, outcome });
    assert_drawn!("findings", &mut app);
    let notice = &app.notice.as_ref().unwrap().1;
    assert_eq!(notice.text, "audit /data: finished · 14 findings: 3 errors, 11 warnings; J lists it");
    assert_eq!(notice.tone, Tone::Warning);
}

fn tell(app: &mut App, message: PreparationMessage) {
    app.update(UiMessage::Datasets(DatasetsMessage::Preparation(message)), fixed_time());
}

/// Starts preprocessing by its form in Datasets.
fn preparing() -> App {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('J'), Key::Enter]);
    press(&mut app, &[Key::Ctrl('u')]);
    typed(&mut app, "/archive");
    let effects = press(&mut app, &[Key::Enter]);
    let is_start = |effect: &Effect| {
        matches!(effect, Effect::Datasets(DatasetsEffect::Preparation(PreparationEffect::Start { .. })))
    };
    assert!(effects.iter().any(is_start), "{effects:?}");
    app
}

fn some_progress() -> PreparationMessage {
    PreparationMessage::Progress(PreparationProgress {
        stage: Stage::Preparing,
        done: 123,
        total: 400,
        seconds: 10.0,
        seconds_left: Some(23.0),
    })
}

#[test]
fn preprocessing_is_a_job_with_its_progress_and_its_end() {
    let mut app = preparing();
    tell(&mut app, some_progress());
    let refused =
        PreparationMessage::Refused { name: "file 7 (0123abcd…)".to_owned(), reason: "truncated".to_owned() };
    tell(&mut app, refused);
    press(&mut app, &[Key::Escape]);
    assert!(drawn(&mut app, (120, 40)).contains("preprocess 123/400"), "the status line has its progress");
    press(&mut app, &[Key::Char('J')]);
    assert_drawn!("preprocessing", &mut app);
    let summary = Summary { written: 399, refused: 1, ..Summary::default() };
    let outcome = Ok(PreparationOutcome { summary, notes: vec!["classes are taken from labels.csv".to_owned()] });
    tell(&mut app, PreparationMessage::Ended { input: "/archive".into(), output: "/data/prepared".into(), outcome });
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("! finished") && screen.contains("finished · 1 file refused"), "{screen}");
    press(&mut app, &[Key::Char('i')]);
    assert_drawn!("preprocessed", &mut app);
    let effects = press(&mut app, &[Key::Enter]);
    assert_eq!(app.screen, ScreenId::Datasets);
    assert!(effects.contains(&Effect::Datasets(DatasetsEffect::Open("/data/prepared".into()))), "{effects:?}");
}

#[test]
fn preprocessing_is_stopped_from_the_list() {
    let mut app = preparing();
    press(&mut app, &[Key::Escape, Key::Char('J')]);
    let stop = Effect::Datasets(DatasetsEffect::Preparation(PreparationEffect::Stop));
    assert_eq!(press(&mut app, &[Key::Char('x')]), [stop]);
    assert!(drawn(&mut app, (120, 40)).contains("finishing the images in progress"));
    let summary = Summary { written: 12, cancelled: true, ..Summary::default() };
    let outcome = Ok(PreparationOutcome { summary, notes: Vec::new() });
    tell(&mut app, PreparationMessage::Ended { input: "/archive".into(), output: "/data/prepared".into(), outcome });
    let screen = drawn(&mut app, (120, 40));
    assert!(screen.contains("stopped") && screen.contains("start it again to continue"), "{screen}");
    assert_eq!(app.shared.jobs.active(), 0);
}

#[test]
fn preprocessing_that_does_not_start_is_not_listed() {
    let mut app = preparing();
    assert_eq!(app.shared.jobs.active(), 1);
    let problem = "there is no such file or folder".into();
    tell(&mut app, PreparationMessage::NotStarted { path: PreparationPath::Input, problem });
    assert_eq!(app.shared.jobs.iter().len(), 0);
}

#[test]
fn quitting_names_the_jobs_that_end_and_the_training_that_continues() {
    let (mut app, _) = started();
    press(&mut app, &[Key::Escape]);
    let text = app.shared.jobs.farewell();
    assert_eq!(text, "phantom /density/workspace/datasets/phantoms ends with the workbench, after its current file");
    let order = app.shared.jobs.iter().next().unwrap().order.clone();
    for title in ["audit /a", "audit /b"] {
        let order = crate::tui::protocol::jobs::JobOrder { title: title.to_owned(), ..order.clone() };
        app.shared.jobs.add(order, fixed_time());
    }
    assert!(
        app.shared.jobs.farewell().starts_with("audit /b, audit /a and phantom "),
        "{}",
        app.shared.jobs.farewell()
    );
    app.shared.jobs.add(order, fixed_time());
    assert!(app.shared.jobs.farewell().contains("audit /b and 2 others end with"), "{}", app.shared.jobs.farewell());
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

#[test]
fn the_command_and_the_lines_of_a_job_are_copied() {
    let (mut app, id) = started();
    let command = "mammoscope phantom /density/workspace/datasets/phantoms --subjects 8 --size 64 --workspace \
                   /density/workspace";
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy(command.to_owned())]);
    send(&mut app, JobMessage::Line { id, text: "warning: little room on the disk".to_owned() });
    press(&mut app, &[Key::Char('i')]);
    drawn(&mut app, (80, 24));
    let line = "warning: little room on the disk".to_owned();
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Copy(line)]);
}
