//! Tables in text: CSV as spreadsheets, pandas and people write it.
//!
//! Read without a question: UTF-8 with or without a byte order mark, UTF-16 with one; commas, tabs or semicolons; lines
//! that end in LF, CRLF or CR; rows of empty fields; column names in other cases. What would have to be guessed is an error
//! that says what was seen.

use std::borrow::Cow;
use std::fmt;

use csv::ByteRecord;

use crate::text::foreign_file::ForeignFile;
use crate::text::printable::printable;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Separators; the header shows which one a table has.
const SEPARATORS: [u8; 3] = [b',', b'\t', b';'];
/// The similarity (Jaro–Winkler) from which on another column's name may have been meant.
const SIMILAR: f64 = 0.85;
/// The most column names of a header that an error lists.
const LISTED: usize = 12;

/// A column that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name, and other names that programs give it.
    pub names: &'static [&'static str],
    /// Whether the table has to have it.
    pub required: bool,
}

impl Column {
    /// A column that the table has to have.
    #[must_use]
    pub const fn required(names: &'static [&'static str]) -> Self {
        Self { names, required: true }
    }

    /// A column that the table may have.
    #[must_use]
    pub const fn optional(names: &'static [&'static str]) -> Self {
        Self { names, required: false }
    }

    /// What it is called in messages.
    const fn name(self) -> &'static str {
        self.names[0]
    }
}

/// Why bytes are not a table with the columns that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableFault {
    /// There is nothing.
    Empty,
    /// It is another kind of file.
    Foreign(ForeignFile),
    /// It is UTF-16, and damaged or without a byte order mark.
    Utf16,
    /// It is not text.
    Binary,
    /// Columns are missing.
    Missing {
        /// Their names, and for each a column that may have been meant.
        columns: Vec<(String, Option<String>)>,
        /// What the first line holds instead.
        header: Vec<String>,
    },
    /// A column is there more than once.
    Twice(String),
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
            Self::Twice(column) => write!(f, "the column {} is there twice", printable(column)),
            Self::Missing { columns, header } => {
                let named = |(name, meant): &(String, Option<String>)| match meant {
                    Some(meant) => format!("{name} (did you mean {}?)", printable(meant)),
                    None => name.clone(),
                };
                let names = columns.iter().map(named).collect::<Vec<_>>().join(", ");
                let (s, are) = if columns.len() == 1 { ("", "is") } else { ("s", "are") };
                let listed: Vec<_> = header.iter().take(LISTED).map(|name| printable(name)).collect();
                let more = if header.len() > LISTED { ", …" } else { "" };
                write!(f, "the column{s} {names} {are} missing; the first line has {}{more}", listed.join(", "))
            }
        }
    }
}

/// The text of a table, decoded to UTF-8 where it was UTF-16. Fields may still hold bytes that are not UTF-8.
#[derive(Clone, Debug)]
pub struct TableText<'b>(Cow<'b, [u8]>);

impl<'b> TableText<'b> {
    /// Takes the bytes of a file.
    pub fn of(bytes: &'b [u8]) -> Result<Self, TableFault> {
        if let Some(foreign) = ForeignFile::of(bytes) {
            return Err(TableFault::Foreign(foreign));
        }
        let text = match bytes {
            [0xff, 0xfe, rest @ ..] => Cow::Owned(from_utf16(rest, u16::from_le_bytes)?),
            [0xfe, 0xff, rest @ ..] => Cow::Owned(from_utf16(rest, u16::from_be_bytes)?),
            _ => Cow::Borrowed(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)),
        };
        // Every second byte of Latin letters in UTF-16 is 0, and no byte of a table of text is.
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

