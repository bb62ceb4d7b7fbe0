//! The scanners of evaluated images, from the record of preprocessing beside them.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::analysis::kept_evaluation::KeptPredictions;
use crate::tui::protocol::evaluate::Subgroup;
use mammoscope_dataset::audit::{PREPROCESS_MANIFEST, PreprocessManifest};
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::metrics::evaluation_set::EvaluationSet;
use mammoscope_domain::subject::prediction::{LabelledPrediction, PredictionRow};
use mammoscope_domain::text::printable::printable;

/// The scanner of each row; `None` where it is not known.
pub(super) struct Scanners(Vec<Option<String>>);

impl Scanners {
    /// Reads the records in the folders of the images.
    pub(super) fn of(kept: &KeptPredictions) -> Self {
        let mut manifests: HashMap<PathBuf, Option<PreprocessManifest>> = HashMap::new();
        let of_row = |(row, image): (&PredictionRow, &PathBuf)| {
            let root = root_of(image, &row.file)?;
            let manifest = manifests.entry(root.clone()).or_insert_with(|| read_manifest(&root));
            manifest.as_ref()?.scanner(&row.file.replace('\\', "/")).map(printable)
        };
        Self(kept.rows.iter().zip(&kept.images).map(of_row).collect())
    }

    /// The metrics of the cases of each scanner, if there are several. A fused case has the scanner of its first view.
    pub(super) fn subgroups(&self, set: &EvaluationSet, rows: &[Vec<usize>], bootstrap: Bootstrap) -> Vec<Subgroup> {
        let mut by_scanner: BTreeMap<&str, Vec<LabelledPrediction>> = BTreeMap::new();
        for (case, rows) in set.cases.iter().zip(rows) {
            let scanner = rows.iter().find_map(|row| self.0.get(*row)?.as_deref());
            by_scanner.entry(scanner.unwrap_or("scanner unknown")).or_default().push(case.clone());
        }
        if by_scanner.len() < 2 {
            return Vec::new();
        }
        let group = |(name, cases): (&str, Vec<LabelledPrediction>)| {
            Some(Subgroup { name: name.to_owned(), evaluation: Evaluation::of(&cases, bootstrap)? })
        };
        by_scanner.into_iter().filter_map(group).collect()
    }
}

/// The folder of the data set: that of the image without the part that the table names.
fn root_of(image: &Path, file: &str) -> Option<PathBuf> {
    let depth = Path::new(file).components().count();
    image.ends_with(file).then(|| image.ancestors().nth(depth).map(Path::to_owned)).flatten()
}

fn read_manifest(root: &Path) -> Option<PreprocessManifest> {
    let file = File::open(root.join(PREPROCESS_MANIFEST)).ok()?;
    PreprocessManifest::read(BufReader::new(file)).ok()
}
