//! The actions that are available on every screen.

use crate::settings::ThemeChoice;
use crate::tui::protocol::binding::{Action, Binding, Risk};
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
    /// The notices of this session.
    Messages,
    /// Copy the latest notice.
    CopyMessage,
    /// Other colours, for this session.
    Theme(ThemeChoice),
    /// Take the mouse, or leave it to the terminal.
    ToggleMouse,
    Redraw,
    Suspend,
    Quit,
}

macro_rules! define_app_bindings {
    ($($module:ident: $Name:ident $key:literal $go:literal, $($types:ident)*;)*) => {
        /// The keys of every screen; a screen's own bindings come first.
        pub(in crate::tui) const APP_BINDINGS: &[Binding] = &[
            app(AppAction::Help, &[Verb::Help], "help", "show the keys on this screen")
                .also(&["keys", "shortcuts"]),
            app(AppAction::Palette, &[Verb::Commands], "commands", "find a command by name"),
            app(AppAction::Quit, &[Verb::Quit], "quit", "quit; training keeps running")
                .also(&["q", "exit", "leave", "close"])
                .risky(Risk::AtOnce),
            $(app(AppAction::Show(ScreenId::$Name), &[Verb::Show(ScreenId::$Name)], "", $go)
                .also(&[stringify!($module)]),)*
            app(AppAction::Jobs, &[Verb::Jobs], "", "list the jobs").also(&["progress", "processes"]),
            job(JobKind::Predict, &["infer", "classify"]),
            job(JobKind::Audit, &["check"]),
            job(JobKind::Split, &["folds", "cross-validation"]),
            job(JobKind::Submit, &["slurm", "sbatch"]),
            job(JobKind::Phantoms, &["phantoms", "test data"]),
            job(JobKind::Demo, &["try", "example"]),
            app(AppAction::NextScreen, &[Verb::NextScreen], "", "go to the next screen"),
            app(AppAction::PreviousScreen, &[Verb::PreviousScreen], "", "go to the previous screen"),
            app(AppAction::Settings, &[], "", "show the settings and where they come from")
                .also(&["settings", "configuration", "preferences", "options"]),
            app(AppAction::Messages, &[], "", "show the messages of this session in full")
                .also(&["messages", "notices", "log"]),
            app(AppAction::CopyMessage, &[], "", "copy the latest message").also(&["clipboard", "error"]),
            theme(ThemeChoice::Light, "use the light theme, for light backgrounds"),
            theme(ThemeChoice::Dark, "use the dark theme, for dark backgrounds"),
            theme(ThemeChoice::Auto, "use the theme for the terminal's background, auto"),
            app(AppAction::ToggleMouse, &[Verb::Mouse], "", "leave the mouse to the terminal, to select text, or take it")
                .also(&["mouse", "select text", "selection"]),
            app(AppAction::Redraw, &[Verb::Redraw], "", "redraw the screen"),
            app(AppAction::Suspend, &[Verb::Suspend], "", "suspend; `fg` resumes").risky(Risk::AtOnce),
        ];
    };
}

for_each_screen!(define_app_bindings);

/// The keys that work over a popup as well.
pub(in crate::tui) const POPUP_BINDINGS: &[Binding] = &[
    app(AppAction::Help, &[Verb::Help], "help", "show the keys on this screen"),
    app(AppAction::Redraw, &[Verb::Redraw], "", "redraw the screen"),
    app(AppAction::Suspend, &[Verb::Suspend], "", "suspend; `fg` resumes"),
];

const fn app(action: AppAction, verbs: &'static [Verb], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::App(action), verbs, hint, name)
}

const fn job(kind: JobKind, synonyms: &'static [&'static str]) -> Binding {
    app(AppAction::NewJob(kind), &[], "", kind.title()).also(synonyms)
}

const fn theme(theme: ThemeChoice, name: &'static str) -> Binding {
    app(AppAction::Theme(theme), &[], "", name).also(match theme {
        ThemeChoice::Auto => &["theme auto", "colours"],
        ThemeChoice::Light => &["theme light", "colours"],
        ThemeChoice::Dark => &["theme dark", "colours"],
    })
}
