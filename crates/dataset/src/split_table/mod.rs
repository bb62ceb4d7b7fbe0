//! Tables of the subjects' splits or folds: CSV with the columns `subject` and `split`, or `subject` and `fold`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use mammoscope_domain::run::dataset_manifest::SplitFile;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::text::bad_lines::bad_lines;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::text::table::{Column, TableFault, TableRow, TableText};

const SPLITS: [Column; 2] = [Column::required(&["subject"]), Column::required(&["split"])];
const FOLDS: [Column; 2] = [Column::required(&["subject"]), Column::required(&["fold"])];

/// The split of each subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitTable {
    file: SplitFile,
    splits: BTreeMap<SubjectId, Split>,
    /// The subjects that are in none of the splits, since they are kept for a final test.
    set_aside: BTreeSet<SubjectId>,
}

/// The choice of a run's test images from a table of folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldChoice {
    /// A fold. The next one, after the last the first, is for validation, and the others are for training.
    Fold(u32),
    /// The subjects that are in no fold, which is written `test`. The first fold is for validation, and the others are for
    /// training.
    Test,
}

/// A one-line reason why a table of splits cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitTableError {
    #[error(
        "{}: not a table of splits: {reason}; its first line should be subject,split or subject,fold",
        printable_path(path)
    )]
    NoTable { path: PathBuf, reason: String },
    /// Invalid lines: their numbers, from 1, and the reasons.
    #[error("{}", bad_lines(path, lines.iter().map(|(line, reason)| (*line, reason.as_str()))))]
    BadLines { path: PathBuf, lines: Vec<(u64, String)> },
    /// A table of folds without a choice among them.
    #[error("{}: it has {}; choose the one to hold out with --fold", printable_path(path), listed_folds(folds))]
    FoldNeeded { path: PathBuf, folds: Vec<u32> },
    /// A choice among folds for a table of splits.
    #[error("--fold: {} has splits, not folds; its first line should be subject,fold", printable_path(path))]
    NoFolds { path: PathBuf },
    #[error("--fold {fold}: {} has {}", printable_path(path), listed_folds(folds))]
    NoSuchFold { path: PathBuf, fold: String, folds: Vec<u32> },
    #[error("{}: all subjects are in fold {fold}, so none is left to train on", printable_path(path))]
    OneFold { path: PathBuf, fold: u32 },
}

