//! Reads prediction tables.

use std::path::Path;
use std::str::FromStr;

use super::{BadLine, COLUMNS, PredictionRow, TableError};
use crate::regular_file::read_regular_file;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::text::foreign_file::ForeignFile;
use mammoscope_domain::text::table::{Column, TableFault, TableRow, TableText};

/// The tolerance between the predicted class and the most probable one: tables of other programs are rounded.
const ROUNDING: f64 = 1e-6;

/// The largest file that is read; a million rows take 200 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The number of characters of a reason that are kept.
const MAX_REASON: usize = 160;

/// [`COLUMNS`], all of which are required.
const TABLE_COLUMNS: [Column; COLUMNS.len()] = [
    Column::required(&["file"]),
    Column::required(&["subject"]),
    Column::required(&["exam"]),
    Column::required(&["view"]),
    Column::required(&["label"]),
    Column::required(&["predicted"]),
    Column::required(&["p_A"]),
    Column::required(&["p_B"]),
    Column::required(&["p_C"]),
    Column::required(&["p_D"]),
];

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Reads a prediction table. Columns are found by name, in any order; others are ignored. Every invalid line is
/// reported: bad numbers, probabilities that do not sum to one, unknown classes or views, predicted classes that are
/// not the most probable, empty subjects. The table must have at least one row.
pub fn read_table(path: &Path) -> Result<Vec<PredictionRow>, TableError> {
    let bytes = read(path)?;
    let invalid = |fault: TableFault| not_a_table(path, fault.to_string());
    let text = TableText::of(&bytes).map_err(invalid)?;
    let mut table = text.table(&TABLE_COLUMNS).map_err(invalid)?;
    let (mut rows, mut bad_lines) = (Vec::new(), Vec::new());
    while let Some(row) = table.next_row() {
        match row.check_length().map_err(String::from).and_then(|()| prediction(row)) {
            Ok(row) => rows.push(row),
            Err(reason) => bad_lines.push(BadLine { line: row.line, reason: shortened(reason) }),
        }
    }
    if bad_lines.is_empty() && rows.is_empty() {
        return Err(not_a_table(path, "there is a header but no predictions".to_owned()));
    }
    rows_or_errors(path, rows, bad_lines)
}

/// Reads the reference's predictions: the probabilities of A to D on each line, separated by white space. Every invalid
/// line is reported. The file must have at least one line.
pub fn read_probability_columns(path: &Path) -> Result<Vec<Probabilities>, TableError> {
    let (mut rows, mut bad_lines) = (Vec::new(), Vec::new());
    let bytes = read(path)?;
    if let Some(foreign) = ForeignFile::of(&bytes) {
        return Err(not_a_table(path, TableFault::Foreign(foreign).to_string()));
    }
    let bytes = bytes.strip_prefix(&BYTE_ORDER_MARK).unwrap_or(&bytes);
    for (line, text) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        match probability_columns(text) {
            Ok(probabilities) => rows.push(probabilities),
            Err(reason) => bad_lines.push(BadLine { line, reason: shortened(reason) }),
        }
    }
    if bad_lines.is_empty() && rows.is_empty() {
        return Err(not_a_table(path, "the file is empty".to_owned()));
    }
    rows_or_errors(path, rows, bad_lines)
}

fn probability_columns(text: &[u8]) -> Result<Probabilities, String> {
    let text = str::from_utf8(text).map_err(|_| "not text".to_owned())?;
    let columns: Vec<_> = text.split_whitespace().collect();
    let columns: [&str; DensityClass::COUNT] = columns
        .try_into()
        .map_err(|columns: Vec<_>| format!("{} columns instead of four probabilities", columns.len()))?;
    let mut values = [0.0; DensityClass::COUNT];
    for (index, column) in columns.into_iter().enumerate() {
        values[index] = column.parse().map_err(|_| format!("column {}: '{column}' is not a number", index + 1))?;
    }
    Probabilities::checked(values).map_err(|error| error.to_string())
}

/// Parses a row with the columns [`COLUMNS`].
fn prediction(row: TableRow<'_>) -> Result<PredictionRow, String> {
    let text = |column: usize| row.text(column);
    // The file name is only shown to people: it need not be UTF-8.
    let file = String::from_utf8_lossy(row.bytes(0)?).into_owned();
    let subject = SubjectId::new(text(1)?);
    if subject.0.is_empty() {
        return Err("column subject: empty".to_owned());
    }
    let mut values = [0.0; DensityClass::COUNT];
    for (class, value) in values.iter_mut().enumerate() {
        *value = number(6 + class, text(6 + class)?)?;
    }
    let probabilities = Probabilities::checked(values).map_err(|error| error.to_string())?;
    let row = PredictionRow {
        file,
        subject,
        exam: Some(ExamId::new(text(2)?)).filter(|exam| !exam.0.is_empty()),
        view: optional(3, text(3)?)?,
        label: optional(4, text(4)?)?,
        predicted: known(5, text(5)?)?,
        probabilities,
    };
    let most_probable = probabilities.most_probable();
    if probabilities.of(most_probable) - probabilities.of(row.predicted) > ROUNDING {
        return Err(format!("column predicted: {} though {most_probable} is the most probable", row.predicted));
    }
    Ok(row)
}

fn number(column: usize, text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| {
        let comma = text.contains(',') && text.replacen(',', ".", 1).parse::<f64>().is_ok();
        let advice = if comma { "; write a decimal point" } else { "" };
        format!("column {}: '{text}' is not a number{advice}", COLUMNS[column])
    })
}

fn known<T: FromStr<Err: std::fmt::Display>>(column: usize, text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| format!("column {}: {error}", COLUMNS[column]))
}

fn optional<T: FromStr<Err: std::fmt::Display>>(column: usize, text: &str) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { known(column, text).map(Some) }
}

fn read(path: &Path) -> Result<Vec<u8>, TableError> {
    read_regular_file(path, MAX_BYTES).map_err(|source| TableError::Unreadable { path: path.to_owned(), source })
}

/// Cuts a reason, which may quote a field of any length, to [`MAX_REASON`] characters.
fn shortened(reason: String) -> String {
    match reason.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
    }
}

fn not_a_table(path: &Path, reason: String) -> TableError {
    TableError::NotATable { path: path.to_owned(), reason }
}

fn rows_or_errors<T>(path: &Path, rows: Vec<T>, lines: Vec<BadLine>) -> Result<Vec<T>, TableError> {
    if lines.is_empty() { Ok(rows) } else { Err(TableError::BadLines { path: path.to_owned(), lines }) }
}
