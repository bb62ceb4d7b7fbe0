//! A command of the palette, and the commands that match what was typed.

use super::ranking::{Closeness, Rank, SearchText};
use crate::tui::protocol::app_action::AppAction;
use crate::tui::protocol::binding::{Action, Binding, Risk};
use crate::tui::protocol::screen_id::ScreenId;

/// A command of the palette.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Command {
    pub(in crate::tui) binding: &'static Binding,
    /// The screen that performs it, if that is not the current one.
    pub(super) elsewhere: Option<ScreenId>,
    /// The reason why it cannot be performed now.
    pub(super) unavailable: Option<String>,
    /// True if it belongs to another mode, such as a pager, and is listed after what is near.
    is_far: bool,
    text: SearchText,
}

/// The order of commands that match equally well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// What the current screen does, while nothing is typed.
    Offered,
    GoToScreen,
    Here,
    Everywhere,
    Moving,
    Elsewhere,
}

impl Command {
    /// The command of a binding. `elsewhere` is its screen if that is not the current one, and `unavailable` the reason
    /// why it cannot be performed now.
    pub(in crate::tui) fn new(
        binding: &'static Binding,
        elsewhere: Option<ScreenId>,
        unavailable: Option<String>,
    ) -> Self {
        let screen = binding.action.screen().map_or("", ScreenId::title);
        let labels = std::iter::once(binding.hint).chain(binding.synonyms.iter().copied());
        let text = SearchText::new(labels, binding.name, screen);
        Self { binding, elsewhere, unavailable, is_far: false, text }
    }

    /// The command of a mode that has to be entered first.
    pub(in crate::tui) fn of_mode(self) -> Self {
        Self { is_far: true, ..self }
    }

    fn group(&self, is_typed: bool) -> Group {
        let moves = self.binding.verbs.first().is_some_and(|verb| verb.moves());
        match (self.binding.action, self.elsewhere) {
            (Action::App(AppAction::Show(_)), _) => Group::GoToScreen,
            (Action::App(_), _) => Group::Everywhere,
            (_, Some(_)) => Group::Elsewhere,
            (_, None) if moves => Group::Moving,
            (_, None) if is_typed => Group::Here,
            (_, None) => Group::Offered,
        }
    }

    /// True if the command is not to be run by accident.
    pub(in crate::tui) fn is_risky(&self) -> bool {
        self.binding.risk != Risk::None
    }
}

/// A command that matches what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Hit {
    /// Its place among all commands.
    pub(in crate::tui) command: usize,
    pub(super) rank: Rank,
}

/// The commands that match, the best first. Risky ones are last, unless one was typed in full.
pub(in crate::tui) fn hits(commands: &[Command], typed: &str) -> Vec<Hit> {
    let ranked =
        commands.iter().enumerate().filter_map(|(command, of)| Some(Hit { command, rank: of.text.rank(typed)? }));
    let mut hits: Vec<Hit> = ranked.collect();
    // Letters in their order are a guess, of use only where nothing matches better.
    if hits.iter().any(|hit| hit.rank.closeness < Closeness::Letters) {
        hits.retain(|hit| hit.rank.closeness < Closeness::Letters);
    }
    let is_typed = !typed.trim().is_empty();
    hits.sort_by_key(|hit| {
        let command = &commands[hit.command];
        let is_last = command.is_risky() && hit.rank.closeness != Closeness::Exact;
        let is_unavailable = command.unavailable.is_some();
        (is_last, hit.rank.closeness, is_unavailable, command.is_far, command.group(is_typed), hit.rank, hit.command)
    });
    hits
}
