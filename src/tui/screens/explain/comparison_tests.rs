//! Tests of the maps of two models side by side.

use super::tests::{LARGE, SMALL, SOUND, answer, app_with_runs, list, mapped, requested, with_pictures};
use super::*;
use crate::terminal::input::Key;
use crate::tui::app::App;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::explain::ExplainEffect;
use crate::tui::testing::press;

/// A map that looks elsewhere.
const OTHER: [f32; 16] = [0.0, 0.1, 0.0, 0.2, 0.1, 0.3, 0.0, 0.0, 0.1, 0.1, 0.1, 0.0, 1.2, 0.9, 0.0, 0.4];

/// The workbench with the maps of two groups of runs side by side, and the requests for them.
fn compared() -> (App, Vec<MapRequest>) {
    let mut app = app_with_runs();
    app.navigate(Destination::Explanation(list()));
    press(&mut app, &[Key::Char('c')]);
    let requests = requested(&press(&mut app, &[Key::Enter]));
    (app, requests)
}

#[test]
fn the_maps_of_two_models_are_side_by_side() {
    let (mut app, requests) = compared();
    let runs: Vec<bool> = requests.iter().map(|request| matches!(&request.source, ModelSource::Runs(runs) if runs.iter().all(|run| run.name().ends_with("modern")))).collect();
    assert_eq!(runs, [false, true], "the second is the one that is not on the left");
    answer(&mut app, &requests[..1], &Ok(mapped(SOUND)));
    insta::assert_snapshot!("one_of_two_80x24", with_pictures(&mut app, SMALL));
    answer(&mut app, &requests[1..], &Ok(mapped(OTHER)));
    for size in [SMALL, LARGE, (200, 55)] {
        insta::assert_snapshot!(format!("two_models_{}x{}", size.0, size.1), with_pictures(&mut app, size));
    }
    // The next image is explained by both, too.
    assert_eq!(requested(&press(&mut app, &[Key::Right])).len(), 2);
    assert_eq!(requested(&press(&mut app, &[Key::Char('c')])).len(), 1, "the comparison has ended");
    assert!(app.screens.explain.second.is_none());
}

#[test]
fn a_comparison_is_saved_and_ends_with_other_models() {
    let (mut app, requests) = compared();
    let restored = ExplainScreen::new(app.screens.explain.view_state());
    assert_eq!(restored.second, Some(requests[1].source.clone()));
    // Images without models of their own keep those in use, others replace both.
    app.navigate(Destination::Explanation(list()));
    assert!(app.screens.explain.second.is_some());
    app.navigate(Destination::Explanation(ExplainList { source: Some(requests[0].source.clone()), ..list() }));
    assert!(app.screens.explain.second.is_none());
}

#[test]
fn the_models_on_the_left_are_not_compared_with_themselves() {
    let mut app = app_with_runs();
    app.navigate(Destination::Explanation(list()));
    press(&mut app, &[Key::Char('c'), Key::Down, Key::Up, Key::Down, Key::Down]);
    press(&mut app, &[Key::Enter]);
    let refused = app.notice.as_ref().map(|(_, notice)| notice.text.clone());
    assert!(refused.is_some_and(|text| text.contains("on the left")));
    assert!(app.screens.explain.second.is_none() && app.screens.explain.chooser.is_some());
}

#[test]
fn the_maps_of_both_models_are_exported_under_names_of_their_own() {
    let (mut app, requests) = compared();
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    let effects = press(&mut app, &[Key::Char('E')]);
    let [Effect::Explain(ExplainEffect::Export { images, .. })] = &effects[..] else { panic!("{effects:?}") };
    let names: Vec<_> = images.iter().map(|(name, _)| name.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["146_1_C_CC_R-left.png", "146_1_C_CC_R-right.png"]);
}

#[test]
fn four_views_show_one_model() {
    let (mut app, _) = compared();
    let requests = requested(&press(&mut app, &[Key::Char('H')]));
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.source == requests[0].source));
    assert!(app.notice.as_ref().is_some_and(|(_, notice)| notice.text.contains("the left one")));
    assert_eq!(requested(&press(&mut app, &[Key::Char('H')])).len(), 2);
}
