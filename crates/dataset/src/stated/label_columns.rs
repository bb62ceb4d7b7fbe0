//! The columns of label files: those of images or cases, and those of readers.

use std::collections::HashMap;

use super::statement::Statement;
use super::words::{class, is_absent, projection, side};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::text::table::{Column, Table, TableFault, TableRow, TableText};

const FILES: &[&str] = &["file", "filename", "file name", "image_id", "image file path", "image", "path"];
const SUBJECTS: &[&str] = &["subject", "subject_id", "patient_id", "patient", "study_id"];
const OTHERS: [Column; 5] = [
    Column::optional(&["exam", "exam_id", "examination"]),
    Column::optional(&["view", "view_position", "image view", "projection"]),
    Column::optional(&["laterality", "side", "left or right breast"]),
    Column::optional(&["class", "label", "density", "breast_density", "breast density", "acr"]),
    Column::optional(&["reader", "reader_id", "reader_name", "rater", "rater_id", "radiologist", "annotator"]),
];

/// The columns of a file with a line per image, by their own names and those in the tables of VinDr-Mammo, CBIS-DDSM
/// and INbreast.
const BY_FILE: [Column; 7] = columns(Column::required(FILES), Column::optional(SUBJECTS));
/// The columns of a file with a line per subject, examination or view.
const BY_CASE: [Column; 7] = columns(Column::optional(FILES), Column::required(SUBJECTS));
// Indices in both.
const FILE: usize = 0;
const SUBJECT: usize = 1;
const EXAM: usize = 2;
const VIEW: usize = 3;
const LATERALITY: usize = 4;
const CLASS: usize = 5;
const READER: usize = 6;

/// The words that the column of a reader begins with.
const READER_WORDS: [&str; 5] = ["reader", "rater", "radiologist", "observer", "annotator"];

const fn columns(file: Column, subject: Column) -> [Column; 7] {
    let [exam, view, laterality, class, reader] = OTHERS;
    [file, subject, exam, view, laterality, class, reader]
}

/// A label file, read line by line.
pub(super) struct LabelLines<'t> {
    table: Table<'t>,
    /// True if its lines name files, false if they name subjects.
    pub(super) by_file: bool,
    /// True if it has a column of classes.
    pub(super) has_classes: bool,
    /// The readers' own columns, each with its position and its index in `readers`.
    reader_columns: Vec<(usize, usize)>,
    pub(super) readers: Readers,
    /// The columns that begin like a reader's but are not understood.
    pub(super) ignored: Vec<String>,
}

/// The names of the readers, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Readers {
    pub(super) names: Vec<String>,
    by_name: HashMap<String, usize>,
}

impl Readers {
    fn index(&mut self, name: &str) -> usize {
        let next = self.names.len();
        let index = *self.by_name.entry(name.to_lowercase()).or_insert(next);
        if index == next {
            self.names.push(name.to_owned());
        }
        index
    }
}

/// A line of a label file.
pub(super) struct LabelLine {
    /// The line's number, from 1.
    pub(super) number: u64,
    /// The file; empty in a file with a line per case.
    pub(super) file: String,
    /// Everything but the class.
    pub(super) statement: Statement,
    /// The class, unless it is that of a reader.
    pub(super) class: Option<DensityClass>,
    /// The classes of readers, by the readers' indices.
    pub(super) readings: Vec<(usize, DensityClass)>,
}

impl<'t> LabelLines<'t> {
    /// Opens a label file; the reason in words if it is not one.
    pub(super) fn open(text: &'t TableText<'_>) -> Result<Self, String> {
        let (table, by_file) = match text.table(&BY_FILE) {
            Ok(table) => (table, true),
            Err(fault @ TableFault::Missing { .. }) => {
                (text.table(&BY_CASE).map_err(|by_case| reason(&fault, &by_case))?, false)
            }
            Err(fault) => return Err(fault.to_string()),
        };
        let (mut readers, mut reader_columns, mut ignored) = (Readers::default(), Vec::new(), Vec::new());
        for (position, name) in table.other_columns() {
            match reader_name(name) {
                ColumnName::Reader(reader) => {
                    if readers.by_name.contains_key(&reader.to_lowercase()) {
                        return Err(format!("the column of reader {reader} occurs twice"));
                    }
                    reader_columns.push((position, readers.index(reader)));
                }
                ColumnName::Unclear => ignored.push(name.to_owned()),
                ColumnName::Other => {}
            }
        }
        if table.has(READER) && !reader_columns.is_empty() {
            return Err(
                "it has both a column reader and columns of single readers; use one of the two forms".to_owned()
            );
        }
        if table.has(READER) && !table.has(CLASS) {
            return Err("it has a column reader but no column class".to_owned());
        }
        let has_classes = table.has(CLASS) || !reader_columns.is_empty();
        if by_file && !has_classes && (SUBJECT..CLASS).all(|column| !table.has(column)) {
            return Err("it has no column besides file".to_owned());
        }
        if !by_file && !has_classes {
            return Err("it has neither a column class nor columns of readers (reader_1, reader_2, …)".to_owned());
        }
        Ok(Self { table, by_file, has_classes, reader_columns, readers, ignored })
    }

