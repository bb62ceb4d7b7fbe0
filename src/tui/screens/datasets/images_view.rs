//! The list of images.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::DatasetsScreen;
use super::flags::Flag;
use super::samples::{KnownHeader, SampleRow, Samples, Shown};
use super::sheet::Arrangement;
use super::tree::{FolderState, FolderTree};
use crate::terminal::input::Key;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, fitted_parts, fitted_path, padded, padded_name, padded_start, width};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use mammoscope_dataset::subject_audit::sample_name;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable;

/// The smallest width of the flags, such as `! no MLO_R`.
const MIN_FLAGS: usize = 12;

/// The columns of the list.
struct Columns {
    subject: usize,
    view: bool,
    split: bool,
    depth: bool,
}

impl Columns {
    /// Columns for what the folder does not determine, as far as they fit.
    fn new(tree: &FolderTree, folder: usize, cells: usize) -> Self {
        let context = tree.folder(folder).context;
        let subject = match cells {
            0..50 => 8,
            50..60 => 10,
            _ => 14,
        };
        let mut left = cells.saturating_sub(subject + 25);
        // Which view an image is matters more than the details of its flags.
        let view = context.view.is_none() && left >= 12;
        left -= if view { 6 } else { 0 };
        let mut fits = |wanted: bool, needed: usize| {
            let fits = wanted && left >= needed + MIN_FLAGS;
            left -= if fits { needed } else { 0 };
            fits
        };
        let depth = fits(true, 8);
        let split = fits(context.split.is_none(), 11);
        Self { subject, view, split, depth }
    }

    fn head(&self) -> String {
        let mut line = format!("  {} {:<5}{:<6}", padded("subject", self.subject), "exam", "class");
        if self.view {
            line += &padded("view", 6);
        }
        if self.split {
            line += &padded("split", 11);
        }
        line += &padded_start("size", 10);
        line.push(' ');
        if self.depth {
            line += &padded_start("depth", 7);
            line.push(' ');
        }
        line + " flags"
    }
}

impl DatasetsScreen {
    pub(super) fn draw_images(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let Some(tree) = &self.tree else { return };
        let theme = &shared.theme;
        let chosen = tree.folder(self.folder);
        let listed = self.samples.len();
        let mut count = format!("{} {}", grouped(listed), if listed == 1 { "image" } else { "images" });
        if self.samples.marked() > 0 {
            let _ = write!(count, " · {} marked", grouped(self.samples.marked()));
        }
        let order = self.order.text(theme.ascii);
        if !order.is_empty() {
            let _ = write!(count, " · {order}");
        }
        let place = chosen.path.strip_prefix(&tree.folder(0).path).unwrap_or(&chosen.path);
        let place = if place.as_os_str().is_empty() { "all images".to_owned() } else { place.display().to_string() };
        let room = usize::from(area.width).saturating_sub(width(&count) + 9);
        let place = printable(&place);
        let gaps = 2 * place.matches('/').count();
        let title = fitted_path(&place, room.saturating_sub(gaps)).replace('/', " / ");
        let inner = draw_pane(frame, area, theme, self.in_images, [&title, &count]);
        let narrowed = self.typing || !self.filter.text().is_empty() || self.shown != Shown::All;
        let [head, rows, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(u16::from(narrowed))])
                .areas(inner);
        if narrowed {
            frame.render_widget(Paragraph::new(self.filter_line(foot.width.into(), shared)), foot);
        }
        if self.samples.len() == 0 {
            let text = match (&chosen.state, narrowed) {
                (FolderState::Failed(problem), _) => format!(" cannot be read: {}", printable(problem)),
                (_, true) => format!(" no images match; {} clears", self.clearing_key(shared)),
                (_, false) if chosen.waiting > 0 => " reading".to_owned(),
                (_, false) => " no PNG, JPEG or TIFF images here".to_owned(),
            };
            frame.render_widget(Paragraph::new(Line::styled(fitted(&text, head.width.into()), theme.dim())), head);
            return;
        }
        if self.arrangement == Arrangement::Sheet && self.in_images {
            let tiles = Rect { height: head.height + rows.height, ..head };
            self.draw_sheet(frame, tiles, shared);
            return;
        }
        let range = self.range();
        let columns = Columns::new(tree, self.folder, inner.width.into());
        let text = fitted(&columns.head(), head.width.into());
        frame.render_widget(Paragraph::new(Line::styled(text, theme.dim())), head);
        let visible = self.images.visible(rows, self.samples.len());
        let shown: Vec<SampleRow> = visible.clone().filter_map(|at| self.samples.row(at)).collect();
        let paths = shown.iter().map(|row| Samples::path(tree, *row));
        self.unread = self.samples.mark_requested(paths);
        for (line, (at, row)) in visible.zip(shown).enumerate() {
            let style = if at == self.images.cursor { theme.selected(self.in_images) } else { theme.text() };
            let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
            let is_in_range = range.as_ref().is_some_and(|range| range.contains(&at));
            let line = sample_line(tree, &self.samples, row, is_in_range, &columns, rows.width.into(), shared);
            frame.render_widget(Paragraph::new(line).style(style), place);
        }
    }

    /// The key that clears the filter; while it is being typed, that is always Esc.
    fn clearing_key(&self, shared: &SharedState) -> String {
        if self.typing { Key::Escape.to_string() } else { key_text(Verb::Back, &shared.keymap) }
    }

    fn filter_line(&self, cells: usize, shared: &SharedState) -> Line<'static> {
        let theme = &shared.theme;
        let kind = match self.shown {
            Shown::All => "",
            Shown::Flagged => "flagged ",
            Shown::Marked => "marked ",
        };
        let mut spans = vec![Span::styled(format!(" {kind}"), theme.warning())];
        if self.typing || !self.filter.text().is_empty() {
            spans.push(Span::styled("/", theme.accent()));
            spans.extend(self.filter.spans(cells.saturating_sub(width(kind) + 14), self.typing, theme));
        }
        spans.push(Span::styled(format!("  {} clears", self.clearing_key(shared)), theme.dim()));
        Line::from(spans)
    }
}

