//! Reading tables of predictions.

use std::io::{self, BufRead as _, Cursor};
use std::path::Path;
use std::str::FromStr;

use csv::ByteRecord;

use super::{BadLine, COLUMNS, PredictionRow, TableError};
use crate::domain::density::DensityClass;
use crate::domain::probabilities::Probabilities;
use crate::domain::subject::{ExamId, SubjectId};
use crate::storage::regular_file::read_regular_file;

/// How much the predicted class may fall short of the most probable one: tables of other programs round.
const ROUNDING: f64 = 1e-6;

/// A million rows need 200 MB.
const MAX_BYTES: u64 = 1 << 30;

/// How much of a reason is shown.
const LONGEST_REASON: usize = 160;

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Reads a table of predictions. Columns are found by name, in any order; further ones are passed over. Every wrong
/// line is reported: a number that is none, probabilities that do not sum to one, an unknown class or view, a predicted
/// class that is not the most probable one, an empty subject. At least one row must be there.
pub fn read_table(path: &Path) -> Result<Vec<PredictionRow>, TableError> {
    let reader = open(path)?;
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let header = table.byte_headers().map_err(|error| unreadable(path, error))?;
    let places = Places::find(header).map_err(|reason| no_table(path, reason))?;
    let columns = header.len();
    let (mut rows, mut bad_lines) = (Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    loop {
        match table.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(unreadable(path, error)),
        }
        let row = if record.len() > columns {
            Err(format!("{} fields, but the header has {columns} columns", record.len()))
        } else {
            places.row(&record)
        };
        match row {
            Ok(row) => rows.push(row),
            Err(reason) => {
                let line = record.position().map_or(0, csv::Position::line);
                bad_lines.push(BadLine { line, reason: shortened(reason) });
            }
        }
    }
    if bad_lines.is_empty() && rows.is_empty() {
        return Err(no_table(path, "there is a header but no predictions".to_owned()));
    }
    whole(path, rows, bad_lines)
}

/// Reads the reference's predictions: four columns a line, separated by any white space, the probabilities of A to D.
/// Every wrong line is reported. At least one line must be there.
pub fn read_probability_columns(path: &Path) -> Result<Vec<Probabilities>, TableError> {
    let (mut rows, mut bad_lines) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(open(path)?.split(b'\n')) {
        let text = text.map_err(|source| TableError::Unreadable { path: path.to_owned(), source })?;
        if text.trim_ascii().is_empty() {
            continue;
        }
        match probability_columns(&text) {
            Ok(probabilities) => rows.push(probabilities),
            Err(reason) => bad_lines.push(BadLine { line, reason: shortened(reason) }),
        }
    }
    if bad_lines.is_empty() && rows.is_empty() {
        return Err(no_table(path, "the file is empty".to_owned()));
    }
    whole(path, rows, bad_lines)
}

fn probability_columns(text: &[u8]) -> Result<Probabilities, String> {
    let text = str::from_utf8(text).map_err(|_| "not text".to_owned())?;
    let columns: Vec<_> = text.split_whitespace().collect();
    let columns: [&str; DensityClass::COUNT] = columns
        .try_into()
        .map_err(|columns: Vec<_>| format!("{} columns instead of four probabilities", columns.len()))?;
    let mut values = [0.0; DensityClass::COUNT];
    for (place, column) in columns.into_iter().enumerate() {
        values[place] = column.parse().map_err(|_| format!("column {}: '{column}' is no number", place + 1))?;
    }
    Probabilities::checked(values).map_err(|error| error.to_string())
}

/// Where the columns stand in a record, in the order of [`COLUMNS`].
struct Places([usize; COLUMNS.len()]);

impl Places {
    fn find(header: &ByteRecord) -> Result<Self, String> {
        let place = |name: &str| header.iter().position(|column| column.trim_ascii() == name.as_bytes());
        let missing: Vec<_> = COLUMNS.into_iter().filter(|name| place(name).is_none()).collect();
        if header.is_empty() {
            return Err("the file is empty".to_owned());
        }
        if !missing.is_empty() {
            let columns = if missing.len() == 1 { "column" } else { "columns" };
            if header.len() == 1 && header[0].contains(&b';') {
                return Err("the separator is ';'; a comma is wanted".to_owned());
            }
            return Err(format!("the header lacks the {columns} {}", missing.join(", ")));
        }
        let twice = |name: &&str| header.iter().filter(|column| column.trim_ascii() == name.as_bytes()).count() > 1;
        if let Some(name) = COLUMNS.into_iter().find(twice) {
            return Err(format!("the header has the column {name} twice"));
        }
        Ok(Self(COLUMNS.map(|name| place(name).expect("no column is missing"))))
    }

    fn row(&self, record: &ByteRecord) -> Result<PredictionRow, String> {
        let field = |column: usize| {
            let name = COLUMNS[column];
            record.get(self.0[column]).ok_or_else(|| format!("the line ends before column {name}"))
        };
        let text = |column: usize| {
            let text = str::from_utf8(field(column)?);
            text.map(str::trim).map_err(|_| format!("column {}: not UTF-8 text", COLUMNS[column]))
        };
        // The name of the image is for people: bytes that are not text do not make the line a bad one.
        let file = str::from_utf8(field(0)?).map_or_else(|_| lossy(record.get(self.0[0])), str::to_owned);
        let subject = SubjectId(text(1)?.to_owned());
        if subject.0.is_empty() {
            return Err("column subject: empty".to_owned());
        }
        let mut values = [0.0; DensityClass::COUNT];
        for (class, value) in values.iter_mut().enumerate() {
            *value = parsed(6 + class, text(6 + class)?, |text| format!("'{text}' is no number"))?;
        }
        let probabilities = Probabilities::checked(values).map_err(|error| error.to_string())?;
        let row = PredictionRow {
            file,
            subject,
            exam: Some(text(2)?).filter(|exam| !exam.is_empty()).map(|exam| ExamId(exam.to_owned())),
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
}

fn parsed<T: FromStr>(column: usize, text: &str, reason: impl Fn(&str) -> String) -> Result<T, String> {
    text.parse().map_err(|_| format!("column {}: {}", COLUMNS[column], reason(text)))
}

fn known<T: FromStr<Err: std::fmt::Display>>(column: usize, text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| format!("column {}: {error}", COLUMNS[column]))
}

fn optional<T: FromStr<Err: std::fmt::Display>>(column: usize, text: &str) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { known(column, text).map(Some) }
}

fn lossy(name: Option<&[u8]>) -> String {
    String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
}

/// The bytes of a table behind its byte order mark, if it has one.
fn open(path: &Path) -> Result<Cursor<Vec<u8>>, TableError> {
    let bytes = read_regular_file(path, MAX_BYTES)
        .map_err(|source| TableError::Unreadable { path: path.to_owned(), source })?;
    let start = if bytes.starts_with(&BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut table = Cursor::new(bytes);
    table.set_position(start as u64);
    Ok(table)
}

/// A reason of at most [`LONGEST_REASON`] characters: it may quote a field of any length.
fn shortened(reason: String) -> String {
    match reason.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
    }
}

fn unreadable(path: &Path, error: csv::Error) -> TableError {
    TableError::Unreadable { path: path.to_owned(), source: io::Error::from(error) }
}

fn no_table(path: &Path, reason: String) -> TableError {
    TableError::NoTable { path: path.to_owned(), reason }
}

fn whole<T>(path: &Path, rows: Vec<T>, lines: Vec<BadLine>) -> Result<Vec<T>, TableError> {
    if lines.is_empty() { Ok(rows) } else { Err(TableError::BadLines { path: path.to_owned(), lines }) }
}
