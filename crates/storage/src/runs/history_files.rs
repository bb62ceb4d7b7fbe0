//! The reference's history files `loss_train.txt`, `acc_train.txt`, `loss_val.txt` and `acc_val.txt`: one line per
//! epoch, in the format of NumPy's `savetxt` and `loadtxt`.

use std::io;
use std::path::{Path, PathBuf};

use super::run_dir::RunDir;
use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;
use crate::tables::numpy_text::scientific;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::EpochMetrics;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The largest history file that is read: a million epochs of 25 bytes.
const MAX_FILE: u64 = 25_000_000;

/// Loss and accuracy of every epoch from the first; all four series have the same length. Without validation images,
/// the validation values are NaN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReferenceHistory {
    /// Mean training loss.
    pub loss_train: Vec<f64>,
    /// Training accuracy, 0 to 1.
    pub acc_train: Vec<f64>,
    /// Mean validation loss.
    pub loss_val: Vec<f64>,
    /// Validation accuracy, 0 to 1.
    pub acc_val: Vec<f64>,
}

/// A history that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A file is missing or cannot be read.
    #[error("read {}", printable_path(path))]
    Unreadable { path: PathBuf, source: io::Error },
    /// A line is not a number.
    #[error("{}, line {line}: '{}' is not a number", printable_path(path), printable(text))]
    NotANumber {
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// The first characters of the line.
        text: String,
    },
    /// The files have different lengths.
    #[error("{} and loss_train.txt have different lengths: {epochs} and {expected} lines", printable_path(path))]
    Lengths {
        /// The file whose length differs from that of `loss_train.txt`.
        path: PathBuf,
        /// Its number of lines.
        epochs: usize,
        /// The number of lines in `loss_train.txt`.
        expected: usize,
    },
}

impl ReferenceHistory {
    /// Returns the number of epochs.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.loss_train.len()
    }

    /// Applies an event of the run and returns true if the history changed and the files need writing. An epoch that is
    /// repeated after a resume replaces the earlier one and all after it.
    pub fn apply(&mut self, event: &RunEvent) -> bool {
        let RunEventKind::EpochEnded(record) = &event.kind else { return false };
        let EpochMetrics { epoch, train_loss, train_accuracy, val_loss, val_accuracy, .. } = record.metrics;
        let values = [train_loss, train_accuracy, val_loss.unwrap_or(f64::NAN), val_accuracy.unwrap_or(f64::NAN)];
        let before = epoch.saturating_sub(1) as usize;
        for (series, value) in self.series_mut().into_iter().zip(values) {
            // Missing epochs leave gaps instead of shifting later ones.
            series.resize(before, f64::NAN);
            series.push(value);
        }
        true
    }

    /// Writes the four files into a run directory, each atomically.
    pub fn write(&self, run: &RunDir) -> io::Result<()> {
        for (name, series) in self.series() {
            let mut text = String::with_capacity(series.len() * 25);
            for &value in series {
                text.push_str(&scientific(value, 18));
                text.push('\n');
            }
            write_atomically(&run.history(name), text.as_bytes())?;
        }
        Ok(())
    }

    fn series(&self) -> [(&'static str, &Vec<f64>); 4] {
        [
            ("loss_train", &self.loss_train),
            ("acc_train", &self.acc_train),
            ("loss_val", &self.loss_val),
            ("acc_val", &self.acc_val),
        ]
    }

    fn series_mut(&mut self) -> [&mut Vec<f64>; 4] {
        [&mut self.loss_train, &mut self.acc_train, &mut self.loss_val, &mut self.acc_val]
    }
}

/// Reads the four files of a run directory, or of a folder written by the reference's training.
pub fn read_history(folder: &Path) -> Result<ReferenceHistory, HistoryError> {
    let run = RunDir::new(folder);
    let mut history = ReferenceHistory::default();
    let names = history.series().map(|(name, _)| name);
    for (name, series) in names.into_iter().zip(history.series_mut()) {
        *series = read_series(&run.history(name))?;
    }
    let expected = history.epochs();
    for (name, series) in history.series() {
        if series.len() != expected {
            return Err(HistoryError::Lengths { path: run.history(name), epochs: series.len(), expected });
        }
    }
    Ok(history)
}

