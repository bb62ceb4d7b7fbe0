//! `scores.csv`: the scores of the explanation map of each image.

mod reader;

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::atomic_file::AtomicFile;
use mammoscope_domain::explanation::explanation_scores::{DenseSource, ExplanationScores};
use mammoscope_domain::explanation::explanation_summary::{SCORE_COUNT, Score};
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::view::View;

pub use self::reader::{ScoreTableError, read_scores};

/// The file name of the table in a folder of explanations.
pub const FILE_NAME: &str = "scores.csv";

/// The columns before the scores.
const IDENTITY: [&str; 15] = [
    "file",
    "subject",
    "exam",
    "view",
    "label",
    "predicted",
    "p_A",
    "p_B",
    "p_C",
    "p_D",
    "explained",
    "method",
    "layer",
    "status",
    "dense_source",
];
/// The columns of the map itself: after the localisation scores, before the measured ones.
const MAP: [&str; 2] = ["positions", "map_file"];
static ALL_SCORES: [Score; SCORE_COUNT] = Score::ALL;
/// The number of measured scores (insertion and deletion), which come last.
const MEASURED: usize = 2;

/// One explained image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// The image and its prediction.
    pub prediction: PredictionRow,
    pub explained: DensityClass,
    pub method: String,
    /// The layer of the map; empty for methods that need none.
    pub layer: String,
    pub status: MapStatus,
    /// The origin of the dense-tissue mask.
    pub dense_source: DenseSource,
    /// The scores; undefined ones are empty.
    pub scores: ExplanationScores,
    /// Rows and columns of the map before upsampling.
    pub positions: (usize, usize),
    /// The path of the map file, relative to the folder; unique even for images that share a name.
    pub map_file: String,
}

/// All columns in writing order.
pub fn columns() -> impl Iterator<Item = &'static str> {
    let (localised, measured) = ALL_SCORES.split_at(SCORE_COUNT - MEASURED);
    let names = |scores: &'static [Score]| scores.iter().map(|score| score.name());
    IDENTITY.into_iter().chain(names(localised)).chain(MAP).chain(names(measured))
}

/// Writes `scores.csv` row by row; it appears at [`ScoreWriter::finish`], and a writer that is dropped before leaves
/// nothing behind. Fields are quoted according to RFC 4180; unknown and undefined values are empty.
///
/// `create → write* → finish`.
pub struct ScoreWriter {
    table: csv::Writer<AtomicFile>,
}

impl ScoreWriter {
    /// Starts the table in a folder, which must exist.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let mut table = csv::Writer::from_writer(AtomicFile::create(&folder.join(FILE_NAME))?);
        table.write_record(columns())?;
        Ok(Self { table })
    }

    /// Appends a row.
    pub fn write(&mut self, row: &ScoreRow) -> io::Result<()> {
        Ok(self.table.write_record(record(row))?)
    }

    /// Moves the table into place.
    pub fn finish(self) -> io::Result<()> {
        self.table.into_inner().map_err(csv::IntoInnerError::into_error)?.commit()
    }
}

/// The fields of a row, in the order of [`columns`].
pub(super) fn record(row: &ScoreRow) -> Vec<String> {
    let of = &row.prediction;
    let mut record = Vec::with_capacity(IDENTITY.len() + MAP.len() + SCORE_COUNT);
    record.extend([
        of.file.clone(),
        of.subject.0.clone(),
        of.exam.as_ref().map_or_else(String::new, |exam| exam.0.clone()),
        of.view.map_or("", View::name).to_owned(),
        of.label.map_or("", |label| label.letter()).to_owned(),
        of.predicted.letter().to_owned(),
    ]);
    record.extend(of.probabilities.0.map(|probability| number(Some(probability))));
    record.extend([
        row.explained.letter().to_owned(),
        row.method.clone(),
        row.layer.clone(),
        row.status.name().to_owned(),
        row.dense_source.name().to_owned(),
    ]);
    let (rows, columns) = row.positions;
    let (localised, measured) = ALL_SCORES.split_at(SCORE_COUNT - MEASURED);
    let numbers = |scores: &'static [Score]| scores.iter().map(|score| number(score.of(&row.scores)));
    record.extend(numbers(localised));
    record.extend([format!("{rows}x{columns}"), row.map_file.clone()]);
    record.extend(numbers(measured));
    record
}

/// Formats a value with nine decimals, more than the precision of a map.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.9}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use mammoscope_domain::subject::probabilities::Probabilities;
    use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};

    fn row() -> ScoreRow {
        let prediction = PredictionRow {
            file: "odd, name_1_C_CC_R.png".to_owned(),
            subject: SubjectId("124".to_owned()),
            exam: Some(ExamId("1".to_owned())),
            view: Some(View::CcR),
            label: None,
            predicted: DensityClass::C,
            probabilities: Probabilities([0.0, 0.25, 0.5, 0.25]),
        };
        let scores = ExplanationScores {
            dense_energy: Some(0.5),
            pointing_hit: Some(true),
            insertion_area: Some(1.0 / 3.0),
            ..ExplanationScores::default()
        };
        ScoreRow {
            prediction,
            explained: DensityClass::D,
            method: "grad-cam".to_owned(),
            layer: "add_12".to_owned(),
            status: MapStatus::Sound,
            dense_source: DenseSource::Mask,
            scores,
            positions: (21, 21),
            map_file: "CC_R/unlabelled/odd, name_1_C_CC_R_2_map.npy".to_owned(),
        }
    }

    #[test]
    fn a_table_appears_only_when_finished() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ScoreWriter::create(folder.path()).unwrap();
        writer.write(&row()).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut writer = ScoreWriter::create(folder.path()).unwrap();
        writer.write(&row()).unwrap();
        writer.finish().unwrap();
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        let expected = "\
file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D,explained,method,layer,status,dense_source,breast_energy,outside_energy,\
skin_energy,dense_energy,dense_area,dense_enrichment,pointing_hit,dense_iou,grey_spearman,positions,map_file,insertion_area,deletion_area
\"odd, name_1_C_CC_R.png\",124,1,CC_R,,C,0.000000000,0.250000000,0.500000000,0.250000000,D,grad-cam,add_12,sound,mask,,,,\
0.500000000,,,1.000000000,,,21x21,\"CC_R/unlabelled/odd, name_1_C_CC_R_2_map.npy\",0.333333333,
";
        assert_eq!(text, expected);
        assert!(ScoreWriter::create(&folder.path().join("nowhere")).is_err());
    }

    #[test]
    fn columns_are_distinct() {
        let mut names: Vec<_> = columns().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
