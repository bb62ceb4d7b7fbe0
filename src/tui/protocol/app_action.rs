//! The actions that are available on every screen.

use crate::settings::ThemeChoice;
use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::screen_table::for_each_screen;

/// Actions that are available on every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum AppAction {
    Show(ScreenId),
    NextScreen,
    PreviousScreen,
    Help,
    Palette,
    Settings,
    /// Other colours, for this session.
    Theme(ThemeChoice),
    Redraw,
    Suspend,
    Quit,
}

macro_rules! define_app_bindings {
    ($($module:ident: $Name:ident $key:literal $go:literal, $($types:ident)*;)*) => {
        /// The keys of every screen; a screen's own bindings come first.
        pub(in crate::tui) const APP_BINDINGS: &[Binding] = &[
            Binding::new(
                Action::App(AppAction::Help),
                &[Key::Char('?'), Key::Function(1)],
                "help",
                "show the keys that work here",
            ),
            Binding::new(Action::App(AppAction::Palette), &[Key::Char(':')], "commands", "find a command by name"),
            Binding::new(
                Action::App(AppAction::Quit),
                &[Key::Char('q'), Key::Ctrl('c')],
                "quit",
                "leave; training runs continue",
            ),
            $(Binding::quiet(Action::App(AppAction::Show(ScreenId::$Name)), &[Key::Char($key)], $go),)*
            Binding::quiet(Action::App(AppAction::NextScreen), &[Key::Tab], "go to the next screen"),
            Binding::quiet(Action::App(AppAction::PreviousScreen), &[Key::BackTab], "go to the previous screen"),
            Binding::quiet(Action::App(AppAction::Redraw), &[Key::Ctrl('l')], "redraw everything"),
            Binding::quiet(Action::App(AppAction::Suspend), &[Key::Ctrl('z')], "suspend; `fg` resumes"),
        ];
    };
}

for_each_screen!(define_app_bindings);
