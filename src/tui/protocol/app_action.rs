//! The actions that are available on every screen.

use crate::settings::ThemeChoice;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::job_kind::JobKind;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::screen_table::for_each_screen;
use crate::tui::protocol::verb::Verb;

/// Actions that are available on every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum AppAction {
    Show(ScreenId),
    NextScreen,
    PreviousScreen,
    Help,
    Palette,
    /// List the jobs.
    Jobs,
    /// Fill in the form of a job.
    NewJob(JobKind),
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
                &[Verb::Help],
                "help",
                "show the keys that work here",
            ),
            Binding::new(Action::App(AppAction::Palette), &[Verb::Commands], "commands", "find a command by name"),
            Binding::new(
                Action::App(AppAction::Quit),
                &[Verb::Quit],
                "quit",
                "leave; training runs continue",
            ),
            $(Binding::quiet(Action::App(AppAction::Show(ScreenId::$Name)), &[Verb::Show(ScreenId::$Name)], $go),)*
            Binding::quiet(Action::App(AppAction::Jobs), &[Verb::Jobs], "list the jobs"),
            Binding::quiet(Action::App(AppAction::NewJob(JobKind::Predict)), &[], JobKind::Predict.title()),
            Binding::quiet(Action::App(AppAction::NewJob(JobKind::Audit)), &[], JobKind::Audit.title()),
            Binding::quiet(Action::App(AppAction::NewJob(JobKind::Split)), &[], JobKind::Split.title()),
            Binding::quiet(Action::App(AppAction::NewJob(JobKind::Submit)), &[], JobKind::Submit.title()),
            Binding::quiet(Action::App(AppAction::NewJob(JobKind::Phantoms)), &[], JobKind::Phantoms.title()),
            Binding::quiet(Action::App(AppAction::NewJob(JobKind::Demo)), &[], JobKind::Demo.title()),
            Binding::quiet(Action::App(AppAction::NextScreen), &[Verb::NextScreen], "go to the next screen"),
            Binding::quiet(Action::App(AppAction::PreviousScreen), &[Verb::PreviousScreen], "go to the previous screen"),
            Binding::quiet(Action::App(AppAction::Redraw), &[Verb::Redraw], "redraw everything"),
            Binding::quiet(Action::App(AppAction::Suspend), &[Verb::Suspend], "suspend; `fg` resumes"),
        ];
    };
}

for_each_screen!(define_app_bindings);
