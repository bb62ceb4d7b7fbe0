//! The information pane at full height: scrolled, searched and followed like a file in a pager.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::RunsScreen;
use super::info_pane::InfoLine;
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::run_names::title;
use crate::tui::protocol::runs::{Lower, RunsAction};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::width;
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;

/// The largest number of lines for a line that is wider than the screen.
const MAX_WRAPPED: u16 = 4;

/// The state of the pager.
#[derive(Debug)]
pub(super) struct Pager {
    list: ScrollList,
    /// True to stay at the last line as more are added.
    follows: bool,
    search: TextField,
    /// True while the text to search is typed.
    types: bool,
}

impl Pager {
    /// A pager at the end of what grows, at the beginning of what does not.
    pub(super) fn of(content: Lower) -> Self {
        let follows = content != Lower::Configuration;
        let list = ScrollList::at(if follows { usize::MAX / 2 } else { 0 });
        Self { list, follows, search: TextField::default(), types: false }
    }

    /// True while a text is being typed.
    pub(super) fn is_typing(&self) -> bool {
        self.types
    }

    /// Inserts pasted text.
    pub(super) fn paste(&mut self, text: &str) {
        self.search.paste(text);
    }

    /// True if a line has the text that is searched for, in either case.
    fn matches(&self, line: &InfoLine) -> bool {
        let text = self.search.text().to_lowercase();
        !text.is_empty() && line.text.to_lowercase().contains(&text)
    }
}

impl RunsScreen {
    /// What the pager shows.
    pub(super) fn paged(&self) -> Lower {
        match self.areas.shown_lower {
            Some(Lower::Nothing) | None => Lower::Events,
            Some(content) => content,
        }
    }

    /// Performs an action while the pager is open.
    pub(super) fn update_pager(&mut self, action: RunsAction, shared: &SharedState) -> Vec<Effect> {
        let lines = self.info_lines(self.paged(), shared);
        let Some(pager) = &mut self.pager else { return Vec::new() };
        match action {
            RunsAction::Back if !pager.search.text().is_empty() => pager.search = TextField::default(),
            RunsAction::Back | RunsAction::Maximise => self.pager = None,
            RunsAction::Filter => (pager.types, pager.search) = (true, TextField::default()),
            RunsAction::Tail => {
                pager.follows = !pager.follows;
                if pager.follows {
                    pager.list.step(isize::MAX / 2, lines.len());
                }
            }
            RunsAction::Copy => {
                let line = lines.get(pager.list.cursor).or(lines.last());
                return line.map(|line| Effect::Copy(line.text.trim_end().to_owned())).into_iter().collect();
            }
            RunsAction::NextMatch => return self.go_to_match(&lines, 1),
            RunsAction::PreviousMatch => return self.go_to_match(&lines, -1),
            RunsAction::NextEvent => {
                let after = lines.iter().enumerate().skip(pager.list.cursor + 1);
                let from_start = lines.iter().enumerate();
                let Some((found, _)) = after.chain(from_start).find(|(_, line)| line.needs_attention) else {
                    return vec![Effect::done("no warnings here")];
                };
                (pager.list.cursor, pager.follows) = (found, false);
            }
            RunsAction::Lower | RunsAction::PreviousLower => {
                let forwards = action == RunsAction::Lower;
                let mut content = self.paged().next(forwards);
                if content == Lower::Nothing {
                    content = content.next(forwards);
                }
                (self.areas.shown_lower, self.view.lower) = (Some(content), Some(content));
                self.pager = Some(Pager::of(content));
            }
            _ => {}
        }
        Vec::new()
    }

    /// Moves the cursor of the pager.
    pub(super) fn move_in_pager(&mut self, motion: ListMotion, shared: &SharedState) {
        let length = self.info_lines(self.paged(), shared).len();
        if let Some(pager) = &mut self.pager {
            pager.list.move_by(motion, length);
            pager.follows = pager.follows && pager.list.cursor + 1 >= length;
        }
    }

    /// Handles a key while the text to search is typed.
    pub(super) fn press_search(&mut self, key: Key, shared: &SharedState) -> Vec<Effect> {
        let Some(pager) = &mut self.pager else { return Vec::new() };
        match key {
            Key::Escape => (pager.types, pager.search) = (false, TextField::default()),
            Key::Enter => {
                pager.types = false;
                if !pager.search.text().is_empty() {
                    let lines = self.info_lines(self.paged(), shared);
                    // From the end, the last match is the nearest.
                    return self.go_to_match(&lines, -1);
                }
            }
            key => {
                pager.search.press(key);
            }
        }
        Vec::new()
    }

