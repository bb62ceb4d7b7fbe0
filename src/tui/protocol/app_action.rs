//! The actions that are available on every screen.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::screen_id::ScreenId;

/// What can be done everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum AppAction {
    Show(ScreenId),
    NextScreen,
    PreviousScreen,
    Help,
    Palette,
    Redraw,
    Suspend,
    Quit,
}

/// What can be done everywhere; screens may take a key before.
pub(crate) const APP_BINDINGS: &[Binding] = &[
    Binding::new(
        Action::App(AppAction::Help),
        &[Key::Char('?'), Key::Function(1)],
        "help",
        "show the keys of this place",
    ),
    Binding::new(Action::App(AppAction::Palette), &[Key::Char(':')], "commands", "find a command by its name"),
    Binding::new(Action::App(AppAction::Quit), &[Key::Char('q'), Key::Ctrl('c')], "quit", "leave; trainings go on"),
    Binding::quiet(Action::App(AppAction::Show(ScreenId::Datasets)), &[Key::Char('1')], "go to Datasets"),
    Binding::quiet(Action::App(AppAction::Show(ScreenId::Train)), &[Key::Char('2')], "go to Train"),
    Binding::quiet(Action::App(AppAction::Show(ScreenId::Runs)), &[Key::Char('3')], "go to Runs"),
    Binding::quiet(Action::App(AppAction::Show(ScreenId::Evaluate)), &[Key::Char('4')], "go to Evaluate"),
    Binding::quiet(Action::App(AppAction::Show(ScreenId::Explain)), &[Key::Char('5')], "go to Explain"),
    Binding::quiet(Action::App(AppAction::NextScreen), &[Key::Tab], "go to the next screen"),
    Binding::quiet(Action::App(AppAction::PreviousScreen), &[Key::BackTab], "go to the previous screen"),
    Binding::quiet(Action::App(AppAction::Redraw), &[Key::Ctrl('l')], "draw everything anew"),
    Binding::quiet(Action::App(AppAction::Suspend), &[Key::Ctrl('z')], "suspend; `fg` comes back"),
];
