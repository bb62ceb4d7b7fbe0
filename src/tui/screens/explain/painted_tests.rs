//! What is drawn of a map in each way to draw it, and what is asked for beside it.

use super::tests::{LARGE, SMALL, SOUND, answer, asked, examined, list, mapped, sample, stage, with_pictures};
use super::*;
use crate::analysis::explained_image::MapZoom;
use crate::terminal::input::Key;
use crate::tui::protocol::effect::Destination;
use crate::tui::testing::{drawn, press};
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_engine_protocol::protocol::ExplainedSample;

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
fn each_way_to_draw_a_map() {
    let mut app = stage();
    let requests = asked(&app.arrive(Destination::Explanation(list())));
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    // Outlined, so that the image, too, is painted here and not read from its file.
    press(&mut app, &key('k'));
    insta::assert_snapshot!("side_by_side_120x40", with_pictures(&mut app, LARGE));
    for _ in 0..4 {
        press(&mut app, &key('k'));
    }
    assert!(drawn(&mut app, LARGE).contains("all"));
    press(&mut app, &key('o'));
    insta::assert_snapshot!("all_outlines_80x24", with_pictures(&mut app, SMALL));
    press(&mut app, &key('k'));
    press(&mut app, &[Key::Char('o'), Key::Char('o')]);
    insta::assert_snapshot!("map_80x24", with_pictures(&mut app, SMALL));
    press(&mut app, &key('s'));
    // A tenth of the scale that is kept: nearly dark.
    answer(&mut app, &requests, &Ok(mapped(SOUND.map(|value| value / 10.0))));
    insta::assert_snapshot!("fixed_scale_80x24", with_pictures(&mut app, SMALL));
    answer(&mut app, &requests, &Ok(mapped([-1.0; 16])));
    insta::assert_snapshot!("degenerate_80x24", with_pictures(&mut app, SMALL));
}

#[test]
fn a_scale_is_kept_for_the_same_kind_of_map_alone() {
    let mut app = stage();
    for letter in ['m', 'y', 'n', 'Y'] {
        let requests = vec![app.screens.explain.request(&list().samples[1])].into_iter().flatten().collect::<Vec<_>>();
        let requests = match asked(&app.arrive(Destination::Explanation(list()))) {
            new if new.is_empty() => requests,
            new => new,
        };
        answer(&mut app, &requests, &Ok(mapped(SOUND)));
        press(&mut app, &key('s'));
        assert!(app.screens.explain.settings.full.is_some(), "{letter}");
        press(&mut app, &[Key::Right, Key::Left]);
        assert!(app.screens.explain.settings.full.is_some(), "for all images");
        press(&mut app, &key(letter));
        assert_eq!(app.screens.explain.settings.full, None, "{letter}");
    }
}

#[test]
fn a_true_class_that_is_not_known_is_not_claimed() {
    let mut app = stage();
    let mut unlabelled = list();
    unlabelled.samples[1].label = None;
    app.arrive(Destination::Explanation(unlabelled));
    let requests = asked(&press(&mut app, &key('t')));
    let requests = if requests.is_empty() { app.screens.explain.asked.clone() } else { requests };
    assert_eq!(requests[0].class, None);
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    let text = drawn(&mut app, LARGE);
    assert!(text.contains("C, predicted; no label") && !text.contains("C, true"), "{text}");
}

#[test]
fn what_could_not_be_had_can_be_asked_for_again() {
    let mut app = stage();
    let requests = asked(&app.arrive(Destination::Explanation(list())));
    answer(&mut app, &requests, &Err("no engine beside this program".to_owned()));
    assert_eq!(asked(&press(&mut app, &key('c'))), [], "how it is shown is no reason");
    assert_eq!(asked(&press(&mut app, &key('r'))), requests);
    assert!(drawn(&mut app, SMALL).contains("computing the map"));
    answer(&mut app, &requests, &Ok(mapped(SOUND)));
    assert_eq!(asked(&press(&mut app, &key('r'))), [], "there is nothing to mend");
}

#[test]
fn what_is_next_is_computed_ahead_an_image_or_a_whole_subject() {
    let mut app = stage();
    let next: Vec<_> = ahead(&app.arrive(Destination::Explanation(list()))).into_iter().map(|one| one.sample).collect();
    assert_eq!(next, [147, 145, 148].map(|subject| sample(subject, View::CcR).path));
    let effects = press(&mut app, &key('g'));
    let next: Vec<_> = ahead(&effects).into_iter().map(|one| one.sample).collect();
    assert_eq!(next, View::ALL.map(|view| sample(147, view).path));
    // Four maps are one export.
    answer(&mut app, &asked(&effects), &Ok(mapped(SOUND)));
    let effects = press(&mut app, &key('e'));
    let [Effect::Explain(ExplainEffect::Export { images, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(images.len(), 4);
}

#[test]
fn the_control_and_what_is_wrong_with_masks_are_told() {
    let mut app = stage();
    let requests = asked(&app.arrive(Destination::Explanation(list())));
    let mut examined = examined();
    examined.control.dense_enrichment = Some(0.98);
    examined.control.dense_energy = Some(0.4);
    examined.mask_problems = vec!["masks/146_dense.png: the mask has 7 × 7 pixels".to_owned()];
    let map = ExplanationMap::new(4, 4, SOUND.to_vec());
    let class = DensityClass::C;
    let sample =
        ExplainedSample { logits: [0.0; 4], class, map, all_gradients_negative: false, curves: None, findings: None };
    let image = Arc::new(Arc::new(examined).explained(&sample, MapZoom::Bilinear));
    let there = MappedImage { image, class, grid: (4, 4), model: PathBuf::new() };
    answer(&mut app, &requests, &Ok(Arc::new(there)));
    let text = drawn(&mut app, SMALL);
    assert!(text.lines().any(|line| line.contains("random control") && line.contains("×1.0")), "{text}");
    assert!(text.contains("masks/146_dense.png: the") && text.contains("mask has 7 × 7 pixels"), "{text}");
}