fn sample_line(
    tree: &FolderTree,
    samples: &Samples,
    row: SampleRow,
    is_in_range: bool,
    columns: &Columns,
    cells: usize,
    shared: &SharedState,
) -> Line<'static> {
    let theme = &shared.theme;
    let context = tree.folder(Samples::folder(row)).context;
    let file = Samples::name(tree, row);
    let path = Samples::path(tree, row);
    let name = sample_name(file);
    let none = || theme.sign("–", "-").to_owned();
    let (subject, exam) = match &name {
        Some(name) => (printable(&name.subject.0), printable(&name.exam.0)),
        None => (printable(file), String::new()),
    };
    let mark = match samples.is_marked(&path) {
        true => theme.sign("● ", "* "),
        false if is_in_range => theme.sign("· ", ". "),
        false => "  ",
    };
    let class = context.class.map_or_else(none, |class| class.letter().to_owned());
    let class_style = context.class.map_or_else(|| theme.dim(), |class| theme.class(class));
    let mut spans = vec![Span::styled(mark, theme.accent())];
    // Without ids, the file name says more than an empty column.
    let (first, second) = if name.is_some() { (columns.subject, 5) } else { (columns.subject + 5, 0) };
    spans.push(Span::raw(format!("{} {}", padded_name(&subject, first), padded_name(&exam, second))));
    spans.push(Span::styled(padded(&class, 6), class_style));
    if columns.view {
        let view = context.view.or(name.map(|name| name.view));
        spans.push(Span::raw(padded(view.map_or(theme.sign("–", "-"), |view| view.name()), 6)));
    }
    if columns.split {
        spans.push(Span::raw(padded(context.split.map_or(theme.sign("–", "-"), |split| split.name()), 11)));
    }
    let (size, depth) = match samples.header(&path) {
        Some(KnownHeader::Read(header)) => {
            let times = theme.sign("×", "x");
            (format!("{}{times}{}", header.facts.width, header.facts.height), format!("{} bit", header.facts.bits))
        }
        Some(KnownHeader::Unreadable) => (none(), none()),
        None => (String::new(), String::new()),
    };
    spans.push(Span::raw(format!("{} ", padded_start(&size, 10))));
    if columns.depth {
        spans.push(Span::styled(format!("{} ", padded_start(&depth, 7)), theme.dim()));
    }
    let used: usize = spans.iter().map(|span| width(&span.content)).sum();
    let flags = samples.flags(tree, row);
    let style = if flags.iter().any(Flag::is_bad) { theme.bad() } else { theme.warning() };
    if let Some(first) = flags.first() {
        let sign = if first.is_bad() { theme.sign("✖", "x") } else { "!" };
        let text: Vec<String> = flags.iter().map(|flag| printable(&flag.text())).collect();
        let text = fitted_parts(&format!(" {sign} {}", text.join(" · ")), cells.saturating_sub(used));
        // A part of a word says nothing; the preview has all of it.
        let text = if width(&text) < MIN_FLAGS && text.ends_with('…') { format!(" {sign}") } else { text };
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}