    /// The table, with the columns that are wanted, found by their names, in any order. A name in another case, with blanks
    /// around it or in it, is the same name, unless another column has it exactly.
    pub fn table<'t>(&'t self, wanted: &'t [Column]) -> Result<Table<'t>, TableFault> {
        let text: &[u8] = &self.0;
        let (stated, skipped) = stated_separator(text);
        let candidates = stated.map_or_else(|| SEPARATORS.to_vec(), |separator| vec![separator]);
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
            match places(&header, wanted) {
                Ok(places) => {
                    let columns = header.len();
                    let lines = LineCounter::default();
                    return Ok(Table { text, skipped, reader, record: header, wanted, places, columns, lines });
                }
                // The fault by the separator that splits the header into most columns says most.
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

/// The separator that a first line `sep=;`, which spreadsheets understand, states, and the length of that line.
fn stated_separator(text: &[u8]) -> (Option<u8>, usize) {
    let Some([separator, rest @ ..]) = text.strip_prefix(b"sep=") else { return (None, 0) };
    let ending = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if ending == 0 { (None, 0) } else { (Some(*separator), b"sep=;".len() + ending) }
}

/// Where the columns are that are wanted.
fn places(header: &ByteRecord, wanted: &[Column]) -> Result<Vec<Option<usize>>, TableFault> {
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let find = |column: &Column| -> Result<Option<usize>, TableFault> {
        for wanted in column.names {
            for is_it in [exactly as fn(&str, &str) -> bool, loosely] {
                let mut found = names.iter().enumerate().filter(|(_, name)| is_it(name, wanted));
                match (found.next(), found.next()) {
                    (Some((place, _)), None) => return Ok(Some(place)),
                    (Some(_), Some(_)) => return Err(TableFault::Twice(column.name().to_owned())),
                    (None, _) => {}
                }
            }
        }
        Ok(None)
    };
    let found = wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let missing = wanted.iter().zip(&found).filter(|(column, place)| column.required && place.is_none());
    let columns: Vec<_> =
        missing.map(|(column, _)| (column.name().to_owned(), similar(column.name(), &names))).collect();
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
    (similarity(&best) >= SIMILAR).then(|| best.clone())
}

/// A table, read row by row.
#[derive(Debug)]
pub struct Table<'t> {
    text: &'t [u8],
    /// Bytes of the text before the reader's first.
    skipped: usize,
    reader: csv::Reader<&'t [u8]>,
    record: ByteRecord,
    wanted: &'t [Column],
    places: Vec<Option<usize>>,
    columns: usize,
    lines: LineCounter,
}

impl Table<'_> {
    /// Whether the table has a column, by its place among those that are wanted.
    #[must_use]
    pub fn has(&self, column: usize) -> bool {
        self.places[column].is_some()
    }

    /// The next row that has anything in it; `None` after the last.
    pub fn next_row(&mut self) -> Option<TableRow<'_>> {
        loop {
            // Rows may have any number of fields, and a slice is always readable: there is no other error.
            if !self.reader.read_byte_record(&mut self.record).unwrap_or(false) {
                return None;
            }
            if self.record.iter().any(|field| !field.trim_ascii().is_empty()) {
                break;
            }
        }
        let start = self.skipped + self.record.position().map_or(0, |position| position.byte() as usize);
        let line = self.lines.line_at(self.text, start);
        Some(TableRow { line, record: &self.record, wanted: self.wanted, places: &self.places, columns: self.columns })
    }
}

/// Numbers of lines, counted on from the last. The numbers of the crate `csv` are one short where lines end in CRLF.
#[derive(Debug, Default)]
struct LineCounter {
    counted: usize,
    breaks: u64,
}

impl LineCounter {
    /// The number, from 1, of the line of the first character from a place on that does not end a line.
    fn line_at(&mut self, text: &[u8], place: usize) -> u64 {
        let ending = text[place..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let place = place + ending;
        for at in self.counted..place {
            let ends = match text[at] {
                b'\n' => true,
                b'\r' => text.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.breaks += u64::from(ends);
        }
        self.counted = place;
        self.breaks + 1
    }
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct TableRow<'r> {
    /// The number of its first line in the file, from 1.
    pub line: u64,
    record: &'r ByteRecord,
    wanted: &'r [Column],
    places: &'r [Option<usize>],
    columns: usize,
}

impl<'r> TableRow<'r> {
    /// The bytes of a column, which is given by its place among those that are wanted; none where the table does not have
    /// it.
    pub fn bytes(&self, column: usize) -> Result<&'r [u8], String> {
        let Some(place) = self.places[column] else { return Ok(b"") };
        let name = self.wanted[column].name();
        self.record.get(place).ok_or_else(|| format!("the line ends before column {name}"))
    }

    /// The text of a column without blanks around it.
    pub fn text(&self, column: usize) -> Result<&'r str, String> {
        let name = self.wanted[column].name();
        let text = str::from_utf8(self.bytes(column)?);
        text.map(str::trim).map_err(|_| format!("column {name}: not UTF-8 text; save the table as CSV in UTF-8"))
    }

    /// An error where there are more fields than columns: a comma too many.
    pub fn check_length(&self) -> Result<(), String> {
        if self.record.len() <= self.columns {
            return Ok(());
        }
        Err(format!("{} fields, but the header has {} columns", self.record.len(), self.columns))
    }
}

#[cfg(test)]
mod tests;
