//! Figures of parts of the cases: those of each scanner, site, or other value of a column.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mammoscope_dataset::audit::PreprocessManifest;
use mammoscope_domain::metrics::bootstrap::{Bootstrap, Interval};
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::text::table::{Column, TableFault, TableText};
use mammoscope_storage::regular_file::read_regular_file;

/// Columns that divide cases into groups whose figures are expected to differ.
const GROUPING: [&str; 16] = [
    "scanner",
    "manufacturer",
    "vendor",
    "device",
    "model",
    "site",
    "centre",
    "center",
    "hospital",
    "institution",
    "clinic",
    "country",
    "ethnicity",
    "race",
    "age_group",
    "implant",
];
/// The names of a column that names a subject, and of one that names an image.
const SUBJECT: &[&str] = &["subject", "subject_id", "patient", "patient_id", "id"];
const FILE: &[&str] = &["file", "filename", "file_name", "image", "image_id", "path"];
/// The columns of a table with subjects, and of one with images only.
const BY_SUBJECT: [Column; 2] = [Column::required(SUBJECT), Column::optional(FILE)];
const BY_FILE: [Column; 2] = [Column::optional(SUBJECT), Column::required(FILE)];
/// A column with more values is not a grouping.
const MOST_GROUPS: usize = 24;
const MOST_BYTES: u64 = 256 << 20;

/// The figures of the groups of one column.
#[derive(Clone, Debug)]
pub struct GroupedFigures {
    /// The column, safe to print.
    pub column: String,
    pub groups: Vec<GroupFigures>,
}

/// The figures of one group, of the set that fuses the most views.
#[derive(Clone, Debug)]
pub struct GroupFigures {
    /// The value of the column, safe to print.
    pub value: String,
    /// The set, as in `total`.
    pub set: &'static str,
    pub n: usize,
    pub subjects: usize,
    pub accuracy: Option<f64>,
    pub kappa_linear: Option<f64>,
    pub interval: Option<Interval>,
    pub auc_dense: Option<f64>,
}

/// A table without a grouping.
#[derive(Debug, thiserror::Error)]
pub enum LabelGroupFault {
    #[error("read {}: {error}", printable_path(path))]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{}: {reason}", printable_path(path))]
    NotATable { path: PathBuf, reason: String },
    #[error(
        "{}: no column names a subject or an image (subject, patient_id, file, image_id …), so its rows cannot be matched",
        printable_path(.0)
    )]
    NoKey(PathBuf),
    #[error("{}: no column divides the cases, such as {}", printable_path(.0), GROUPING[..6].join(", "))]
    NoColumn(PathBuf),
}

/// The values of the columns that divide cases, by subject or by file.
#[derive(Clone, Debug)]
pub struct LabelGroups {
    columns: Vec<(String, Values)>,
}

#[derive(Clone, Debug, Default)]
struct Values {
    by_subject: BTreeMap<IdKey, String>,
    by_file: BTreeMap<String, String>,
}

impl Values {
    fn of(&self, row: &PredictionRow) -> Option<&String> {
        stem(&row.file)
            .and_then(|stem| self.by_file.get(&stem))
            .or_else(|| self.by_subject.get(&IdKey::of(&row.subject.0)))
    }
}

/// The file name without its folder and extension.
fn stem(file: &str) -> Option<String> {
    Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned())
}

