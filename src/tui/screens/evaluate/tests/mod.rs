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
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::evaluate::EvaluateEffect;
use crate::tui::protocol::evaluate::EvaluateMessage;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::verb::Verb;
use crate::tui::services::Services;
use crate::tui::testing::{assert_drawn, drawn, fixed_time, fresh_app, press};
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::run::dataset_manifest::{
    DatasetManifest, MANIFEST_SCHEMA, ManifestSample, PixelFacts, SplitSource,
};
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::run::run_status::{BestEpoch, RunPhase, RunStatus, STATUS_SCHEMA};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::preset::Preset;
use mammoscope_storage::runs::manifest_file::write_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_storage::tables::prediction_table::write_split_tables;

mod comparison;
pub(in crate::tui) mod fixture;
mod panes;

use fixture::{Fixture, row};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

#[test]
fn evaluations_are_listed_newest_first() {
    let mut fixture = Fixture::new();
    fixture.press_until(&[Key::Char('4')], |screen| screen.is_searched);
    assert_drawn!("list", &mut fixture.app);
}

#[test]
fn the_matrix_is_drawn_in_each_normalisation() {
    let mut fixture = Fixture::new().open();
    assert_drawn!("counts", &mut fixture.app);
    press(&mut fixture.app, &[Key::Char('%'), Key::Down, Key::Right]);
    assert_drawn!("row_shares", &mut fixture.app);
    press(&mut fixture.app, &[Key::Char('%'), Key::Char(']')]);
    assert_drawn!("column_shares_of_a_view", &mut fixture.app);
    fixture.app.shared.theme.light = true;
    insta::assert_snapshot!("light_120x40", drawn(&mut fixture.app, LARGE));
    fixture.app.shared.theme.light = false;
    fixture.app.shared.theme.depth = crate::terminal::color_depth::ColorDepth::Sixteen;
    insta::assert_snapshot!("sixteen_colours_80x24", drawn(&mut fixture.app, SMALL));
    fixture.app.shared.theme.ascii = true;
    fixture.app.shared.theme.depth = crate::terminal::color_depth::ColorDepth::None;
    insta::assert_snapshot!("without_colours_120x40", drawn(&mut fixture.app, LARGE));
}

