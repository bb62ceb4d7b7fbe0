//! Predictions that a run has stored, checked before they count as its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::inputs::Predictions;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::tables::prediction_table::read_table;

/// Reads the stored predictions of a split. Fails if there are none, if they are older than the best checkpoint `model`,
/// or if they are of other images than the manifest's.
pub(super) fn stored_predictions(
    run: &RunDir,
    manifest: &DatasetManifest,
    model: &Path,
    split: Split,
) -> anyhow::Result<Predictions> {
    let name = printable(&run.name());
    let table = run.prediction_table(split, "csv");
    if !table.is_file() {
        bail!(
            "{name} has stored no {split} predictions; its trainer does so at its end, and `evaluate` without --stored"
        );
    }
    let written = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified());
    if let (Ok(predicted), Ok(trained)) = (written(&table), written(model))
        && predicted < trained
    {
        bail!(
            "the {split} predictions that {name} has stored are older than its best checkpoint; evaluate it without --stored"
        );
    }
    let rows = read_table(&table).with_context(|| format!("the stored predictions of {name}"))?;
    let stored: BTreeSet<&str> = rows.iter().map(|row| row.file.as_str()).collect();
    let expected: BTreeSet<String> =
        manifest.of_split(split).map(|(_, sample)| sample.file.to_string_lossy().into_owned()).collect();
    if let Some(foreign) = stored.iter().find(|file| !expected.contains(**file)) {
        bail!("{name} has stored predictions of {}, which is not among its {split} images", printable(foreign));
    }
    let missing = expected.len() - stored.len();
    if missing > 0 {
        bail!(
            "{name} has stored predictions of {} of its {} {split} images; evaluate it without --stored",
            stored.len(),
            expected.len()
        );
    }
    let baseline = manifest.baseline_rows(split);
    Ok(Predictions { paths: vec![table], rows, baseline, folds: None })
}
