mod numbers;
mod sections;
mod study;

use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::effect::Tone;
use crate::tui::protocol::train::DataSummary;
use crate::tui::protocol::train::StartedRuns;
use crate::tui::protocol::train::TrainMessage;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::training::compute_options::{DeviceList, Precision};
use mammoscope_domain::training::config_keys::KEYS;
use mammoscope_domain::training::placement::{Placement, TimedPlacement};
use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_engine_client::placement_benchmark::PlacementTiming;
use mammoscope_storage::runs::run_dir::RunDir;

use super::*;
use crate::tui::app::App;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::train::ViewImages;
use crate::tui::testing::{assert_drawn, drawn, empty_shared_state, fixed_time, fresh_app, press};
use crate::tui::view_state::ViewState;

fn data(views: &[View]) -> DataSummary {
    let counts = [[98, 361, 352, 97], [12, 61, 60, 19], [10, 50, 52, 16]];
    DataSummary {
        root: "/home/sam/density".into(),
        source: SplitSource::Folders,
        views: views.iter().map(|&view| ViewImages { view, counts }).collect(),
        warnings: Vec::new(),
        free: Some(43_000_000_000),
    }
}

/// Two of the runs train side by side.
fn timing() -> PlacementTiming {
    let steps = StepTiming {
        device: "cpu".to_owned(),
        precision: Precision::F32,
        batch_seconds: 0.3,
        validation_image_seconds: 0.05,
        memory_needed: 2_600_000_000,
        memory_available: Some(15_200_000_000),
        gpus: 0,
    };
    let timed = |jobs, threads, images_per_s| TimedPlacement { jobs, threads, images_per_s };
    let timed = vec![timed(1, 2, 19.5), timed(2, 1, 26.7), timed(1, 1, 11.0)];
    PlacementTiming { placement: Placement { jobs: 2, threads: 1, timed }, steps, shortage: None }
}

fn app() -> App {
    let mut app = fresh_app();
    app.update(UiMessage::Input(crate::terminal::input::Input::Key(Key::Char('2'))), fixed_time());
    assert_eq!(app.screen, ScreenId::Train);
    app
}

fn send(app: &mut App, message: TrainMessage) -> Vec<Effect> {
    app.update(UiMessage::Train(message), fixed_time())
}

fn typed(app: &mut App, text: &str) -> Vec<Effect> {
    let keys: Vec<Key> = text.chars().map(Key::Char).collect();
    press(app, &keys)
}

/// A form with a known data set.
fn with_data(views: &[View]) -> App {
    let mut app = app();
    press(&mut app, &[Key::Enter]);
    typed(&mut app, "/home/sam/density");
    let effects = press(&mut app, &[Key::Enter]);
    let Some(Effect::Train(TrainEffect::Scan { request, data: requested })) = effects.into_iter().next() else {
        panic!("no request for the data set")
    };
    assert_eq!(requested.root, PathBuf::from("/home/sam/density"));
    send(&mut app, TrainMessage::Scanned { request, outcome: Ok(data(views)) });
    app
}

fn tick(app: &mut App, seconds: i64) -> Vec<Effect> {
    app.update(UiMessage::Tick, fixed_time() + TimeDelta::seconds(seconds))
}

/// A form with a known estimate.
fn with_estimate() -> App {
    let mut app = with_data(&View::ALL);
    let effects = tick(&mut app, 2);
    let [Effect::Train(TrainEffect::Time { request, .. })] = effects[..] else { panic!("nothing is timed") };
    send(&mut app, TrainMessage::Timed { request, outcome: Ok(timing()) });
    app
}

/// Moves the cursor to a key and types a value.
fn edit(app: &mut App, key: &str, value: &str) {
    press(app, &[Key::Char('/')]);
    typed(app, key);
    press(app, &[Key::Enter, Key::Enter, Key::Ctrl('u')]);
    typed(app, value);
}

#[test]
fn an_empty_form_requests_a_data_set() {
    let mut app = app();
    assert_drawn!("empty", &mut app);
    assert!(tick(&mut app, 5).is_empty(), "no engine is started in vain");
    let effects = press(&mut app, &[Key::Ctrl('s')]);
    assert!(effects.is_empty() && app.notice.is_some(), "{effects:?}");
}

