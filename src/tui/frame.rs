//! The frame around every screen: the tabs at the top; at the bottom, the status line with the machine and the active
//! runs, which gives way to a notice, and the footer with the most useful keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::widgets::fitted::{fitted, fitted_path, width};
use super::widgets::notice_look::notice_look;
use crate::terminal::input::Mouse;
use crate::terminal::sizes::Cells;
use crate::tui::protocol::binding::{Binding, KeyTables};
use crate::tui::protocol::effect::Notice;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::text::printable::printable;

/// The smallest terminal in which anything useful fits.
pub(super) const MIN_SIZE: Cells = Cells { columns: 60, rows: 15 };
/// The number of a screen's hints that the footer shows at least, if the screen has as many.
const MIN_HINTS: usize = 6;
/// The end of a notice that does not fit: the command that shows all of it.
const MORE: &str = " :messages ";

/// The areas of a drawing.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameAreas {
    /// The area for the screen.
    pub(super) body: Rect,
    tabs: Vec<(ScreenId, Rect)>,
}

/// The tab under the mouse.
pub(super) fn tab_at(areas: &FrameAreas, mouse: Mouse) -> Option<ScreenId> {
    let hit = |area: &Rect| area.contains((mouse.column, mouse.row).into());
    areas.tabs.iter().find(|(_, area)| hit(area)).map(|(screen, _)| *screen)
}

/// Draws the frame; returns its areas.
pub(super) fn draw_frame(
    frame: &mut Frame<'_>,
    shared: &SharedState,
    screen: ScreenId,
    tables: [KeyTables; 2],
    notice: Option<&Notice>,
) -> FrameAreas {
    let [top, body, status, footer] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(frame.area());
    let tabs = draw_tabs(frame, top, shared, screen);
    // The keys stay in sight: a notice takes the place of the status.
    let above = match notice {
        Some(notice) => notice_line(notice, shared, status.width),
        None => status_line(shared, status.width),
    };
    frame.render_widget(Paragraph::new(above), status);
    frame.render_widget(Paragraph::new(footer_line(tables, shared, footer.width)), footer);
    FrameAreas { body, tabs }
}

fn draw_tabs(frame: &mut Frame<'_>, area: Rect, shared: &SharedState, screen: ScreenId) -> Vec<(ScreenId, Rect)> {
    let theme = &shared.theme;
    let mut tabs = Vec::new();
    let mut spans = vec![Span::styled(" mammoscope ", theme.text().add_modifier(Modifier::BOLD)), Span::raw(" ")];
    let mut column = area.x + 13;
    for (number, tab) in ScreenId::ALL.iter().copied().enumerate() {
        let text = if tab == screen {
            format!("[{} {}]", number + 1, tab.title())
        } else {
            format!(" {} {} ", number + 1, tab.title())
        };
        let cells = width(&text) as u16;
        tabs.push((tab, Rect::new(column, area.y, cells.min(area.right().saturating_sub(column)), 1)));
        column += cells;
        spans.push(Span::styled(text, if tab == screen { theme.accent() } else { theme.dim() }));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
    let room = usize::from(area.right().saturating_sub(column + 1));
    let workspace = shared.shown_path(&shared.workspace);
    let shown = match format!("workspace {workspace} ") {
        whole if width(&whole) <= room => whole,
        _ => fitted_path(&workspace, room.saturating_sub(1)) + " ",
    };
    let cells = width(&shown) as u16;
    let place = Rect::new(area.right().saturating_sub(cells), area.y, cells, 1);
    frame.render_widget(Paragraph::new(Span::styled(shown, theme.dim())), place);
    tabs
}

fn status_line(shared: &SharedState, cells: u16) -> Line<'static> {
    let theme = &shared.theme;
    let (jobs, runs) = (shared.jobs.status_text(), shared.runs.status_text());
    let runs = [jobs, runs].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
    let room = usize::from(cells).saturating_sub(width(&runs) + 1);
    let place = format!(" {} {} ", printable(&shared.machine.host), theme.sign("▸", ">"));
    let machine = shared.machine.texts().into_iter().map(|text| format!("{place}{text}  {} ", theme.sign("·", "-")));
    // The runs take precedence over the machine.
    let machine = machine.into_iter().find(|text| width(text) <= room).unwrap_or_else(|| " ".to_owned());
    Line::styled(fitted(&(machine + &runs), usize::from(cells)), theme.dim())
}

