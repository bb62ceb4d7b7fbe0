//! The tree of folders.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::DatasetsScreen;
use super::tree::{Folder, FolderState, FolderTree};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, fitted_path, padded, padded_start, width};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_dataset::folder_listing::FolderMeaning;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable;

/// Cells of the bar beside a class.
const BAR: usize = 6;

impl DatasetsScreen {
    pub(super) fn draw_folders(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let Some(tree) = &self.tree else { return };
        let theme = &shared.theme;
        let root = tree.folder(0);
        let room = usize::from(area.width.saturating_sub(6));
        let title = fitted_path(&shared.shown_path(&root.path), room);
        let inner = draw_pane(frame, area, theme, !self.in_images, [&title, ""]);
        let rows = tree.rows();
        for (line, row) in self.folders.visible(inner, rows.len()).enumerate() {
            let at = rows[row];
            let style = if at == self.folder { theme.selected(!self.in_images) } else { theme.text() };
            let place = Rect::new(inner.x, inner.y + line as u16, inner.width, 1);
            frame.render_widget(Paragraph::new(folder_line(tree, at, shared, inner.width.into())).style(style), place);
        }
    }
}

fn folder_line(tree: &FolderTree, at: usize, shared: &SharedState, cells: usize) -> Line<'static> {
    let theme = &shared.theme;
    let folder = tree.folder(at);
    let meaning = if at == 0 { FolderMeaning::Other } else { FolderMeaning::of(&folder.name) };
    let sign = match (folder.children.is_empty(), folder.expanded) {
        (true, _) => " ",
        (false, true) => theme.sign("▾", "-"),
        (false, false) => theme.sign("▸", "+"),
    };
    let name = if at == 0 { "all".to_owned() } else { printable(&folder.name) };
    let name = format!("{}{sign} {name}", "  ".repeat(folder.depth));
    let count = count_text(folder);
    let bar = match meaning {
        FolderMeaning::Class(class) if cells >= 28 => {
            let most = tree.most_beside(at).max(1);
            Some((bar(folder.below as f64 / most as f64, BAR, theme.ascii), theme.class(class)))
        }
        _ => None,
    };
    let trouble = if folder.problems.is_empty() && !matches!(folder.state, FolderState::Failed(_)) { " " } else { "!" };
    let bar_cells = if cells >= 28 { BAR + 1 } else { 0 };
    let room = cells.saturating_sub(width(&count) + bar_cells + 3);
    let name_style = match meaning {
        FolderMeaning::Class(class) => theme.class(class),
        _ => Style::new(),
    };
    let mut spans = vec![
        Span::styled(padded(&fitted(&name, room), room), name_style),
        Span::raw(format!(" {count}")),
        Span::styled(trouble.to_owned(), theme.warning()),
    ];
    if bar_cells > 0 {
        let (bar, style) = bar.unwrap_or_default();
        spans.push(Span::styled(format!(" {}", padded(&bar, BAR)), style));
    }
    Line::from(spans)
}

/// The number of images, such as `1,060`, followed by `…` while it grows.
fn count_text(folder: &Folder) -> String {
    match (&folder.state, folder.waiting) {
        (FolderState::Failed(_), _) => "unreadable".to_owned(),
        (_, 0) => format!("{} ", grouped(folder.below)),
        (_, _) if folder.below == 0 => "… ".to_owned(),
        _ => format!("{}…", grouped(folder.below)),
    }
}

/// A bar in eighths of a cell.
pub(super) fn bar(part: f64, cells: usize, ascii: bool) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if ascii {
        return "#".repeat((part * cells as f64).round() as usize);
    }
    let eighths = (part.clamp(0.0, 1.0) * cells as f64 * 8.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// A count aligned to the right, in thousands if it would fill all cells.
pub(super) fn right(number: usize, cells: usize) -> String {
    let text = grouped(number);
    padded_start(&if text.len() < cells { text } else { format!("{}k", number / 1000) }, cells)
}
