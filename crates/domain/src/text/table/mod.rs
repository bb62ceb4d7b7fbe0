//! Tables in text: CSV as spreadsheets, pandas and people write it.
//!
//! Accepted are UTF-8 with or without a byte order mark and UTF-16 with one; commas, tabs or semicolons; lines that end
//! in LF, CRLF or CR; rows of empty fields; and column names in any case. Anything that would have to be guessed is an
//! error that names what was found.

use std::borrow::Cow;
use std::fmt;

use csv::ByteRecord;

use crate::text::foreign_file::ForeignFile;
use crate::text::printable::printable;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The separators that are tried on the header.
const SEPARATORS: [u8; 3] = [b',', b'\t', b';'];
/// The Jaro–Winkler similarity from which another column's name is suggested.
const MIN_SIMILARITY: f64 = 0.85;
/// The number of column names of a header that an error lists.
const MAX_LISTED: usize = 12;

/// A wanted column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name, then other names that programs give it.
    pub names: &'static [&'static str],
    pub required: bool,
}

impl Column {
    #[must_use]
    pub const fn required(names: &'static [&'static str]) -> Self {
        Self { names, required: true }
    }

    #[must_use]
    pub const fn optional(names: &'static [&'static str]) -> Self {
        Self { names, required: false }
    }

    /// The name in messages.
    const fn name(self) -> &'static str {
        self.names[0]
    }
}

/// The reason bytes are not a table with the wanted columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableFault {
    Empty,
    Foreign(ForeignFile),
    /// UTF-16 that is damaged or lacks a byte order mark.
    Utf16,
    Binary,
    /// Required columns are missing; `header` has the columns of the first line.
    Missing {
        columns: Vec<MissingColumn>,
        header: Vec<String>,
    },
    /// A column occurs more than once.
    Twice(String),
}

/// A required column that a table lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingColumn {
    pub name: String,
    /// A column of the table with a similar name.
    pub similar: Option<String>,
}

impl fmt::Display for TableFault {
    /// `the column subject is missing (did you mean subjects?); the first line has subjects, split`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::Foreign(file) => write!(f, "it is {file}; {}", file.advice()),
            Self::Utf16 => {
                f.write_str("it is damaged UTF-16 text, or lacks its byte order mark; save it as CSV in UTF-8")
            }
            Self::Binary => f.write_str("it is not text; save it as CSV in UTF-8"),
            Self::Twice(column) => write!(f, "the column {} occurs twice", printable(column)),
            Self::Missing { columns, header } => {
                let named = |MissingColumn { name, similar }: &MissingColumn| match similar {
                    Some(similar) => format!("{name} (did you mean {}?)", printable(similar)),
                    None => name.clone(),
                };
                let names = columns.iter().map(named).collect::<Vec<_>>().join(", ");
                let (s, are) = if columns.len() == 1 { ("", "is") } else { ("s", "are") };
                let listed: Vec<_> = header.iter().take(MAX_LISTED).map(|name| printable(name)).collect();
                let more = if header.len() > MAX_LISTED { ", …" } else { "" };
                write!(f, "the column{s} {names} {are} missing; the first line has {}{more}", listed.join(", "))
            }
        }
    }
}

/// The text of a table, decoded to UTF-8 if it is UTF-16. Fields may still contain bytes that are not UTF-8.
#[derive(Clone, Debug)]
pub struct TableText<'b>(Cow<'b, [u8]>);