#[test]
fn a_valid_form_is_drawn() {
    let mut app = with_data(&View::ALL);
    assert_drawn!("valid", &mut app);
    app.shared.theme.light = true;
    insta::assert_snapshot!("light_120x40", drawn(&mut app, (120, 40)));
    app.shared.theme.light = false;
    app.shared.theme.depth = crate::terminal::color_depth::ColorDepth::Sixteen;
    insta::assert_snapshot!("sixteen_colours_80x24", drawn(&mut app, (80, 24)));
}

#[test]
fn an_estimate_is_drawn() {
    let mut app = with_estimate();
    assert_drawn!("estimate", &mut app);
    press(&mut app, &[Key::Char('i')]);
    assert_drawn!("estimate_pane", &mut app);
}

#[test]
fn warnings_are_drawn() {
    let mut app = with_data(&[View::CcR]);
    let request = app.screens.train.data.request;
    let mut data = data(&[View::CcR]);
    data.views[0].counts[0][3] = 0;
    data.warnings = vec![
        "no image of class D in train of CC_R".to_owned(),
        "fewer than 1,000 training images: 811 in CC_R; the model may not generalise to other data".to_owned(),
    ];
    send(&mut app, TrainMessage::Scanned { request, outcome: Ok(data) });
    assert_drawn!("warnings", &mut app);
}

#[test]
fn an_unusable_data_set_is_explained() {
    let mut app = with_data(&View::ALL);
    let request = app.screens.train.data.request;
    let error = "/home/sam/density: cannot be read: No such file or directory".to_owned();
    send(&mut app, TrainMessage::Scanned { request: request.wrapping_sub(1), outcome: Err("old".into()) });
    assert!(app.screens.train.data.state.known().is_some(), "an earlier request is ignored");
    send(&mut app, TrainMessage::Scanned { request, outcome: Err(error.into()) });
    assert_drawn!("no_data", &mut app);
    assert!(press(&mut app, &[Key::Ctrl('s')]).is_empty());
}

#[test]
fn steps_are_timed_after_a_pause_and_cancelled_on_a_change() {
    let mut app = with_data(&View::ALL);
    assert!(tick(&mut app, 0).is_empty(), "too soon after the change");
    let effects = tick(&mut app, 1);
    let [Effect::Train(TrainEffect::Time { request, ref runs })] = effects[..] else { panic!("{effects:?}") };
    assert_eq!((runs.config.size, runs.config.batch_size, &runs.devices), (650, 4, &DeviceList::default()));
    assert_eq!((runs.runs, runs.images), (4, 1188));
    assert!(tick(&mut app, 2).is_empty(), "once is enough");
    edit(&mut app, "batch_size", "8");
    let effects = press(&mut app, &[Key::Enter]);
    assert_eq!(effects, [Effect::Train(TrainEffect::CancelTiming)]);
    send(&mut app, TrainMessage::Timed { request, outcome: Ok(timing()) });
    assert_eq!(app.screens.train.timing.state, Timing::Unknown, "it belongs to an earlier form");
    assert!(!tick(&mut app, 4).is_empty());
    let request = app.screens.train.timing.request;
    send(&mut app, TrainMessage::Timed { request, outcome: Err("the engine was killed".into()) });
    assert!(drawn(&mut app, (120, 40)).contains("duration unknown: the engine was killed"));
    assert!(tick(&mut app, 9).is_empty(), "a failure is not retried automatically");
    press(&mut app, &[Key::Escape, Key::Char('r')]);
    assert!(!tick(&mut app, 9).is_empty());
}

