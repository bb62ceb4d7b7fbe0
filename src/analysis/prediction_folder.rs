//! Predictions of a folder or a table, such as `mammoscope predict` writes.

use std::path::{Path, PathBuf};

use super::kept_evaluation::KeptPredictions;
use mammoscope_domain::metrics::evaluation_set::EvaluationSet;
use mammoscope_domain::subject::examination::InconsistentRows;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::tables::prediction_table::{FILE_NAME, TableError, read_table};

/// The reason why a folder or table cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum PredictionFolderError {
    #[error("{}: no such file or folder", printable_path(.0))]
    Missing(PathBuf),
    #[error("{}: no {FILE_NAME} in this folder; `mammoscope predict --out DIR` writes one", printable_path(.0))]
    NoTable(PathBuf),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("{}: none of the {rows} predictions has a true class to compare with", printable_path(path))]
    Unlabelled { path: PathBuf, rows: usize },
    #[error("{}: {}", printable_path(path), first_line(error))]
    Inconsistent { path: PathBuf, error: InconsistentRows },
}

/// Reads the table of a folder, or the table itself. The images are looked for beside it and in these data sets.
pub fn read_prediction_folder(path: &Path, data: &[PathBuf]) -> Result<KeptPredictions, PredictionFolderError> {
    if !path.exists() {
        return Err(PredictionFolderError::Missing(path.to_owned()));
    }
    let table = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
    if !table.exists() {
        return Err(PredictionFolderError::NoTable(path.to_owned()));
    }
    let rows = read_table(&table)?;
    let unlabelled = rows.iter().filter(|row| row.label.is_none()).count();
    if unlabelled == rows.len() {
        return Err(PredictionFolderError::Unlabelled { path: path.to_owned(), rows: rows.len() });
    }
    let mut sets = EvaluationSet::of_rows(&rows, Fusion::Mean)
        .map_err(|error| PredictionFolderError::Inconsistent { path: path.to_owned(), error })?;
    sets.retain(|set| !set.cases.is_empty());
    let problems = if unlabelled > 0 {
        vec![format!("{unlabelled} of {} predictions have no true class", rows.len())]
    } else {
        Vec::new()
    };
    let folder = table.parent().unwrap_or(Path::new("."));
    let images = rows.iter().map(|row| image_of(row, folder, data)).collect();
    Ok(KeptPredictions { split: None, rows, images, sets, baseline: Vec::new(), problems })
}

/// The image of a row: a table names files as their data set does, without its folder. An image that is not found keeps
/// the name in the table.
fn image_of(row: &PredictionRow, folder: &Path, data: &[PathBuf]) -> PathBuf {
    let folders = std::iter::once(folder).chain(data.iter().map(PathBuf::as_path));
    let found = folders.map(|folder| folder.join(&row.file)).find(|image| image.exists());
    found.unwrap_or_else(|| PathBuf::from(&row.file))
}

fn first_line(error: &InconsistentRows) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_end_matches(':').to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HEADER: &str = "file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D\n";

    fn read(table: &str) -> Result<KeptPredictions, PredictionFolderError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), format!("{HEADER}{table}")).unwrap();
        read_prediction_folder(folder.path(), &[])
    }

    #[test]
    fn a_labelled_table_is_evaluated_per_view_and_breast() {
        let kept =
            read("a.png,1,1,CC_R,A,A,.7,.1,.1,.1\nb.png,1,1,MLO_R,A,B,.1,.7,.1,.1\nc.png,2,1,CC_R,,B,.1,.7,.1,.1\n");
        let kept = kept.unwrap();
        let names: Vec<_> = kept.sets.iter().map(|set| set.name.name()).collect();
        assert_eq!(names, ["CC_R", "MLO_R", "right"]);
        assert_eq!((kept.split, kept.rows.len()), (None, 3));
        assert_eq!(kept.problems, ["1 of 3 predictions have no true class"]);
    }

    #[test]
    fn images_are_looked_for_in_the_data_sets() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("a.png"), "").unwrap();
        let table = format!("{HEADER}a.png,1,1,CC_R,A,A,.7,.1,.1,.1\nb.png,2,1,CC_R,A,A,.7,.1,.1,.1\n");
        fs::write(folder.path().join(FILE_NAME), table).unwrap();
        let kept = read_prediction_folder(folder.path(), &["/nowhere".into(), data.clone()]).unwrap();
        assert_eq!(kept.images, [data.join("a.png"), PathBuf::from("b.png")]);
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused_by_name() {
        let text = |table: &str| read(table).unwrap_err().to_string();
        assert!(
            text("a.png,1,1,CC_R,,A,.7,.1,.1,.1\n")
                .ends_with("none of the 1 predictions has a true class to compare with")
        );
        assert!(text("a.png,1\n").contains("predictions.csv"), "{}", text("a.png,1\n"));
        let folder = tempfile::tempdir().unwrap();
        let error = read_prediction_folder(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("no predictions.csv in this folder"), "{error}");
        let error = read_prediction_folder(&folder.path().join("nowhere"), &[]).unwrap_err().to_string();
        assert!(error.ends_with("nowhere: no such file or folder"), "{error}");
    }
}