    /// The next line, or its number and what is wrong with it; `None` after the last.
    pub(super) fn next(&mut self) -> Option<Result<LabelLine, (u64, String)>> {
        let has_reader = self.table.has(READER);
        let row = self.table.next_row()?;
        let form = Form { by_file: self.by_file, has_reader };
        let number = row.line;
        Some(form.line(row, &self.reader_columns, &mut self.readers).map_err(|reason| (number, reason)))
    }
}

/// The reason why a file is neither of the two forms: that of the form it comes closer to.
fn reason(by_file: &TableFault, by_case: &TableFault) -> String {
    let has_suggestion = |fault: &TableFault| matches!(fault, TableFault::Missing { columns, .. } if columns.iter().any(|column| column.similar.is_some()));
    if has_suggestion(by_case) && !has_suggestion(by_file) { by_case.to_string() } else { by_file.to_string() }
}

enum ColumnName<'n> {
    Reader(&'n str),
    /// It begins like a reader's column.
    Unclear,
    Other,
}

/// The reader that a column belongs to: `reader_1`, `Reader 2`, `rater B`, `reader:Miller`.
fn reader_name(column: &str) -> ColumnName<'_> {
    let word = READER_WORDS.iter().find(|word| {
        column.is_char_boundary(word.len())
            && column.len() > word.len()
            && column[..word.len()].eq_ignore_ascii_case(word)
    });
    let Some(word) = word else { return ColumnName::Other };
    let rest = &column[word.len()..];
    if let Some(name) = rest.trim_start().strip_prefix(':').map(str::trim) {
        return if name.is_empty() { ColumnName::Unclear } else { ColumnName::Reader(name) };
    }
    let name = rest.trim_start_matches(['_', ' ', '-', '.', '#']);
    let is_number = name.len() <= 3 && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let is_letter = name.len() == 1 && name.len() < rest.len() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_number || is_letter {
        ColumnName::Reader(name)
    } else if name.len() < rest.len() {
        ColumnName::Unclear
    } else {
        ColumnName::Other
    }
}

/// The form of a file's lines.
struct Form {
    by_file: bool,
    has_reader: bool,
}

impl Form {
    fn line(
        &self,
        row: TableRow<'_>,
        reader_columns: &[(usize, usize)],
        readers: &mut Readers,
    ) -> Result<LabelLine, String> {
        let text = |column: usize| row.text(column).map(|text| Some(text).filter(|text| !is_absent(text)));
        let mut file = String::new();
        if self.by_file {
            let path = row.text(FILE)?.replace('\\', "/");
            path.trim_start_matches("./").trim_start_matches('/').clone_into(&mut file);
            if file.is_empty() {
                return Err("column file: empty".to_owned());
            }
        }
        let mut statement = Statement {
            subject: text(SUBJECT)?.map(SubjectId::new),
            exam: text(EXAM)?.map(ExamId::new),
            ..Statement::default()
        };
        if !self.by_file && statement.subject.is_none() {
            return Err("column subject: empty".to_owned());
        }
        if let Some(word) = text(VIEW)? {
            let (projection, side) =
                projection(word).ok_or_else(|| unknown("view", word, "CC, MLO or a view such as CC_R"))?;
            (statement.projection, statement.side) = (Some(projection), side);
        }
        if let Some(word) = text(LATERALITY)? {
            let stated = side(word).ok_or_else(|| unknown("laterality", word, "L or R"))?;
            if statement.side.is_some_and(|of_view| of_view != stated) {
                return Err(format!("column laterality: {word} contradicts the view"));
            }
            statement.side = Some(stated);
        }
        let mut stated = text(CLASS)?.map(|word| parsed_class("class", word)).transpose()?;
        let mut readings = Vec::new();
        if self.has_reader {
            let reader = text(READER)?.ok_or("column reader: empty")?;
            if let Some(class) = stated.take() {
                readings.push((readers.index(reader), class));
            }
        }
        for &(position, reader) in reader_columns {
            let name = &readers.names[reader];
            let bytes = row.bytes_at(position).ok_or_else(|| format!("the line ends before column reader {name}"))?;
            let word = str::from_utf8(bytes).map_err(|_| format!("column reader {name}: not UTF-8 text"))?.trim();
            if !is_absent(word) {
                readings.push((reader, parsed_class(&format!("reader {name}"), word)?));
            }
        }
        Ok(LabelLine { number: row.line, file, statement, class: stated, readings })
    }
}

fn parsed_class(column: &str, word: &str) -> Result<DensityClass, String> {
    class(word).ok_or_else(|| unknown(column, word, "A, B, C or D, or 1 to 4"))
}

fn unknown(column: &str, word: &str, known: &str) -> String {
    format!("column {column}: '{word}' is not {known}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_readers_are_recognised() {
        let name = |column: &'static str| match reader_name(column) {
            ColumnName::Reader(name) => name,
            ColumnName::Unclear => "?",
            ColumnName::Other => "",
        };
        for (column, expected) in [
            ("reader_1", "1"),
            ("Reader 2", "2"),
            ("reader3", "3"),
            ("RATER-B", "B"),
            ("reader:Miller", "Miller"),
            ("reader: Dr. O ", "Dr. O"),
            ("radiologist.12", "12"),
            ("reader_anna", "?"),
            ("reader:", "?"),
            ("reader", ""),
            ("readers", ""),
            ("readiness_1", ""),
            ("r1", ""),
        ] {
            assert_eq!(name(column), expected, "{column}");
        }
    }
}