#[test]
fn another_number_of_runs_is_timed_again() {
    let mut app = with_estimate();
    let total = |app: &mut App| drawn(app, (120, 40)).lines().find(|line| line.contains("in total")).map(str::to_owned);
    assert!(drawn(&mut app, (120, 40)).contains("2 side by side"), "the plan is shown");
    let four = total(&mut app);
    press(&mut app, &[Key::Down, Key::Char(' ')]);
    let request = app.screens.train.data.request;
    let three = [View::CcL, View::MloR, View::MloL];
    send(&mut app, TrainMessage::Scanned { request, outcome: Ok(data(&three)) });
    assert_eq!(app.screens.train.timing.state, Timing::Unknown);
    let effects = tick(&mut app, 2);
    let [Effect::Train(TrainEffect::Time { request, ref runs })] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(runs.runs, 3);
    let mut alone = timing();
    (alone.placement.jobs, alone.placement.threads) = (1, 2);
    send(&mut app, TrainMessage::Timed { request, outcome: Ok(alone) });
    assert!(drawn(&mut app, (120, 40)).contains("one after another"));
    assert_ne!(total(&mut app), four);

    let request = app.screens.train.data.request;
    send(&mut app, TrainMessage::Scanned { request, outcome: Ok(data(&three)) });
    assert!(matches!(app.screens.train.timing.state, Timing::Known { .. }), "the same number keeps its timing");
}

#[test]
fn a_start_before_the_timing_leaves_the_plan_to_the_service() {
    let mut app = with_data(&View::ALL);
    assert_eq!(tick(&mut app, 2).len(), 1);
    let effects = press(&mut app, &[Key::Ctrl('s')]);
    let [Effect::Train(TrainEffect::CancelTiming), Effect::Train(TrainEffect::Start(ref request))] = effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(request.placement, None);
}

#[test]
fn a_change_that_does_not_affect_steps_keeps_their_timing() {
    let mut app = with_estimate();
    let before = drawn(&mut app, (120, 40));
    edit(&mut app, "epochs", "10");
    press(&mut app, &[Key::Enter, Key::Escape]);
    assert!(matches!(app.screens.train.timing.state, Timing::Known { .. }));
    let total = |text: &str| text.lines().find(|line| line.contains("in total")).map(str::to_owned);
    assert_ne!(total(&before), total(&drawn(&mut app, (120, 40))));
}

#[test]
fn every_key_can_be_timed() {
    for (position, key) in KEYS.iter().enumerate() {
        for preset in ["seed", "modern", "quick"] {
            let mut form = TrainForm::default();
            form.set_preset(preset);
            form.choose(Field::Key(position), true);
            if form.config.check().is_ok() {
                assert_eq!(as_timed(&form.config).check(), Ok(()), "{preset} {}", key.name);
            }
        }
    }
}

#[test]
fn views_are_checked_one_by_one() {
    let mut app = with_data(&View::ALL);
    press(&mut app, &[Key::Down, Key::Right]);
    let effects = press(&mut app, &[Key::Char(' ')]);
    let [Effect::Train(TrainEffect::Scan { ref data, .. })] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(data.views, ViewSelection::Only(vec![View::CcR, View::MloR, View::MloL]));
    assert_eq!(press(&mut app, &[Key::Char('*')]).len(), 1);
    assert_eq!(app.screens.train.form.selection(), ViewSelection::All);
}

#[test]
fn a_start_requests_runs_and_goes_to_the_first() {
    let mut app = with_estimate();
    edit(&mut app, "epochs", "3");
    let effects = press(&mut app, &[Key::Ctrl('s')]);
    let [Effect::Train(TrainEffect::Start(ref request))] = effects[..] else { panic!("{effects:?}") };
    assert_eq!((request.config.epochs, request.label.as_str()), (3, "seed"), "the value being typed counts");
    assert_eq!(request.placement, Some(timing().placement), "the start uses the plan that is shown");
    assert_eq!(request.data.views, ViewSelection::All);
    press(&mut app, &[Key::Escape]);
    assert_drawn!("starting", &mut app);
    assert!(press(&mut app, &[Key::Ctrl('s')]).is_empty(), "once is enough");

    send(&mut app, TrainMessage::Started(Err("the disk is full".into())));
    assert_eq!(app.screen, ScreenId::Train);
    assert_eq!(app.screens.train.form.config.epochs, 3, "the form keeps everything");
    assert_drawn!("not_started", &mut app);

    press(&mut app, &[Key::Ctrl('s')]);
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path().join("run")).unwrap();
    send(&mut app, TrainMessage::Started(Ok(StartedRuns { runs: vec![run], failures: Vec::new() })));
    assert_eq!(app.screen, ScreenId::Runs);
    assert!(app.notice.is_some_and(|(_, notice)| notice.tone == Tone::Done));
}

