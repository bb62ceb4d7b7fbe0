//! The slider over the kept epochs of a run.

use super::tests::{LARGE, SMALL, SOUND, answer, app_with_runs, list, mapped, requested, with_pictures};
use super::*;
use crate::terminal::input::Key;
use crate::tui::app::App;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::explain::{EpochScores, ExplainEffect, ExplainMessage, RunEpochs};
use crate::tui::protocol::message::UiMessage;
use crate::tui::testing::{drawn, fixed_time, press};
use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::run_dir::RunDir;

const EARLIER: Key = Key::Char(';');
const LATER: Key = Key::Char('\'');

/// The runs whose epochs are looked for by these effects.
fn looked_for(effects: &[Effect]) -> Option<Vec<RunDir>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Explain(ExplainEffect::LookForEpochs(runs)) => Some(runs.clone()),
        _ => None,
    })
}

/// What is computed ahead.
fn ahead(effects: &[Effect]) -> Vec<MapRequest> {
    let ahead = effects.iter().find_map(|effect| match effect {
        Effect::Explain(ExplainEffect::Show { ahead, .. }) => Some(ahead.clone()),
        _ => None,
    });
    ahead.unwrap_or_default()
}

fn send(app: &mut App, message: ExplainMessage) -> Vec<Effect> {
    app.update(UiMessage::Explain(message), fixed_time())
}

/// The workbench with an image of CC_R, and the answer that its run has kept these epochs.
fn with_epochs(epochs: &[u32]) -> (App, Vec<RunDir>) {
    let mut app = app_with_runs();
    let runs = looked_for(&app.navigate(Destination::Explanation(list()))).expect("the epochs are looked for");
    let found = found(&runs, epochs);
    send(&mut app, ExplainMessage::Epochs(found));
    (app, runs)
}

/// The runs of which that of CC_R has kept these epochs.
fn found(runs: &[RunDir], epochs: &[u32]) -> Vec<RunEpochs> {
    let of = |(run, view): (&RunDir, View)| RunEpochs {
        run: run.clone(),
        view: Some(view),
        epochs: if view == View::CcR { epochs.to_vec() } else { Vec::new() },
    };
    assert!(runs.iter().zip(View::ALL).all(|(run, view)| run.name().contains(view.name())), "{runs:?}");
    runs.iter().zip(View::ALL).map(of).collect()
}

fn scored(app: &mut App, request: &MapRequest, dense: f64, breast: f64) {
    let scores =
        ExplanationScores { dense_energy: Some(dense), breast_energy: Some(breast), ..ExplanationScores::default() };
    send(app, ExplainMessage::Scored { request: request.clone(), outcome: Ok(EpochScores { scores }) });
}

#[test]
fn a_run_without_kept_epochs_has_no_slider() {
    for epochs in [&[][..], &[4]] {
        let (mut app, _) = with_epochs(epochs);
        let before = drawn(&mut app, LARGE);
        assert!(!before.contains("best model") && !before.contains("earlier"), "{before}");
        assert_eq!(requested(&press(&mut app, &[EARLIER])), []);
        let after = drawn(&mut app, LARGE);
        assert!(!after.contains("best model") && after.contains("does nothing here"), "{after}");
    }
}

#[test]
fn the_slider_steps_through_the_epochs_and_back_to_the_best_model() {
    let (mut app, _) = with_epochs(&[2, 4, 6, 8]);
    let requests = requested(&press(&mut app, &[Key::Char('m'), Key::Char('M')]));
    assert_eq!(requests[0].epoch, None);
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    assert!(drawn(&mut app, SMALL).contains("best model"));
    insta::assert_snapshot!("best_120x40", with_pictures(&mut app, LARGE));

    let effects = press(&mut app, &[EARLIER]);
    let requests = requested(&effects);
    assert_eq!(requests.iter().map(|request| request.epoch).collect::<Vec<_>>(), [Some(8)]);
    // The scores of the other epochs, the nearest first, then the images around.
    let epochs: Vec<_> = ahead(&effects).iter().map(|request| request.epoch).collect();
    assert_eq!(epochs[..3], [Some(6), Some(4), Some(2)]);
    assert!(epochs.len() > 3 && epochs[3..].iter().all(|epoch| *epoch == Some(8)), "{epochs:?}");
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    let of_epoch = |epoch| MapRequest { epoch: Some(epoch), ..requests[0].clone() };
    for (epoch, dense, breast) in [(8, 0.5, 0.9), (6, 0.35, 0.8), (4, 0.2, 0.95)] {
        scored(&mut app, &of_epoch(epoch), dense, breast);
    }
    assert!(drawn(&mut app, LARGE).contains("3 of 4 epochs"), "{}", drawn(&mut app, LARGE));
    scored(&mut app, &of_epoch(2), 0.1, 0.6);

    let effects = press(&mut app, &[EARLIER, EARLIER]);
    let requests = requested(&effects);
    assert_eq!(requests[0].epoch, Some(4));
    assert!(ahead(&effects).iter().all(|request| request.sample != requests[0].sample), "all scores are known");
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    insta::assert_snapshot!("epoch_4_120x40", with_pictures(&mut app, LARGE));
    insta::assert_snapshot!("epoch_4_80x24", with_pictures(&mut app, SMALL));
    insta::assert_snapshot!("epoch_4_60x15", with_pictures(&mut app, (60, 15)));

    // The ends hold.
    assert_eq!(requested(&press(&mut app, &[EARLIER]))[0].epoch, Some(2));
    assert_eq!(requested(&press(&mut app, &[EARLIER])), []);
    assert_eq!(requested(&press(&mut app, &[LATER, LATER, LATER]))[0].epoch, Some(8));
    assert_eq!(requested(&press(&mut app, &[LATER]))[0].epoch, None);
    assert_eq!(requested(&press(&mut app, &[LATER])), []);
}