#[test]
fn metrics_are_shown_before_their_intervals() {
    let mut fixture = Fixture::new();
    fixture.press_until(&[Key::Char('4')], |screen| screen.is_searched);
    fixture.press_until(&[Key::Enter], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
    let text = drawn(&mut fixture.app, SMALL);
    assert!(text.contains("drawing resamples") && text.contains("accuracy"), "{text}");
    assert_drawn!("before_intervals", &mut fixture.app);
}

#[test]
fn the_images_of_a_cell_open_the_viewer_and_explain() {
    let mut fixture = Fixture::new().open();
    press(&mut fixture.app, &[Key::Down, Key::Right, Key::Enter]);
    assert!(fixture.opened().in_cases);
    assert_drawn!("cases", &mut fixture.app);
    press(&mut fixture.app, &[Key::Down]);
    let images = fixture.opened().image_list().unwrap();
    assert_eq!(images.title, "B predicted as B · 4 examinations");
    assert_eq!(images.position, 4, "the second subject starts after the four views of the first");
    assert_eq!(images.images.len(), 4 * fixture.opened().cases.cases.len());
    let shown = &images.images[4];
    assert!(shown.path.to_string_lossy().ends_with("_1_B_CC_R.png"), "{shown:?}");
    assert!(shown.caption.contains("exam 1 · CC_R · true B · predicted B"), "{shown:?}");
    assert!(shown.caption.contains("this view alone"), "{shown:?}");
    // The most confident first.
    let set = fixture.opened().set().unwrap();
    let of_b = |case: &case_list::ListedCase| set.evaluated.set.cases[case.place].probabilities.of(DensityClass::B);
    assert!(fixture.opened().cases.cases.is_sorted_by(|one, other| of_b(one) >= of_b(other)));
    press(&mut fixture.app, &[Key::Char('f')]);
    assert_eq!(fixture.app.popups.len(), 1);
    // Enter explains them with the networks that predicted them.
    press(&mut fixture.app, &[Key::Escape, Key::Enter]);
    assert_eq!(fixture.app.screen, ScreenId::Explain);
    let text = drawn(&mut fixture.app, SMALL);
    assert!(text.contains(" 5 of ") && text.contains("true B"), "{text}");
}

#[test]
fn an_empty_cell_cannot_be_entered() {
    let mut fixture = Fixture::new().open();
    press(&mut fixture.app, &[Key::Right, Key::Right, Key::Right]);
    assert_eq!(fixture.opened().cell, (DensityClass::A, DensityClass::D));
    press(&mut fixture.app, &[Key::Enter]);
    assert!(!fixture.opened().in_cases);
    assert_eq!(fixture.app.notice.as_ref().unwrap().1.text, "no cases in this cell");
}

#[test]
fn keys_select_cells_and_sets() {
    let mut fixture = Fixture::new().open();
    assert_eq!(fixture.opened().name, Some(SetName::Total));
    press(&mut fixture.app, &[Key::Up, Key::Left]);
    assert_eq!(fixture.opened().cell, (DensityClass::A, DensityClass::A), "the cursor stays within");
    press(&mut fixture.app, &[Key::Down, Key::Right, Key::Right]);
    assert_eq!(fixture.opened().cell, (DensityClass::B, DensityClass::C));
    press(&mut fixture.app, &[Key::Char(']')]);
    assert_eq!(fixture.opened().name, Some(SetName::View(View::CcR)));
    press(&mut fixture.app, &[Key::Char('['), Key::Char('[')]);
    assert_eq!(fixture.opened().name.map(SetName::name), Some("left"));
    let effects = press(&mut fixture.app, &[Key::Char('u')]);
    assert_eq!(fixture.app.screen, crate::tui::protocol::screen_id::ScreenId::Runs, "{effects:?}");
}

#[test]
fn the_other_split_is_read() {
    let mut fixture = Fixture::new().open();
    let is_validation = |screen: &EvaluateScreen| {
        let sets = screen.opened.as_ref().and_then(|opened| opened.sets.as_ref());
        sets.is_some_and(|sets| sets.split == Some(Split::Validation))
    };
    fixture.press_until(&[Key::Char('V')], is_validation);
    assert_eq!(fixture.opened().set().unwrap().evaluated.evaluation.n, 12);
    assert_eq!(fixture.evaluate().view_state().split, Some(Split::Validation));
}

#[test]
fn the_open_evaluation_is_restored() {
    let fixture = Fixture::new().open();
    let view = fixture.evaluate().view_state();
    let mut again = EvaluateScreen::new(view);
    let effects = again.enter(&fixture.app.shared);
    assert!(matches!(&effects[0], Effect::Evaluate(EvaluateEffect::Open { source, .. }) if source.runs().len() == 4));
    assert_eq!(again.opened.unwrap().key, "15_modern");
}

#[test]
fn a_run_opens_its_group_at_its_view() {
    let mut fixture = Fixture::new();
    let run = fixture.app.shared.runs.rows[2].run.clone();
    let effects = fixture.app.navigate(Destination::Evaluation(run));
    fixture.perform(effects);
    fixture.press_until(&[], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
    assert_eq!((fixture.opened().source.runs().len(), fixture.opened().name), (4, Some(SetName::View(View::MloR))));
}

#[test]
fn a_late_answer_is_ignored() {
    let mut fixture = Fixture::new().open();
    let evaluated = fixture.opened().sets.as_ref().unwrap().sets[0].evaluated.clone();
    press(&mut fixture.app, &[Key::Escape, Key::Down, Key::Enter]);
    let old = EvaluateMessage::Resampled { request: 1, evaluated: Box::new(evaluated), subgroups: Vec::new() };
    fixture.app.update(UiMessage::Evaluate(old), fixed_time());
    assert!(fixture.opened().sets.is_none());
    assert_eq!(fixture.opened().key, "9_seed");
}

#[test]
fn damaged_tables_are_reported_and_the_rest_is_shown() {
    let mut fixture = Fixture::new();
    let rows = &fixture.app.shared.runs.rows;
    fs::write(rows[1].run.prediction_table(Split::Test, "csv"), "file,subject\nx,1\n").unwrap();
    fs::remove_file(rows[3].run.prediction_table(Split::Test, "csv")).unwrap();
    fixture = fixture.open();
    let names: Vec<_> = fixture.opened().names().into_iter().map(SetName::name).collect();
    assert_eq!(names, ["CC_R", "MLO_R", "right"]);
    let problems = &fixture.opened().sets.as_ref().unwrap().problems;
    assert!(problems.iter().any(|line| line.starts_with("CC_L: predictions/test.csv: not a table")), "{problems:?}");
    assert!(problems.iter().any(|line| line == "MLO_L: no test predictions yet"), "{problems:?}");
    assert!(drawn(&mut fixture.app, LARGE).contains("! CC_L: predictions/test.csv"));
}

#[test]
fn the_empty_screen_gives_instructions() {
    let mut app = fresh_app();
    app.shared.runs.listed = true;
    press(&mut app, &[Key::Char('4')]);
    assert_drawn!("empty", &mut app);
    assert!(press(&mut app, &[Key::Enter]).is_empty());
}

#[test]
fn an_active_run_is_announced_for_evaluation() {
    let mut fixture = Fixture::new();
    let run = RunDir::create(fixture.folder.path().join("runs/running")).unwrap();
    fixture.app.shared.runs.rows = vec![row(run.clone(), "modern", 17, View::CcR, RunPhase::Running)];
    let effects = fixture.app.navigate(Destination::Evaluation(run));
    fixture.perform(effects);
    fixture.press_until(&[], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
    assert_drawn!("active_run", &mut fixture.app);
}

#[test]
fn the_mouse_selects_and_opens() {
    let mut fixture = Fixture::new().open();
    drawn(&mut fixture.app, SMALL);
    let click = |app: &mut App, column: u16, row: u16| {
        let mouse = Mouse { kind: MouseKind::Press, column, row };
        app.update(UiMessage::Input(Input::Mouse(mouse)), fixed_time());
    };
    // The second row and column of cells of the small matrix.
    click(&mut fixture.app, 16, 6);
    assert_eq!(fixture.opened().cell, (DensityClass::B, DensityClass::B));
    assert!(!fixture.opened().in_cases);
    click(&mut fixture.app, 16, 6);
    assert!(fixture.opened().in_cases, "a second click opens");
    click(&mut fixture.app, 3, 1);
    assert_eq!(fixture.opened().name, Some(SetName::View(View::CcR)));
}

#[test]
fn no_key_is_twice_in_a_table_or_hides_a_global_one() {
    for table in [keys::SHEET, keys::LIST, keys::EMPTY, keys::WAITING, keys::CHOOSER, keys::MATRIX, keys::CASES] {
        let mut seen: Vec<Verb> = APP_BINDINGS.iter().flat_map(|binding| binding.verbs).copied().collect();
        for verb in table.iter().copied().flatten().flat_map(|binding| binding.verbs) {
            assert!(!seen.contains(verb), "{verb:?}");
            seen.push(*verb);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_keys_do_no_harm(
        keys in prop::collection::vec(prop::sample::select(vec![
            Key::Enter, Key::Escape, Key::Up, Key::Down, Key::Left, Key::Right, Key::Char('%'), Key::Char('['),
            Key::Char(']'), Key::Char('c'), Key::Char('V'), Key::Char('!'), Key::Char('s'), Key::Char('S'), Key::Char('b'),
            Key::Char('a'), Key::Char('y'), Key::Home, Key::End, Key::PageDown, Key::Char('r'),
        ]), 0..40),
        size in prop_oneof![Just(SMALL), Just(LARGE), Just((60, 15)), (1_u16..200, 1_u16..60)],
    ) {
        let mut fixture = Fixture::new();
        fixture.press_until(&[Key::Char('4')], |screen| screen.is_searched);
        fixture.press_until(&[Key::Enter], |screen| screen.opened.as_ref().is_some_and(|opened| opened.sets.is_some()));
        for key in keys {
            let effects = press(&mut fixture.app, &[key]);
            fixture.perform(effects);
            drawn(&mut fixture.app, size);
        }
        for _ in 0..6 {
            press(&mut fixture.app, &[Key::Escape]);
        }
        prop_assert!(press(&mut fixture.app, &[Key::Char('q')]).contains(&Effect::Quit));
    }
}