fn notice_line(notice: &Notice, shared: &SharedState, cells: u16) -> Line<'static> {
    let (sign, style) = notice_look(notice.tone, &shared.theme);
    let gap = if sign.is_empty() { "" } else { " " };
    let text = format!(" {sign}{gap}{}", notice.text);
    if width(&text) <= usize::from(cells) {
        return Line::styled(text, style);
    }
    let room = usize::from(cells).saturating_sub(width(MORE));
    Line::from(vec![Span::styled(fitted(&text, room), style), Span::styled(MORE, shared.theme.dim())])
}

/// As many hints as fit, the screen's first; help, commands and quit always. If few fit, keys are abbreviated and
/// closer together.
fn footer_line(tables: [KeyTables; 2], shared: &SharedState, cells: u16) -> Line<'static> {
    let theme = &shared.theme;
    let shown = |tables: KeyTables| tables.iter().copied().flatten().filter(|binding| !binding.hint.is_empty());
    let all = shown(tables[0]).count();
    let hints = |is_tight: bool| {
        let gap = if is_tight { 1 } else { 2 };
        let hint = |binding: &Binding| {
            let key = binding.keys(&shared.keymap).next();
            let key = key.map(|key| if is_tight { key.brief(theme.ascii) } else { key.to_string() });
            (key.unwrap_or_default(), format!(" {}{}", binding.hint, " ".repeat(gap)))
        };
        let length = |(key, hint): &(String, String)| width(key) + width(hint);
        let always: Vec<_> = shown(tables[1]).map(hint).collect();
        // The last hint needs no gap after it.
        let mut room = (usize::from(cells) + gap).saturating_sub(1 + always.iter().map(length).sum::<usize>());
        let mut fitting: Vec<_> = shown(tables[0])
            .map(hint)
            .map_while(|hint| {
                room = room.checked_sub(length(&hint))?;
                Some(hint)
            })
            .collect();
        let count = fitting.len();
        fitting.extend(always);
        (fitting, count)
    };
    let (roomy, count) = hints(false);
    let fitting = if count < all.min(MIN_HINTS) { hints(true).0 } else { roomy };
    let mut spans = vec![Span::raw(" ")];
    for (key, hint) in fitting {
        spans.push(Span::styled(key, theme.accent()));
        spans.push(Span::styled(hint, theme.dim()));
    }
    Line::from(spans)
}

/// Draws a message that the terminal is too small.
pub(super) fn draw_too_small(frame: &mut Frame<'_>, area: Rect) {
    let Cells { columns, rows } = MIN_SIZE;
    let text = format!("too small: needs {columns}×{rows}");
    frame.render_widget(Paragraph::new(fitted(&text, usize::from(area.width))), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::protocol::machine_sample::{GpuSample, MachineSample, MemoryUse};
    use crate::tui::testing::empty_shared_state;

    #[test]
    fn the_workspace_is_named_from_the_home_folder_on() {
        let mut shared = empty_shared_state();
        let path = |shared: &SharedState| shared.shown_path(&shared.workspace);
        assert_eq!(path(&shared), "/density/workspace");
        shared.home = Some("/density".into());
        assert_eq!(path(&shared), "~/workspace");
        shared.home = Some("/density/workspace".into());
        assert_eq!(path(&shared), "~");
        shared.home = Some("/dens".into());
        assert_eq!(path(&shared), "/density/workspace", "another folder with the same beginning");
        shared.home = Some("/".into());
        assert_eq!(path(&shared), "/density/workspace", "the root is no home");
    }

    #[test]
    fn the_machine_gives_way_to_the_runs() {
        let mut shared = empty_shared_state();
        shared.runs.listed = true;
        let gpu = GpuSample {
            name: "H200".to_owned(),
            busy_percent: Some(97),
            memory: Some(MemoryUse { used: 61_000_000_000, total: 141_000_000_000 }),
            power_watts: Some(640),
            celsius: Some(63),
        };
        let line = |shared: &SharedState, cells: u16| status_line(shared, cells).to_string().trim_end().to_owned();
        assert_eq!(line(&shared, 80), " no training running · 0 runs", "no sample yet");
        shared.machine =
            MachineSample { host: "node3".to_owned(), cpu_percent: Some(12), memory: None, gpus: vec![gpu] };
        assert_eq!(
            line(&shared, 120),
            " node3 ▸ H200 97 % 61/141 GB 640 W 63 °C  CPU 12 %  · no training running · 0 runs"
        );
        assert_eq!(line(&shared, 72), " node3 ▸ H200 97 % 61/141 GB  CPU 12 %  · no training running · 0 runs");
        assert_eq!(line(&shared, 52), " node3 ▸ H200 97 %  · no training running · 0 runs");
        assert_eq!(line(&shared, 34), " no training running · 0 runs");
    }
}
