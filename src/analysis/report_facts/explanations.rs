//! The output of `mammoscope explain`: scores of all maps, and the verdict of the sanity checks.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use mammoscope_domain::explanation::explanation_summary::{ExplanationSummary, ScoredMap};
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_storage::tables::map_file::{MapFileError, read_table};
use mammoscope_storage::tables::score_table::{FILE_NAME, ScoreRow, ScoreTableError, read_scores};

/// The file of the sanity checks.
const SANITY: &str = "sanity.json";

/// The scores of a folder of maps.
#[derive(Clone, Debug)]
pub struct ReportedExplanations {
    /// The method and its layer, as in `grad-cam of add_12`.
    pub method: String,
    pub by_class: [ExplanationSummary; DensityClass::COUNT],
    pub all: ExplanationSummary,
    /// The number of maps that are not sound.
    pub degenerate: usize,
    pub sanity: Option<SanityFile>,
    folder: PathBuf,
    maps: HashMap<String, (String, DensityClass)>,
}

/// What `sanity.json` says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SanityFile {
    /// `supported`, `not supported` or `undecided`.
    pub verdict: String,
    pub conditions: Vec<SanityCondition>,
}

/// A condition of the verdict.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SanityCondition {
    pub rule: String,
    pub found: String,
    pub holds: bool,
}

/// A folder that is not the output of `explain`.
#[derive(Debug, thiserror::Error)]
pub enum ExplanationFault {
    #[error("{}: no {FILE_NAME} in this folder; `mammoscope explain --out DIR` writes one", printable_path(.0))]
    NoScores(PathBuf),
    #[error(transparent)]
    Scores(#[from] ScoreTableError),
    #[error("{}: {reason}", printable_path(path))]
    Sanity { path: PathBuf, reason: String },
}

/// Reads the scores of a folder, and its sanity checks if there are any.
pub fn read_explanations(folder: &Path, bootstrap: &Bootstrap) -> Result<ReportedExplanations, ExplanationFault> {
    let table = folder.join(FILE_NAME);
    if !table.is_file() {
        return Err(ExplanationFault::NoScores(folder.to_owned()));
    }
    let rows = read_scores(&table)?;
    let scored: Vec<ScoredMap> = rows.iter().map(scored).collect();
    let all = ExplanationSummary::of(&scored, bootstrap);
    let first = rows.first();
    let method = first.map_or_else(String::new, |row| {
        if row.layer.is_empty() { row.method.clone() } else { format!("{} of {}", row.method, row.layer) }
    });
    let maps = rows.into_iter().filter(|row| !row.map_file.is_empty());
    let maps = maps.map(|row| (row.prediction.file, (row.map_file, row.explained))).collect();
    Ok(ReportedExplanations {
        method,
        by_class: ExplanationSummary::by_class(&scored, bootstrap),
        degenerate: all.degenerate(),
        all,
        sanity: read_sanity(&folder.join(SANITY))?,
        folder: folder.to_owned(),
        maps,
    })
}

fn scored(row: &ScoreRow) -> ScoredMap {
    ScoredMap {
        subject: row.prediction.subject.clone(),
        label: row.prediction.label,
        status: row.status,
        scores: row.scores,
    }
}

fn read_sanity(path: &Path) -> Result<Option<SanityFile>, ExplanationFault> {
    let fault = |reason: String| ExplanationFault::Sanity { path: path.to_owned(), reason };
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| fault(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault(error.to_string())),
    }
}

impl ReportedExplanations {
    /// The map of an image and the class that it explains; `None` if the folder has none of this image. A file is
    /// recognised by its path, or else by its name if that is unique.
    #[must_use]
    pub fn map_of(&self, image: &Path) -> Option<Result<(Raster<f32>, DensityClass), MapFileError>> {
        let text = image.to_string_lossy();
        let known = self.maps.get(text.as_ref()).or_else(|| {
            let is_same = |file: &str| Path::new(file).file_name() == image.file_name();
            let mut found = self.maps.iter().filter(|(file, _)| is_same(file));
            match (found.next(), found.next()) {
                (Some((_, known)), None) => Some(known),
                _ => None,
            }
        })?;
        let (file, class) = known;
        Some(read_table(&self.folder.join(file)).map(|table| {
            let width = table.shape.last().copied().unwrap_or(1).max(1);
            let height = table.values.len() / width;
            (Raster::new(width, height, Channels::Grey, table.values), *class)
        }))
    }
}