    /// Goes to the next or the previous line with the text, at the end on to the other end.
    fn go_to_match(&mut self, lines: &[InfoLine], direction: isize) -> Vec<Effect> {
        let Some(pager) = &mut self.pager else { return Vec::new() };
        let count = lines.len();
        let from = pager.list.cursor.min(count.saturating_sub(1));
        let at = |distance: usize| {
            if direction > 0 { (from + distance) % count } else { (from + count - distance) % count }
        };
        // Without a match elsewhere, the line under the cursor counts.
        let found = (1..=count).map(at).find(|at| pager.matches(&lines[*at]));
        match found {
            Some(found) => (pager.list.cursor, pager.follows) = (found, false),
            None if pager.search.text().is_empty() => return vec![warning("nothing to find; / types a text")],
            None => return vec![warning("not found")],
        }
        Vec::new()
    }

    /// Handles the mouse while the pager is open.
    pub(super) fn mouse_in_pager(&mut self, mouse: Mouse, shared: &SharedState) {
        let length = self.info_lines(self.paged(), shared).len();
        let Some(pager) = &mut self.pager else { return };
        match mouse.kind {
            MouseKind::WheelUp => pager.list.step(-3, length),
            MouseKind::WheelDown => pager.list.step(3, length),
            MouseKind::Press => {
                if let Some(row) = pager.list.row_at(mouse, length) {
                    pager.list.cursor = row;
                }
            }
            MouseKind::Drag | MouseKind::Release => {}
        }
        pager.follows = pager.follows && pager.list.cursor + 1 >= length;
    }

    /// Draws the pager over the whole screen.
    pub(super) fn draw_pager(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let content = self.paged();
        let lines = self.info_lines(content, shared);
        let run = self.chosen_row(shared).map(title).unwrap_or_default();
        let Some(pager) = &mut self.pager else { return };
        if pager.follows {
            pager.list.cursor = lines.len().saturating_sub(1);
        }
        let matches = lines.iter().filter(|line| pager.matches(line)).count();
        let found = if pager.search.text().is_empty() { String::new() } else { format!("{matches} found · ") };
        let follows = if pager.follows { " · following" } else { "" };
        let place = format!("{found}{} of {}{follows}", (pager.list.cursor + 1).min(lines.len()), lines.len());
        let inner = draw_pane(frame, area, theme, true, [&format!("{} · {run}", content.title()), &place]);
        let cells = usize::from(inner.width);
        let searches = pager.types || !pager.search.text().is_empty();
        // A selected line that is wider than the screen is shown in full at the bottom.
        let selected = lines.get(pager.list.cursor).map(|line| line.line(theme));
        let wide = selected.filter(|line| line.width() > cells);
        let wrapped = wide.as_ref().map_or(0, |line| (line.width().div_ceil(cells.max(1)) as u16 + 1).min(MAX_WRAPPED));
        let [rows, whole, search] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(wrapped), Constraint::Length(searches.into())])
                .areas(inner);
        let visible = pager.list.visible(rows, lines.len());
        let line = |at: usize| {
            let line = &lines[at];
            let style = if at == pager.list.cursor { theme.selected(true) } else { Style::new() };
            let mut line_drawn = line.line_within(cells, theme);
            line_drawn.push_span(" ".repeat(cells.saturating_sub(line_drawn.width())));
            let found = pager.matches(line);
            line_drawn.style(if found { style.patch(theme.accent()) } else { style })
        };
        let shown: Vec<Line<'_>> = visible.map(line).collect();
        let is_empty = shown.is_empty();
        frame.render_widget(Paragraph::new(shown), rows);
        if is_empty {
            frame.render_widget(Paragraph::new(Line::styled(" nothing yet", theme.dim())), rows);
        }
        if let Some(wide) = wide {
            frame.render_widget(Paragraph::new(wide.style(theme.selected(false))).wrap(Wrap { trim: true }), whole);
        }
        if searches {
            let mut spans = vec![Span::styled("/ ", theme.accent())];
            spans.extend(pager.search.spans(cells.saturating_sub(width("/ ")), pager.types, theme));
            frame.render_widget(Line::from(spans), search);
        }
    }
}

fn warning(text: &str) -> Effect {
    Effect::Notice(Notice { text: text.to_owned(), tone: Tone::Warning })
}
