//! The figures beside the pictures: the probabilities of the classes, and the scores of the map.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::MapState;
use crate::tui::protocol::explain::MappedImage;
use crate::tui::theme::Theme;
use crate::tui::widgets::figure_text::{figure, signed};
use crate::tui::widgets::fitted::padded;
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::probability_bars::bar_text;
use mammoscope_domain::explanation::explanation_scores::{DenseSource, ExplanationScores};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;

pub(super) fn draw_probabilities(
    frame: &mut Frame<'_>,
    area: Rect,
    mapped: Option<&MappedImage>,
    label: Option<DensityClass>,
    theme: &Theme,
) {
    let inner = draw_pane(frame, area, theme, false, ["probabilities", ""]);
    let Some(mapped) = mapped else { return };
    let Some(probabilities) = &mapped.image.probabilities else {
        let text = format!(" {NonfiniteOutput}");
        frame.render_widget(Paragraph::new(Line::styled(text, theme.bad())), inner);
        return;
    };
    let bar = usize::from(inner.width).saturating_sub(14);
    let lines: Vec<Line<'_>> = DensityClass::ALL
        .into_iter()
        .map(|class| {
            let share = probabilities.of(class);
            let truth = if label == Some(class) { "true" } else { "" };
            Line::from(vec![
                Span::styled(format!(" {class} {}", bar_text(share, bar, theme)), theme.class(class)),
                Span::raw(format!(" {:>3}", figure(Some(share), 2, theme))),
                Span::styled(format!(" {truth}"), theme.dim()),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

pub(super) fn draw_scores(frame: &mut Frame<'_>, area: Rect, map: &MapState, theme: &Theme) {
    let inner = draw_pane(frame, area, theme, false, ["where the map looks", ""]);
    let mapped = match map {
        MapState::Ready(mapped) => mapped,
        MapState::Failed(_) => {
            frame.render_widget(Paragraph::new(Line::styled(" there is no map", theme.dim())), inner);
            return;
        }
        MapState::Pending => return,
    };
    if !mapped.image.status.is_sound() {
        let text = format!(" nowhere: it is {}", mapped.image.status);
        frame.render_widget(Paragraph::new(text).style(theme.warning()).wrap(Wrap { trim: false }), inner);
        return;
    }
    let Some(regions) = &mapped.image.examined.regions else {
        let text = " no breast was found in the image, so there are no scores";
        frame.render_widget(Paragraph::new(text).style(theme.warning()).wrap(Wrap { trim: false }), inner);
        return;
    };
    let examined = &mapped.image.examined;
    let lines = score_lines(mapped, regions.dense_source, theme);
    let [scores, below] = Layout::vertical([Constraint::Length(lines.len() as u16), Constraint::Fill(1)]).areas(inner);
    frame.render_widget(Paragraph::new(lines), scores);
    let problems: Vec<Line<'_>> =
        examined.mask_problems.iter().map(|problem| Line::raw(format!(" {problem}"))).collect();
    frame.render_widget(Paragraph::new(problems).style(theme.warning()).wrap(Wrap { trim: false }), below);
}

fn score_lines(mapped: &MappedImage, dense: DenseSource, theme: &Theme) -> Vec<Line<'static>> {
    let scores = &mapped.image.scores;
    let row = |name: &str, value: String, note: String| {
        Line::from(vec![
            Span::styled(format!(" {}", padded(name, 16)), theme.dim()),
            Span::raw(value),
            Span::styled(format!("  {note}"), theme.dim()),
        ])
    };
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{:>3.0} %", 100.0 * share),
        None => format!("{:>5}", theme.sign("–", "-")),
    };
    let times = |scores: &ExplanationScores| Some(format!("{}{:.1}", theme.sign("×", "x"), scores.dense_enrichment?));
    let enrichment = times(scores).map_or_else(String::new, |times| format!("{times} its area"));
    let control = &mapped.image.examined.control;
    let random = times(control).unwrap_or_default();
    let none = || theme.sign("–", "-").to_owned();
    let beaten = mapped.control.map_or_else(none, |found| format!("{} of {}", found.beaten, found.controls));
    let source = match dense {
        DenseSource::Mask => "from masks",
        DenseSource::Rule => "threshold",
        DenseSource::None => "unknown",
    };
    let hit = match scores.pointing_hit {
        Some(true) => "in dense tissue",
        Some(false) => "elsewhere",
        None => theme.sign("–", "-"),
    };
    vec![
        row("in dense tissue", percent(scores.dense_energy), enrichment),
        row("  random control", percent(control.dense_energy), random),
        row("  beats random", beaten, mapped.control.map_or_else(String::new, |_| "maps".to_owned())),
        row("in the breast", percent(scores.breast_energy), String::new()),
        row("at the skin", percent(scores.skin_energy), String::new()),
        row("outside", percent(scores.outside_energy), String::new()),
        row("strongest point", hit.to_owned(), String::new()),
        row("rank corr. grey", format!("{:>5}", signed(scores.grey_spearman, 2, theme)), String::new()),
        row("dense mask", source.to_owned(), String::new()),
    ]
}
