//! Tests of what survives a restart, of the verdict, of coarse maps, and of typed models.

use super::tests::{LARGE, SMALL, SOUND, answer, app_with_runs, list, mapped, requested, with_pictures};
use super::*;
use crate::tui::app::App;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::explain::ExplainEffect;
use crate::tui::protocol::explain::ExplainMessage;
use crate::tui::protocol::message::UiMessage;
use crate::tui::testing::{drawn, empty_shared_state, fixed_time, press};
use crate::tui::view_state::ViewState;

fn tell(app: &mut App, message: ExplainMessage) -> Vec<Effect> {
    app.update(UiMessage::Explain(message), fixed_time())
}

#[test]
fn the_list_and_the_place_survive_a_restart_and_missing_files_are_named() {
    let mut app = app_with_runs();
    app.navigate(Destination::Explanation(list()));
    press(&mut app, &[Key::Right]);
    let saved: ViewState = serde_json::from_slice(&serde_json::to_vec(&app.view_state()).unwrap()).unwrap();
    let mut again = App::new(empty_shared_state(), saved);
    let effects = again.start();
    let before = list();
    assert!(drawn(&mut again, SMALL).contains("3 of 5"));
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Explain(ExplainEffect::LookForImages(paths)) => Some(paths.clone()),
        _ => None,
    });
    assert_eq!(asked.unwrap()[0], before.samples[0].path);
    let missing = vec![before.samples[0].path.clone(), before.samples[2].path.clone()];
    tell(&mut again, ExplainMessage::Missing(missing));
    let screen = drawn(&mut again, SMALL);
    let name = before.samples[0].path.file_name().unwrap().to_string_lossy();
    assert!(screen.contains(&format!("2 of 5 images of the last session are missing: {name} and 1 more")), "{screen}");
    assert!(screen.contains("2 of 3"), "{screen}");
}

#[test]
fn the_runs_of_another_workspace_do_not_explain() {
    let mut app = app_with_runs();
    app.navigate(Destination::Explanation(list()));
    let saved = || serde_json::from_slice(&serde_json::to_vec(&app.view_state()).unwrap()).unwrap();
    let source = |workspace: &str| {
        let mut shared = empty_shared_state();
        shared.workspace = workspace.into();
        let mut again = App::new(shared, saved());
        again.start();
        again.view_state().explain.source
    };
    assert!(matches!(source("/density/workspace"), Some(ModelSource::Runs(_))));
    assert_eq!(source("/density/copy"), None, "it was copied with its saved state");
}

#[test]
fn a_coarse_map_is_drawn_as_cells_until_it_is_smoothed() {
    let mut app = app_with_runs();
    let requests = requested(&app.navigate(Destination::Explanation(list())));
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    press(&mut app, &[Key::Char('a')]);
    let cells = with_pictures(&mut app, LARGE);
    assert!(cells.contains("4 × 4 cells"), "{cells}");
    press(&mut app, &[Key::Char(')')]);
    let smooth = with_pictures(&mut app, LARGE);
    assert!(smooth.contains("4 × 4, smoothed"), "{smooth}");
    assert_ne!(cells, smooth);
    press(&mut app, &[Key::Char('(')]);
    assert_eq!(with_pictures(&mut app, LARGE), cells);
    insta::assert_snapshot!("cells_200x55", with_pictures(&mut app, (200, 55)));
}

#[test]
fn a_typed_model_is_used_once_it_was_checked() {
    let mut app = app_with_runs();
    app.navigate(Destination::Explanation(list()));
    press(&mut app, &[Key::Char('o'), Key::Char('o')]);
    press(&mut app, &"/models/x".chars().map(Key::Char).collect::<Vec<_>>());
    let typed = "/models/x".to_owned();
    let check = Effect::Explain(ExplainEffect::CheckModels(typed.clone()));
    assert_eq!(press(&mut app, &[Key::Enter]), [check]);
    let refused = Err("/models/x: contains no models".into());
    tell(&mut app, ExplainMessage::ModelsChecked { typed: typed.clone(), outcome: refused });
    insta::assert_snapshot!("refused_model_80x24", drawn(&mut app, SMALL));
    let before = app.view_state().explain.source;
    press(&mut app, &[Key::Enter]);
    let effects = tell(&mut app, ExplainMessage::ModelsChecked { typed, outcome: Ok("/models/x".into()) });
    assert_ne!(app.view_state().explain.source, before);
    assert_eq!(app.view_state().explain.source, Some(ModelSource::Files("/models/x".into())));
    assert_eq!(requested(&effects)[0].source, ModelSource::Files("/models/x".into()));
}
