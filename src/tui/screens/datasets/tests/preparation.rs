//! Preprocessing is started, followed, stopped and closed.

use super::*;
use crate::tui::protocol::preparation::{
    PreparationEffect, PreparationMessage, PreparationOutcome, PreparationProgress,
};
use mammoscope_preprocessing::run::{Stage, Summary};

fn tell(app: &mut App, message: PreparationMessage) -> Vec<Effect> {
    send(app, DatasetsMessage::Preparation(message))
}

fn start(input: &str, output: &str, labels: &str) -> Effect {
    let [input, output, labels] = [input, output, labels].map(str::to_owned);
    Effect::Datasets(DatasetsEffect::Preparation(PreparationEffect::Start { input, output, labels }))
}

fn progress(done: usize) -> PreparationMessage {
    PreparationMessage::Progress(PreparationProgress {
        stage: Stage::Preparing,
        done,
        total: 400,
        seconds: 10.0,
        seconds_left: Some(22.2),
    })
}

fn refused(number: usize) -> PreparationMessage {
    let name = format!("file {number} (0a1b2c3d…)");
    PreparationMessage::Refused { name, reason: "for processing; --force for-processing takes it".to_owned() }
}

fn ended(outcome: Result<PreparationOutcome, &str>) -> PreparationMessage {
    let outcome = outcome.map_err(Into::into);
    PreparationMessage::Ended { input: "/archive/mammo".into(), output: "/data/prepared".into(), outcome }
}

#[test]
fn the_form_suggests_an_output_and_starts_a_run() {
    let mut app = opened();
    press(&mut app, &[Key::Char('p'), Key::Enter]);
    assert_drawn!("preparation_form", &mut app);
    assert_eq!(press(&mut app, &[Key::Enter]), [start(ROOT, "/data/density-prepared", "")]);

    // The output follows the input until it is typed itself.
    let mut app = opened();
    press(&mut app, &[Key::Char('p'), Key::Enter, Key::Backspace, Key::Char('s')]);
    press(&mut app, &[Key::Down, Key::Char('2'), Key::Up, Key::Char('x'), Key::Down, Key::Down]);
    press(&mut app, &keys("~/readers.csv"));
    let expected = start("/data/densitsx", "/data/densits-prepared2", "~/readers.csv");
    assert_eq!(press(&mut app, &[Key::Enter]), [expected]);

    let mut app = opened();
    press(&mut app, &[Key::Char('p'), Key::Enter, Key::Ctrl('u')]);
    assert!(!press(&mut app, &[Key::Enter]).iter().any(|effect| *effect == start("", "", "")));
    assert!(drawn(&mut app, (80, 24)).contains("! type the folder of the source files"));
    press(&mut app, &keys("/data/d"));
    let typed = "/data/d".to_owned();
    send(&mut app, DatasetsMessage::Completed { typed, found: vec!["/data/dicom/".to_owned()] });
    press(&mut app, &[Key::Tab]);
    assert_eq!(press(&mut app, &[Key::Enter]), [start("/data/dicom/", "/data/dicom-prepared", "")]);
}

#[test]
fn a_run_is_followed_hidden_and_stopped() {
    let mut app = opened();
    press(&mut app, &[Key::Char('p'), Key::Enter, Key::Enter]);
    tell(&mut app, progress(123));
    (3..40).for_each(|number| {
        tell(&mut app, refused(number));
    });
    assert_drawn!("preparation_run", &mut app);
    press(&mut app, &[Key::Escape]);
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("preprocessing 123 of 400 files prepared · 12.3/s · 23 s left · 37 refused"), "{screen}");
    press(&mut app, &[Key::Char('p')]);
    let stop = Effect::Datasets(DatasetsEffect::Preparation(PreparationEffect::Stop));
    assert_eq!(press(&mut app, &[Key::Char('x')]), [stop]);
    let summary = Summary { written: 120, refused: 37, cancelled: true, ..Summary::default() };
    let notes = vec!["classes are taken from labels.csv".to_owned()];
    tell(&mut app, ended(Ok(PreparationOutcome { summary, notes })));
    assert_drawn!("preparation_ended", &mut app);
    press(&mut app, &[Key::Enter]);
    assert!(!drawn(&mut app, (80, 24)).contains("Enter closes"));
}

#[test]
fn the_prepared_images_are_opened_and_their_sources_remembered() {
    let mut app = opened();
    press(&mut app, &[Key::Char('p'), Key::Enter, Key::Enter]);
    let summary = Summary { written: 16, ..Summary::default() };
    let effects = tell(&mut app, ended(Ok(PreparationOutcome { summary, notes: Vec::new() })));
    let open = Effect::Datasets(DatasetsEffect::Open("/data/prepared".into()));
    assert_eq!(effects, [open, Effect::SaveView]);
    assert!(app.notice.as_ref().is_some_and(|(_, notice)| notice.text == "16 images written"));
    let saved: ViewState = serde_json::from_slice(&serde_json::to_vec(&app.view_state()).unwrap()).unwrap();
    assert_eq!(saved.datasets.sources[Path::new("/data/prepared")], Path::new("/archive/mammo"));

    // Of the prepared images, p prepares the same sources again.
    let root = PathBuf::from("/data/prepared");
    send(&mut app, DatasetsMessage::Opened { requested: root.clone(), root, is_prepared: true });
    press(&mut app, &[Key::Char('p'), Key::Enter]);
    assert_eq!(press(&mut app, &[Key::Enter]), [start("/archive/mammo", "/data/prepared", "")]);
}

#[test]
fn a_run_that_fails_says_why_and_opens_nothing() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('p')]);
    press(&mut app, &keys("/archive"));
    press(&mut app, &[Key::Down, Key::Ctrl('u')]);
    press(&mut app, &keys("/data/out"));
    assert_eq!(press(&mut app, &[Key::Enter]), [start("/archive", "/data/out", "")]);
    let effects = tell(&mut app, ended(Err("/data/prepared: another run is writing to it")));
    assert_eq!(effects, []);
    assert!(drawn(&mut app, (80, 24)).contains(" /data/prepared: another run is writing to it"));
}
