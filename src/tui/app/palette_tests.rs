use std::collections::BTreeSet;

use super::commands::commands_of;
use super::*;
use crate::tui::popups::palette::command::{Command, hits};
use crate::tui::protocol::binding::{Binding, KeyTables, Risk, StateTables};
use crate::tui::protocol::verb::Verb;
use crate::tui::testing::{assert_drawn, drawn, fresh_app, press};

fn typed(app: &mut App, text: &str) -> Vec<Effect> {
    press(app, &[Key::Char(':')]);
    text.chars().flat_map(|character| press(app, &[Key::Char(character)])).collect()
}

fn commands(app: &mut App) -> Vec<Command> {
    commands_of(&mut app.screens, app.screen, &app.shared)
}

/// The bindings of all states of all screens, and those of the application.
fn all_bindings(app: &mut App) -> Vec<(&'static str, &'static Binding)> {
    bindings_of(app, |_| true)
}

/// The bindings of the states that are wanted, and those of the application.
fn bindings_of(app: &mut App, wanted: fn(&StateTables) -> bool) -> Vec<(&'static str, &'static Binding)> {
    let mut all: Vec<_> = APP_BINDINGS.iter().map(|binding| ("", binding)).collect();
    for &id in ScreenId::ALL {
        for state in app.screens.get(id).states().iter().filter(|state| wanted(state)) {
            all.extend(state.tables.iter().copied().flatten().map(|binding| (id.title(), binding)));
        }
    }
    all
}

#[test]
fn the_tables_in_use_are_among_the_states() {
    let mut app = fresh_app();
    for &id in ScreenId::ALL {
        let screen = app.screens.get(id);
        let current = screen.bindings(&app.shared);
        let is_listed = screen.states().iter().any(|state| std::ptr::eq(state.tables, current));
        let all = |tables: KeyTables| tables.iter().copied().flatten().map(|binding| binding.name).collect::<Vec<_>>();
        let names = screen.states().iter().flat_map(|state| all(state.tables)).collect::<Vec<_>>();
        assert!(is_listed || all(current).iter().all(|name| names.contains(name)), "{}", id.title());
    }
}

#[test]
fn train_goes_to_train_from_every_screen_and_quit_quits() {
    for &screen in ScreenId::ALL {
        for (text, expected) in [("train", ScreenId::Train), ("tra", ScreenId::Train), ("Evaluate", ScreenId::Evaluate)]
        {
            let mut app = fresh_app();
            app.act(Action::App(AppAction::Show(screen)));
            typed(&mut app, text);
            let effects = press(&mut app, &[Key::Enter]);
            assert!(!effects.contains(&Effect::Quit), "{text}");
            assert_eq!((app.screen, app.popups.len()), (expected, 0), "{text} on {}", screen.title());
        }
        for text in ["quit", "q", "exit", "leave"] {
            let mut app = fresh_app();
            app.act(Action::App(AppAction::Show(screen)));
            typed(&mut app, text);
            assert_eq!(press(&mut app, &[Key::Enter]), [Effect::Quit], "{text}");
        }
    }
}

#[test]
fn what_is_final_is_last_and_needs_a_word_in_full_or_a_yes() {
    let mut app = fresh_app();
    let commands = commands(&mut app);
    let texts = ('a'..='z').map(String::from).chain(["", "ru", "tr", "sto"].map(String::from));
    for text in texts {
        let found = hits(&commands, &text);
        let first_risky = found.iter().position(|hit| commands[hit.command].is_risky()).unwrap_or(found.len());
        let is_exact = text == "q";
        assert!(is_exact || found[first_risky..].iter().all(|hit| commands[hit.command].is_risky()), "{text}");
    }
    // Only quitting matches.
    typed(&mut app, "qit");
    assert_eq!(press(&mut app, &[Key::Enter]), []);
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("Run this command?") && screen.contains("quit; training keeps running"), "{screen}");
    assert_eq!(press(&mut app, &[Key::Escape]), []);
    typed(&mut app, "qit");
    press(&mut app, &[Key::Enter]);
    assert_eq!(press(&mut app, &[Key::Char('y')]), [Effect::Quit]);
    // A row that the user went to is meant.
    let mut app = fresh_app();
    typed(&mut app, "qit");
    press(&mut app, &[Key::Down]);
    assert_eq!(press(&mut app, &[Key::Enter]), [Effect::Quit]);
}

