//! Temperatures and operating points, on the validation images that they were fitted to and on the test images.

use super::table::{Block, Cell, Column, Indent, Number, Quantity, Table};
use super::tables::{Detail, interval_text, three_decimals};
use mammoscope_domain::metrics::calibration_document::{CalibratedSet, CalibrationDocument, OperatingPoint, Scaling};
use mammoscope_domain::metrics::evaluation_set::SetName;

/// A set of one of the calibrations.
#[derive(Clone, Copy)]
struct SetOfFold<'a> {
    name: SetName,
    fold: Option<u32>,
    set: &'a CalibratedSet,
}

impl SetOfFold<'_> {
    fn source(&self) -> String {
        self.fold.map(|fold| format!("fold {fold}")).unwrap_or_default()
    }
}

/// The figures before and after each temperature, and the decisions at each threshold; empty if nothing was fitted.
#[must_use]
pub fn calibration_blocks(calibrations: &[CalibrationDocument], detail: Detail) -> Vec<Block> {
    let mut names: Vec<SetName> = calibrations.iter().flat_map(|document| document.sets.keys().copied()).collect();
    names.sort();
    names.dedup();
    let sets: Vec<SetOfFold<'_>> = detail.of(&names).iter().flat_map(|name| of_name(calibrations, *name)).collect();
    let Some(fusion) = calibrations.first().map(|document| &document.fusion) else { return Vec::new() };
    let mut blocks = Vec::new();
    if sets.iter().any(|set| set.set.scaling.is_some()) {
        let title = "Temperature scaling, fitted to the validation images";
        let caption = format!("{title} (views fused by {fusion})");
        blocks.extend([Block::Gap, Block::Line(caption.clone()), Block::Table(scalings(&sets, caption))]);
        blocks.push(Block::note(
            "T: probabilities become softmax(ln p / T), so the predicted class stays. On the\n\
             validation images the log loss cannot grow; only the test images show whether\n\
             T helps. Difference: calibrated minus as predicted, paired over subjects;\n\
             * its interval leaves out 0.",
        ));
    }
    let with_points: Vec<_> = sets.iter().filter(|set| !set.set.operating_points.is_empty()).collect();
    if !with_points.is_empty() {
        blocks.extend([
            Block::Gap,
            Block::Line("Operating points: dense (C or D) if P(C) + P(D) reaches the threshold".to_owned()),
        ]);
        for set in with_points {
            blocks.extend([Block::Gap, Block::Line(heading(set)), Block::Table(points(set))]);
        }
        blocks.extend([
            Block::Gap,
            Block::note(
                "Each threshold is the highest at which the validation images reach the wanted\n\
                 sensitivity. The intervals are those of the test images at this threshold; that\n\
                 it was chosen on few images is not in them.",
            ),
        ]);
    }
    blocks
}

fn of_name(calibrations: &[CalibrationDocument], name: SetName) -> Vec<SetOfFold<'_>> {
    let with_set = calibrations.iter().filter_map(|document| Some((document.fold, document.sets.get(&name)?)));
    with_set.map(|(fold, set)| SetOfFold { name, fold, set }).collect()
}

fn scalings(sets: &[SetOfFold<'_>], caption: String) -> Table {
    let has_folds = sets.iter().any(|set| set.fold.is_some());
    let rows = sets.iter().filter_map(|set| Some((set, set.set.scaling.as_ref()?)));
    Table {
        set: None,
        topic: "calibration".to_owned(),
        caption,
        indent: Indent::all(0),
        spanner: None,
        columns: vec![
            Column::left(if has_folds { "set, fold" } else { "set" }, if has_folds { 14 } else { 9 }),
            Column::right("T", 6),
            Column::left("figure", 7).after(2),
            Column::right("validation", 7).with_plain_title("valid."),
            Column::right("validation, calibrated", 7).with_plain_title("by T"),
            Column::right("test", 7),
            Column::right("test, calibrated", 7).with_plain_title("by T"),
            Column::right("test, difference: 95 % interval", 19).with_plain_title("difference, 95 %"),
            Column::remark("", 1),
        ],
        rows: rows.flat_map(|(set, scaling)| rows_of(set, scaling)).collect(),
    }
}

/// A row for each figure.
fn rows_of(set: &SetOfFold<'_>, Scaling { temperature, validation, test }: &Scaling) -> Vec<Vec<Cell>> {
    const TITLES: [&str; 3] = ["NLL", "Brier", "ECE"];
    let name = set.fold.map_or_else(|| set.name.to_string(), |fold| format!("{}, {fold}", set.name));
    let number = |quantity, figure, value, n: usize| Number {
        quantity,
        figure,
        value,
        source: set.source(),
        ..Number::of(set.name, n as u64)
    };
    let cell = |quantity, (figure, value): (&'static str, f64), n| {
        Cell::of(three_decimals(Some(value)), number(quantity, figure, Some(value), n))
    };
    let mut rows = Vec::new();
    for (place, title) in TITLES.into_iter().enumerate() {
        let start = if place == 0 {
            let value = temperature.value();
            let fitted = number(Quantity::Fitted, "temperature", Some(value), validation.n);
            [Cell::from(name.clone()), Cell::of(format!("{value:.3}"), fitted)]
        } else {
            [Cell::default(), Cell::default()]
        };
        let (before, after) = (validation.before.named()[place], validation.after.named()[place]);
        let mut row: Vec<Cell> = start.into_iter().collect();
        row.push(title.into());
        row.push(cell(Quantity::ValidationBefore, before, validation.n));
        row.push(cell(Quantity::ValidationAfter, after, validation.n));
        match test {
            Some(test) => {
                let (before, after) = (test.before.named()[place], test.after.named()[place]);
                let interval = test.difference_intervals.to_array()[place];
                let is_marked = interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0);
                let difference = number(Quantity::TestDifference, before.0, Some(after.1 - before.1), test.n);
                row.push(cell(Quantity::TestBefore, before, test.n));
                row.push(cell(Quantity::TestAfter, after, test.n));
                row.push(Cell::of(interval_text(interval), difference.with_interval(interval)));
                row.push(if is_marked { "*" } else { "" }.into());
            }
            None => row.extend([three_decimals(None), three_decimals(None), three_decimals(None)].map(Cell::from)),
        }
        row.resize_with(9, Cell::default);
        rows.push(row);
    }
    rows
}

