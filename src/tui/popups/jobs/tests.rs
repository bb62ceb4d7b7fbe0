use super::*;
use crate::jobs::job_folder::JobExit;
use crate::terminal::input::Input;
use crate::tui::app::App;
use crate::tui::popups::Popup;
use crate::tui::protocol::datasets::{DatasetsEffect, DatasetsMessage};
use crate::tui::protocol::effect::Tone;
use crate::tui::protocol::job_findings::JobWork;
use crate::tui::protocol::jobs::{FoundJob, JobMessage, JobResult};
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

fn exit(code: i32) -> JobExit {
    JobExit { at: fixed_time(), code: Some(code), text: format!("exit status {code}"), was_stopped: false }
}

fn active(app: &App) -> usize {
    app.shared.jobs.iter().filter(|job| job.is_active()).count()
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
    let [Effect::Job(JobEffect::Spawn { id, order, .. })] = &effects[..] else { panic!("{effects:?}") };
    let words: Vec<_> = order.arguments.iter().map(|word| word.to_string_lossy()).collect();
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
    assert_eq!(active(&app), 0);
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
    let outcome = Ok(exit(130));
    send(&mut app, JobMessage::Ended { id, outcome });
    assert_drawn!("stopped", &mut app);
    assert!(app.notice.as_ref().is_some_and(|(_, notice)| notice.text.contains("stopped, exit status 130")));
    assert!(press(&mut app, &[Key::Char('x')]).is_empty(), "nothing is running");
}

#[test]
fn a_result_is_opened_where_it_belongs() {
    let (mut app, id) = started();
    let outcome = Ok(exit(0));
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
    send(&mut app, JobMessage::Ended { id, outcome: Ok(exit(0)) });
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
    let [Effect::Job(JobEffect::Spawn { id, order, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(order.arguments.last().unwrap(), "--dry-run");
    let id = *id;
    assert!(press(&mut app, &[Key::Char('i'), Key::Enter]).is_empty(), "the plan is not there yet");
    send(&mut app, JobMessage::Ended { id, outcome: Ok(exit(0)) });
    let effects = press(&mut app, &[Key::Enter]);
    let [Effect::Job(JobEffect::Spawn { order, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert!(!order.arguments.contains(&"--dry-run".into()), "{order:?}");
    assert_eq!(app.shared.jobs.iter().len(), 2);
}

#[test]
fn quitting_asks_while_images_are_preprocessed_and_not_while_jobs_run() {
    let (mut app, _) = started();
    press(&mut app, &[Key::Escape]);
    assert_eq!(press(&mut app, &[Key::Char('q')]), [Effect::Quit], "the job continues");
    assert_eq!((app.shared.jobs.farewell(), app.shared.jobs.lasting()), (String::new(), 1));

    let quitting = |key| {
        let mut app = preparing();
        let order = started().0.shared.jobs.iter().next().unwrap().order.clone();
        app.shared.jobs.add(order, fixed_time());
        while !app.popups.is_empty() {
            press(&mut app, &[Key::Escape]);
        }
        assert!(press(&mut app, &[key]).is_empty());
        app
    };
    let mut app = quitting(Key::Char('q'));
    assert_drawn!("quit", &mut app);
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Quit]);
    let text = app.shared.jobs.farewell();
    assert!(text.ends_with(" ends with the workbench, after its current file"), "{text}");
    // Ctrl-C asks too; the second one means it.
    let mut app = quitting(Key::Ctrl('c'));
    assert!(matches!(app.popups.last(), Some(Popup::Confirm(_))));
    assert_eq!(press(&mut app, &[Key::Ctrl('c')]), [Effect::Quit]);
}

#[test]
fn a_job_of_an_earlier_session_is_listed_and_followed() {
    let mut app = fresh_app();
    let order = started().0.shared.jobs.iter().next().unwrap().order.clone();
    let folder = crate::jobs::job_folder::JobFolder::new("/density/workspace/jobs/1".into());
    let started = fixed_time() - chrono::TimeDelta::hours(3);
    let found = FoundJob { folder: folder.clone(), order, started, ended: None, lines: Vec::new() };
    let effects = send(&mut app, JobMessage::Found(Box::new(found.clone())));
    let [Effect::Job(JobEffect::Follow { id, folder: followed })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(followed, &folder);
    send(&mut app, JobMessage::Started { id: *id, pid: 4711 });
    let ended = Some(JobExit { at: started, ..exit(0) });
    let started = started - chrono::TimeDelta::hours(1);
    let found = FoundJob { started, ended, ..found };
    assert!(send(&mut app, JobMessage::Found(Box::new(found.clone()))).is_empty());
    assert!(app.notice.is_none(), "its end was long ago");
    press(&mut app, &[Key::Char('J')]);
    assert_drawn!("found", &mut app);
    assert_eq!(press(&mut app, &[Key::Char('x')]), [Effect::Job(JobEffect::Terminate(*id))]);

    // It belongs to another user.
    let failure = crate::tui::protocol::failure::Failure::new("Permission denied (os error 13)");
    send(&mut app, JobMessage::NotAsked { id: *id, failure });
    let text = "phantom /density/workspace/datasets/phantoms cannot be asked to stop: Permission denied (os error 13)";
    assert_eq!(app.notice.as_ref().unwrap().1.text, text);
    assert!(drawn(&mut app, (80, 24)).contains("● running"), "it runs as before");

    // The list is asked for before the job is found: it takes the place of the choice, unless that is in use.
    for (keys, is_listed) in [(&[Key::Char('J')][..], true), (&[Key::Char('J'), Key::Down], false)] {
        let mut app = fresh_app();
        press(&mut app, keys);
        send(&mut app, JobMessage::Found(Box::new(found.clone())));
        assert_eq!(drawn(&mut app, (80, 24)).contains("i output"), is_listed);
    }
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
    let outcome = Ok(exit(1));
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
    assert_eq!(active(&app), 0);
}

#[test]
fn preprocessing_that_does_not_start_is_not_listed() {
    let mut app = preparing();
    assert_eq!(active(&app), 1);
    let problem = "there is no such file or folder".into();
    tell(&mut app, PreparationMessage::NotStarted { path: PreparationPath::Input, problem });
    assert_eq!(app.shared.jobs.iter().len(), 0);
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
