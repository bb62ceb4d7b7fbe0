//! Key bindings: the tables from which dispatch, footer, help and command palette are all made.

use crate::terminal::input::Key;
use crate::tui::protocol::app_action::AppAction;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::screen_table::for_each_screen;
use crate::tui::protocol::verb::{KeyMap, Verb};
use crate::tui::protocol::viewer::ViewerAction;

macro_rules! define_action {
    ($($module:ident: $Name:ident $key:literal $go:literal,
        $Screen:ident $View:ident $Action:ident $Effect:ident $Message:ident $Service:ident;)*) => {
        /// Everything that a key or a command can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::tui) enum Action {
            /// An action that is available on every screen.
            App(AppAction),
            /// A motion in the list of the current screen.
            Move(ListMotion),
            Viewer(ViewerAction),
            $(
                /// An action of one screen.
                $Name(crate::tui::protocol::$module::$Action),
            )*
        }

        impl Action {
            /// The screen that performs the action; `None` for the application, the viewer and list motions.
            pub(in crate::tui) fn screen(self) -> Option<ScreenId> {
                match self {
                    Self::App(_) | Self::Move(_) | Self::Viewer(_) => None,
                    $(Self::$Name(_) => Some(ScreenId::$Name),)*
                }
            }
        }
    };
}

for_each_screen!(define_action);

/// An action with its verbs and its descriptions.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct Binding {
    pub(in crate::tui) action: Action,
    /// The verbs whose keys perform the action; empty for an action that only the command palette offers.
    pub(in crate::tui) verbs: &'static [Verb],
    /// One or two words for the footer; empty if the footer does not show the binding.
    pub(in crate::tui) hint: &'static str,
    /// The description in help and command palette, starting with a verb in lower case.
    pub(in crate::tui) name: &'static str,
    /// Other words by which the command palette finds it.
    pub(in crate::tui) synonyms: &'static [&'static str],
    pub(in crate::tui) risk: Risk,
}

/// What an action does by accident; the command palette lists risky ones last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Risk {
    /// Nothing that the next key could not undo.
    None,
    /// Something final, but the action asks for confirmation.
    Confirmed,
    /// Something final, at once.
    AtOnce,
}

/// The key tables of a state of a screen.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct StateTables {
    pub(in crate::tui) tables: KeyTables,
    /// What the keys need, such as `needs an open data set`.
    pub(in crate::tui) needs: &'static str,
    /// True for a state like a question or a pager, where actions of the screen have names of their own.
    pub(in crate::tui) is_mode: bool,
}

impl StateTables {
    /// The tables of a usual state.
    pub(in crate::tui) const fn new(tables: KeyTables, needs: &'static str) -> Self {
        Self { tables, needs, is_mode: false }
    }

    /// The tables of a mode.
    pub(in crate::tui) const fn mode(tables: KeyTables, needs: &'static str) -> Self {
        Self { tables, needs, is_mode: true }
    }
}

impl Binding {
    /// A binding that footer, help and command palette show.
    pub(in crate::tui) const fn new(
        action: Action,
        verbs: &'static [Verb],
        hint: &'static str,
        name: &'static str,
    ) -> Self {
        Self { action, verbs, hint, name, synonyms: &[], risk: Risk::None }
    }

    /// A binding that help and command palette show, but not the footer.
    pub(in crate::tui) const fn quiet(action: Action, verbs: &'static [Verb], name: &'static str) -> Self {
        Self::new(action, verbs, "", name)
    }

    /// The binding with other words by which the command palette finds it.
    pub(in crate::tui) const fn also(self, synonyms: &'static [&'static str]) -> Self {
        Self { synonyms, ..self }
    }

    /// The binding of an action that is not to be performed by accident.
    pub(in crate::tui) const fn risky(self, risk: Risk) -> Self {
        Self { risk, ..self }
    }

    /// The keys that perform the action, the one to show in a footer first.
    pub(in crate::tui) fn keys<'a>(&self, keymap: &'a KeyMap) -> impl Iterator<Item = Key> + 'a {
        self.verbs.iter().flat_map(|verb| keymap.keys_of(*verb)).copied()
    }

    /// The names of the keys, separated by spaces.
    pub(in crate::tui) fn keys_text(&self, keymap: &KeyMap) -> String {
        self.keys(keymap).map(|key| key.to_string()).collect::<Vec<_>>().join(" ")
    }
}

/// The key tables of a context, the most useful keys first.
pub(in crate::tui) type KeyTables = &'static [&'static [Binding]];

/// The action of a key in the first binding that has its verb.
pub(in crate::tui) fn action_of<'a>(
    key: Key,
    keymap: &KeyMap,
    mut bindings: impl Iterator<Item = &'a Binding>,
) -> Option<Action> {
    let verb = keymap.verb_of(key)?;
    bindings.find(|binding| binding.verbs.contains(&verb)).map(|found| found.action)
}
