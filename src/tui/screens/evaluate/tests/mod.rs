use crate::tui::protocol::evaluate::EvaluateEffect;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_storage::runs::run_dir::RunDir;
use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use chrono::{Local, TimeZone as _, Utc};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::terminal::input::{Input, Key};
use crate::tui::app::App;
use crate::tui::protocol::app_action::APP_BINDINGS;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::services::Services;
use crate::tui::testing::{drawn, fixed_time, fresh_app, press};
use mammoscope_domain::run::dataset_manifest::{
    DatasetManifest, MANIFEST_SCHEMA, ManifestSample, PixelFacts, SplitSource,
};
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::run::run_status::{BestEpoch, RunPhase, RunStatus, STATUS_SCHEMA};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::subject::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::preset::Preset;
use mammoscope_storage::runs::manifest_file::write_manifest;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_storage::tables::prediction_table::write_split_tables;

pub(in crate::tui) mod stage;

use stage::{Stage, row};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

#[test]
fn the_trainings_are_listed_newest_first() {
    let mut stage = Stage::new();
    stage.press_until(&[Key::Char('4')], |screen| screen.looked);
    insta::assert_snapshot!("list_80x24", drawn(&mut stage.app, SMALL));
    insta::assert_snapshot!("list_120x40", drawn(&mut stage.app, LARGE));
}

#[test]
fn the_matrix_as_drawn_in_each_normalisation() {
    let mut stage = Stage::new().open();
    insta::assert_snapshot!("counts_80x24", drawn(&mut stage.app, SMALL));
    insta::assert_snapshot!("counts_120x40", drawn(&mut stage.app, LARGE));
    press(&mut stage.app, &[Key::Char('n'), Key::Down, Key::Right]);
    insta::assert_snapshot!("row_shares_80x24", drawn(&mut stage.app, SMALL));
    press(&mut stage.app, &[Key::Char('n'), Key::Char(']')]);
    insta::assert_snapshot!("column_shares_of_a_view_120x40", drawn(&mut stage.app, LARGE));
    stage.app.model.theme.light = true;
    insta::assert_snapshot!("light_120x40", drawn(&mut stage.app, LARGE));
    stage.app.model.theme.light = false;
    stage.app.model.theme.depth = crate::terminal::color_depth::ColorDepth::Sixteen;
    insta::assert_snapshot!("sixteen_colours_80x24", drawn(&mut stage.app, SMALL));
    stage.app.model.theme.ascii = true;
    stage.app.model.theme.depth = crate::terminal::color_depth::ColorDepth::None;
    insta::assert_snapshot!("without_colours_120x40", drawn(&mut stage.app, LARGE));
}

