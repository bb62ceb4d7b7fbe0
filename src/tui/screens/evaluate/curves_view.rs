//! ROC, precision–recall and reliability curves as charts of the terminal.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::opened::Opened;
use crate::tui::protocol::evaluation_curves::{CurvePoints, ScoreCurves, SetCurves};
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::linear_ticks;
use crate::tui::widgets::chart::{Chart, Layer, Mark};
use crate::tui::widgets::figure_text::figure;
use mammoscope_domain::subject::density::DensityClass;

/// A labelled curve of a chart.
struct Curve<'a> {
    label: String,
    /// A letter on the curve, which tells it apart without colours.
    sign: &'static str,
    points: &'a CurvePoints,
    /// The area under the curve.
    area: Option<f64>,
    style: Style,
}

/// The two kinds of curves of a score.
#[derive(Clone, Copy)]
enum Kind {
    Roc,
    PrecisionRecall,
}

impl Kind {
    const fn title(self) -> &'static str {
        match self {
            Self::Roc => "ROC",
            Self::PrecisionRecall => "Precision–recall",
        }
    }

    const fn points(self, of: &ScoreCurves) -> &CurvePoints {
        match self {
            Self::Roc => &of.roc,
            Self::PrecisionRecall => &of.precision_recall,
        }
    }

    const fn area(self, of: &ScoreCurves) -> Option<f64> {
        match self {
            Self::Roc => of.area,
            Self::PrecisionRecall => Some(of.average_precision),
        }
    }
}

/// Draws ROC and precision–recall curves, each into its area.
pub(super) fn draw_curves(frame: &mut Frame<'_>, [roc, recall]: [Rect; 2], opened: &Opened, shared: &SharedState) {
    for (kind, area) in [(Kind::Roc, roc), (Kind::PrecisionRecall, recall)] {
        let curves = match (opened.set(), opened.pair()) {
            (Some(set), None) => curves_of(kind, &set.curves, &shared.theme),
            (Some(set), Some(pair)) => {
                let [here, there] = opened.short_titles();
                let dense = [(format!("1 {here}"), "1", &set.curves), (format!("2 {there}"), "2", &pair.curves)];
                // The first is on top, and first in the legend.
                let curves = dense.into_iter().enumerate().rev().filter_map(|(place, (label, sign, curves))| {
                    let dense = curves.dense.as_ref()?;
                    let (points, area) = (kind.points(dense), kind.area(dense));
                    Some(Curve { label, sign, points, area, style: shared.theme.series(place) })
                });
                curves.collect()
            }
            (None, _) => Vec::new(),
        };
        let reference = match kind {
            Kind::Roc => CurvePoints::from_iter([(0.0, 0.0), (1.0, 1.0)]),
            Kind::PrecisionRecall => {
                let dense = opened.set().and_then(|set| set.curves.dense.as_ref());
                dense.map(|dense| [0.0, 1.0].map(|x| (x, dense.prevalence))).into_iter().flatten().collect()
            }
        };
        draw_chart(frame, area, kind.title(), &curves, &reference, &shared.theme);
    }
}

/// Dense against non-dense on top of each class against the rest.
fn curves_of<'a>(kind: Kind, curves: &'a SetCurves, theme: &Theme) -> Vec<Curve<'a>> {
    let classes = DensityClass::ALL.into_iter().zip(&curves.classes).filter_map(|(class, curves)| {
        let curves = curves.as_ref()?;
        let (points, area, style) = (kind.points(curves), kind.area(curves), theme.class(class));
        Some(Curve { label: class.letter().to_owned(), sign: class.letter(), points, area, style })
    });
    let dense = curves.dense.as_ref().map(|curves| Curve {
        label: "dense".to_owned(),
        sign: "d",
        points: kind.points(curves),
        area: kind.area(curves),
        style: theme.text().add_modifier(Modifier::BOLD),
    });
    classes.chain(dense).collect()
}

/// Draws the reliability of the open evaluation and of the one that it is compared with.
pub(super) fn draw_reliability_curves(frame: &mut Frame<'_>, area: Rect, opened: &Opened, shared: &SharedState) {
    let (Some(set), Some(pair)) = (opened.set(), opened.pair()) else { return };
    let [here, there] = opened.short_titles();
    let [error_here, error_there] = pair.comparison.reliability.map(|reliability| reliability.expected_error());
    let curves = [(here, "1", &set.curves, error_here), (there, "2", &pair.curves, error_there)];
    let curves: Vec<Curve<'_>> = curves
        .into_iter()
        .enumerate()
        .rev()
        .map(|(place, (label, sign, curves, error))| {
            let (points, style) = (&curves.reliability, shared.theme.series(place));
            Curve { label: format!("{sign} {label} ECE"), sign, points, area: Some(error), style }
        })
        .collect();
    let diagonal = CurvePoints::from_iter([(0.0, 0.0), (1.0, 1.0)]);
    draw_chart(frame, area, "Reliability", &curves, &diagonal, &shared.theme);
}

fn draw_chart(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    curves: &[Curve<'_>],
    reference: &CurvePoints,
    theme: &Theme,
) {
    let mut legend = vec![Span::raw(format!(" {title} "))];
    for curve in curves.iter().rev() {
        let text = format!(" {} {}", curve.label, figure(curve.area, 2, theme));
        let used: usize = legend.iter().map(Span::width).sum();
        // Cut off between entries.
        if used + text.chars().count() + 3 <= usize::from(area.width) {
            legend.push(Span::styled(text, curve.style));
        }
    }
    legend.push(Span::raw(" "));
    let mut layers = vec![layer(reference, theme.border())];
    layers.extend(curves.iter().map(|curve| layer(curve.points, curve.style)));
    let count = curves.len();
    let marks =
        curves.iter().enumerate().filter_map(|(place, curve)| mark_of(curve, (place + 1) as f64 / (count + 1) as f64));
    let chart = Chart {
        titles: [Line::from(legend), Line::default()],
        layers,
        marks: marks.collect(),
        x: (0.0, 1.0),
        x_ticks: linear_ticks,
        log: false,
        from_zero: true,
        cuts_peaks: false,
        cursor: None,
    };
    chart.draw(frame, area, theme);
}

fn layer(CurvePoints { places, series }: &CurvePoints, style: Style) -> Layer<'_> {
    // ROC curves all end in one corner, so each has its letter elsewhere.
    Layer { places, series, style, pointed: false, letter: None }
}

/// A curve's letter at a point of it near a share of the way along it, so that the letters are apart.
fn mark_of(curve: &Curve<'_>, share: f64) -> Option<Mark> {
    let CurvePoints { places, series } = curve.points;
    let at = ((places.len() as f64 * share) as usize).min(places.len().checked_sub(1)?);
    Some(Mark { x: places[at], y: Some(f64::from(series.values()[at])), sign: curve.sign, style: curve.style })
}
