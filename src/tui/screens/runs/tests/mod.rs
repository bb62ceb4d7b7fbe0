mod arriving_runs;
mod choosing;
mod findings;
mod leaderboard;
mod overlays;
mod rendering;
mod studies;

use chrono::TimeDelta;
use mammoscope_runs::control::RequestOutcome;
use proptest::prelude::*;

use super::listing::Place;
use super::metric::Metric;
use super::*;
use crate::terminal::input::{Input, MouseKind};
use crate::tui::app::App;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_log::{LogLevel, LogLine};
use crate::tui::protocol::runs::{NoteKind, RunUpdate, RunsAction, RunsMessage};
use crate::tui::services::run_watch::PendingUpdate;
use crate::tui::testing::{assert_drawn, drawn, fixed_time, fresh_app, press};
use mammoscope_domain::run::run_condition::{Pulse, RunCondition, TrainerEvidence};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::{
    EpochMetrics, EpochRecord, LearningRateReduction, SkippedSample, SplitEvaluation, StepReport, TrainerFacts,
    TrainingSetup,
};
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::{BestEpoch, RunPhase, RunStatus, STATUS_SCHEMA};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::Monitor;
use mammoscope_runs::snapshot::RunChange;
use mammoscope_storage::runs::event_tail::TailEntry;

const STEPS_PER_EPOCH: u64 = 100;

fn run_dir(name: &str) -> RunDir {
    RunDir::new(format!("/density/workspace/runs/{name}"))
}

fn row(name: &str, view: View, state: RunPhase, silence_s: i64, evidence: TrainerEvidence) -> RunRow {
    let now = fixed_time();
    let spec = RunSpec {
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        schema: RUN_SCHEMA,
        on_event: None,
        placement: None,
        study: None,
        created: now,
        group: String::new(),
        view,
        preset: "seed".to_owned(),
        data: "/data".into(),
        device: DeviceChoice::Auto,
        config: Preset::named("seed").unwrap().config,
    };
    let status = RunStatus {
        schema: STATUS_SCHEMA,
        state,
        reason: (state == RunPhase::Failed).then(|| "loss became NaN at step 5121".to_owned()),
        pid: Some(7),
        host: Some("node3".to_owned()),
        boot_id: None,
        group: String::new(),
        view,
        step: 1000,
        steps_per_epoch: STEPS_PER_EPOCH,
        epoch: 10,
        epochs: 100,
        best: Some(BestEpoch { metric: "val_accuracy".to_owned(), value: 0.64, epoch: 8 }),
        images_per_s: Some(31.0),
        eta_s: Some(9000.0),
        heartbeat: now - TimeDelta::seconds(silence_s),
        updated: now,
    };
    let condition = Some(RunCondition::new(&Pulse::at(now, None), &status, evidence));
    RunRow { run: run_dir(name), spec: Some(spec.into()), status: Some(status), condition, labels: None, problem: None }
}

fn rows() -> Vec<RunRow> {
    use TrainerEvidence::{Alive, Gone};
    vec![
        row("a_CC_R", View::CcR, RunPhase::Running, 2, Alive),
        row("a_CC_L", View::CcL, RunPhase::Paused, 1, Alive),
        row("b_MLO_R", View::MloR, RunPhase::Queued, 60, Alive),
        row("c_CC_R", View::CcR, RunPhase::Completed, 7200, Gone),
        row("d_MLO_L", View::MloL, RunPhase::Failed, 90, Gone),
        row("e_CC_R", View::CcR, RunPhase::Running, 720, Gone),
    ]
}

