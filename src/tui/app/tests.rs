use crate::tui::protocol::binding::Binding;
use proptest::prelude::*;

use super::*;
use crate::tui::testing::{drawn, fresh_app, press};

#[test]
fn keys_switch_between_screens() {
    let mut app = fresh_app();
    assert_eq!(app.screen, ScreenId::Datasets);
    press(&mut app, &[Key::Char('3')]);
    assert_eq!(app.screen, ScreenId::Runs);
    press(&mut app, &[Key::Tab, Key::Tab, Key::Tab]);
    assert_eq!(app.screen, ScreenId::Datasets);
    press(&mut app, &[Key::BackTab]);
    assert_eq!(app.screen, ScreenId::Explain);
}

#[test]
fn six_hints_of_each_screen_fit_into_80_columns() {
    let mut app = fresh_app();
    for &screen in ScreenId::ALL {
        app.act(Action::App(AppAction::Show(screen)));
        let table = app.screens.get(screen).bindings(&app.shared);
        let drawn = drawn(&mut app, (80, 24));
        let footer = drawn.lines().nth(23).unwrap();
        for binding in
            table.iter().copied().flatten().filter(|binding| !binding.hint.is_empty()).take(6).chain(&APP_BINDINGS[..3])
        {
            let key = binding.keys(&app.shared.keymap).next().unwrap();
            let hints = [key.brief(false), key.to_string()];
            let is_shown = hints.iter().any(|key| footer.contains(&format!("{key} {}", binding.hint)));
            assert!(is_shown, "{} of {}: {footer}", binding.hint, screen.title());
        }
    }
}

#[test]
fn keys_and_names_are_unique_in_every_table() {
    let mut app = fresh_app();
    for &screen in ScreenId::ALL {
        let table = app.screens.get(screen).bindings(&app.shared);
        for tables in [[APP_BINDINGS].as_slice(), table] {
            let all: Vec<&Binding> = tables.iter().flat_map(|table| table.iter()).collect();
            for (at, binding) in all.iter().enumerate() {
                assert!(!binding.name.is_empty());
                for other in &all[..at] {
                    assert!(binding.name != other.name, "{}", binding.name);
                    assert!(binding.verbs.iter().all(|verb| !other.verbs.contains(verb)), "{}", binding.name);
                }
            }
        }
    }
}

/// Common keys and unlikely ones.
fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        any::<char>().prop_map(Key::Char),
        (32_u8..127).prop_map(|byte| Key::Char(char::from(byte))),
        prop_oneof![
            Just(Key::Enter),
            Just(Key::Escape),
            Just(Key::Tab),
            Just(Key::BackTab),
            Just(Key::Backspace),
            Just(Key::Delete),
            Just(Key::Up),
            Just(Key::Down),
            Just(Key::Left),
            Just(Key::Right),
            Just(Key::ShiftLeft),
            Just(Key::ShiftRight),
            Just(Key::Home),
            Just(Key::End),
            Just(Key::PageUp),
            Just(Key::PageDown),
            Just(Key::Ctrl('u')),
            Just(Key::Function(1)),
        ],
    ]
}

proptest! {
    #[test]
    fn random_keys_never_prevent_quitting(
        keys in prop::collection::vec(any_key(), 0..60),
        size in prop_oneof![Just((80, 24)), Just((120, 40)), Just((1, 1)), Just((60, 15)), (1_u16..200, 1_u16..60)],
    ) {
        let mut app = fresh_app();
        for key in keys {
            press(&mut app, &[key]);
            drawn(&mut app, size);
        }
        for _ in 0..6 {
            press(&mut app, &[Key::Escape]);
        }
        // Some keys start preprocessing, which quitting asks about.
        let ends_jobs = !app.shared.jobs.farewell().is_empty();
        let answer = [Key::Char('q'), Key::Char('y')];
        let answer = &answer[..=usize::from(ends_jobs)];
        prop_assert!(press(&mut app, answer).contains(&Effect::Quit));
    }
}
