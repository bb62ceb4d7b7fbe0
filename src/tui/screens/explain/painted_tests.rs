//! Tests of the drawings of maps, and of the requests beside those on screen.

use super::tests::{
    LARGE, SMALL, SOUND, answer, app_with_runs, examined, list, mapped, requested, sample, with_pictures,
};
use super::*;
use crate::analysis::explained_image::MapZoom;
use crate::terminal::input::Key;
use crate::tui::protocol::effect::Destination;
use crate::tui::protocol::explain::ExplainEffect;
use crate::tui::testing::{drawn, press};
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::verdict::TrainingEvidence;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_engine_protocol::event::ExplainedSample;

fn ahead(effects: &[Effect]) -> Vec<MapRequest> {
    let wanted = effects.iter().find_map(|effect| match effect {
        Effect::Explain(ExplainEffect::Show { ahead, .. }) => Some(ahead.clone()),
        _ => None,
    });
    wanted.unwrap_or_default()
}

fn key(letter: char) -> [Key; 1] {
    [Key::Char(letter)]
}

#[test]
fn maps_are_drawn_in_each_arrangement() {
    let mut app = app_with_runs();
    let requests = requested(&app.navigate(Destination::Explanation(list())));
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    // With outlines the image is painted, too, instead of read from its file.
    press(&mut app, &key('O'));
    insta::assert_snapshot!("side_by_side_120x40", with_pictures(&mut app, LARGE));
    for _ in 0..4 {
        press(&mut app, &key('O'));
    }
    assert!(drawn(&mut app, LARGE).contains("all"));
    press(&mut app, &key('a'));
    insta::assert_snapshot!("all_outlines_80x24", with_pictures(&mut app, SMALL));
    press(&mut app, &key('O'));
    press(&mut app, &[Key::Char('a'), Key::Char('a')]);
    insta::assert_snapshot!("map_80x24", with_pictures(&mut app, SMALL));
    press(&mut app, &key('='));
    // A tenth of the fixed scale is nearly dark.
    answer(&mut app, &requests, &Ok(mapped(SOUND.map(|value| value / 10.0))));
    insta::assert_snapshot!("fixed_scale_80x24", with_pictures(&mut app, SMALL));
    answer(&mut app, &requests, &Ok(mapped([-1.0; 16])));
    insta::assert_snapshot!("degenerate_80x24", with_pictures(&mut app, SMALL));
}

#[test]
fn a_fixed_scale_is_dropped_with_the_method_or_layer() {
    let mut app = app_with_runs();
    for letter in ['m', '[', 'M', ']'] {
        let requests =
            vec![app.screens.explain.request(&list().samples[1], Side::Left)].into_iter().flatten().collect::<Vec<_>>();
        let requests = match requested(&app.navigate(Destination::Explanation(list()))) {
            new if new.is_empty() => requests,
            new => new,
        };
        answer(&mut app, &requests, &Ok(mapped(SOUND)));
        press(&mut app, &key('='));
        assert!(app.screens.explain.settings.full.is_some(), "{letter}");
        press(&mut app, &[Key::Right, Key::Left]);
        assert!(app.screens.explain.settings.full.is_some(), "for all images");
        press(&mut app, &key(letter));
        assert_eq!(app.screens.explain.settings.full, None, "{letter}");
    }
}

#[test]
fn an_unknown_true_class_is_not_claimed() {
    let mut app = app_with_runs();
    let mut unlabelled = list();
    unlabelled.samples[1].label = None;
    app.navigate(Destination::Explanation(unlabelled));
    let requests = requested(&press(&mut app, &key('T')));
    let requests = if requests.is_empty() { app.screens.explain.requested.clone() } else { requests };
    assert_eq!(requests[0].class, None);
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    let text = drawn(&mut app, LARGE);
    assert!(text.contains("C, predicted; no label") && !text.contains("C, true"), "{text}");
}

#[test]
fn failed_maps_can_be_retried() {
    let mut app = app_with_runs();
    let requests = requested(&app.navigate(Destination::Explanation(list())));
    answer(&mut app, &requests, &Err("no engine beside this program".into()));
    assert_eq!(requested(&press(&mut app, &key('#'))), [], "a change of colours does not retry");
    assert_eq!(requested(&press(&mut app, &key('r'))), requests);
    assert!(drawn(&mut app, SMALL).contains("computing the map"));
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    assert_eq!(requested(&press(&mut app, &key('r'))), [], "nothing has failed");
}

#[test]
fn the_next_image_or_subject_is_computed_ahead() {
    let mut app = app_with_runs();
    let next: Vec<_> =
        ahead(&app.navigate(Destination::Explanation(list()))).into_iter().map(|one| one.sample).collect();
    assert_eq!(next, [147, 145, 148].map(|subject| sample(subject, View::CcR).path));
    let effects = press(&mut app, &key('H'));
    let next: Vec<_> = ahead(&effects).into_iter().map(|one| one.sample).collect();
    assert_eq!(next, View::ALL.map(|view| sample(147, view).path));
    // Four maps are exported together.
    answer(&mut app, &requested(&effects), &Ok(mapped(SOUND)));
    let effects = press(&mut app, &key('E'));
    let [Effect::Explain(ExplainEffect::Export { images, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(images.len(), 4);
}

#[test]
fn the_control_and_problems_with_masks_are_shown() {
    let mut app = app_with_runs();
    let requests = requested(&app.navigate(Destination::Explanation(list())));
    let mut examined = examined();
    examined.control.dense_enrichment = Some(0.98);
    examined.control.dense_energy = Some(0.4);
    examined.mask_problems = vec!["masks/146_dense.png: the mask has 7 × 7 pixels".to_owned()];
    let map = ExplanationMap::new(4, 4, SOUND.to_vec());
    let class = DensityClass::C;
    let sample =
        ExplainedSample { logits: [0.0; 4], class, map, all_gradients_negative: false, curves: None, findings: None };
    let image = Arc::new(Arc::new(examined).explained(&sample, MapZoom::Bilinear));
    let there = MappedImage {
        image,
        class,
        model: PathBuf::new(),
        control: None,
        training: TrainingEvidence::Unknown,
        doubts: Vec::new(),
    };
    answer(&mut app, &requests, &Ok(Arc::new(there)));
    let text = drawn(&mut app, SMALL);
    assert!(text.lines().any(|line| line.contains("random control") && line.contains("×1.0")), "{text}");
    let beats = text.lines().find(|line| line.contains("beats random")).unwrap();
    assert!(!beats.contains("maps"), "nothing was compared: {beats}");
    assert!(text.contains("masks/146_dense.png: the") && text.contains("mask has 7 × 7 pixels"), "{text}");
}