#[test]
fn a_command_that_cannot_run_is_listed_with_the_reason() {
    let mut app = fresh_app();
    typed(&mut app, "masks");
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("needs an open review") && screen.contains("not now: needs images"), "{screen}");
    press(&mut app, &[Key::Enter]);
    let (_, notice) = app.notice.as_ref().unwrap();
    assert!(
        notice.text.starts_with("outline dense tissue") && notice.text.ends_with("needs images"),
        "{}",
        notice.text
    );
    assert_eq!((app.screen, app.popups.len()), (ScreenId::Datasets, 1), "the palette stays");
    press(&mut app, &[Key::Escape]);
    typed(&mut app, "pause");
    assert!(drawn(&mut app, (80, 24)).contains("not now: no run is listed"));
}

#[test]
fn every_word_of_footer_and_help_finds_its_command() {
    let mut app = fresh_app();
    let commands = commands(&mut app);
    let mut words = 0;
    for (screen, binding) in all_bindings(&mut app) {
        if binding.verbs.first().is_some_and(|verb| verb.moves()) {
            continue;
        }
        let texts = [binding.hint, binding.name].into_iter().chain(binding.synonyms.iter().copied());
        for text in texts.filter(|text| !text.is_empty()) {
            for word in text.split_whitespace().chain([text]) {
                let word = word.trim_matches(|character: char| !character.is_alphanumeric() && character != '%');
                let found = hits(&commands, word);
                let is_found = found.iter().any(|hit| {
                    let found = commands[hit.command].binding;
                    found.action == binding.action && found.name == binding.name
                });
                assert!(is_found, "{word:?} does not find {screen}: {}", binding.name);
                words += 1;
            }
        }
    }
    assert!(words > 400, "{words}");
    for word in
        ["quit", "masks", "export", "delete", "compare", "leave", "exit", "settings", "theme light", "help", "keys"]
    {
        assert!(
            hits(&commands, word).first().is_some_and(|hit| !commands[hit.command].binding.name.is_empty()),
            "{word}"
        );
    }
}

#[test]
fn one_action_has_one_name_and_one_name_one_action() {
    // Their meaning depends on what is under the cursor, or on what is open.
    const OF_CONTEXT: [Verb; 3] = [Verb::Open, Verb::Back, Verb::OpenOther];
    let mut app = fresh_app();
    let all = bindings_of(&mut app, |state| !state.is_mode);
    for (screen, binding) in &all {
        assert!(!binding.name.is_empty() && !binding.name.ends_with('.'), "{screen}: {}", binding.name);
        for (_, other) in &all {
            let is_of_context = binding.verbs.iter().chain(other.verbs).any(|verb| OF_CONTEXT.contains(verb));
            if binding.action == other.action && !is_of_context {
                assert_eq!(binding.name, other.name, "{screen}");
                assert_eq!(binding.risk, other.risk, "{screen}: {}", binding.name);
                let (hint, other) = (binding.hint, other.hint);
                assert!(hint == other || hint.is_empty() || other.is_empty(), "{screen}: {hint:?} and {other:?}");
            }
        }
    }
    let risky: BTreeSet<_> =
        all.iter().filter(|(_, binding)| binding.risk != Risk::None).map(|(_, of)| of.name).collect();
    for word in ["quit", "kill", "trash", "stop"] {
        assert!(risky.iter().any(|name| name.contains(word)), "{word}");
    }
    let harmless = all.iter().filter(|(_, binding)| binding.risk == Risk::None).map(|(_, binding)| binding.name);
    for name in harmless {
        for word in ["delete", "trash", "kill", "stop", "quit"] {
            assert!(!name.split_whitespace().any(|part| part == word), "{name}: is it final?");
        }
    }
}

#[test]
fn the_palette_is_drawn() {
    let mut app = fresh_app();
    press(&mut app, &[Key::Char(':')]);
    assert_drawn!("palette", &mut app);
    "mask".chars().for_each(|character| drop(press(&mut app, &[Key::Char(character)])));
    assert_drawn!("palette_typed", &mut app);
    let mut app = fresh_app();
    typed(&mut app, "xyzzy");
    assert!(drawn(&mut app, (80, 24)).contains("no matching command"));
}
