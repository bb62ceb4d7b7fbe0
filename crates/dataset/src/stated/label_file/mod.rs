//! Label files: CSV with a line per image, or per subject, examination or view; by one reader or several.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::case_labels::{CaseKey, CaseLabels, FoundLabel};
use super::label_columns::LabelLines;
use super::label_table::LabelTable;
use super::merged_labels::{MergedLabels, StatedLabel};
use mammoscope_domain::metrics::reader_agreement::ReaderPair;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::LookAlikes;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::bad_lines::bad_lines;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::text::table::TableText;

/// Number of example files or subjects from the label file and from the data if none matches.
const EXAMPLES: usize = 3;
/// The most readers; a file with more has another column in the readers' place.
const MAX_READERS: usize = 64;
/// The most cases or lines listed in a note; the rest are counted.
const LISTED: usize = 5;

/// The labels of a data set.
///
/// The first line names the columns, in any order: `file`, or else `subject` with `exam`, `view` and `laterality` where
/// lines concern only one of these; and the classes, as one column `class`, as one column per reader (`reader_1`,
/// `reader:NAME`), or as a line per reader with the columns `reader` and `class`. Of several readers the majority counts
/// unless a column `class` states the class.
#[derive(Clone, Debug)]
pub struct LabelFile {
    path: PathBuf,
    form: Form,
    /// The readers' names.
    readers: Vec<String>,
    pairs: Vec<ReaderPair>,
    ties: Vec<TiedCase>,
    /// The numbers of lines that repeat others.
    repeats: Vec<u64>,
    /// The numbers of lines without any class.
    without_class: Vec<u64>,
    ignored_columns: Vec<String>,
}

#[derive(Clone, Debug)]
enum Form {
    ByFile(LabelTable),
    ByCase(CaseLabels),
}

/// A case for which as many readers chose one class as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiedCase {
    /// The case or file, safe to print.
    pub name: String,
    /// The number of its first line.
    pub line: u64,
    /// The class that it is given.
    pub class: DensityClass,
}

/// A one-line reason why a label file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelFileError {
    #[error(
        "{}: not a table of labels: {reason}; its first line should be file,subject,exam,view,laterality,class, of which \
         only file is needed, or subject,exam,view,class, with reader_1,reader_2,… in place of class for several readers",
        printable_path(path)
    )]
    NoTable { path: PathBuf, reason: String },
    /// Invalid lines: their numbers, from 1, and the reasons.
    #[error("{}", bad_lines(path, lines.iter().map(|(line, reason)| (*line, reason.as_str()))))]
    BadLines { path: PathBuf, lines: Vec<(u64, String)> },
    /// A file without any of the data's images, with examples from both.
    #[error(
        "{}: none of the data's {what}s is named in it: it has {}, the data {}", printable_path(path), file.join(", "),
        data.join(", ")
    )]
    Unmatched { path: PathBuf, what: &'static str, file: Vec<String>, data: Vec<String> },
}

