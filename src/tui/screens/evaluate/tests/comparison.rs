//! Comparisons as flips, and sorted lists of cases.

use super::*;
use crate::tui::protocol::explain::ExplainEffect;

#[test]
fn two_evaluations_are_compared() {
    let mut fixture = Fixture::new().open();
    fixture.press_until(&[Key::Char('c')], |_| true);
    assert_drawn!("chooser", &mut fixture.app);
    fixture.press_until(&[Key::Enter], |screen| {
        let with = screen.opened.as_ref().and_then(|opened| opened.comparison.as_ref());
        with.is_some_and(|with| with.sets.len() == 7 && with.sets.iter().all(|set| set.resampled))
    });
    assert_drawn!("flips", &mut fixture.app);
    press(&mut fixture.app, &[Key::Char('%')]);
    assert_drawn!("compared", &mut fixture.app);
    press(&mut fixture.app, &[Key::Char('%')]);
    assert_drawn!("compared_shares", &mut fixture.app);
    fixture.app.shared.theme.ascii = true;
    fixture.app.shared.theme.depth = crate::terminal::color_depth::ColorDepth::None;
    insta::assert_snapshot!("compared_without_colours_80x24", drawn(&mut fixture.app, SMALL));
    // Esc leaves the comparison, then the evaluation.
    press(&mut fixture.app, &[Key::Escape]);
    assert!(fixture.opened().comparison.is_none());
    press(&mut fixture.app, &[Key::Escape]);
    assert!(fixture.evaluate().opened.is_none());
}

#[test]
fn flips_are_listed_with_both_predictions_and_explained_by_either_model() {
    let mut fixture = Fixture::new().open();
    fixture.press_until(&[Key::Char('c'), Key::Enter], |screen| {
        let with = screen.opened.as_ref().and_then(|opened| opened.comparison.as_ref());
        with.is_some_and(|with| with.sets.len() == 7)
    });
    press(&mut fixture.app, &[Key::Down, Key::Right, Key::Right]);
    assert_eq!(fixture.opened().cell, (DensityClass::B, DensityClass::C));
    let pairs: Vec<_> = fixture.opened().cases.cases.iter().map(|case| case.pair.unwrap()).collect();
    assert!(!pairs.is_empty() && pairs.iter().all(|pair| pair.touches(fixture.opened().cell)), "{pairs:?}");
    press(&mut fixture.app, &[Key::Enter]);
    assert_drawn!("pairs", &mut fixture.app);
    // The models whose maps are requested, the one on the left first.
    let sources = |app: &mut App, key: Key| {
        let effects = press(app, &[key]);
        assert_eq!(app.screen, ScreenId::Explain);
        press(app, &[Key::Char('4')]);
        let shown = effects.iter().find_map(|effect| match effect {
            Effect::Explain(ExplainEffect::Show { shown, .. }) => Some(shown.clone()),
            _ => None,
        });
        shown.unwrap().iter().map(|request| format!("{:?}", request.source)).collect::<Vec<_>>()
    };
    let both = sources(&mut fixture.app, Key::Enter);
    assert!(both.len() == 2 && both[0].contains("15_CC_R_modern") && both[1].contains("9_CC_R_seed"), "{both:?}");
    let exchanged = sources(&mut fixture.app, Key::Char('b'));
    assert_eq!(exchanged, [both[1].clone(), both[0].clone()]);
    // All flips, then without a comparison all cases.
    press(&mut fixture.app, &[Key::Escape, Key::Char('!')]);
    let opened = fixture.opened();
    assert_eq!(
        opened.cases.cases.len(),
        opened.pair().unwrap().comparison.pairs.iter().filter(|case| case.flip().is_some()).count()
    );
    press(&mut fixture.app, &[Key::Escape, Key::Escape]);
    assert!(
        fixture.opened().comparison.is_none() && fixture.opened().cases.cases.iter().all(|case| case.pair.is_none())
    );
}

#[test]
fn the_worst_errors_come_first_and_lists_are_sorted() {
    let mut fixture = Fixture::new().open();
    press(&mut fixture.app, &[Key::Char('!')]);
    assert_drawn!("worst", &mut fixture.app);
    let listed = |fixture: &Fixture| {
        let set = fixture.opened().set().unwrap();
        let cases = fixture.opened().cases.cases.iter().map(|case| &set.evaluated.set.cases[case.place]);
        cases.map(|case| (case.label, case.predicted(), case.probabilities.of(case.predicted()))).collect::<Vec<_>>()
    };
    let cases = listed(&fixture);
    assert_eq!(cases.len(), 24);
    let errors = cases.iter().take_while(|(truth, predicted, _)| truth != predicted).count();
    assert!(errors > 0 && cases[errors..].iter().all(|(truth, predicted, _)| truth == predicted));
    assert!(cases[..errors].is_sorted_by(|one, other| one.2 >= other.2), "the most confident error first");
    assert!(cases[errors..].is_sorted_by(|one, other| one.2 <= other.2), "then the greatest doubt");
    press(&mut fixture.app, &[Key::Char('s')]);
    assert!(listed(&fixture).is_sorted_by(|one, other| one.2 >= other.2));
    press(&mut fixture.app, &[Key::Char('s')]);
    assert!(listed(&fixture).is_sorted_by_key(|case| (case.0.index(), case.1.index())));
    press(&mut fixture.app, &[Key::Char('S')]);
    assert!(listed(&fixture).is_sorted_by(|one, other| one.0.index() >= other.0.index()));
}

#[test]
fn cases_are_shown_as_thumbnails_and_their_paths_copied() {
    let mut fixture = Fixture::new().open();
    press(&mut fixture.app, &[Key::Char('!'), Key::Char('a')]);
    assert!(fixture.evaluate().is_on_sheet() && fixture.evaluate().view_state().shows_sheet);
    assert_drawn!("sheet", &mut fixture.app);
    press(&mut fixture.app, &[Key::Right, Key::Right, Key::Left]);
    assert_eq!(fixture.opened().cases.list.cursor, 1);
    let effects = press(&mut fixture.app, &[Key::Char('y')]);
    let [Effect::Copy(path)] = &effects[..] else { panic!("{effects:?}") };
    assert!(path.starts_with("/density/images/CC_R/") && path.ends_with("_CC_R.png"), "{path}");
    press(&mut fixture.app, &[Key::Enter]);
    assert_eq!(fixture.app.screen, ScreenId::Explain);
    press(&mut fixture.app, &[Key::Char('4'), Key::Char('a')]);
    assert!(!fixture.evaluate().is_on_sheet(), "a list again");
}

#[test]
fn outside_the_cases_the_path_of_the_evaluation_is_copied() {
    let copied = |fixture: &mut Fixture| match &press(&mut fixture.app, &[Key::Char('y')])[..] {
        [Effect::Copy(path)] => path.clone(),
        effects => panic!("{effects:?}"),
    };
    let mut listed = Fixture::new();
    listed.press_until(&[Key::Char('4')], |screen| screen.is_searched);
    let run = copied(&mut listed);
    assert!(run.contains("/runs/"), "the first run of the listed group: {run}");
    let mut opened = Fixture::new().open();
    assert!(copied(&mut opened).contains("/runs/"), "the run of the matrix");
}
