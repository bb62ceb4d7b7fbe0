//! Charts of several curves.

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::tui::testing::{empty_shared_state, styled};
use mammoscope_domain::run::metric_series::Extent;

fn series(values: &[f32]) -> MetricSeries {
    let mut series = MetricSeries::default();
    for value in values {
        series.push(*value);
    }
    series
}

fn chart(layers: Vec<Layer<'_>>, end: f64) -> Chart<'_> {
    Chart {
        titles: [Line::raw(" loss "), Line::raw("")],
        layers,
        marks: Vec::new(),
        x: (0.0, end),
        x_ticks: linear_ticks,
        log: false,
        from_zero: false,
        cuts_peaks: true,
        cursor: None,
    }
}

fn layer<'a>(places: &'a [f64], series: &'a MetricSeries) -> Layer<'a> {
    Layer { places, series, style: Style::new(), pointed: false, letter: None }
}

/// The drawn buffer and the area of the curves.
fn drawn(chart: &Chart<'_>, (columns, rows): (u16, u16), theme: &Theme) -> (Buffer, Rect) {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let mut plot = Rect::default();
    terminal.draw(|frame| plot = chart.draw(frame, frame.area(), theme)).unwrap();
    (terminal.backend().buffer().clone(), plot)
}

fn text(buffer: &Buffer) -> String {
    styled(buffer).split("---\n").next().unwrap_or_default().to_owned()
}

proptest! {
    #[test]
    fn the_dots_of_crossing_curves_hold_the_extent_of_both_in_every_column(
        one in prop::collection::vec(-2.0_f32..8.0, 2..600),
        other in prop::collection::vec(-2.0_f32..8.0, 2..600),
        size in (20_u16..80, 8_u16..30),
    ) {
        let theme = empty_shared_state().theme;
        let end = 600.0;
        let places = |values: &[f32]| -> Vec<f64> {
            (0..values.len()).map(|at| at as f64 * end / (values.len() - 1) as f64).collect()
        };
        let curves = [&one, &other].map(|values| (places(values), series(values)));
        let chart = chart(curves.iter().map(|(places, series)| layer(places, series)).collect(), end);
        let (buffer, plot) = drawn(&chart, size, &theme);
        let range = ValueRange::of(&chart.layers, chart.x).unwrap();
        prop_assert_eq!(range.without_peaks(), range.whole, "there are no peaks to cut");
        let dots = DotGrid::new(plot.width.into(), plot.height.into()).dots();
        let scale = PlotScale { x: chart.x, y: chart.with_margin(range.whole), log: false, dots };
        for (places, series) in &curves {
            for column in 0..dots.0 {
                let of_column = |at: &usize| scale.column(places[*at]) == column;
                let range = (0..places.len()).filter(of_column).fold(None, |range: Option<(usize, usize)>, at| {
                    Some((range.map_or(at, |range| range.0), at + 1))
                });
                let Some(Extent { min, max }) = range.and_then(|(start, end)| series.extent(start..end)) else { continue };
                for value in [min, max] {
                    let row = scale.row(f64::from(value));
                    let cell = &buffer[(plot.x + (column / 2) as u16, plot.y + (row / 4) as u16)];
                    let pattern = cell.symbol().chars().next().map_or(0, |sign| u32::from(sign) - 0x2800);
                    let bits = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
                    let bit = bits[(column % 2) as usize][(row % 4) as usize];
                    prop_assert!(pattern & bit != 0, "no dot for {value} in column {column}");
                }
            }
        }
    }
}

#[test]
fn an_early_spike_is_cut_with_an_arrow_and_its_value() {
    let theme = empty_shared_state().theme;
    let train: Vec<f32> = (0..200).map(|step| 0.3 + 1.7 * (-(step as f32) / 40.0).exp()).collect();
    let val = [1.9_f32, 7.53, 5.0, 1.2, 1.0, 0.9, 0.8, 0.75, 0.7, 0.7, 0.68, 0.7, 0.66, 0.65, 0.64, 0.64];
    let (train_places, val_places): (Vec<f64>, Vec<f64>) =
        ((0..200).map(f64::from).collect(), (1..=16).map(|epoch| f64::from(epoch) * 12.0).collect());
    let (train, val) = (series(&train), series(&val));
    let layers = || vec![layer(&train_places, &train), Layer { pointed: true, ..layer(&val_places, &val) }];
    let cut = chart(layers(), 199.0);
    let (buffer, _) = drawn(&cut, (60, 14), &theme);
    insta::assert_snapshot!("cut_spike", text(&buffer));
    let whole = Chart { cuts_peaks: false, ..chart(layers(), 199.0) };
    let (buffer, _) = drawn(&whole, (60, 14), &theme);
    insta::assert_snapshot!("whole_spike", text(&buffer));
}

#[test]
fn without_colours_letters_tell_curves_apart() {
    let theme = Theme { depth: ColorDepth::None, ..empty_shared_state().theme };
    let places: Vec<f64> = (0..20).map(f64::from).collect();
    let falling = series(&(0..20).map(|step| 2.0 - step as f32 / 10.0).collect::<Vec<_>>());
    let rising = series(&(0..20).map(|step| step as f32 / 10.0).collect::<Vec<_>>());
    let few: Vec<f64> = (0..6).map(|at| f64::from(at) * 3.0).collect();
    let points = series(&[0.5, 1.5, 0.5, 1.5, 0.5, 1.5]);
    let lettered = |layer, letter| Layer { letter: Some(letter), ..layer };
    let layers = vec![
        lettered(layer(&places, &falling), "a"),
        lettered(layer(&places, &rising), "b"),
        lettered(Layer { pointed: true, ..layer(&few, &points) }, "A"),
    ];
    let (buffer, _) = drawn(&chart(layers, 19.0), (60, 14), &theme);
    insta::assert_snapshot!("letters", text(&buffer));
}

#[test]
fn small_charts_have_three_ticks_on_each_axis() {
    let theme = empty_shared_state().theme;
    for (size, values) in
        [((38, 7), [0.01_f32, 0.01]), ((38, 8), [1.45, 2.3]), ((58, 9), [0.2, 0.47]), ((38, 6), [0.0, 950.0])]
    {
        let series = series(&values);
        let (buffer, plot) = drawn(&chart(vec![layer(&[0.0, 2250.0], &series)], 2250.0), size, &theme);
        let labels = |text: String| text.split_whitespace().count();
        let on_y = (plot.y..plot.bottom()).filter(|row| buffer[(plot.x - 1, *row)].symbol() == "┤").count();
        let last = (0..size.0).map(|column| buffer[(column, size.1 - 2)].symbol().to_owned()).collect::<String>();
        assert!(on_y >= 3, "{size:?}: {on_y}\n{}", text(&buffer));
        assert!(labels(last.replace('│', " ")) >= 3, "{size:?}: {last}");
    }
}