impl LabelGroups {
    /// Reads the columns of a label table that divide its cases.
    pub fn read(path: &Path) -> Result<Self, LabelGroupFault> {
        let not_a_table = |reason: String| LabelGroupFault::NotATable { path: path.to_owned(), reason };
        let bytes = read_regular_file(path, MOST_BYTES)
            .map_err(|error| LabelGroupFault::Unreadable { path: path.to_owned(), error })?;
        let text = TableText::of(&bytes).map_err(|fault| not_a_table(fault.to_string()))?;
        let found = match text.table(&BY_SUBJECT) {
            Err(TableFault::Missing { .. }) => text.table(&BY_FILE),
            found => found,
        };
        let mut table = match found {
            Err(TableFault::Missing { .. }) => return Err(LabelGroupFault::NoKey(path.to_owned())),
            found => found.map_err(|fault| not_a_table(fault.to_string()))?,
        };
        let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
        let mut columns: Vec<(usize, String, Values)> = table
            .other_columns()
            .filter(|(_, name)| GROUPING.contains(&plain(name).as_str()))
            .map(|(place, name)| (place, printable(name), Values::default()))
            .collect();
        while let Some(row) = table.next_row() {
            let field = |column: usize| {
                let text = row.text(column).map_err(|fault| not_a_table(format!("line {}: {fault}", row.line)))?;
                Ok((!text.is_empty()).then_some(text))
            };
            let (subject, file): (Option<&str>, Option<&str>) = (field(0)?, field(1)?);
            for (place, _, values) in &mut columns {
                let value = row.bytes_at(*place).map(String::from_utf8_lossy).unwrap_or_default();
                let value = printable(value.trim());
                if value.is_empty() {
                    continue;
                }
                match (file, subject) {
                    (Some(file), _) => {
                        values.by_file.extend(stem(file).map(|stem| (stem, value)));
                    }
                    (None, Some(subject)) => {
                        values.by_subject.insert(IdKey::of(subject), value);
                    }
                    (None, None) => {}
                }
            }
        }
        if columns.is_empty() {
            return Err(LabelGroupFault::NoColumn(path.to_owned()));
        }
        Ok(Self { columns: columns.into_iter().map(|(_, name, values)| (name, values)).collect() })
    }

    /// The figures of the groups of every column with at least two groups among the rows.
    #[must_use]
    pub fn figures(&self, rows: &[PredictionRow], fusion: Fusion, bootstrap: Bootstrap) -> Vec<GroupedFigures> {
        let of_column = |(column, values): &(String, Values)| {
            grouped(column, rows, |row| values.of(row).cloned(), fusion, bootstrap)
        };
        self.columns.iter().filter_map(of_column).collect()
    }
}

/// The figures for each scanner that preprocessing recorded; `None` with fewer than two.
#[must_use]
pub fn scanner_groups(
    manifest: &PreprocessManifest,
    rows: &[PredictionRow],
    fusion: Fusion,
    bootstrap: Bootstrap,
) -> Option<GroupedFigures> {
    grouped("scanner", rows, |row| manifest.scanner(&row.file).map(printable), fusion, bootstrap)
}

