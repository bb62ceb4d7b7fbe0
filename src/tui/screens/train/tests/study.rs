//! The fields of a study, and what is started from them.

use super::*;
use crate::tui::protocol::train::StudyChoice;
use mammoscope_domain::training::placement_limits::JobCount;

const SIZES: [((u16, u16), &str); 3] = [((80, 24), "80x24"), ((120, 40), "120x40"), ((200, 55), "200x55")];

/// A form with a study of all four views, its section open.
fn with_study() -> App {
    let mut app = with_data(&View::ALL);
    while app.screens.train.section() != Some("study") {
        press(&mut app, &[Key::Down]);
    }
    press(&mut app, &[Key::Enter, Key::Down]);
    typed(&mut app, "5");
    let effects = press(&mut app, &[Key::Enter]);
    let Some(Effect::Train(TrainEffect::Scan { request, data: requested })) = effects.into_iter().next() else {
        panic!("the folds are not drawn")
    };
    assert_eq!(requested.folds, Some(5));
    let mut summary = data(&View::ALL);
    summary.source = SplitSource::File;
    send(&mut app, TrainMessage::Scanned { request, outcome: Ok(summary) });
    press(&mut app, &[Key::Down]);
    typed(&mut app, "3");
    press(&mut app, &[Key::Enter, Key::Down, Key::Enter]);
    typed(&mut app, "learning_rate=0.003,0.01");
    press(&mut app, &[Key::Enter, Key::Down]);
    typed(&mut app, "2");
    press(&mut app, &[Key::Enter]);
    app
}

#[test]
fn a_study_is_typed_counted_and_started() {
    let mut app = with_study();
    let effects = tick(&mut app, 2);
    let [Effect::Train(TrainEffect::Time { request, ref runs })] = effects[..] else { panic!("{effects:?}") };
    assert_eq!((runs.runs, runs.jobs.fixed()), (120, Some(2)));
    send(&mut app, TrainMessage::Timed { request, outcome: Ok(timing()) });
    for (size, name) in SIZES {
        insta::assert_snapshot!(format!("study_{name}"), drawn(&mut app, size));
    }
    press(&mut app, &[Key::Ctrl('s')]);
    let asked = app.notice.as_ref().map(|(_, notice)| notice.text.clone());
    assert_eq!(asked.as_deref(), Some("this starts 120 runs; start again to accept this"));
    let effects = press(&mut app, &[Key::Ctrl('s')]);
    let Some(Effect::Train(TrainEffect::Start(request))) = effects.into_iter().next() else { panic!("no start") };
    let study = StudyChoice { seeds: Some(3), sweep: vec!["learning_rate=0.003,0.01".to_owned()] };
    assert_eq!((request.data.folds, request.study), (Some(5), Some(study)));
    assert_eq!(request.jobs.fixed(), Some(2));
    assert!(drawn(&mut app, (80, 24)).contains("starting 120 runs: comparing the images"));
    assert!(press(&mut app, &[Key::Char('q')]).is_empty(), "they would be lost");
    insta::assert_snapshot!("quit_while_starting_80x24", drawn(&mut app, (80, 24)));
    press(&mut app, &[Key::Escape]);
    let run = RunDir::new("/ws/runs/one");
    send(&mut app, TrainMessage::Started(Ok(StartedRuns { runs: vec![run], failures: Vec::new() })));
    assert_eq!(press(&mut app, &[Key::Char('q')]), [Effect::Quit], "training continues");
}

#[test]
fn the_duration_of_a_study_is_that_of_all_its_runs() {
    let mut app = with_estimate();
    let total = |app: &App| {
        let train = &app.screens.train;
        super::super::estimate::estimate(&train.form, train.data.state.known().unwrap(), &timing()).total
    };
    let one = total(&app);
    app.screens.train.form.study.seeds = "3".to_owned();
    assert!((total(&app) / one - 3.0).abs() < 1e-9, "{} {one}", total(&app));
}

#[test]
fn an_empty_study_starts_one_run_per_view() {
    let mut app = with_estimate();
    assert!(drawn(&mut app, (120, 40)).contains("▸ study"));
    let effects = press(&mut app, &[Key::Ctrl('s')]);
    let Some(Effect::Train(TrainEffect::Start(request))) = effects.into_iter().next() else { panic!("no start") };
    assert_eq!((request.data.folds, request.study, request.jobs), (None, None, JobCount::Auto));
}

#[test]
fn a_bad_value_is_one_line_at_its_field() {
    let mut app = with_study();
    press(&mut app, &[Key::Up, Key::Enter, Key::Ctrl('u')]);
    typed(&mut app, "learning_rat=0.1,0.2");
    insta::assert_snapshot!("bad_sweep_80x24", drawn(&mut app, (80, 24)));
    press(&mut app, &[Key::Enter]);
    assert!(app.screens.train.editing.is_some(), "it is not taken");
    press(&mut app, &[Key::Escape]);
    assert_eq!(app.screens.train.form.study.sweep, "learning_rate=0.003,0.01");
    // Del clears a field; the study is saved.
    assert_eq!(TrainScreen::new(app.screens.train.view_state()).form.study, app.screens.train.form.study);
    press(&mut app, &[Key::Delete]);
    assert_eq!(app.screens.train.form.study.sweep, "");
}