#[test]
fn another_view_or_other_models_have_epochs_of_their_own() {
    let (mut app, runs) = with_epochs(&[2, 4]);
    assert_eq!(requested(&press(&mut app, &[EARLIER]))[0].epoch, Some(4));
    // The four views are of four runs, three of which have kept nothing: their maps say so.
    let requests = requested(&press(&mut app, &[Key::Char('H')]));
    assert_eq!(requests.iter().map(|request| request.epoch).collect::<Vec<_>>(), [Some(4); 4]);
    press(&mut app, &[Key::Char('H')]);
    // Answers about runs that are no longer in use are ignored.
    let others = looked_for(&press(&mut app, &[Key::Char('o'), Key::Up, Key::Up, Key::Enter])).unwrap();
    assert_ne!(others, runs);
    assert!(!drawn(&mut app, LARGE).contains("epoch 4"));
    send(&mut app, ExplainMessage::Epochs(found(&runs, &[2, 4])));
    assert!(!drawn(&mut app, LARGE).contains("best model"));
    // A run that is being trained shows its newest model beside them.
    send(&mut app, ExplainMessage::Epochs(found(&others, &[1, 2])));
    assert!(drawn(&mut app, LARGE).contains("newest model"));
}

#[test]
fn epochs_are_looked_for_again_when_the_run_gets_further_and_go_when_it_goes_back() {
    let (mut app, runs) = with_epochs(&[2, 4]);
    let tick = |app: &mut App| app.update(UiMessage::Tick, fixed_time());
    assert_eq!(looked_for(&tick(&mut app)), None);
    let run = app.shared.runs.rows.iter_mut().find(|row| row.run == runs[0]).unwrap();
    run.status.as_mut().unwrap().epoch += 1;
    assert_eq!(looked_for(&tick(&mut app)), Some(runs.clone()));
    assert_eq!(requested(&press(&mut app, &[EARLIER]))[0].epoch, Some(4));
    let of_four = app.screens.explain.requested[0].clone();
    scored(&mut app, &of_four, 0.5, 0.5);
    send(&mut app, ExplainMessage::Epochs(found(&runs, &[2, 4, 6])));
    let screen = &app.screens.explain;
    assert_eq!((screen.kept.shown, screen.points_of(screen.sample().unwrap()).len()), (Some(4), 1));
    let effects = send(&mut app, ExplainMessage::Epochs(found(&runs, &[2, 3])));
    assert_eq!(requested(&effects)[0].epoch, None, "epoch 4 is gone");
    let screen = &app.screens.explain;
    assert!(screen.points_of(screen.sample().unwrap()).is_empty(), "its scores were those of another course");
}

#[test]
fn a_failed_epoch_is_computed_again_on_request_and_exported_by_name() {
    let (mut app, _) = with_epochs(&[2, 4]);
    let requests = requested(&press(&mut app, &[EARLIER]));
    let failed = MapRequest { epoch: Some(2), ..requests[0].clone() };
    send(&mut app, ExplainMessage::Scored { request: failed.clone(), outcome: Err("damaged".into()) });
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    let effects = press(&mut app, &[Key::Char('E')]);
    let [Effect::Explain(ExplainEffect::Export { images, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert!(images[0].0.ends_with("146_1_C_CC_R-epoch-004.png"), "{:?}", images[0].0);
    let effects = press(&mut app, &[Key::Char('r')]);
    assert_eq!(ahead(&effects).first(), Some(&failed));
}