/// The events of a run of ten epochs with a loss that is not finite, a skipped image, and a reduced learning rate.
fn events() -> Vec<RunEvent> {
    let start = fixed_time() - TimeDelta::seconds(1100);
    let mut events = Vec::new();
    let mut add = |seconds: f64, kind| {
        events.push(RunEvent { time: start + TimeDelta::milliseconds((seconds * 1000.0) as i64), kind });
    };
    add(
        0.0,
        RunEventKind::Started(TrainerFacts {
            pid: 7,
            host: "node3".to_owned(),
            version: "0.1.0".to_owned(),
            slurm: None,
        }),
    );
    let (train, validation, test) = (800, 100, 100);
    let (device, precision) = ("cuda:0".to_owned(), Precision::F32);
    let prepared = RunEventKind::Prepared(TrainingSetup {
        device,
        precision,
        threads: 2,
        train,
        validation,
        test,
        steps_per_epoch: 100,
    });
    add(1.0, prepared);
    add(
        1.5,
        RunEventKind::SampleSkipped(SkippedSample {
            file: "bad\u{202e}.png".to_owned(),
            reason: "truncated".to_owned(),
        }),
    );
    for epoch in 1..=10_u32 {
        for part in 1..=20_u64 {
            let step = u64::from(epoch - 1) * STEPS_PER_EPOCH + part * 5;
            let wave = f64::from((step * 7919 % 100) as u32) / 500.0;
            let loss = 2.0 / (1.0 + step as f64 / 200.0) + wave;
            let loss = if step == 500 { f64::NAN } else { loss };
            add(
                step as f64 + 2.0,
                RunEventKind::StepReported(StepReport {
                    epoch,
                    step,
                    loss,
                    accuracy: 0.9 - loss / 3.0,
                    learning_rate: if epoch > 6 { 0.002 } else { 0.01 },
                    gradient_norm: 3.0 + wave,
                    images_per_s: 30.0 + wave * 10.0,
                }),
            );
        }
        let step = u64::from(epoch) * STEPS_PER_EPOCH;
        let val_loss = 1.8 / (1.0 + f64::from(epoch) / 3.0) + 0.2;
        let figures = RunEventKind::EpochEnded(EpochRecord {
            metrics: EpochMetrics {
                epoch,
                step,
                train_loss: val_loss - 0.1,
                train_accuracy: 0.6,
                val_loss: Some(val_loss),
                val_accuracy: Some(if epoch == 8 { 0.64 } else { 0.3 + f64::from(epoch) * 0.03 }),
                val_kappa: None,
                learning_rate: 0.01,
            },
            seconds: 100.0,
        });
        add(step as f64 + 2.0, figures);
        if epoch == 5 {
            let files = vec!["a.png".to_owned()];
            add(step as f64 + 2.0, RunEventKind::Nonfinite { step, what: "loss".to_owned(), files });
        }
        if epoch == 6 {
            add(
                step as f64 + 2.0,
                RunEventKind::LearningRateReduced(LearningRateReduction { epoch, from: 0.01, to: 0.002 }),
            );
        }
    }
    events
}

fn update_of(events: &[RunEvent]) -> RunUpdate {
    let mut state = RunState::new(Monitor::ValAccuracy, 100);
    let mut pending = PendingUpdate::new();
    for event in events {
        state.apply(event);
        pending.add(&state, &RunChange::Entry(TailEntry::Event(event.clone())));
    }
    let log = vec![
        LogLine { time: Some(fixed_time()), level: LogLevel::Info, text: "begins".to_owned() },
        LogLine { time: Some(fixed_time()), level: LogLevel::Warning, text: "\u{1b}[31mcareful".to_owned() },
    ];
    pending.take(&state, Vec::new(), Some(log))
}

fn send(app: &mut App, message: RunsMessage) -> Vec<Effect> {
    app.update(UiMessage::Runs(message), fixed_time())
}

fn app_with_runs() -> App {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('3')]);
    let effects = send(&mut app, RunsMessage::Listed(Ok(rows())));
    assert_eq!(effects, [Effect::Runs(RunsEffect::Follow(vec![run_dir("a_CC_R")]))], "the first run is selected");
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update_of(&events())) });
    app
}

fn type_text(app: &mut App, text: &str) {
    text.chars().for_each(|character| drop(press(app, &[Key::Char(character)])));
}

fn notice(app: &App) -> String {
    app.notice.as_ref().map(|(_, notice)| notice.text.clone()).unwrap_or_default()
}

#[test]
fn the_screen_is_drawn() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char('3')]);
    send(&mut app, RunsMessage::Listed(Ok(Vec::new())));
    assert_drawn!("empty", &mut app);
    let mut app = app_with_runs();
    assert_drawn!("run", &mut app);
    press(&mut app, &[Key::Char('!'), Key::Char('!'), Key::Char('x')]);
    assert_drawn!("cursor_and_menu", &mut app);
    press(&mut app, &[Key::Escape, Key::Char(' '), Key::Down, Key::Char(' '), Key::Char('L')]);
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_L"), update: Box::new(update_of(&events()[..150])) });
    assert_drawn!("overlay_log", &mut app);
    app.shared.theme.ascii = true;
    insta::assert_snapshot!("overlay_ascii_80x24", drawn(&mut app, (80, 24)));
}

