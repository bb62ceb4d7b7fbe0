//! Reads `scores.csv`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::ScoreRow;
use crate::regular_file::read_regular_file;
use mammoscope_domain::explanation::explanation_scores::{DenseSource, ExplanationScores};
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::text::printable::{printable, printable_path};

/// The largest file that is read; a million rows take 300 MB.
const MAX_BYTES: u64 = 1 << 30;

/// A file that is not a table of scores.
#[derive(Debug, thiserror::Error)]
pub enum ScoreTableError {
    #[error("read {}: {source}", printable_path(path))]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: not a table of scores: {reason}", printable_path(path))]
    NotATable { path: PathBuf, reason: String },
    #[error("{}:{line}: {reason}", printable_path(path))]
    BadLine { path: PathBuf, line: u64, reason: String },
}

/// Reads a table that `mammoscope explain` wrote. Columns are found by name.
pub fn read_scores(path: &Path) -> Result<Vec<ScoreRow>, ScoreTableError> {
    let bytes = read_regular_file(path, MAX_BYTES)
        .map_err(|source| ScoreTableError::Unreadable { path: path.to_owned(), source })?;
    let not_a_table = |reason: String| ScoreTableError::NotATable { path: path.to_owned(), reason };
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().map_err(|error| not_a_table(error.to_string()))?.clone();
    let places: HashMap<&str, usize> = header.iter().enumerate().map(|(place, name)| (name, place)).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| not_a_table(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |name: &str| places.get(name).and_then(|&place| record.get(place));
        let row = row(field).map_err(|reason| ScoreTableError::BadLine { path: path.to_owned(), line, reason })?;
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(not_a_table("there are no scores in it".to_owned()));
    }
    Ok(rows)
}

fn row<'r>(field: impl Fn(&str) -> Option<&'r str>) -> Result<ScoreRow, String> {
    let text = |name: &str| field(name).ok_or_else(|| format!("the column {name} is missing"));
    let bad = |name: &str, value: &str| format!("column {name}: {} is not expected here", printable(value));
    let optional = |name: &str| -> Result<Option<f64>, String> {
        match field(name).unwrap_or_default() {
            "" => Ok(None),
            value => {
                value.parse().ok().filter(|value: &f64| value.is_finite()).map(Some).ok_or_else(|| bad(name, value))
            }
        }
    };
    let class = |name: &str| text(name).and_then(|value| value.parse().map_err(|_| bad(name, value)));
    let probability = |name: &str| optional(name)?.ok_or_else(|| format!("the column {name} is empty"));
    let probabilities = [probability("p_A")?, probability("p_B")?, probability("p_C")?, probability("p_D")?];
    let positions = text("positions")?;
    let sides = positions.split_once('x').and_then(|(rows, columns)| Some((rows.parse().ok()?, columns.parse().ok()?)));
    let status = text("status")?;
    let dense = text("dense_source")?;
    let sources = [DenseSource::Mask, DenseSource::Rule, DenseSource::None];
    let named = |name: &str| field(name).filter(|value| !value.is_empty());
    Ok(ScoreRow {
        prediction: PredictionRow {
            file: text("file")?.to_owned(),
            subject: SubjectId(text("subject")?.to_owned()),
            exam: named("exam").map(|exam| ExamId(exam.to_owned())),
            view: named("view").map(|view| view.parse().map_err(|_| bad("view", view))).transpose()?,
            label: named("label").map(|label| label.parse().map_err(|_| bad("label", label))).transpose()?,
            predicted: class("predicted")?,
            probabilities: Probabilities(probabilities),
        },
        explained: class("explained")?,
        method: text("method")?.to_owned(),
        layer: text("layer")?.to_owned(),
        status: MapStatus::ALL.into_iter().find(|known| known.name() == status).ok_or_else(|| bad("status", status))?,
        dense_source: sources
            .into_iter()
            .find(|known| known.name() == dense)
            .ok_or_else(|| bad("dense_source", dense))?,
        scores: ExplanationScores {
            breast_energy: optional("breast_energy")?,
            outside_energy: optional("outside_energy")?,
            skin_energy: optional("skin_energy")?,
            dense_energy: optional("dense_energy")?,
            dense_area: optional("dense_area")?,
            dense_enrichment: optional("dense_enrichment")?,
            pointing_hit: optional("pointing_hit")?.map(|hit| hit > 0.5),
            dense_iou: optional("dense_iou")?,
            grey_spearman: optional("grey_spearman")?,
            insertion_area: optional("insertion_area")?,
            deletion_area: optional("deletion_area")?,
        },
        positions: sides.ok_or_else(|| bad("positions", positions))?,
        map_file: text("map_file")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{FILE_NAME, ScoreWriter};
    use super::*;
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::view::View;

    fn written() -> ScoreRow {
        ScoreRow {
            prediction: PredictionRow {
                file: "odd, name.png".to_owned(),
                subject: SubjectId("7".to_owned()),
                exam: None,
                view: Some(View::MloL),
                label: Some(DensityClass::B),
                predicted: DensityClass::C,
                probabilities: Probabilities([0.125, 0.25, 0.5, 0.125]),
            },
            explained: DensityClass::D,
            method: "grad-cam".to_owned(),
            layer: "add_12".to_owned(),
            status: MapStatus::AllZero,
            dense_source: DenseSource::Rule,
            scores: ExplanationScores {
                dense_enrichment: Some(1.5),
                pointing_hit: Some(false),
                ..ExplanationScores::default()
            },
            positions: (21, 13),
            map_file: "MLO_L/B/odd, name_map.npy".to_owned(),
        }
    }

    #[test]
    fn rows_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ScoreWriter::create(folder.path()).unwrap();
        let mut other = written();
        (other.prediction.label, other.prediction.view, other.layer) = (None, None, String::new());
        writer.write(&written()).unwrap();
        writer.write(&other).unwrap();
        writer.finish().unwrap();
        assert_eq!(read_scores(&folder.path().join(FILE_NAME)).unwrap(), [written(), other]);
    }

    #[test]
    fn faults_name_the_line_and_the_column() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let mut writer = ScoreWriter::create(folder.path()).unwrap();
        writer.write(&written()).unwrap();
        writer.finish().unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        for (from, to, expected) in [
            ("all_zero", "fine", ":2: column status: fine is not expected here"),
            ("1.500000000", "x", ":2: column dense_enrichment: x is not expected here"),
            ("21x13", "21", ":2: column positions: 21 is not expected here"),
            (",map_file", ",maps", ":2: the column map_file is missing"),
            (",0.125000000,D", ",,D", ":2: the column p_D is empty"),
        ] {
            std::fs::write(&path, whole.replacen(from, to, 1)).unwrap();
            let error = read_scores(&path).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
        std::fs::write(&path, whole.lines().next().unwrap()).unwrap();
        assert!(read_scores(&path).unwrap_err().to_string().ends_with("there are no scores in it"));
        assert!(matches!(read_scores(folder.path()), Err(ScoreTableError::Unreadable { .. })));
    }
}