fn heading(set: &SetOfFold<'_>) -> String {
    let count = |n: Option<usize>| n.map_or_else(|| "no".to_owned(), |n| n.to_string());
    let first = set.set.operating_points.first();
    let test = first.and_then(|point| point.test.as_ref()).map(|test| test.n);
    let validation = count(first.map(|point| point.validation.n));
    let fold = set.fold.map(|fold| format!(", fold {fold}")).unwrap_or_default();
    format!("{}{fold}: {validation} validation cases, {} test cases", set.name, count(test))
}

fn points(set: &SetOfFold<'_>) -> Table {
    Table {
        set: Some(set.name),
        topic: topic(set.fold),
        caption: format!("Operating points of {}", heading(set)),
        indent: Indent::all(2),
        spanner: None,
        columns: vec![
            Column::left("wanted sensitivity", 7).with_plain_title("wanted"),
            Column::left("probabilities", 13),
            Column::right("threshold", 10),
            Column::left("figure", 13).after(2),
            Column::right("validation", 10),
            Column::right("test", 7),
            Column::right("95 % interval", 16),
        ],
        rows: set.set.operating_points.iter().flat_map(|point| point_rows(set, point)).collect(),
    }
}

/// The topic in the label of a table; those of folds differ.
fn topic(fold: Option<u32>) -> String {
    fold.map_or_else(|| "operating-points".to_owned(), |fold| format!("operating-points-fold-{fold}"))
}

fn point_rows(set: &SetOfFold<'_>, point: &OperatingPoint) -> Vec<Vec<Cell>> {
    let scale = if point.is_calibrated { "calibrated" } else { "as predicted" };
    let source = [format!("sensitivity {}", point.wanted_sensitivity), scale.to_owned(), set.source()];
    let source = source.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("; ");
    let number = |quantity, figure, value, n: usize| Number {
        quantity,
        figure,
        value,
        source: source.clone(),
        ..Number::of(set.name, n as u64)
    };
    let validation = point.validation.figures.named();
    let mut rows = Vec::new();
    for (place, (figure, on_validation)) in validation.into_iter().enumerate() {
        let mut row: Vec<Cell> = if place == 0 {
            let threshold = number(Quantity::Fitted, "threshold", Some(point.threshold), point.validation.n);
            vec![
                point.wanted_sensitivity.to_string().into(),
                scale.into(),
                Cell::of(format!("{:.4}", point.threshold), threshold),
            ]
        } else {
            vec![Cell::default(); 3]
        };
        row.push(title(figure).into());
        let decision = number(Quantity::ValidationDecision, figure, on_validation, point.validation.n);
        row.push(Cell::of(three_decimals(on_validation), decision));
        match &point.test {
            Some(test) => {
                let (value, interval) = (test.figures.named()[place].1, test.intervals.named()[place].1);
                let interval = interval.filter(|_| value.is_some());
                let decision = number(Quantity::TestDecision, figure, value, test.n).with_interval(interval);
                row.push(Cell::of(three_decimals(value), decision));
                row.push(interval_text(interval).into());
            }
            None => row.extend([three_decimals(None), three_decimals(None)].map(Cell::from)),
        }
        rows.push(row);
    }
    rows
}

fn title(figure: &'static str) -> &'static str {
    match figure {
        "ppv" => "PPV",
        "npv" => "NPV",
        figure => figure,
    }
}