#[test]
fn the_cursor_stays_on_its_run_when_the_list_changes() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Down, Key::Down]);
    assert_eq!(app.screens.runs.chosen, Some(run_dir("b_MLO_R")));
    let mut more = rows();
    more.insert(0, row("z_CC_R", View::CcR, RunPhase::Queued, 0, TrainerEvidence::Alive));
    assert_eq!(send(&mut app, RunsMessage::Listed(Ok(more.clone()))), []);
    assert_eq!(app.screens.runs.picker.list.cursor, 3);
    more.remove(3);
    let effects = send(&mut app, RunsMessage::Listed(Ok(more)));
    assert_eq!(
        effects,
        [Effect::Runs(RunsEffect::Follow(vec![run_dir("c_CC_R")]))],
        "a run that is gone is deselected"
    );
}

#[test]
fn the_filter_takes_letters_and_escape_clears_it() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Char('/')]);
    type_text(&mut app, "mlo q");
    let queued = ListLine::Run { row: 2, place: Place::Alone };
    assert_eq!(app.screens.runs.picker.shown, [queued], "queued, and q did not leave");
    press(&mut app, &[Key::Escape, Key::Escape]);
    assert_eq!(app.screens.runs.picker.shown.len(), 6);
    assert_eq!(app.screens.runs.chosen, Some(run_dir("b_MLO_R")), "the run that was found stays selected");
}

#[test]
fn the_possible_requests_depend_on_the_condition_of_the_run() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Char('x')]);
    let effects = press(&mut app, &[Key::Char('p')]);
    let pause = RunsEffect::Ask { run: run_dir("a_CC_R"), verb: RequestVerb::Pause };
    assert_eq!(effects, [Effect::Runs(pause)]);
    assert_eq!(app.screens.runs.requests.verbs.len(), 1);
    let answer = Ok(RequestOutcome::Written(" → acknowledged at step 1004".to_owned()));
    send(&mut app, RunsMessage::Answered { run: run_dir("a_CC_R"), verb: RequestVerb::Pause, answer });
    assert_eq!(notice(&app), "a_CC_R: pause requested → acknowledged at step 1004");
    assert!(app.screens.runs.requests.verbs.is_empty());

    // To stop a run needs confirmation, and Enter does not confirm.
    press(&mut app, &[Key::Char('x'), Key::Char('s'), Key::Enter]);
    let effects = press(&mut app, &[Key::Char('y')]);
    let stop = RunsEffect::Ask { run: run_dir("a_CC_R"), verb: RequestVerb::Stop };
    assert_eq!(effects, [Effect::Runs(stop)]);

    press(&mut app, &[Key::Char('x'), Key::Char('K'), Key::Enter]);
    let kill = RunsEffect::Kill(run_dir("a_CC_R"));
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Runs(kill)]);
    let outcome = Ok("its trainer, process 7, was killed".to_owned());
    send(&mut app, RunsMessage::Forced { run: run_dir("a_CC_R"), outcome });
    assert_eq!(notice(&app), "a_CC_R: its trainer, process 7, was killed");
    press(&mut app, &[Key::Char('x'), Key::Char('m')]);
    assert!(app.screens.runs.menu.is_some(), "an active run cannot be marked as ended");
    press(&mut app, &[Key::Escape]);

    assert_eq!(press(&mut app, &[Key::Char('r')]), [], "an active run is not resumed");
    assert!(notice(&app).contains("nothing to resume"), "{}", notice(&app));
    press(&mut app, &[Key::Char('d')]);
    assert!(app.popups.is_empty(), "nor moved to the trash");

    press(&mut app, &[Key::End]);
    let resume = [Effect::Runs(RunsEffect::Resume(run_dir("e_CC_R")))];
    assert_eq!(press(&mut app, &[Key::Char('r')]), resume, "its process is gone");
    assert_eq!(press(&mut app, &[Key::Char('r')]), [], "once");
    let mark = RunsEffect::MarkEnded(run_dir("e_CC_R"));
    assert_eq!(press(&mut app, &[Key::Char('x'), Key::Char('m')]), [Effect::Runs(mark)]);
    press(&mut app, &[Key::Char('d')]);
    let effects = press(&mut app, &[Key::Char('y')]);
    assert_eq!(effects, [Effect::Runs(RunsEffect::Trash(run_dir("e_CC_R")))]);
}

