//! The preview of the selected image: picture, histogram, grey window, facts and flags.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::DatasetsScreen;
use super::samples::Samples;
use crate::tui::protocol::pictures::PictureFacts;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, fitted_name, width};
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::picture::PictureContent;
use mammoscope_domain::image::grey_range::values_in_words;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable;
use mammoscope_imaging::intensity_window::GreyStatistics;

impl DatasetsScreen {
    pub(super) fn draw_preview(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let chosen = self.tree.as_ref().zip(self.samples.row(self.images.cursor));
        let Some((tree, row)) = chosen else {
            let inner = draw_pane(frame, area, theme, false, ["Image", ""]);
            frame.render_widget(Paragraph::new(Line::styled(" no image is selected", theme.dim())), inner);
            return;
        };
        let path = Samples::path(tree, row);
        let name = printable(Samples::name(tree, row));
        let scale = self.picture.scale_text(&path, theme.ascii);
        let name = fitted_name(&name, usize::from(area.width.saturating_sub(6)));
        let inner = draw_pane(frame, area, theme, false, [&name, &scale]);
        let flags = self.samples.flags(tree, row);
        let problem = self.picture.problem(&path);
        // A problem that is shown in place of the picture is not repeated.
        let sentences: Vec<String> = flags
            .iter()
            .filter(|flag| problem.is_none_or(|problem| flag.text() != problem))
            .map(super::flags::Flag::sentence)
            .collect();
        let rows = |text: &String| width(text).div_ceil(usize::from(inner.width.saturating_sub(4)).max(1)) as u16;
        let notes = sentences.iter().map(rows).sum::<u16>().min(inner.height / 4);
        let facts = if inner.height >= 14 { 4 } else { 2 };
        let [room, below, notes] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(facts), Constraint::Length(notes)]).areas(inner);
        let cursor = self.images.cursor;
        let neighbours = || {
            let around = [cursor.checked_add(1), cursor.checked_sub(1)].into_iter().flatten();
            around.filter_map(|at| self.samples.row(at)).map(|row| Samples::path(tree, row)).collect()
        };
        self.picture.draw(frame, room, shared, PictureContent::stored(&path, shared.window), neighbours);
        let cells = usize::from(inner.width);
        if let Some(known) = self.picture.facts(&path) {
            let mut lines = fact_lines(known, theme, cells);
            if let Some(probe) = self.picture.probe_text(&path) {
                lines.pop();
                lines.push(Line::styled(fitted(&format!(" {probe}"), cells), theme.accent()));
            }
            if facts < 4 {
                lines.drain(..2);
            }
            frame.render_widget(Paragraph::new(lines), below);
        }
        let lines: Vec<Line<'_>> =
            sentences.iter().map(|text| Line::styled(format!(" ! {}", printable(text)), theme.warning())).collect();
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), notes);
    }
}

/// The histogram in two lines, the grey window, and the file.
fn fact_lines(known: &PictureFacts, theme: &Theme, cells: usize) -> Vec<Line<'static>> {
    let [above, below] = histogram(&known.statistics, theme, cells.saturating_sub(2));
    let window = known.window_text();
    let GreyStatistics { low, high, .. } = *known.statistics;
    let range = if known.header.facts.bits > 8 { values_in_words(low, high) } else { format!("values {low}–{high}") };
    let mut line = vec![Span::raw(fitted(&format!(" {window}"), cells))];
    if width(&window) + width(&range) + 4 <= cells {
        line.push(Span::styled(format!(" · {range}"), theme.dim()));
    }
    let kilobytes = grouped((known.header.bytes as usize).div_ceil(1000));
    let file = format!(" {} · {kilobytes} kB", known.header.facts);
    vec![
        Line::styled(format!(" {above}"), theme.dim()),
        Line::styled(format!(" {below}"), theme.dim()),
        Line::from(line),
        Line::styled(fitted(&file, cells), theme.dim()),
    ]
}

/// A histogram of the grey values from black to white, by the square roots of their counts, since the black background
/// of a mammogram would otherwise dwarf the rest.
fn histogram(statistics: &GreyStatistics, theme: &Theme, cells: usize) -> [String; 2] {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bars = statistics.histogram.len();
    let columns = cells.min(bars).max(1);
    let heights: Vec<f64> = (0..columns)
        .map(|column| {
            let part = &statistics.histogram[column * bars / columns..((column + 1) * bars / columns).max(1)];
            f64::from(part.iter().sum::<u32>()).sqrt()
        })
        .collect();
    let most = heights.iter().copied().fold(1.0, f64::max);
    let levels: Vec<usize> = heights.iter().map(|height| (height / most * 16.0).ceil() as usize).collect();
    if theme.ascii {
        let drawn = |least: usize| levels.iter().map(|&level| if level > least { '#' } else { ' ' }).collect();
        return [drawn(8), drawn(0)];
    }
    let above = levels.iter().map(|&level| EIGHTHS[level.saturating_sub(8).min(8)]).collect();
    let below = levels.iter().map(|&level| EIGHTHS[level.min(8)]).collect();
    [above, below]
}
