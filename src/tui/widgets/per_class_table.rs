//! A table of precision, recall and F1 per class, with intervals.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::figure_text::{figure, interval, signed};
use super::fitted::{padded, padded_start};
use crate::tui::theme::Theme;
use mammoscope_domain::metrics::bootstrap::Interval;
use mammoscope_domain::metrics::classification_report::{ClassFigures, ClassificationReport};
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::subject::density::DensityClass;

/// Cells of the class letter and of the support.
const CLASS: usize = 7;
const SUPPORT: usize = 8;

/// Cells of a metric with its interval: at least those of the longest, more if there is room.
fn figure_cells(area: Rect) -> usize {
    (usize::from(area.width).saturating_sub(CLASS + SUPPORT + 1) / 3).clamp(16, 20)
}

/// Draws the table of one evaluation. Intervals that are not computed yet are shown as dots.
pub(in crate::tui) fn draw_per_class(
    frame: &mut Frame<'_>,
    area: Rect,
    evaluation: &Evaluation,
    resampled: bool,
    theme: &Theme,
) {
    let cells = figure_cells(area);
    let lines = DensityClass::ALL.map(|class| {
        let (figures, intervals) = (evaluation.per_class.of(class), evaluation.intervals.per_class.of(class));
        let mut spans = class_span(class, theme);
        for (value, ends) in
            [(figures.precision, intervals.precision), (figures.recall, intervals.recall), (figures.f1, intervals.f1)]
        {
            let value = Some(value).filter(|_| figures.support > 0);
            spans.push(Span::raw(padded_start(&figure(value, 2, theme), 4)));
            spans.push(Span::styled(ends_text(ends, resampled, cells, theme), theme.dim()));
        }
        spans.push(Span::raw(padded_start(&figures.support.to_string(), SUPPORT)));
        Line::from(spans)
    });
    draw(frame, area, lines, theme);
}

/// Draws the differences between the metrics of two matrices, the first minus the second.
pub(in crate::tui) fn draw_per_class_difference(
    frame: &mut Frame<'_>,
    area: Rect,
    [here, there]: [&ConfusionMatrix; 2],
    theme: &Theme,
) {
    let (here, there) = (ClassificationReport::of(here), ClassificationReport::of(there));
    let cells = figure_cells(area);
    let lines = DensityClass::ALL.map(|class| {
        let (here, there): (&ClassFigures, &ClassFigures) = (here.per_class.of(class), there.per_class.of(class));
        let mut spans = class_span(class, theme);
        for (here_value, there_value) in
            [(here.precision, there.precision), (here.recall, there.recall), (here.f1, there.f1)]
        {
            let shown = |value: f64| figure(Some(value).filter(|_| here.support > 0), 2, theme);
            let difference = Some(here_value - there_value).filter(|_| here.support > 0);
            spans.push(Span::raw(padded_start(&signed(difference, 2, theme), 4)));
            let both = format!(" {} {} {}", shown(here_value), theme.sign("−", "-"), shown(there_value));
            spans.push(Span::styled(padded(&both, cells - 4), theme.dim()));
        }
        spans.push(Span::raw(padded_start(&here.support.to_string(), SUPPORT)));
        Line::from(spans)
    });
    draw(frame, area, lines, theme);
}

fn class_span(class: DensityClass, theme: &Theme) -> Vec<Span<'static>> {
    vec![Span::styled(padded(&format!(" {class}"), CLASS), theme.class(class).add_modifier(Modifier::BOLD))]
}

fn ends_text(ends: Option<Interval>, resampled: bool, cells: usize, theme: &Theme) -> String {
    let text = if resampled { interval(ends, false, theme) } else { theme.sign("…", "...").to_owned() };
    padded(&format!(" {text}"), cells - 4)
}

fn draw(frame: &mut Frame<'_>, area: Rect, lines: [Line<'static>; 4], theme: &Theme) {
    let mut heading = padded(" class", CLASS);
    for name in ["precision", "recall", "F1"] {
        heading.push_str(&padded(name, figure_cells(area)));
    }
    heading.push_str(&padded_start("support", SUPPORT));
    let mut all = vec![Line::styled(heading, theme.dim())];
    all.extend(lines);
    frame.render_widget(Paragraph::new(all), area);
}
