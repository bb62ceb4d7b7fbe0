//! The commands for the palette: every binding of every screen, and whether it can be performed now.

use super::screens_by_id::Screens;
use crate::tui::popups::palette::command::Command;
use crate::tui::protocol::app_action::APP_BINDINGS;
use crate::tui::protocol::binding::Binding;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;

/// The commands of the application and of all screens, those of the current one first. Motions are commands where they
/// work only.
pub(super) fn commands_of(screens: &mut Screens, current: ScreenId, shared: &SharedState) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut others = Vec::new();
    for &id in ScreenId::ALL {
        let is_current = id == current;
        let found = of_screen(screens.get(id), (!is_current).then_some(id), shared);
        if is_current { commands.extend(found) } else { others.extend(found) }
    }
    commands.extend(APP_BINDINGS.iter().map(|binding| Command::new(binding, None, None)));
    commands.extend(others);
    commands
}

fn of_screen(screen: &dyn Screen, elsewhere: Option<ScreenId>, shared: &SharedState) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut add = |command: Command| {
        let is_same = |other: &Binding| other.action == command.binding.action && other.name == command.binding.name;
        if !commands.iter().any(|other| is_same(other.binding)) {
            commands.push(command);
        }
    };
    let moves = |binding: &Binding| binding.verbs.first().is_some_and(|verb| verb.moves());
    for binding in screen.bindings(shared).iter().copied().flatten() {
        if elsewhere.is_none() || !moves(binding) {
            add(Command::new(binding, elsewhere, screen.unavailable(binding.action, shared)));
        }
    }
    for state in screen.states() {
        for binding in state.tables.iter().copied().flatten().filter(|binding| !moves(binding)) {
            let command = Command::new(binding, elsewhere, Some(state.needs.to_owned()));
            add(if state.is_mode { command.of_mode() } else { command });
        }
    }
    commands
}