fn read_series(path: &Path) -> Result<Vec<f64>, HistoryError> {
    let bytes = read_regular_file(path, MAX_FILE)
        .map_err(|source| HistoryError::Unreadable { path: path.to_owned(), source })?;
    String::from_utf8_lossy(&bytes)
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, text)| !text.is_empty())
        .map(|(index, text)| {
            text.parse().map_err(|_| HistoryError::NotANumber {
                path: path.to_owned(),
                line: index + 1,
                text: text.chars().take(40).collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use chrono::DateTime;

    use super::*;
    use mammoscope_domain::run::run_records::EpochRecord;

    fn epoch_ended(epoch: u32, train_loss: f64, val_loss: Option<f64>) -> RunEvent {
        let kind = RunEventKind::EpochEnded(EpochRecord {
            metrics: EpochMetrics {
                epoch,
                step: 10 * u64::from(epoch),
                train_loss,
                train_accuracy: 0.5,
                val_loss,
                val_accuracy: val_loss.map(|_| 0.25),
                val_kappa: None,
                learning_rate: 0.01,
            },
            seconds: 1.0,
        });
        RunEvent { time: DateTime::UNIX_EPOCH, kind }
    }

    #[test]
    fn histories_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut history = ReferenceHistory::default();
        for event in [epoch_ended(1, 1.0 / 3.0, Some(2e-7)), epoch_ended(2, 1e22, Some(f64::MIN_POSITIVE))] {
            assert!(history.apply(&event));
        }
        history.write(&run).unwrap();
        assert_eq!(read_history(folder.path()).unwrap(), history);
        let text = fs::read_to_string(run.history("loss_train")).unwrap();
        assert_eq!(text, "3.333333333333333148e-01\n1.000000000000000000e+22\n");
    }

    #[test]
    fn a_repeated_epoch_replaces_the_earlier_one() {
        let mut history = ReferenceHistory::default();
        for (epoch, loss) in [(1, 3.0), (2, 2.0), (3, 1.5), (2, 1.75)] {
            history.apply(&epoch_ended(epoch, loss, Some(1.0)));
        }
        assert_eq!(history.loss_train, [3.0, 1.75]);
        assert_eq!(history.epochs(), history.acc_val.len());
        history.apply(&epoch_ended(4, 1.0, None));
        assert!(history.loss_train[2].is_nan() && history.loss_val[3].is_nan());
        let other = RunEventKind::EpochsChanged { epochs: 9 };
        assert!(!history.apply(&RunEvent { time: DateTime::UNIX_EPOCH, kind: other }));
    }

    #[test]
    fn faults_are_located() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        for name in ["loss_train", "acc_train", "loss_val", "acc_val"] {
            fs::write(run.history(name), "1.0e+00\n\n5.0e-01\n").unwrap();
        }
        assert_eq!(read_history(folder.path()).unwrap().loss_val, [1.0, 0.5]);
        fs::write(run.history("acc_val"), "1.0\n").unwrap();
        assert!(
            read_history(folder.path())
                .unwrap_err()
                .to_string()
                .contains("acc_val.txt and loss_train.txt have different lengths: 1 and 2")
        );
        fs::write(run.history("acc_val"), "1.0\nepoch\u{1b}[2J\n").unwrap();
        let error = read_history(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains('\u{1b}'), "{error}");
        fs::remove_file(run.history("loss_val")).unwrap();
        assert!(read_history(folder.path()).unwrap_err().to_string().contains("loss_val.txt"));
    }

    #[test]
    fn the_references_history_survives_byte_for_byte() {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/seed/CC_R_history");
        if !reference.is_dir() {
            let _ = writeln!(io::stderr(), "skipped: {} is absent", reference.display());
            return;
        }
        let history = read_history(&reference).unwrap();
        assert_eq!(history.epochs(), 100);
        assert!(history.acc_train.iter().chain(&history.acc_val).all(|accuracy| (0.0..=1.0).contains(accuracy)));
        let folder = tempfile::tempdir().unwrap();
        history.write(&RunDir::new(folder.path())).unwrap();
        for name in ["loss_train.txt", "acc_train.txt", "loss_val.txt", "acc_val.txt"] {
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), fs::read(reference.join(name)).unwrap(), "{name}");
        }
    }
}