impl<'b> TableText<'b> {
    /// Decodes the bytes of a file.
    pub fn of(bytes: &'b [u8]) -> Result<Self, TableFault> {
        if let Some(foreign) = ForeignFile::of(bytes) {
            return Err(TableFault::Foreign(foreign));
        }
        let text = match bytes {
            [0xff, 0xfe, rest @ ..] => Cow::Owned(from_utf16(rest, u16::from_le_bytes)?),
            [0xfe, 0xff, rest @ ..] => Cow::Owned(from_utf16(rest, u16::from_be_bytes)?),
            _ => Cow::Borrowed(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)),
        };
        // Every second byte of Latin letters in UTF-16 is 0; no byte of a UTF-8 table is.
        let zeros = text.iter().take(4096).filter(|&&byte| byte == 0).count();
        if zeros > 0 {
            let is_utf16 = zeros * 3 > text.len().min(4096);
            return Err(if is_utf16 { TableFault::Utf16 } else { TableFault::Binary });
        }
        if text.trim_ascii().is_empty() {
            return Err(TableFault::Empty);
        }
        Ok(Self(text))
    }

    /// Opens the table and finds the wanted columns by name, in any order. Names match regardless of case, spaces and
    /// punctuation, but an exact match takes precedence.
    pub fn table<'t>(&'t self, wanted: &'t [Column]) -> Result<Table<'t>, TableFault> {
        let text: &[u8] = &self.0;
        let stated = stated_separator(text);
        let skipped = stated.as_ref().map_or(0, |stated| stated.line_length);
        let candidates = stated.map_or_else(|| SEPARATORS.to_vec(), |stated| vec![stated.separator]);
        let mut first_fault = None;
        for separator in candidates {
            let mut reader = csv::ReaderBuilder::new()
                .flexible(true)
                .has_headers(false)
                .delimiter(separator)
                .from_reader(&text[skipped..]);
            let mut header = ByteRecord::new();
            if !reader.read_byte_record(&mut header).unwrap_or(false) {
                return Err(TableFault::Empty);
            }
            match positions(&header, wanted) {
                Ok(positions) => {
                    let columns = names_of(&header);
                    let lines = LineCounter::default();
                    return Ok(Table { text, skipped, reader, record: header, wanted, positions, columns, lines });
                }
                // The separator that splits the header into the most columns gives the most helpful error.
                Err(fault) => match &first_fault {
                    Some((columns, _)) if *columns >= header.len() => {}
                    _ => first_fault = Some((header.len(), fault)),
                },
            }
        }
        Err(first_fault.map_or(TableFault::Empty, |(_, fault)| fault))
    }
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>, TableFault> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(units.iter().map(|&bytes| unit(bytes))).collect();
    match (text, rest) {
        (Ok(text), []) => Ok(text.into_bytes()),
        _ => Err(TableFault::Utf16),
    }
}

/// A first line `sep=;`, which spreadsheets understand.
struct StatedSeparator {
    separator: u8,
    /// Bytes of the line, its ending included.
    line_length: usize,
}

fn stated_separator(text: &[u8]) -> Option<StatedSeparator> {
    let [separator, rest @ ..] = text.strip_prefix(b"sep=")? else { return None };
    let ending = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    (ending > 0).then_some(StatedSeparator { separator: *separator, line_length: b"sep=;".len() + ending })
}

fn names_of(header: &ByteRecord) -> Vec<String> {
    header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}

/// The position of each wanted column in the header.
fn positions(header: &ByteRecord, wanted: &[Column]) -> Result<Vec<Option<usize>>, TableFault> {
    let names = names_of(header);
    let find = |column: &Column| -> Result<Option<usize>, TableFault> {
        for wanted in column.names {
            for matches in [exactly as fn(&str, &str) -> bool, loosely] {
                let mut found = names.iter().enumerate().filter(|(_, name)| matches(name, wanted));
                match (found.next(), found.next()) {
                    (Some((position, _)), None) => return Ok(Some(position)),
                    (Some(_), Some(_)) => return Err(TableFault::Twice(column.name().to_owned())),
                    (None, _) => {}
                }
            }
        }
        Ok(None)
    };
    let found = wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let missing = wanted.iter().zip(&found).filter(|(column, position)| column.required && position.is_none());
    let missing = missing.map(|(column, _)| column.name());
    let columns: Vec<_> =
        missing.map(|name| MissingColumn { name: name.to_owned(), similar: similar(name, &names) }).collect();
    if columns.is_empty() { Ok(found) } else { Err(TableFault::Missing { columns, header: names }) }
}

fn exactly(name: &str, wanted: &str) -> bool {
    name == wanted
}

fn loosely(name: &str, wanted: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    plain(name) == plain(wanted)
}

fn similar(wanted: &str, names: &[String]) -> Option<String> {
    let similarity = |name: &&String| strsim::jaro_winkler(&name.to_lowercase(), wanted);
    let best = names.iter().max_by(|one, other| similarity(one).total_cmp(&similarity(other)))?;
    (similarity(&best) >= MIN_SIMILARITY).then(|| best.clone())
}

