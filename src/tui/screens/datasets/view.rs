//! The layout of the screen Datasets.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::DatasetsScreen;
use super::sheet::Arrangement;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, fitted_path};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;

/// In narrower terminals, either the folders or the preview is shown.
const WIDE: u16 = 100;

impl DatasetsScreen {
    pub(super) fn draw_panes(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        if self.tree.is_none() {
            self.draw_welcome(frame, area, shared);
            return;
        }
        if area.width < WIDE {
            let left = if self.in_images { area.width * 3 / 5 } else { area.width * 2 / 5 };
            let [left, right] = Layout::horizontal([Constraint::Length(left), Constraint::Fill(1)]).areas(area);
            if self.in_images && self.arrangement == Arrangement::Sheet {
                self.draw_images(frame, area, shared);
            } else if self.in_images {
                self.draw_images(frame, left, shared);
                self.draw_preview(frame, right, shared);
            } else {
                self.draw_folders(frame, left, shared);
                self.draw_balance(frame, right, shared);
            }
            return;
        }
        if self.in_images && self.arrangement == Arrangement::Sheet {
            let folders = (area.width * 11 / 50).clamp(26, 44);
            let [left, right] = Layout::horizontal([Constraint::Length(folders), Constraint::Fill(1)]).areas(area);
            self.draw_folders(frame, left, shared);
            self.draw_images(frame, right, shared);
            return;
        }
        let folders = (area.width * 11 / 50).clamp(26, 44);
        let right = (area.width * 3 / 10).clamp(36, 90);
        let [left, middle, right] =
            Layout::horizontal([Constraint::Length(folders), Constraint::Fill(1), Constraint::Length(right)])
                .areas(area);
        self.draw_folders(frame, left, shared);
        self.draw_images(frame, middle, shared);
        if self.in_images {
            self.draw_preview(frame, right, shared);
        } else {
            self.draw_balance(frame, right, shared);
        }
    }

    /// Draws instructions while no data set is open.
    fn draw_welcome(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let inner = draw_pane(frame, area, theme, true, ["Datasets", ""]);
        let key = |verb: Verb| Span::styled(key_text(verb, &shared.keymap), theme.accent());
        let cells = usize::from(inner.width.saturating_sub(2));
        let mut lines = vec![
            Line::default(),
            Line::from(vec![
                Span::raw(" No data set is open: "),
                key(Verb::OpenOther),
                Span::raw(" opens one, "),
                key(Verb::Process),
                Span::raw(" prepares one from DICOM and image files."),
            ]),
            Line::default(),
            Line::styled(
                fitted(" A data set is a folder of images, <view>/[<split>/]<class>/<image>:", cells),
                theme.dim(),
            ),
            Line::styled(
                fitted(" for example CC_R/train/B/145_1_B_CC_R.png. A flat folder works, too.", cells),
                theme.dim(),
            ),
            Line::default(),
        ];
        let offered = self.offered.as_deref().unwrap_or_default();
        if self.restored.root.is_some() || self.offered.is_none() {
            lines.truncate(1);
            lines.push(Line::styled(" looking for data sets …", theme.dim()));
        } else if offered.is_empty() {
            lines.push(Line::from(vec![
                Span::raw(" To try it out: "),
                key(Verb::Jobs),
                Span::raw(" generates synthetic images, or runs the demo on them."),
            ]));
        } else {
            lines.push(Line::from(vec![
                Span::raw(" Found nearby ("),
                Span::styled("↑↓", theme.accent()),
                Span::raw(" select, "),
                key(Verb::Open),
                Span::raw(" open):"),
            ]));
        }
        let height = lines.len() as u16;
        frame.render_widget(Paragraph::new(lines), inner);
        let rows = Rect { y: inner.y + height.min(inner.height), height: inner.height.saturating_sub(height), ..inner };
        let visible = self.offers.visible(rows, offered.len());
        for (line, row) in visible.enumerate() {
            let text = fitted_path(&shared.shown_path(&offered[row]), cells.saturating_sub(2));
            let style = if row == self.offers.cursor { theme.selected(true) } else { theme.text() };
            let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
            frame.render_widget(Paragraph::new(format!("   {text}")).style(style), place);
        }
    }
}