fn listed_folds(folds: &[u32]) -> String {
    match folds {
        [only] => format!("only fold {only}"),
        [first, .., last] if (*last - *first) as usize + 1 == folds.len() => format!("the folds {first} to {last}"),
        folds => format!("the folds {}", folds.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The place of a subject in a table of folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Fold(u32),
    Test,
}

impl SplitTable {
    /// Parses a table; `fold` chooses the fold that is held out, for a table of folds.
    ///
    /// Columns are found by name, in any order; others are ignored. Synonyms of splits are accepted. Every invalid line is
    /// reported: an unknown split, an empty subject, a subject in conflict with another line. `path` is used in errors, and
    /// its last part as the file's name.
    pub fn parse(path: &Path, bytes: &[u8], fold: Option<FoldChoice>) -> Result<Self, SplitTableError> {
        let no_table = |reason: String| SplitTableError::NoTable { path: path.to_owned(), reason };
        let text = TableText::of(bytes).map_err(|fault| no_table(fault.to_string()))?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let sha256 = hexadecimal(&Sha256::digest(bytes));
        let mut file = SplitFile { name, sha256, fold: None, folds: Vec::new() };
        let has_folds = text.table(&FOLDS).is_ok();
        let has_splits = match text.table(&SPLITS) {
            Ok(_) => true,
            Err(TableFault::Missing { .. }) if has_folds => false,
            Err(fault) => return Err(no_table(fault.to_string())),
        };
        match (fold, has_folds) {
            (None, _) if has_splits => {
                let splits = parse_lines(path, &text, &SPLITS, |word| {
                    word.parse::<Split>().map_err(|error| format!("column split: {error}"))
                })?;
                Ok(Self { file, splits, set_aside: BTreeSet::new() })
            }
            (Some(_), false) => Err(SplitTableError::NoFolds { path: path.to_owned() }),
            (fold, _) => {
                let places = parse_lines(path, &text, &FOLDS, place)?;
                file.folds = folds_of(&places);
                let Some(fold) = fold else {
                    return Err(SplitTableError::FoldNeeded { path: path.to_owned(), folds: file.folds });
                };
                Self::of_fold(path, file, &places, fold)
            }
        }
    }

    /// The splits that a run has recorded of its images; `file` is the table that they came from.
    #[must_use]
    pub const fn recorded(file: SplitFile, splits: BTreeMap<SubjectId, Split>) -> Self {
        Self { file, splits, set_aside: BTreeSet::new() }
    }

    /// The splits of the run that holds out a fold.
    fn of_fold(
        path: &Path,
        mut file: SplitFile,
        places: &BTreeMap<SubjectId, Place>,
        choice: FoldChoice,
    ) -> Result<Self, SplitTableError> {
        let missing =
            |fold: String| SplitTableError::NoSuchFold { path: path.to_owned(), fold, folds: file.folds.clone() };
        let (held_out, validation) = match choice {
            FoldChoice::Fold(fold) => {
                let at = file.folds.binary_search(&fold).map_err(|_| missing(fold.to_string()))?;
                if let [only] = file.folds[..] {
                    return Err(SplitTableError::OneFold { path: path.to_owned(), fold: only });
                }
                (Place::Fold(fold), file.folds[(at + 1) % file.folds.len()])
            }
            FoldChoice::Test if places.values().all(|place| *place != Place::Test) => {
                return Err(missing("test".to_owned()));
            }
            FoldChoice::Test => {
                let first = file.folds.first().copied().ok_or_else(|| missing("test".to_owned()))?;
                (Place::Test, first)
            }
        };
        // Of two folds, one trains: a fold for validation would leave nothing to train on.
        let has_validation = file.folds.iter().filter(|&&fold| Place::Fold(fold) != held_out).count() > 1;
        if let FoldChoice::Fold(fold) = choice {
            file.fold = Some(fold);
        }
        let mut set_aside = BTreeSet::new();
        let mut splits = BTreeMap::new();
        for (subject, &place) in places {
            let split = match place {
                place if place == held_out => Split::Test,
                Place::Test => {
                    set_aside.insert(subject.clone());
                    continue;
                }
                Place::Fold(fold) if has_validation && fold == validation => Split::Validation,
                Place::Fold(_) => Split::Train,
            };
            splits.insert(subject.clone(), split);
        }
        Ok(Self { file, splits, set_aside })
    }

    /// The table's name, hash and folds.
    #[must_use]
    pub fn file(&self) -> &SplitFile {
        &self.file
    }

    /// The subjects that a run of a fold does not use, since the table keeps them for a final test.
    #[must_use]
    pub fn set_aside(&self) -> &BTreeSet<SubjectId> {
        &self.set_aside
    }

    /// The number of subjects of a split.
    #[must_use]
    pub fn count(&self, split: Split) -> usize {
        self.splits.values().filter(|&&of_subject| of_subject == split).count()
    }

    /// The split of every subject, by id.
    #[must_use]
    pub fn into_splits(self) -> BTreeMap<SubjectId, Split> {
        self.splits
    }
}

/// Reads the lines of a table with a subject and a value each.
fn parse_lines<V: Copy + Eq + std::fmt::Display>(
    path: &Path,
    text: &TableText<'_>,
    columns: &'static [Column; 2],
    value: impl Fn(&str) -> Result<V, String>,
) -> Result<BTreeMap<SubjectId, V>, SplitTableError> {
    let no_table = |reason: String| SplitTableError::NoTable { path: path.to_owned(), reason };
    let mut table = text.table(columns).map_err(|fault| no_table(fault.to_string()))?;
    let mut seen: BTreeMap<SubjectId, (V, u64)> = BTreeMap::new();
    let mut bad_lines = Vec::new();
    while let Some(row) = table.next_row() {
        let line = row.line;
        match subject_and_value(row, &value) {
            Ok((subject, value)) => {
                let (first, first_line) = *seen.entry(subject.clone()).or_insert((value, line));
                if first != value {
                    let reason = format!("subject {subject} is {value} here and {first} in line {first_line}");
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
    Ok(seen.into_iter().map(|(subject, (value, _))| (subject, value)).collect())
}

fn subject_and_value<V>(
    row: TableRow<'_>,
    value: impl Fn(&str) -> Result<V, String>,
) -> Result<(SubjectId, V), String> {
    let subject = SubjectId::new(row.text(0)?);
    if subject.0.is_empty() {
        return Err("column subject: empty".to_owned());
    }
    Ok((subject, value(row.text(1)?)?))
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fold(fold) => write!(f, "in fold {fold}"),
            Self::Test => f.write_str("test"),
        }
    }
}

fn place(word: &str) -> Result<Place, String> {
    if word.eq_ignore_ascii_case(Split::Test.name()) {
        return Ok(Place::Test);
    }
    // pandas writes whole numbers beside a missing one as 1.0.
    let number = word.strip_suffix(".0").unwrap_or(word);
    let fold = number.parse().map_err(|_| format!("column fold: '{word}' is neither a number nor test"))?;
    Ok(Place::Fold(fold))
}

fn folds_of(places: &BTreeMap<SubjectId, Place>) -> Vec<u32> {
    let folds: BTreeSet<u32> =
        places.values().filter_map(|place| if let Place::Fold(fold) = place { Some(*fold) } else { None }).collect();
    folds.into_iter().collect()
}

/// Reads the value of `--fold`: a number, or `test`.
impl std::str::FromStr for FoldChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case(Split::Test.name()) {
            return Ok(Self::Test);
        }
        text.parse().map(Self::Fold).map_err(|_| format!("'{text}' is neither the number of a fold nor test"))
    }
}

#[cfg(test)]
mod tests;
