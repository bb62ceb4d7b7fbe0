//! Kappas of all sets with their intervals, beside the published agreement of readers and networks.

use plotters::element::{Circle, PathElement, Rectangle};
use plotters::prelude::{Polygon, Text};
use plotters::style::Color as _;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axes::{cell, csv, document, label, number, text};
use super::palette::{BAND, BLUE, FAINT, GRID, INK, ORANGE};
use super::{Chart, ChartFault};
use mammoscope_domain::metrics::agreement::PublishedAgreement;
use mammoscope_domain::metrics::bootstrap::Interval;

/// The kappa of one set.
#[derive(Clone, Debug)]
pub struct AgreementRow {
    pub set: String,
    pub kappa: Option<f64>,
    pub interval: Option<Interval>,
    /// The kappa of the one-feature baseline.
    pub baseline: Option<f64>,
}

const WIDTH: u32 = 960;
const LEFT: i32 = 190;
const RIGHT: i32 = 930;
const TOP: i32 = 84;
const ROW: i32 = 58;

/// A chart with a row for each set: a dot is its kappa, a line its interval, and a diamond the baseline. Published
/// values are vertical lines, a published range is a band. `None` if no set has a kappa.
pub fn kappa_chart(
    (name, title): (&str, &str),
    rows: &[AgreementRow],
    published: &[PublishedAgreement],
) -> Result<Option<Chart>, ChartFault> {
    let ends = rows.iter().flat_map(|row| {
        let interval = row.interval.map(|interval| [interval.low, interval.high]);
        [row.kappa, row.baseline].into_iter().flatten().chain(interval.into_iter().flatten())
    });
    let lowest = ends.fold(0.0, f64::min);
    if rows.iter().all(|row| row.kappa.is_none()) {
        return Ok(None);
    }
    // A tenth below the smallest value, from 0 downwards.
    let from = if lowest < 0.0 { (lowest * 10.0).floor() / 10.0 } else { 0.0 };
    let x = |kappa: f64| LEFT + ((kappa.clamp(from, 1.0) - from) / (1.0 - from) * f64::from(RIGHT - LEFT)) as i32;
    let bottom = TOP + ROW * rows.len() as i32;
    let svg = document(name, (WIDTH, (bottom + 84) as u32), |root| {
        let centred = Pos::new(HPos::Center, VPos::Center);
        for [low, high] in published.iter().filter_map(|published| published.range) {
            root.draw(&Rectangle::new([(x(low), TOP), (x(high), bottom)], BAND.filled()))?;
        }
        let tenths = (from * 10.0).round() as i32..=10;
        for tenth in tenths.filter(|tenth| tenth % 2 == 0) {
            let at = x(f64::from(tenth) / 10.0);
            root.draw(&PathElement::new(vec![(at, TOP), (at, bottom)], GRID.stroke_width(2)))?;
            let figure = format!("{:.1}", f64::from(tenth) / 10.0);
            root.draw(&Text::new(figure, (at, bottom + 24), label().pos(centred)))?;
        }
        for (place, published) in published.iter().enumerate() {
            let at = x(published.kappa);
            root.draw(&PathElement::new(vec![(at, TOP - 8), (at, bottom)], FAINT.stroke_width(3)))?;
            // Two neighbours are named on lines of their own.
            let above = TOP - 26 - 28 * (place as i32 % 2);
            let name = format!("{} {:.2}", published.between, published.kappa);
            let side = if at > i32::midpoint(LEFT, RIGHT) { HPos::Right } else { HPos::Left };
            root.draw(&Text::new(name, (at, above), text(23.0, FAINT).pos(Pos::new(side, VPos::Center))))?;
        }
        root.draw(&PathElement::new(vec![(LEFT, bottom), (RIGHT, bottom)], INK.stroke_width(2)))?;
        for (row, middle) in rows.iter().zip((0..).map(|place| TOP + ROW * place + ROW / 2)) {
            let left = Pos::new(HPos::Right, VPos::Center);
            root.draw(&Text::new(row.set.clone(), (LEFT - 18, middle), label().pos(left)))?;
            if let Some(baseline) = row.baseline {
                let at = x(baseline);
                let corners = vec![(at - 9, middle), (at, middle - 9), (at + 9, middle), (at, middle + 9)];
                root.draw(&Polygon::new(corners, ORANGE.filled()))?;
            }
            if let Some(interval) = row.interval {
                let line = vec![(x(interval.low), middle), (x(interval.high), middle)];
                root.draw(&PathElement::new(line, BLUE.stroke_width(5)))?;
            }
            if let Some(kappa) = row.kappa {
                root.draw(&Circle::new((x(kappa), middle), 10, BLUE.filled()))?;
            }
        }
        root.draw(&Text::new("kappa", (i32::midpoint(LEFT, RIGHT), bottom + 62), label().pos(centred)))?;
        Ok(())
    })?;
    let figure = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.3}"));
    let of_row = rows.iter().map(|row| {
        let interval = row
            .interval
            .map(|Interval { low, high, .. }| format!(", interval {low:.3} to {high:.3}"))
            .unwrap_or_default();
        let baseline = row.baseline.map(|baseline| format!(", baseline {baseline:.3}")).unwrap_or_default();
        format!("{} {}{interval}{baseline}", row.set, figure(row.kappa))
    });
    let beside: Vec<String> = published
        .iter()
        .map(|published| {
            let range = published.range.map(|[low, high]| format!(" ({low:.2} to {high:.2})")).unwrap_or_default();
            format!("{} {:.2}{range}", published.between, published.kappa)
        })
        .collect();
    let description = format!("{title}. {}. Published: {}.", of_row.collect::<Vec<_>>().join("; "), beside.join("; "));
    let lines = rows.iter().map(|row| {
        let ends = row.interval.map(|interval| [interval.low, interval.high]);
        let [low, high] = ends.map_or([None, None], |ends| ends.map(Some));
        [cell(&row.set), number(row.kappa), number(low), number(high), number(row.baseline)]
    });
    Ok(Some(Chart {
        name: name.to_owned(),
        title: title.to_owned(),
        description,
        svg,
        csv: csv(["set", "kappa", "low", "high", "baseline"], lines),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::metrics::agreement::INTER_READER;

    #[test]
    fn sets_stand_beside_the_published_range() {
        let interval = Some(Interval { low: -0.15, high: 0.4, undefined_resamples: 0 });
        let row = |set: &str, kappa| AgreementRow { set: set.to_owned(), kappa, interval, baseline: Some(0.2) };
        let rows = [row("CC_R", Some(0.125)), row("total", None)];
        let chart = kappa_chart(("kappa", "Unweighted kappa"), &rows, &[INTER_READER]).unwrap().unwrap();
        assert_eq!(
            chart.description,
            "Unweighted kappa. CC_R 0.125, interval -0.150 to 0.400, baseline 0.200; total undefined, interval -0.150 to \
             0.400, baseline 0.200. Published: two radiologists 0.46 (0.02 to 0.72)."
        );
        assert!(chart.svg.contains("\n-0.2\n"), "{}", chart.svg);
        assert_eq!(chart.csv.lines().nth(2), Some("total,,-0.15,0.4,0.2"));
        assert_eq!(kappa_chart(("kappa", ""), &rows[1..], &[]).unwrap(), None);
    }
}
