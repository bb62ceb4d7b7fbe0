//! The list of prepared images.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{ReviewPane, is_uncertain};
use crate::tui::protocol::review::ReviewedImage;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, padded, padded_name};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable;
use mammoscope_preprocessing::record::{PectoralState, Record, Review};

/// Cells of a subject's pseudonym and the space after it.
const SUBJECT: usize = 14;

impl ReviewPane {
    pub(super) fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let (reviewed, uncertain) = self.counts();
        let (total, dot) = (self.images().len(), theme.sign("·", "-"));
        let counts = if self.images.is_some() {
            format!("{} of {} {dot} {} uncertain left", grouped(reviewed), grouped(total), grouped(uncertain))
        } else {
            String::new()
        };
        let inner = draw_pane(frame, area, theme, self.correction.is_none(), ["Review", &counts]);
        let [head, rows] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        let cells = usize::from(head.width);
        let text = match (&self.images, &self.problem) {
            (_, Some(problem)) => format!(" {problem}"),
            (None, None) => " reading the manifest …".to_owned(),
            (Some(images), None) if images.is_empty() => " the manifest has no images".to_owned(),
            (Some(_), None) => format!("  {}{:<3}{:<6}{:<2}muscle", padded("subject", SUBJECT), "ex", "view", "c"),
        };
        let style = if self.problem.is_some() { theme.bad() } else { theme.dim() };
        frame.render_widget(Paragraph::new(Line::styled(fitted(&text, cells), style)), head);
        let visible = self.list.visible(rows, total);
        for (line, at) in visible.enumerate() {
            let image = &self.images()[at];
            let style = if at == self.list.cursor { theme.selected(self.correction.is_none()) } else { theme.text() };
            let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
            frame.render_widget(Paragraph::new(self.row(image, cells, theme)).style(style), place);
        }
    }

    fn row(&self, image: &ReviewedImage, cells: usize, theme: &Theme) -> Line<'static> {
        let Some(output) = &image.record.output else { return Line::default() };
        let (sign, sign_style) = self.sign(image, theme);
        let (class, class_style) = match image.stated.or(output.class) {
            Some(class) => (class.letter(), theme.class(class)),
            None => (theme.sign("–", "-"), theme.dim()),
        };
        let (muscle, muscle_style) = muscle_text(&image.record, theme);
        let findings = image.record.findings.len();
        let findings = if findings > 0 { format!(" !{findings}") } else { String::new() };
        let room = cells.saturating_sub(SUBJECT + 13 + findings.len());
        Line::from(vec![
            Span::styled(format!("{sign} "), sign_style),
            Span::raw(padded_name(&printable(&output.subject), SUBJECT - 1) + " "),
            Span::raw(format!("{}{:<6}", padded_name(&printable(&output.exam), 3), output.view.name())),
            Span::styled(format!("{class:<2}"), class_style),
            Span::styled(fitted(&muscle, room), muscle_style),
            Span::styled(findings, theme.warning()),
        ])
    }

    fn sign(&self, image: &ReviewedImage, theme: &Theme) -> (&'static str, Style) {
        if self.pending.contains_key(&image.record.source.path) {
            return (theme.sign("…", "~"), theme.dim());
        }
        match self.verdict(image) {
            Some(Review::Accepted) => (theme.sign("✔", "v"), theme.good()),
            Some(Review::Rejected) => (theme.sign("✖", "x"), theme.bad()),
            Some(Review::Corrected { .. }) => (theme.sign("✎", "c"), theme.good()),
            None if is_uncertain(&image.record) => ("?", theme.warning()),
            None => (" ", theme.text()),
        }
    }
}

/// The state of the muscle with its confidence, such as `uncertain .42`.
fn muscle_text(record: &Record, theme: &Theme) -> (String, Style) {
    let Some(steps) = &record.steps else { return (String::new(), theme.text()) };
    let (word, style) = match steps.pectoral.state {
        PectoralState::Uncertain => ("uncertain", theme.warning()),
        PectoralState::Filled => ("filled", theme.text()),
        PectoralState::Kept => ("kept", theme.text()),
        PectoralState::AlreadyFilled => ("was filled", theme.text()),
        PectoralState::None => ("none", theme.dim()),
    };
    (word.to_owned() + &confidence_text(steps.pectoral.confidence), style)
}

/// A confidence such as ` .42`; empty without one.
pub(super) fn confidence_text(confidence: Option<f64>) -> String {
    confidence.map_or_else(String::new, |confidence| match (confidence * 100.0).round() as u32 {
        100.. => " 1.00".to_owned(),
        hundredths => format!(" .{hundredths:02}"),
    })
}
