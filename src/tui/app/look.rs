//! The colours and the mouse of this session.

use super::App;
use crate::settings::{Origin, ThemeChoice};
use crate::terminal::sizes::Cells;
use crate::tui::protocol::effect::{Effect, Notice, Tone};

impl App {
    /// Takes other colours for this session.
    pub(super) fn choose_theme(&mut self, theme: ThemeChoice) -> Vec<Effect> {
        self.shared.settings.choose_theme(theme, Origin::Session);
        self.apply_theme();
        let name = theme.name();
        vec![
            Effect::neutral(format!("theme {name} for this session; theme = \"{name}\" in the settings keeps it")),
            Effect::Redraw,
        ]
    }

    pub(super) fn apply_theme(&mut self) {
        self.shared.theme.light = match self.shared.settings.theme {
            ThemeChoice::Auto => self.shared.graphics.light_background(),
            ThemeChoice::Light => true,
            ThemeChoice::Dark => false,
        };
    }

    /// Says that the terminal reports no size.
    pub(in crate::tui) fn warn_of_size(&mut self, Cells { columns, rows }: Cells) {
        let text = format!("the terminal reports no size: {columns}×{rows} is assumed; `stty rows R cols C` sets it");
        self.note(Notice { text, tone: Tone::Warning });
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub(super) fn toggle_mouse(&mut self) -> Vec<Effect> {
        let mouse = !self.shared.settings.mouse;
        self.shared.settings.choose_mouse(mouse, Origin::Session);
        let what = if mouse {
            "the mouse is the workbench's; Shift-drag (iTerm2: Option) selects text"
        } else {
            "the mouse is the terminal's: drag to select text (mouse = false keeps it)"
        };
        vec![Effect::TakeMouse(mouse), Effect::neutral(what)]
    }
}
