//! The slider over the kept epochs of a run, and the course of the scores of an image's maps.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::ExplainScreen;
use super::sides::Side;
use crate::tui::protocol::explain::{EpochScores, ExplainSample};
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::linear_ticks;
use crate::tui::widgets::chart::{Chart, Layer, Mark};
use crate::tui::widgets::fitted::{padded, width};
use crate::tui::widgets::key_text::key_text;
use mammoscope_domain::run::metric_series::MetricSeries;

/// Cells of what is shown, before the track.
const NAME: usize = 13;
/// Lines of the chart, and the least height of a screen that has room for it.
const CHART: u16 = 9;
const MIN_HEIGHT_WITH_CHART: u16 = 28;
/// The most cells between two stops.
const MAX_STEP: usize = 6;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_BARS: [&str; 4] = ["_", ".", "-", "^"];

/// A score over the epochs.
struct Course {
    name: &'static str,
    places: Vec<f64>,
    series: MetricSeries,
    now: Option<f64>,
    style: Style,
    letter: &'static str,
}

impl ExplainScreen {
    /// The lines that the slider takes of a screen with this many lines; 0 without kept epochs.
    pub(super) fn epoch_lines(&self, height: u16) -> u16 {
        match (self.epochs_on_screen().is_empty(), self.kept.shown) {
            (true, _) => 0,
            (false, None) => 1,
            (false, Some(_)) if height < MIN_HEIGHT_WITH_CHART => 2,
            (false, Some(_)) => 1 + CHART,
        }
    }

    /// Draws the slider; below it, while the model of an epoch is shown, the scores at all epochs.
    pub(super) fn draw_epochs(&self, frame: &mut Frame<'_>, area: Rect, sample: &ExplainSample, shared: &SharedState) {
        if area.height == 0 {
            return;
        }
        let theme = &shared.theme;
        let epochs = self.epochs_on_screen();
        let stops = Stops::new(epochs, usize::from(area.width));
        let line = |row: u16| Rect { y: area.y + row, height: 1, ..area };
        frame.render_widget(Paragraph::new(self.slider(epochs, &stops, area.width, shared)), line(0));
        let points = self.points_of(sample);
        match area.height {
            1 => {}
            2..CHART => frame.render_widget(Paragraph::new(self.bars(epochs, &stops, &points, theme)), line(1)),
            _ => {
                let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
                self.draw_courses(frame, below, epochs, &points, theme);
            }
        }
    }