fn grouped(
    column: &str,
    rows: &[PredictionRow],
    value: impl Fn(&PredictionRow) -> Option<String>,
    fusion: Fusion,
    bootstrap: Bootstrap,
) -> Option<GroupedFigures> {
    let mut groups: BTreeMap<String, Vec<PredictionRow>> = BTreeMap::new();
    for row in rows {
        groups.entry(value(row).unwrap_or_else(|| "not stated".to_owned())).or_default().push(row.clone());
    }
    let stated: BTreeSet<&String> = groups.keys().filter(|value| *value != "not stated").collect();
    if stated.is_empty() || groups.len() < 2 || groups.len() > MOST_GROUPS {
        return None;
    }
    // All groups are compared by the set that exists in each of them.
    let sets: Vec<(String, Vec<EvaluationSet>)> = groups
        .into_iter()
        .filter_map(|(value, rows)| Some((value, EvaluationSet::of_rows(&rows, fusion).ok()?)))
        .filter(|(_, sets)| !sets.is_empty())
        .collect();
    let common = SetName::ALL
        .into_iter()
        .rev()
        .find(|name| sets.iter().all(|(_, sets)| sets.iter().any(|set| set.name == *name && !set.cases.is_empty())))?;
    let figures = sets.iter().filter_map(|(value, sets)| {
        let set = sets.iter().find(|set| set.name == common)?;
        let Evaluation { n, figures, intervals, .. } = Evaluation::of(&set.cases, bootstrap)?;
        Some(GroupFigures {
            value: value.clone(),
            set: common.name(),
            n,
            subjects: set.subjects(),
            accuracy: figures.accuracy,
            kappa_linear: figures.kappa_linear,
            interval: intervals.figures.kappa_linear,
            auc_dense: figures.auc_dense_sum,
        })
    });
    let groups: Vec<GroupFigures> = figures.collect();
    (groups.len() > 1).then(|| GroupedFigures { column: column.to_owned(), groups })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::probabilities::Probabilities;
    use mammoscope_domain::subject::subject_id::SubjectId;
    use mammoscope_domain::subject::view::View;

    fn rows() -> Vec<PredictionRow> {
        let row = |subject: u32| {
            let probabilities =
                Probabilities(if subject.is_multiple_of(2) { [0.0, 0.9, 0.1, 0.0] } else { [0.0, 0.1, 0.9, 0.0] });
            PredictionRow {
                file: format!("B/{subject}_1_B_CC_R.png"),
                subject: SubjectId(subject.to_string()),
                exam: None,
                view: Some(View::CcR),
                label: Some(DensityClass::B),
                predicted: probabilities.most_probable(),
                probabilities,
            }
        };
        (1..=6).map(row).collect()
    }

    fn figures(table: &str) -> Result<Vec<GroupedFigures>, LabelGroupFault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        std::fs::write(&path, table).unwrap();
        LabelGroups::read(&path).map(|groups| groups.figures(&rows(), Fusion::Mean, Bootstrap::NONE))
    }

    /// Value, cases and accuracy of a group.
    type Shown<'f> = (&'f str, usize, Option<f64>);

    fn shown(found: &[GroupedFigures]) -> Vec<(&str, Vec<Shown<'_>>)> {
        fn groups(figures: &GroupedFigures) -> Vec<Shown<'_>> {
            figures.groups.iter().map(|group| (group.value.as_str(), group.n, group.accuracy)).collect()
        }
        found.iter().map(|figures| (figures.column.as_str(), groups(figures))).collect()
    }

    #[test]
    fn rows_are_matched_by_subject_or_by_file() {
        let found = figures("Patient ID;Scanner;density\n001;one;B\n2;two;B\n3;one;C\n4;two;B\n5;<i>;A\n").unwrap();
        let groups =
            vec![("<i>", 1, Some(0.0)), ("not stated", 1, Some(1.0)), ("one", 2, Some(0.0)), ("two", 2, Some(1.0))];
        assert_eq!(shown(&found), [("Scanner", groups)]);
        let found = figures("file,site,model\n2_1_B_CC_R.dcm,X,m\n3_1_B_CC_R.dcm,Y,m\n").unwrap();
        let groups = |values: &[(&'static str, usize, f64)]| {
            values.iter().map(|(value, n, share)| (*value, *n, Some(*share))).collect::<Vec<_>>()
        };
        let of_site = groups(&[("X", 1, 1.0), ("Y", 1, 0.0), ("not stated", 4, 0.5)]);
        let of_model = groups(&[("m", 2, 0.5), ("not stated", 4, 0.5)]);
        assert_eq!(shown(&found), [("site", of_site), ("model", of_model)]);
    }

    #[test]
    fn tables_without_groups_are_refused_by_name() {
        let error = |table: &str| figures(table).unwrap_err().to_string();
        assert!(error("a,scanner\n1,x\n").contains("no column names a subject or an image"));
        assert!(error("subject,label\n1,B\n").contains("no column divides the cases, such as scanner"));
        assert!(error("").contains("the file is empty"), "{}", error(""));
        assert!(figures("subject,site\n9,X\n").unwrap().is_empty(), "no group among the rows");
    }
}