#[test]
fn the_form_is_restored() {
    let mut app = with_data(&View::ALL);
    edit(&mut app, "epochs", "7");
    press(&mut app, &[Key::Enter, Key::Escape]);
    let saved = serde_json::to_string(&app.view_state()).unwrap();
    let restored: ViewState = serde_json::from_str(&saved).unwrap();
    let mut again = App::new(empty_shared_state(), restored);
    assert_eq!(again.screens.train.form, app.screens.train.form);
    let effects = again.start();
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Train(TrainEffect::Scan { .. }))),
        "its data set is read: {effects:?}"
    );
    let strange = TrainView { changes: BTreeMap::from([("gone".to_owned(), "1".to_owned())]), ..TrainView::default() };
    assert_eq!(TrainScreen::new(strange).form, TrainForm::default());
}

#[test]
fn another_screen_can_set_the_data_set() {
    let mut app = app();
    let effects = app.navigate(Destination::NewTraining { data: "/data/other".into(), like: None });
    assert!(matches!(&effects[..], [Effect::Train(TrainEffect::Scan { data, .. })] if data.root.ends_with("other")));
    // The same path is read again: its files may have changed.
    assert_eq!(app.navigate(Destination::NewTraining { data: "/data/other".into(), like: None }).len(), 1);
}

#[test]
fn the_network_is_shown_layer_by_layer() {
    let mut app = app();
    press(&mut app, &[Key::Char('I')]);
    assert_drawn!("layers", &mut app);
    press(&mut app, &[Key::End]);
    assert!(drawn(&mut app, (80, 24)).contains("dense_1"));
    press(&mut app, &[Key::Escape]);
    assert_eq!(app.screens.train.pane, Pane::Form);
}

#[test]
fn the_mouse_selects_opens_and_starts() {
    let mut app = with_estimate();
    drawn(&mut app, (120, 40));
    let mut click = |column, row| {
        let mouse = Mouse { kind: MouseKind::Press, column, row };
        let effects = app.update(UiMessage::Input(crate::terminal::input::Input::Mouse(mouse)), fixed_time());
        (effects, app.screens.train.field(), app.screens.train.editing.is_some())
    };
    // The data set is below the frame and the first heading.
    let (_, field, editing) = click(5, 7);
    assert_eq!((field, editing), (Some(Field::Name), false));
    let (_, field, editing) = click(5, 7);
    assert_eq!((field, editing), (Some(Field::Name), true));
    press(&mut app, &[Key::Escape]);
    drawn(&mut app, (120, 40));
    let button = app.screens.train.areas.button;
    let mouse = Mouse { kind: MouseKind::Press, column: button.x + 1, row: button.y };
    let effects = app.update(UiMessage::Input(crate::terminal::input::Input::Mouse(mouse)), fixed_time());
    assert!(matches!(effects[..], [Effect::Train(TrainEffect::Start(_))]), "{effects:?}");
}

#[test]
fn tiny_areas_can_be_drawn() {
    let mut app = with_estimate();
    for keys in [vec![], vec![Key::Char('i')], vec![Key::Char('I')], vec![Key::Escape, Key::Char('/')]] {
        press(&mut app, &keys);
        for size in [(60, 15), (61, 16), (80, 18), (109, 15), (110, 15), (200, 60)] {
            drawn(&mut app, size);
        }
        let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(70, 20)).unwrap();
        let shared = empty_shared_state();
        for (width, height) in [(0, 0), (1, 1), (3, 2), (20, 5), (70, 1), (2, 20)] {
            terminal.draw(|frame| app.screens.train.draw(frame, Rect::new(0, 0, width, height), &shared)).unwrap();
        }
    }
}
