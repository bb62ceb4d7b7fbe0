//! The details of the selected study or group: its progress, and its points from best to worst or its views.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::columns::{best_text, epoch_text};
use super::details_view::truncated;
use super::list_view::{condition_sign, place_text, short_name, state_within};
use super::listing::{FolderKind, progress, ranking};
use crate::tui::protocol::run_list::RunRow;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{padded, padded_start, width};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::study::study_ranking::{RankedPoint, StudyRanking};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// Cells before the state in the line of a run.
const BEFORE_STATE: usize = 37;

/// Draws the details of a study or a group, with a frame if there is room; `drawn` is the run whose curves are shown.
pub(super) fn draw_folder(
    frame: &mut Frame<'_>,
    area: Rect,
    (kind, id, rows): (FolderKind, &str, &[&RunRow]),
    drawn: Option<&RunDir>,
    shared: &SharedState,
    framed: bool,
) {
    let theme = &shared.theme;
    let progress = progress(rows.iter().copied());
    let title = format!("{} {}", kind.name(), printable(short_name(id)));
    let inner = if framed { draw_pane(frame, area, theme, false, [&title, ""]) } else { area };
    let ranking = ranking(rows.iter().copied()).filter(|ranking| ranking.points.len() > 1);
    let lead = if framed { " ".to_owned() } else { format!(" {title} · ") };
    let progress = progress.within(usize::from(inner.width).saturating_sub(width(&lead)));
    let mut lines = vec![Line::raw(lead + &progress)];
    match &ranking {
        Some(ranking) if framed => lines.extend(ranking_lines(ranking, usize::from(inner.height), theme)),
        Some(ranking) => lines.extend(ranking.best().map(|best| best_line(ranking, best, theme))),
        None if framed => lines.extend(rows.iter().map(|row| view_line(row, inner.width.into(), shared))),
        None => {}
    }
    if framed {
        lines.push(Line::styled(format!(" {}", printable(id)), theme.dim()));
        let drawn = rows.iter().find(|row| Some(&row.run) == drawn).and_then(|row| row.spec.as_ref());
        if let Some(spec) = drawn {
            lines.push(Line::styled(format!(" curves of {} {}", spec.view, place_text(spec)), theme.dim()));
        }
    }
    let cells = usize::from(inner.width);
    let lines: Vec<Line<'_>> =
        lines.into_iter().take(usize::from(inner.height)).map(|line| truncated(line, cells)).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// A run of a group: its view, its best value and its progress.
fn view_line(row: &RunRow, cells: usize, shared: &SharedState) -> Line<'static> {
    let theme = &shared.theme;
    let (sign, style) = condition_sign(row.condition.as_ref(), theme);
    let view = row.spec.as_ref().map_or_else(|| printable(&row.run.name()), |spec| spec.view.to_string());
    let best = row.status.as_ref().and_then(|status| status.best.as_ref());
    let best = best.map_or_else(|| "–".to_owned(), |best| format!("{} @ {}", best_text(best, theme), best.epoch));
    let state = state_within(row, shared, cells.saturating_sub(BEFORE_STATE));
    Line::from(vec![
        Span::styled(format!(" {sign} "), style),
        Span::raw(padded(&view, 6)),
        Span::raw(padded(&best, 18)),
        Span::raw(padded_start(&epoch_text(row.status.as_ref()), 8)),
        Span::styled(format!("  {state}"), theme.dim()),
    ])
}

fn best_line(ranking: &StudyRanking, best: &RankedPoint, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!(" {} {} ", theme.sign("★", "*"), metric_name(ranking)), theme.dim()),
        Span::raw(figure(best.mean)),
        Span::styled(format!("  point {}: {}", best.point, values_text(best)), theme.dim()),
    ])
}

/// A heading and the points that fit, leaving two lines for names.
fn ranking_lines(ranking: &StudyRanking, height: usize, theme: &Theme) -> Vec<Line<'static>> {
    let fitting = height.saturating_sub(4);
    if fitting == 0 {
        return Vec::new();
    }
    let seeds = ranking.points.iter().any(|point| point.sd_seeds.is_some());
    let spread = if seeds { "   ± seeds" } else { "" };
    let mut lines =
        vec![Line::styled(format!(" point {:>12}{spread}   runs  values", metric_name(ranking)), theme.dim())];
    for point in ranking.points.iter().take(fitting) {
        let is_best = ranking.best().is_some_and(|best| best.point == point.point);
        let sign = if is_best { theme.sign("★", "*") } else { " " };
        let mean = match point.mean {
            Some(_) if !point.is_complete() => format!("({})", figure(point.mean)),
            mean => figure(mean),
        };
        let spread = if seeds { padded_start(&figure(point.sd_seeds), 10) } else { String::new() };
        let runs = format!("{}/{}", point.runs.0, point.runs.1);
        lines.push(Line::from(vec![
            Span::styled(format!("{sign}{:>5} ", point.point), if is_best { theme.accent() } else { theme.text() }),
            Span::raw(padded_start(&mean, 12) + &spread),
            Span::styled(padded_start(&runs, 7), theme.dim()),
            Span::raw(format!("  {}", values_text(point))),
        ]));
    }
    lines
}

/// The name of the ranked metric: `val accuracy`.
fn metric_name(ranking: &StudyRanking) -> String {
    ranking.monitor.name().replace('_', " ")
}

fn values_text(point: &RankedPoint) -> String {
    let values = point.values.iter().map(|(key, value)| format!("{key}={value}"));
    printable(&values.collect::<Vec<_>>().join(" "))
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}