    fn slider(&self, epochs: &[u32], stops: &Stops, cells: u16, shared: &SharedState) -> Line<'static> {
        let theme = &shared.theme;
        let shown = self.kept.shown;
        let other = if self.follows[Side::Left as usize] { "newest model" } else { "best model" };
        let name = shown.map_or_else(|| other.to_owned(), |epoch| format!("epoch {epoch}"));
        let mut spans = vec![Span::raw(format!(" {}", padded(&name, NAME)))];
        let at = shown.map_or(epochs.len(), |shown| epochs.partition_point(|&epoch| epoch < shown));
        let current = theme.text().add_modifier(Modifier::BOLD);
        for column in 0..stops.cells() {
            let of_best = column + 1 == stops.cells();
            let (sign, style) = if stops.column(at) == column {
                (theme.sign("●", "@"), current)
            } else if of_best {
                (theme.sign("★", "*"), theme.dim())
            } else if (0..epochs.len()).any(|stop| stops.column(stop) == column) {
                (theme.sign("○", "o"), theme.dim())
            } else {
                (theme.sign("─", "-"), theme.dim())
            };
            spans.push(Span::styled(sign, style));
        }
        let place = if shown.is_some() {
            format!("  {} of {}", at + 1, epochs.len())
        } else {
            let earlier = key_text(Verb::EarlierEpoch, &shared.keymap);
            format!("  {earlier} shows the maps of {} epochs", epochs.len())
        };
        let used: usize = spans.iter().map(|span| width(&span.content)).sum();
        if used + width(&place) <= usize::from(cells) {
            spans.push(Span::styled(place, theme.dim()));
        }
        Line::from(spans)
    }

    /// A bar below each stop: the share of the map in dense tissue, or in the breast if no tissue is dense.
    fn bars(&self, epochs: &[u32], stops: &Stops, points: &[(u32, &EpochScores)], theme: &Theme) -> Line<'static> {
        let has_dense = points.iter().any(|(_, point)| point.scores.dense_energy.is_some());
        let (name, score): (_, fn(&EpochScores) -> Option<f64>) = if has_dense || points.is_empty() {
            ("in dense", |point| point.scores.dense_energy)
        } else {
            ("in breast", |point| point.scores.breast_energy)
        };
        let of_epoch = |epoch: u32| points.iter().find(|(of, _)| *of == epoch).and_then(|(_, point)| score(point));
        let now = self.kept.shown.and_then(of_epoch);
        let now = now.map_or_else(String::new, |share| format!(" {:.0}%", 100.0 * share));
        let mut spans = vec![Span::styled(format!(" {}", padded(&format!("{name}{now}"), NAME)), theme.dim())];
        let bars: &[&str] = if theme.ascii { &ASCII_BARS } else { &BARS };
        for column in 0..stops.cells() {
            let stop = (0..epochs.len()).find(|&stop| stops.column(stop) == column).map(|stop| epochs[stop]);
            let bar = stop
                .and_then(of_epoch)
                .map_or(" ", |share| bars[((share.clamp(0.0, 1.0) * bars.len() as f64) as usize).min(bars.len() - 1)]);
            let is_current = stop.is_some() && stop == self.kept.shown;
            let style = if is_current { theme.series(0).add_modifier(Modifier::BOLD) } else { theme.series(0) };
            spans.push(Span::styled(bar, style));
        }
        Line::from(spans)
    }

    fn draw_courses(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        epochs: &[u32],
        points: &[(u32, &EpochScores)],
        theme: &Theme,
    ) {
        let course = |name, letter, place, score: fn(&EpochScores) -> Option<f64>| {
            let (mut places, mut series, mut now) = (Vec::new(), MetricSeries::default(), None);
            for (epoch, point) in points {
                let Some(share) = score(point) else { continue };
                places.push(f64::from(*epoch));
                series.push(share as f32);
                now = now.or_else(|| (Some(*epoch) == self.kept.shown).then_some(share));
            }
            Course { name, places, series, now, style: theme.series(place), letter }
        };
        let courses = [
            course("in the breast", "b", 1, |point| point.scores.breast_energy),
            course("in dense tissue", "d", 0, |point| point.scores.dense_energy),
        ];
        let mut legend = vec![Span::raw(" of the map:")];
        for course in courses.iter().rev() {
            let now = course.now.map_or_else(String::new, |share| format!(" {:.0} %", 100.0 * share));
            legend.push(Span::styled(format!(" {} {}{now}", course.letter, course.name), course.style));
        }
        legend.push(Span::raw(" "));
        let missing = epochs.len().saturating_sub(points.len());
        let known = if missing > 0 { format!(" {} of {} epochs ", points.len(), epochs.len()) } else { String::new() };
        let mark = |course: &Course| {
            let at = course.places.iter().position(|&place| Some(place as u32) == self.kept.shown)?;
            let y = Some(f64::from(course.series.values()[at]));
            let style = course.style.add_modifier(Modifier::BOLD);
            Some(Mark { x: course.places[at], y, sign: theme.sign("◆", "#"), style })
        };
        let ends = [epochs.first(), epochs.last()].map(|epoch| f64::from(epoch.copied().unwrap_or_default()));
        let chart = Chart {
            titles: [Line::from(legend), Line::styled(known, theme.dim())],
            layers: courses
                .iter()
                .map(|course| Layer {
                    places: &course.places,
                    series: &course.series,
                    style: course.style,
                    pointed: true,
                    letter: Some(course.letter),
                })
                .collect(),
            marks: courses.iter().filter_map(mark).collect(),
            x: (ends[0], ends[1]),
            x_ticks: linear_ticks,
            log: false,
            from_zero: true,
            cuts_peaks: false,
            cursor: self.kept.shown.map(f64::from),
        };
        chart.draw(frame, area, theme);
    }
}

/// The columns of the stops on the track: one for each epoch, and the last for the best model.
struct Stops {
    count: usize,
    cells: usize,
}

impl Stops {
    fn new(epochs: &[u32], width: usize) -> Self {
        let count = epochs.len() + 1;
        // The place among the epochs comes after the track.
        let place = format!("  {0} of {0}", epochs.len()).len();
        let room = width.saturating_sub(1 + NAME + place).max(2);
        Self { count, cells: room.min((count - 1) * MAX_STEP + 1) }
    }

    const fn cells(&self) -> usize {
        self.cells
    }

    /// The column of a stop; of many, several share one.
    const fn column(&self, stop: usize) -> usize {
        if self.count < 2 { 0 } else { stop * (self.cells - 1) / (self.count - 1) }
    }
}