#[test]
fn enter_opens_the_evaluation_if_there_is_one() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Enter]);
    assert_eq!(app.screen, crate::tui::protocol::screen_id::ScreenId::Runs);
    assert!(notice(&app).contains("no evaluation yet"));
    let mut events = events();
    let split = mammoscope_domain::subject::split::Split::Test;
    let kind = RunEventKind::Evaluated(SplitEvaluation { split, images: 100, accuracy: 0.6, kappa_linear: None });
    events.push(RunEvent { time: fixed_time(), kind });
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update_of(&events)) });
    let evaluation = app.screens.runs.update(RunsAction::OpenEvaluation, &app.shared);
    assert_eq!(evaluation, [Effect::Navigate(Destination::Evaluation(run_dir("a_CC_R")))]);
}

#[test]
fn events_that_need_attention_are_visited_in_order() {
    let mut app = app_with_runs();
    drawn(&mut app, (120, 40));
    for expected in ["left out: bad\\u{202e}.png", "not finite at step 500", "reduced from 0.01", "left out"] {
        press(&mut app, &[Key::Char('!')]);
        assert!(notice(&app).contains(expected), "{}", notice(&app));
    }
    press(&mut app, &[Key::Char('!')]);
    assert_eq!(app.screens.runs.cursor, Some(500.0));
    press(&mut app, &[Key::Char('z'), Key::Char('z'), Key::Char('z'), Key::Char('0'), Key::Char('z')]);
    assert_eq!(app.screens.runs.range(), (250.0, 750.0), "zoomed at the cursor");
    press(&mut app, &[Key::Char('!')]);
    assert_eq!(app.screens.runs.range(), (250.0, 750.0), "visible already");
    press(&mut app, &[Key::Char('X')]);
    assert_eq!(app.screens.runs.cursor, Some(6.0), "epochs");
}

#[test]
fn the_mouse_selects_runs_and_sets_the_cursor() {
    let mut app = app_with_runs();
    drawn(&mut app, (120, 40));
    let click = |column, row| UiMessage::Input(Input::Mouse(Mouse { kind: MouseKind::Press, column, row }));
    app.update(click(10, 5), fixed_time());
    assert_eq!(app.screens.runs.chosen, Some(run_dir("b_MLO_R")));
    press(&mut app, &[Key::Home]);
    send(&mut app, RunsMessage::Followed { run: run_dir("a_CC_R"), update: Box::new(update_of(&events())) });
    drawn(&mut app, (120, 40));
    let plot = app.screens.runs.areas.plots[0].area;
    app.update(click(plot.right() - 1, plot.y), fixed_time());
    assert_eq!(app.screens.runs.cursor, Some(1000.0));
    app.update(click(plot.x, plot.y), fixed_time());
    assert_eq!(app.screens.runs.cursor, Some(0.0));
}

#[test]
fn the_state_is_restored() {
    let mut app = app_with_runs();
    press(&mut app, &[Key::Down, Key::Char(' '), Key::Char('L'), Key::Char(')'), Key::Char('z')]);
    let view = app.screens.runs.view_state();
    let text = serde_json::to_string(&view).unwrap();
    let back = RunsScreen::new(serde_json::from_str(&text).unwrap());
    assert_eq!(back.view_state(), view);
    assert_eq!(back.chosen, Some(run_dir("a_CC_L")));
    assert!(back.view.log && back.view.smoothing == 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_keys_do_no_harm_with_runs_listed(
        keys in prop::collection::vec((32_u8..127).prop_map(|byte| Key::Char(char::from(byte))), 0..40),
        more in prop::collection::vec(prop::sample::select(vec![
            Key::Left, Key::Right, Key::ShiftLeft, Key::Down, Key::Escape, Key::Enter, Key::Char('z'), Key::Char('X'),
        ]), 0..20),
        size in (60_u16..200, 15_u16..60),
    ) {
        let mut app = app_with_runs();
        for key in keys.into_iter().filter(|key| !matches!(key, Key::Char('1' | '2' | '4'))).chain(more) {
            press(&mut app, &[key]);
            drawn(&mut app, size);
        }
        (0..6).for_each(|_| drop(press(&mut app, &[Key::Escape])));
        // Some keys start preprocessing, which quitting asks about.
        let ends_jobs = !app.shared.jobs.farewell().is_empty();
        let answer = [Key::Char('q'), Key::Char('y')];
        let answer = &answer[..=usize::from(ends_jobs)];
        prop_assert!(press(&mut app, answer).contains(&Effect::Quit));
    }
}
