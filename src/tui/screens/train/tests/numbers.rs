//! Numbers that are typed, and the search for their fields.

use super::*;

#[test]
fn a_wrong_value_is_reported_while_typing_and_escape_restores() {
    let mut app = with_estimate();
    edit(&mut app, "dropout", "1.5");
    assert_drawn!("wrong", &mut app);
    press(&mut app, &[Key::Enter]);
    assert!(app.screens.train.editing.is_some(), "a wrong value is not applied");
    press(&mut app, &[Key::Escape]);
    assert!((app.screens.train.form.config.dropout - 0.2).abs() < 1e-9);
    assert!(app.screens.train.editing.is_none());
    press(&mut app, &[Key::Escape]);
    edit(&mut app, "dropout", "0.5");
    press(&mut app, &[Key::Enter, Key::Escape]);
    assert!((app.screens.train.form.config.dropout - 0.5).abs() < 1e-9);
    assert_drawn!("changed", &mut app);
    press(&mut app, &[Key::Delete]);
    assert!(app.screens.train.form.changes().is_empty(), "Del restores the preset's value");
}

#[test]
fn a_filter_finds_keys_and_suggests_the_most_similar() {
    let mut app = app();
    press(&mut app, &[Key::Char('/')]);
    typed(&mut app, "epohcs");
    assert!(drawn(&mut app, (80, 24)).contains("the nearest is epochs"));
    press(&mut app, &[Key::Ctrl('u')]);
    typed(&mut app, "plateau");
    assert_drawn!("filter", &mut app);
    press(&mut app, &[Key::Down, Key::Escape]);
    let at = app.screens.train.field();
    assert_eq!(at.map(Field::name), Some("plateau_patience"), "the cursor stays on its field");
}

#[test]
fn digits_replace_the_number_under_the_cursor() {
    let mut app = with_estimate();
    press(&mut app, &[Key::Char('/')]);
    typed(&mut app, "lr");
    assert_drawn!("search", &mut app);
    press(&mut app, &[Key::Enter]);
    assert_eq!(app.screens.train.field().map(Field::name), Some("learning_rate"));
    // On a number, `5` is not the screen Explain.
    typed(&mut app, "5e-3");
    assert_eq!(app.screen, ScreenId::Train);
    press(&mut app, &[Key::Enter]);
    assert!((app.screens.train.form.config.learning_rate - 0.005).abs() < 1e-12);
    typed(&mut app, ".02");
    press(&mut app, &[Key::Enter, Key::Escape]);
    assert!((app.screens.train.form.config.learning_rate - 0.02).abs() < 1e-12);
    // On any other field, it is.
    press(&mut app, &[Key::Home, Key::Char('5')]);
    assert_eq!(app.screen, ScreenId::Explain);
}

#[test]
fn enter_opens_a_number_selected() {
    let mut app = with_estimate();
    press(&mut app, &[Key::Char('/')]);
    typed(&mut app, "epochs");
    press(&mut app, &[Key::Enter, Key::Enter]);
    assert_drawn!("selected", &mut app);
    typed(&mut app, "20");
    press(&mut app, &[Key::Enter]);
    assert_eq!(app.screens.train.form.config.epochs, 20, "not 10020");
    press(&mut app, &[Key::Enter, Key::End, Key::Char('0'), Key::Enter]);
    assert_eq!(app.screens.train.form.config.epochs, 200);
}

#[test]
fn an_implausible_value_is_asked_about_before_it_is_accepted() {
    let mut app = with_estimate();
    edit(&mut app, "epochs", "10020");
    press(&mut app, &[Key::Enter]);
    assert_eq!(app.screens.train.form.config.epochs, 100, "not accepted yet");
    assert_drawn!("doubt", &mut app);
    // Another value is asked about again; Esc keeps the old one.
    press(&mut app, &[Key::Char('0'), Key::Enter]);
    assert!(app.screens.train.editing.is_some());
    press(&mut app, &[Key::Escape]);
    assert_eq!(app.screens.train.form.config.epochs, 100);
    typed(&mut app, "10020");
    press(&mut app, &[Key::Enter, Key::Enter]);
    assert_eq!(app.screens.train.form.config.epochs, 10_020);
    let effects = press(&mut app, &[Key::Ctrl('s')]);
    assert!(matches!(effects[..], [Effect::Train(TrainEffect::Start(_))]), "asked once is enough: {effects:?}");
}

#[test]
fn an_implausible_value_of_another_origin_is_asked_about_at_the_start() {
    let mut app = with_estimate();
    app.screens.train.form.apply(&BTreeMap::from([("epochs".to_owned(), "50000".to_owned())]));
    assert!(press(&mut app, &[Key::Ctrl('s')]).is_empty());
    assert!(drawn(&mut app, (120, 40)).contains("! epochs 50,000: over 100 × preset seed's 100; Ctrl-S starts anyway"));
    let effects = press(&mut app, &[Key::Ctrl('s')]);
    assert!(matches!(effects[..], [Effect::Train(TrainEffect::Start(_))]), "{effects:?}");
}