impl LabelFile {
    /// Parses a label file; every invalid line is reported. Lines about one image or case must agree. `path` is used in
    /// errors only.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, LabelFileError> {
        let no_table = |reason: String| LabelFileError::NoTable { path: path.to_owned(), reason };
        let text = TableText::of(bytes).map_err(|fault| no_table(fault.to_string()))?;
        let mut lines = LabelLines::open(&text).map_err(no_table)?;
        let mut found = Self {
            path: path.to_owned(),
            form: Form::ByCase(CaseLabels::of(&[])),
            readers: Vec::new(),
            pairs: Vec::new(),
            ties: Vec::new(),
            repeats: Vec::new(),
            without_class: Vec::new(),
            ignored_columns: std::mem::take(&mut lines.ignored),
        };
        let is_empty;
        if lines.by_file {
            let merged =
                found.merge(lines, |line| (line.file.clone(), printable(&line.file)), |file| printable(file))?;
            is_empty = merged.merged.is_empty();
            found.form = Form::ByFile(LabelTable::of(&merged.merged));
        } else {
            let merged = found.merge(
                lines,
                |line| {
                    let stated = &line.statement;
                    // A line without a subject is refused.
                    let subject = stated.subject.clone().unwrap_or(SubjectId(String::new()));
                    let (exam, projection, side) = (stated.exam.clone(), stated.projection, stated.side);
                    let key = CaseKey { subject, exam, projection, side };
                    let name = key.to_string();
                    (key, name)
                },
                ToString::to_string,
            )?;
            is_empty = merged.merged.is_empty();
            found.form = Form::ByCase(CaseLabels::of(&merged.merged));
        }
        if is_empty { Err(no_table("there are no lines after the first".to_owned())) } else { Ok(found) }
    }

    /// Reads and merges the lines, and keeps what is reported about them.
    fn merge<K: Clone + Eq + std::hash::Hash>(
        &mut self,
        mut lines: LabelLines<'_>,
        key_and_name: impl Fn(&super::label_columns::LabelLine) -> (K, String),
        name_of: impl Fn(&K) -> String,
    ) -> Result<MergedLabels<K>, LabelFileError> {
        let mut merged = MergedLabels::new();
        let has_classes = lines.has_classes;
        while let Some(line) = lines.next() {
            match line {
                Ok(line) => {
                    if has_classes && line.class.is_none() && line.readings.is_empty() {
                        self.without_class.push(line.number);
                    }
                    let (key, name) = key_and_name(&line);
                    merged.add(key, line, &name, &lines.readers.names);
                }
                Err(bad) => merged.bad_lines.push(bad),
            }
        }
        if !merged.bad_lines.is_empty() {
            let lines = std::mem::take(&mut merged.bad_lines);
            return Err(LabelFileError::BadLines { path: self.path.clone(), lines });
        }
        let readers = lines.readers.names.len();
        if readers > MAX_READERS {
            let reason =
                format!("the column reader has {readers} different names, more than the {MAX_READERS} allowed");
            return Err(LabelFileError::NoTable { path: self.path.clone(), reason });
        }
        self.readers = lines.readers.names;
        self.repeats = std::mem::take(&mut merged.repeats);
        let readings: Vec<_> = merged.merged.iter().map(|entry| entry.readings(self.readers.len())).collect();
        self.pairs = ReaderPair::all(&self.readers, &readings);
        for entry in merged.merged.iter().filter(|entry| entry.is_tie()) {
            let class = entry.label().map(|label| label.class);
            self.ties.extend(class.map(|class| TiedCase { name: name_of(&entry.key), line: entry.line, class }));
        }
        Ok(merged)
    }

    /// The class of an image; `None` if the file has none for it, or different ones between which the known ids do not
    /// decide ([`LabelFile::find`]). A file with a line per image has no classes by id.
    #[must_use]
    pub fn class_of(&self, subject: &SubjectId, exam: Option<&ExamId>, view: Option<View>) -> Option<DensityClass> {
        if let FoundLabel::Label(label) = self.find(subject, exam, view) { Some(label.class) } else { None }
    }

    /// The answer about an image by its ids. A line of a subject applies to all of her images unless another one names
    /// the image's examination, view or side; of several, the one that names the most decides.
    #[must_use]
    pub fn find(&self, subject: &SubjectId, exam: Option<&ExamId>, view: Option<View>) -> FoundLabel {
        match &self.form {
            Form::ByCase(cases) => cases.find(subject, exam, view),
            Form::ByFile(_) => FoundLabel::Missing,
        }
    }

    /// The label of the image with this path below the data set's root, in a file with a line per image.
    #[must_use]
    pub fn label_of_file(&self, below: &Path) -> Option<StatedLabel> {
        let statement = self.by_file()?.statement(below)?;
        statement.class.map(|class| StatedLabel { class, votes: statement.votes })
    }

    /// True if the lines name files, false if they name subjects.
    #[must_use]
    pub fn is_by_file(&self) -> bool {
        matches!(self.form, Form::ByFile(_))
    }

    /// The readers' names; empty if the classes are not those of readers.
    #[must_use]
    pub fn readers(&self) -> &[String] {
        &self.readers
    }

    /// The agreement of each pair of readers, on the images or cases that both read.
    #[must_use]
    pub fn reader_pairs(&self) -> &[ReaderPair] {
        &self.pairs
    }

    /// The cases whose class is not decided by a majority.
    #[must_use]
    pub fn ties(&self) -> &[TiedCase] {
        &self.ties
    }

    /// One-line warnings about ties, repeated lines, lines without a class, and columns that are ignored.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let lines = |numbers: &[u64]| listed(numbers.iter().map(ToString::to_string));
        let mut warnings = Vec::new();
        if !self.ties.is_empty() {
            let cases = self.ties.iter().map(|tie| format!("{} ({}, line {})", tie.name, tie.class, tie.line));
            warnings.push(format!(
                "{} as many readers chose one class as another, and the denser one counts: {}",
                counted_as(self.ties.len(), "case for which", "cases for which"),
                listed(cases)
            ));
        }
        let may_be_lesions = self.is_by_file() && self.readers.is_empty();
        if !self.repeats.is_empty() && !may_be_lesions {
            let repeats = counted_as(self.repeats.len(), "line repeats", "lines repeat");
            warnings.push(format!("{repeats} what an earlier one says: {}", lines(&self.repeats)));
        }
        if !self.without_class.is_empty() {
            let without = counted_as(self.without_class.len(), "line has", "lines have");
            warnings.push(format!("{without} no class: {}", lines(&self.without_class)));
        }
        for column in &self.ignored_columns {
            let column = printable(column);
            warnings
                .push(format!("the column {column} is ignored; a reader's column is named reader_1 or reader:NAME"));
        }
        let path = printable_path(&self.path);
        warnings.into_iter().map(|warning| format!("{path}: {warning}")).collect()
    }

    pub(super) fn by_file(&self) -> Option<&LabelTable> {
        if let Form::ByFile(table) = &self.form { Some(table) } else { None }
    }

    /// The files, or the subjects, of the label file that the data does not have; an error if it has none of them. The
    /// images are given by their paths below the root and their subjects.
    pub fn missing_from<'p>(
        &self,
        images: impl Iterator<Item = (&'p Path, &'p SubjectId)> + Clone,
    ) -> Result<Vec<String>, LabelFileError> {
        let unmatched = |what, file: Vec<String>, data: Vec<String>| LabelFileError::Unmatched {
            path: self.path.clone(),
            what,
            file: file.iter().take(EXAMPLES).map(|name| printable(name)).collect(),
            data,
        };
        match &self.form {
            Form::ByFile(table) => {
                let missing = table.missing_from(images.clone().map(|(path, _)| path));
                if missing.len() == table.files().len() {
                    let data = images.take(EXAMPLES).map(|(path, _)| printable_path(path)).collect();
                    return Err(unmatched("image", table.files().take(EXAMPLES).map(str::to_owned).collect(), data));
                }
                Ok(missing.into_iter().map(str::to_owned).collect())
            }
            Form::ByCase(cases) => {
                let of_data: BTreeSet<&SubjectId> = images.map(|(_, subject)| subject).collect();
                let of_file: BTreeSet<&SubjectId> = cases.subjects().collect();
                let missing: Vec<_> = of_file.difference(&of_data).map(|subject| subject.0.clone()).collect();
                if missing.len() == of_file.len() {
                    let data = of_data.iter().take(EXAMPLES).map(|subject| printable(&subject.0)).collect();
                    return Err(unmatched("subject", missing, data));
                }
                Ok(missing)
            }
        }
    }

    /// The subjects of the file and of the data that differ only in spelling, and so do not match.
    #[must_use]
    pub fn spelled_differently<'d>(&self, of_data: impl Iterator<Item = &'d SubjectId>) -> LookAlikes {
        let Form::ByCase(cases) = &self.form else { return LookAlikes::default() };
        let of_file: BTreeSet<&SubjectId> = cases.subjects().collect();
        let of_data: BTreeSet<&SubjectId> = of_data.collect();
        LookAlikes::among(of_file.symmetric_difference(&of_data).map(|subject| subject.0.as_str()))
    }
}

fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(LISTED);
    let shown = items.take(LISTED).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests;
