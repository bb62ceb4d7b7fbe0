//! Tables of the subjects' splits: CSV with the columns `subject` and `split`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::text::bad_lines::bad_lines;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::text::table::{Column, TableRow, TableText};

const COLUMNS: [Column; 2] = [Column::required(&["subject"]), Column::required(&["split"])];

/// The split of each subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitTable {
    splits: BTreeMap<SubjectId, Split>,
}

/// A one-line reason why a table of splits cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitTableError {
    #[error("{}: not a table of splits: {reason}; its first line should be subject,split", printable_path(path))]
    NoTable { path: PathBuf, reason: String },
    /// Invalid lines: their numbers, from 1, and the reasons.
    #[error("{}", bad_lines(path, lines.iter().map(|(line, reason)| (*line, reason.as_str()))))]
    BadLines { path: PathBuf, lines: Vec<(u64, String)> },
}

impl SplitTable {
    /// Parses a table. Columns are found by name, in any order; others are ignored. Synonyms of splits are accepted. Every
    /// invalid line is reported: an unknown split, an empty subject, a subject in conflict with another line. `path` is
    /// used in errors only.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, SplitTableError> {
        let no_table = |reason: String| SplitTableError::NoTable { path: path.to_owned(), reason };
        let text = TableText::of(bytes).map_err(|fault| no_table(fault.to_string()))?;
        let mut table = text.table(&COLUMNS).map_err(|fault| no_table(fault.to_string()))?;
        let mut seen: BTreeMap<SubjectId, (Split, u64)> = BTreeMap::new();
        let mut bad_lines = Vec::new();
        while let Some(row) = table.next_row() {
            let line = row.line;
            match subject_and_split(row) {
                Ok((subject, split)) => {
                    let (first, first_line) = *seen.entry(subject.clone()).or_insert((split, line));
                    if first != split {
                        let reason = format!("subject {subject} is {split} here and {first} in line {first_line}");
                        bad_lines.push((line, reason));
                    }
                }
                Err(reason) => bad_lines.push((line, reason)),
            }
        }
        if !bad_lines.is_empty() {
            return Err(SplitTableError::BadLines { path: path.to_owned(), lines: bad_lines });
        }
        if seen.is_empty() {
            return Err(no_table("there are no lines after the first".to_owned()));
        }
        Ok(Self { splits: seen.into_iter().map(|(subject, (split, _))| (subject, split)).collect() })
    }

    /// The split of every subject, by id.
    #[must_use]
    pub fn into_splits(self) -> BTreeMap<SubjectId, Split> {
        self.splits
    }
}

fn subject_and_split(row: TableRow<'_>) -> Result<(SubjectId, Split), String> {
    let subject = SubjectId::new(row.text(0)?);
    if subject.0.is_empty() {
        return Err("column subject: empty".to_owned());
    }
    let split = row.text(1)?.parse().map_err(|error| format!("column split: {error}"))?;
    Ok((subject, split))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SplitTable, String> {
        SplitTable::parse(Path::new("s.csv"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_in_any_order_synonyms_and_repeated_lines_are_accepted() {
        let table = parse("\u{feff}split,age,subject\r\ntrain,40, 12\nVAL,,7_a\ntest,1,3\ntest,2,3\n").unwrap();
        let splits = table.into_splits();
        let splits: Vec<_> = splits.iter().map(|(subject, split)| (&*subject.0, *split)).collect();
        assert_eq!(splits, [("12", Split::Train), ("3", Split::Test), ("7_a", Split::Validation)]);
    }

    #[test]
    fn all_invalid_lines_are_reported_in_one_message() {
        assert_eq!(
            parse("subject,split\n1,train\n2,holdout\n,test\n4\n1,test\n"),
            Err("s.csv:3: column split: 'holdout' is not a split; the splits are train, validation and test; \
                 s.csv:4: column subject: empty; s.csv:5: the line ends before column split; \
                 s.csv:6: subject 1 is test here and train in line 2"
                .to_owned())
        );
        let many = "subject,split\n".to_owned() + &"1,none\n".repeat(13);
        assert!(parse(&many).unwrap_err().ends_with("; and 3 more bad lines"));
        assert!(parse("subject,split\n1,\"\u{1b}[31m\"\n").unwrap_err().contains("\\u{1b}"));
    }

    #[test]
    fn files_that_are_not_tables_are_errors() {
        let reason = |text: &str| parse(text).unwrap_err();
        assert!(reason("").contains("the file is empty"));
        assert!(reason("1,train\n2,test\n").contains("the columns subject, split are missing"));
        assert!(reason("subject,split,subject\n").contains("the column subject occurs twice"));
        assert_eq!(
            reason("subject,split\n"),
            "s.csv: not a table of splits: there are no lines after the first; its first line should be subject,split"
        );
    }
}