#[test]
fn figures_are_there_before_their_intervals() {
    let mut stage = Stage::new();
    stage.press_until(&[Key::Char('4')], |screen| screen.looked);
    stage.press_until(&[Key::Enter], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
    let text = drawn(&mut stage.app, SMALL);
    assert!(text.contains("drawing resamples") && text.contains("accuracy"), "{text}");
    insta::assert_snapshot!("before_intervals_80x24", text);
}

#[test]
fn the_images_of_a_cell_lead_to_the_viewer() {
    let mut stage = Stage::new().open();
    press(&mut stage.app, &[Key::Down, Key::Right, Key::Enter]);
    assert!(stage.opened().in_cases);
    insta::assert_snapshot!("cases_80x24", drawn(&mut stage.app, SMALL));
    insta::assert_snapshot!("cases_120x40", drawn(&mut stage.app, LARGE));
    press(&mut stage.app, &[Key::Down]);
    let images = stage.opened().image_list().unwrap();
    assert_eq!(images.title, "B predicted as B");
    assert_eq!(images.position, 4, "the second subject begins behind the four views of the first");
    assert_eq!(images.images.len(), 4 * stage.opened().cases.len());
    let shown = &images.images[4];
    assert!(shown.path.to_string_lossy().ends_with("_1_B_CC_R.png"), "{shown:?}");
    assert!(shown.caption.contains("exam 1 · CC_R · true B · predicted B"), "{shown:?}");
    assert!(shown.caption.contains("this view alone"), "{shown:?}");
    // The most confident first.
    let set = stage.opened().set().unwrap();
    let of_b = |case: &usize| set.evaluated.set.cases[*case].probabilities.of(DensityClass::B);
    assert!(stage.opened().cases.is_sorted_by(|one, other| of_b(one) >= of_b(other)));
    press(&mut stage.app, &[Key::Char('f')]);
    assert_eq!(stage.app.popups.len(), 1);
    // Enter has them explained by the networks that predicted them.
    press(&mut stage.app, &[Key::Escape, Key::Enter]);
    assert_eq!(stage.app.screen, ScreenId::Explain);
    let text = drawn(&mut stage.app, SMALL);
    assert!(text.contains(" 5 of ") && text.contains("true B"), "{text}");
}

#[test]
fn an_empty_cell_says_so_and_stays() {
    let mut stage = Stage::new().open();
    press(&mut stage.app, &[Key::Right, Key::Right, Key::Right]);
    assert_eq!(stage.opened().cell, (DensityClass::A, DensityClass::D));
    press(&mut stage.app, &[Key::Enter]);
    assert!(!stage.opened().in_cases);
    assert_eq!(stage.app.notice.as_ref().unwrap().1.text, "no case is in this cell");
}

#[test]
fn two_trainings_are_compared() {
    let mut stage = Stage::new().open();
    stage.press_until(&[Key::Char('c')], |_| true);
    insta::assert_snapshot!("chooser_80x24", drawn(&mut stage.app, SMALL));
    stage.press_until(&[Key::Enter], |screen| {
        let with = screen.opened.as_ref().and_then(|opened| opened.comparison.as_ref());
        with.is_some_and(|with| with.sets.len() == 7 && with.sets.iter().all(|set| set.resampled))
    });
    insta::assert_snapshot!("compared_80x24", drawn(&mut stage.app, SMALL));
    press(&mut stage.app, &[Key::Char('n')]);
    insta::assert_snapshot!("compared_120x40", drawn(&mut stage.app, LARGE));
    // From the comparison, then from the evaluation.
    press(&mut stage.app, &[Key::Escape]);
    assert!(stage.opened().comparison.is_none());
    press(&mut stage.app, &[Key::Escape]);
    assert!(stage.evaluate().opened.is_none());
}

#[test]
fn keys_move_and_turn() {
    let mut stage = Stage::new().open();
    assert_eq!(stage.opened().name, Some(SetName::Total));
    press(&mut stage.app, &[Key::Up, Key::Left]);
    assert_eq!(stage.opened().cell, (DensityClass::A, DensityClass::A), "the cursor stays within");
    press(&mut stage.app, &[Key::Down, Key::Right, Key::Right]);
    assert_eq!(stage.opened().cell, (DensityClass::B, DensityClass::C));
    press(&mut stage.app, &[Key::Char(']')]);
    assert_eq!(stage.opened().name, Some(SetName::View(View::CcR)));
    press(&mut stage.app, &[Key::Char('['), Key::Char('[')]);
    assert_eq!(stage.opened().name.map(SetName::name), Some("left"));
    let effects = press(&mut stage.app, &[Key::Char('o')]);
    assert_eq!(stage.app.screen, crate::tui::protocol::screen_id::ScreenId::Runs, "{effects:?}");
}

#[test]
fn the_other_split_is_read() {
    let mut stage = Stage::new().open();
    let is_validation = |screen: &EvaluateScreen| {
        let sets = screen.opened.as_ref().and_then(|opened| opened.sets.as_ref());
        sets.is_some_and(|sets| sets.split == Split::Validation)
    };
    stage.press_until(&[Key::Char('v')], is_validation);
    assert_eq!(stage.opened().set().unwrap().evaluated.evaluation.n, 12);
    assert_eq!(stage.evaluate().view_state().split, Some(Split::Validation));
}

#[test]
fn what_was_open_is_restored() {
    let stage = Stage::new().open();
    let view = stage.evaluate().view_state();
    let mut again = EvaluateScreen::new(view);
    let effects = again.enter(&stage.app.model);
    assert!(matches!(&effects[0], Effect::Evaluate(EvaluateEffect::Open { runs, .. }) if runs.len() == 4));
    assert_eq!(again.opened.unwrap().key, "15_modern");
}

#[test]
fn a_run_opens_its_group_at_its_view() {
    let mut stage = Stage::new();
    let run = stage.app.model.runs.rows[2].run.clone();
    let effects = stage.app.arrive(Destination::Evaluation(run));
    stage.perform(effects);
    stage.press_until(&[], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
    assert_eq!((stage.opened().runs.len(), stage.opened().name), (4, Some(SetName::View(View::MloR))));
}

#[test]
fn a_late_answer_is_not_taken() {
    let mut stage = Stage::new().open();
    let evaluated = stage.opened().sets.as_ref().unwrap().sets[0].evaluated.clone();
    press(&mut stage.app, &[Key::Escape, Key::Down, Key::Enter]);
    let old = EvaluateMessage::Resampled { request: 1, evaluated: Box::new(evaluated) };
    stage.app.update(UiMessage::Evaluate(old), fixed_time());
    assert!(stage.opened().sets.is_none());
    assert_eq!(stage.opened().key, "9_seed");
}

#[test]
fn damage_is_said_in_a_line_and_the_rest_is_shown() {
    let mut stage = Stage::new();
    let rows = &stage.app.model.runs.rows;
    fs::write(rows[1].run.prediction_table(Split::Test, "csv"), "file,subject\nx,1\n").unwrap();
    fs::remove_file(rows[3].run.prediction_table(Split::Test, "csv")).unwrap();
    stage = stage.open();
    let names: Vec<_> = stage.opened().names().into_iter().map(SetName::name).collect();
    assert_eq!(names, ["CC_R", "MLO_R", "right"]);
    let problems = &stage.opened().sets.as_ref().unwrap().problems;
    assert!(problems.iter().any(|line| line.starts_with("CC_L: predictions/test.csv: not a table")), "{problems:?}");
    assert!(problems.iter().any(|line| line == "MLO_L: no test predictions yet"), "{problems:?}");
    assert!(drawn(&mut stage.app, LARGE).contains("! CC_L: predictions/test.csv"));
}

#[test]
fn without_anything_it_says_what_to_do() {
    let mut app = fresh_app();
    app.model.runs.listed = true;
    press(&mut app, &[Key::Char('4')]);
    insta::assert_snapshot!("empty_80x24", drawn(&mut app, SMALL));
    assert!(press(&mut app, &[Key::Enter]).is_empty());
}

#[test]
fn a_run_at_work_says_when_it_is_evaluated() {
    let mut stage = Stage::new();
    let run = RunDir::create(stage.folder.path().join("runs/running")).unwrap();
    stage.app.model.runs.rows = vec![row(run.clone(), "modern", 17, View::CcR, RunPhase::Running)];
    let effects = stage.app.arrive(Destination::Evaluation(run));
    stage.perform(effects);
    stage.press_until(&[], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
    insta::assert_snapshot!("at_work_80x24", drawn(&mut stage.app, SMALL));
}

#[test]
fn the_mouse_chooses_and_opens() {
    let mut stage = Stage::new().open();
    drawn(&mut stage.app, SMALL);
    let click = |app: &mut App, column: u16, row: u16| {
        let mouse = Mouse { kind: MouseKind::Press, column, row };
        app.update(UiMessage::Input(Input::Mouse(mouse)), fixed_time());
    };
    // The second row and column of cells of the small matrix.
    click(&mut stage.app, 16, 6);
    assert_eq!(stage.opened().cell, (DensityClass::B, DensityClass::B));
    assert!(!stage.opened().in_cases);
    click(&mut stage.app, 16, 6);
    assert!(stage.opened().in_cases, "a second click opens");
    click(&mut stage.app, 3, 1);
    assert_eq!(stage.opened().name, Some(SetName::View(View::CcR)));
}

#[test]
fn no_key_is_twice_in_a_table_or_hides_one_of_the_frame() {
    for table in [keys::LIST, keys::EMPTY, keys::WAITING, keys::CHOOSER, keys::MATRIX, keys::CASES] {
        let mut seen: Vec<Key> = APP_BINDINGS.iter().flat_map(|binding| binding.keys).copied().collect();
        for key in table.iter().flat_map(|binding| binding.keys) {
            assert!(!seen.contains(key), "{key}");
            seen.push(*key);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_keys_do_no_harm(
        keys in prop::collection::vec(prop::sample::select(vec![
            Key::Enter, Key::Escape, Key::Up, Key::Down, Key::Left, Key::Right, Key::Char('n'), Key::Char('['),
            Key::Char(']'), Key::Char('c'), Key::Char('v'), Key::Home, Key::End, Key::PageDown, Key::Char('r'),
        ]), 0..40),
        size in prop_oneof![Just(SMALL), Just(LARGE), Just((60, 15)), (1_u16..200, 1_u16..60)],
    ) {
        let mut stage = Stage::new();
        stage.press_until(&[Key::Char('4')], |screen| screen.looked);
        stage.press_until(&[Key::Enter], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
        for key in keys {
            let effects = press(&mut stage.app, &[key]);
            stage.perform(effects);
            drawn(&mut stage.app, size);
        }
        for _ in 0..6 {
            press(&mut stage.app, &[Key::Escape]);
        }
        prop_assert!(press(&mut stage.app, &[Key::Char('q')]).contains(&Effect::Quit));
    }
}