/// The reason a field or a row of a table cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    #[error("the line ends before column {0}")]
    Missing(&'static str),
    #[error("column {0}: not UTF-8 text; save the table as CSV in UTF-8")]
    NotUtf8(&'static str),
    #[error("{fields} fields, but the header has {columns} columns")]
    TooMany { fields: usize, columns: usize },
}

/// The text of the fault, for callers that report a bad line as text.
impl From<FieldFault> for String {
    fn from(fault: FieldFault) -> Self {
        fault.to_string()
    }
}

/// A table, read row by row.
#[derive(Debug)]
pub struct Table<'t> {
    text: &'t [u8],
    /// Bytes of the text before those that the reader sees.
    skipped: usize,
    reader: csv::Reader<&'t [u8]>,
    record: ByteRecord,
    wanted: &'t [Column],
    positions: Vec<Option<usize>>,
    columns: Vec<String>,
    lines: LineCounter,
}

impl Table<'_> {
    /// True if the table has a column, given by its index among the wanted ones.
    #[must_use]
    pub fn has(&self, column: usize) -> bool {
        self.positions[column].is_some()
    }

    /// The columns that were not wanted, each with its position and its name as written.
    pub fn other_columns(&self) -> impl Iterator<Item = (usize, &str)> {
        let columns = self.columns.iter().map(String::as_str).enumerate();
        columns.filter(|(position, _)| !self.positions.contains(&Some(*position)))
    }

    /// The next row that is not empty; `None` after the last.
    pub fn next_row(&mut self) -> Option<TableRow<'_>> {
        loop {
            // Reading a slice cannot fail, and rows may have any number of fields.
            if !self.reader.read_byte_record(&mut self.record).unwrap_or(false) {
                return None;
            }
            if self.record.iter().any(|field| !field.trim_ascii().is_empty()) {
                break;
            }
        }
        let start = self.skipped + self.record.position().map_or(0, |position| position.byte() as usize);
        let line = self.lines.line_at(self.text, start);
        Some(TableRow {
            line,
            record: &self.record,
            wanted: self.wanted,
            positions: &self.positions,
            columns: self.columns.len(),
        })
    }
}

/// Counts lines up to a position, continuing from the last one. The numbers of the crate `csv` are one short for CRLF.
#[derive(Debug, Default)]
struct LineCounter {
    counted: usize,
    breaks: u64,
}

impl LineCounter {
    /// The number, from 1, of the line of the first character at or after a position that is not a line break.
    fn line_at(&mut self, text: &[u8], position: usize) -> u64 {
        let ending = text[position..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let position = position + ending;
        for at in self.counted..position {
            let ends = match text[at] {
                b'\n' => true,
                b'\r' => text.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.breaks += u64::from(ends);
        }
        self.counted = position;
        self.breaks + 1
    }
}

/// A row of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct TableRow<'r> {
    /// The number of the row's first line in the file, from 1.
    pub line: u64,
    record: &'r ByteRecord,
    wanted: &'r [Column],
    positions: &'r [Option<usize>],
    columns: usize,
}

impl<'r> TableRow<'r> {
    /// The bytes of a column, given by its index among the wanted ones; empty if the table does not have it.
    pub fn bytes(&self, column: usize) -> Result<&'r [u8], FieldFault> {
        let Some(position) = self.positions[column] else { return Ok(b"") };
        let name = self.wanted[column].name();
        self.record.get(position).ok_or(FieldFault::Missing(name))
    }

    /// The bytes of a column given by its position ([`Table::other_columns`]); `None` if the line ends before it.
    #[must_use]
    pub fn bytes_at(&self, position: usize) -> Option<&'r [u8]> {
        self.record.get(position)
    }

    /// The text of a column without surrounding white space.
    pub fn text(&self, column: usize) -> Result<&'r str, FieldFault> {
        let name = self.wanted[column].name();
        let text = str::from_utf8(self.bytes(column)?);
        text.map(str::trim).map_err(|_| FieldFault::NotUtf8(name))
    }

    /// Fails if there are more fields than columns, as with a stray comma.
    pub fn check_length(&self) -> Result<(), FieldFault> {
        let (fields, columns) = (self.record.len(), self.columns);
        if fields <= columns { Ok(()) } else { Err(FieldFault::TooMany { fields, columns }) }
    }
}

#[cfg(test)]
mod tests;
