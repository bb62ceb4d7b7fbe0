//! `--calibrated`: the temperatures that were fitted to the runs whose models predict.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::chosen_images::ImagesOfView;
use crate::cli::console::Console;
use mammoscope_domain::metrics::calibration_document::CalibrationDocument;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::metrics::temperature::Temperature;
use mammoscope_domain::subject::fused_case::fuse_cases;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::view::{Side, View};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::calibration_file::read_calibration;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::tables::fused_table::{FUSED_FILE, write_fused_table};

/// The temperatures of the views that are predicted, and of what is fused from them.
pub(super) struct Temperatures {
    views: BTreeMap<View, Temperature>,
    fused: BTreeMap<SetName, Temperature>,
    fusion: Fusion,
    /// The rows as predicted, to be fused.
    rows: Vec<PredictionRow>,
}

/// What `predictions.json` says of a calibration.
#[derive(Serialize)]
pub(super) struct CalibrationNote {
    fusion: &'static str,
    /// By the names of the sets: views in `predictions.csv`, the others in `fused.csv`.
    temperatures: BTreeMap<&'static str, Temperature>,
}

impl Temperatures {
    /// Reads the temperatures of the models' runs. A model without one of its own is refused.
    pub(super) fn of(groups: &[ImagesOfView<'_>], console: &Console) -> anyhow::Result<Self> {
        let mut documents: BTreeMap<View, CalibrationDocument> = BTreeMap::new();
        let mut views = BTreeMap::new();
        for group in groups {
            let (view, temperature, document) = of_view(group).context("--calibrated")?;
            views.insert(view, temperature);
            documents.insert(view, document);
        }
        let first = documents.values().next().map_or("mean", |document| document.fusion.as_str());
        if let Some(other) = documents.values().find(|document| document.fusion != first) {
            bail!(
                "--calibrated: the runs were calibrated with the fusions {} and {}; `mammoscope evaluate GROUP --calibrate` \
                 calibrates them together",
                printable(first),
                printable(&other.fusion)
            );
        }
        let fusion = [Fusion::Mean, Fusion::Max, Fusion::DenserSide].into_iter().find(|fusion| fusion.name() == first);
        let Some(fusion) = fusion else { bail!("--calibrated: '{}' is not a fusion", printable(first)) };
        let mut fused = BTreeMap::new();
        for set in [SetName::Side(Side::Right), SetName::Side(Side::Left), SetName::Total] {
            let of_set: Vec<&CalibrationDocument> =
                set.fused_views().iter().filter_map(|view| documents.get(view)).collect();
            if of_set.len() < set.fused_views().len() {
                continue;
            }
            if of_set.iter().any(|document| *document != of_set[0]) {
                console.warn(format!(
                    "{set} has no temperature, since its views were not calibrated together; `mammoscope evaluate GROUP \
                     --calibrate` does so"
                ));
                continue;
            }
            match of_set[0].temperature(set) {
                Some(temperature) => {
                    fused.insert(set, temperature);
                }
                None => console.warn(format!("{set} has no temperature: none fitted its validation cases best")),
            }
        }
        Ok(Self { views, fused, fusion, rows: Vec::new() })
    }

    /// Calibrates a row.
    pub(super) fn apply(&mut self, row: &mut PredictionRow) {
        if !self.fused.is_empty() {
            self.rows.push(row.clone());
        }
        if let Some(temperature) = row.view.and_then(|view| self.views.get(&view)) {
            row.probabilities = temperature.apply(&row.probabilities);
        }
    }

    /// Writes the fused predictions, each calibrated after the fusion, beside those of the views.
    pub(super) fn write_fused(&self, out: &Path, console: &Console) -> anyhow::Result<()> {
        if self.fused.is_empty() {
            return Ok(());
        }
        let mut sets = Vec::new();
        for (&set, temperature) in &self.fused {
            let (mut cases, ambiguous) = fuse_cases(&self.rows, set.fused_views(), self.fusion);
            for case in &mut cases {
                case.probabilities = temperature.apply(&case.probabilities);
            }
            if ambiguous > 0 {
                let cases = counted(ambiguous, "case");
                console.warn(format!("{FUSED_FILE} lacks {cases} of {set} in which a view occurs repeatedly"));
            }
            sets.push((set, cases));
        }
        write_fused_table(out, &sets).with_context(|| format!("write to {}", printable_path(out)))
    }

    pub(super) fn note(&self) -> CalibrationNote {
        let views = self.views.iter().map(|(view, temperature)| (view.name(), *temperature));
        let fused = self.fused.iter().map(|(set, temperature)| (set.name(), *temperature));
        CalibrationNote { fusion: self.fusion.name(), temperatures: views.chain(fused).collect() }
    }
}

/// The temperature of a view's model.
fn of_view(group: &ImagesOfView<'_>) -> anyhow::Result<(View, Temperature, CalibrationDocument)> {
    let path = group.model.path.as_path();
    let Some(run) = RunDir::of_model(path) else {
        bail!(
            "{} is not in a run, and only runs have calibrations; `mammoscope evaluate RUN --calibrate` fits one, and --model \
             RUN uses it",
            printable_path(path)
        )
    };
    let document = read_calibration(&run)?;
    let name = printable(&run.name());
    let is_best = |best: &Path| fs::canonicalize(best).ok() == fs::canonicalize(path).ok();
    if !best_checkpoint(&run).is_ok_and(|best| is_best(&best)) {
        bail!("{} is not the best checkpoint of {name}, to which its calibration was fitted", printable_path(path));
    }
    let trained = group.model.metadata.view;
    let Some(view) = group.view.filter(|view| trained == Some(*view)) else {
        bail!("{name} was calibrated on {}, and would predict {}", trained.map_or("images", View::name), group.name())
    };
    match document.temperature(SetName::View(view)) {
        Some(temperature) => Ok((view, temperature, document)),
        None => bail!("{name} has no temperature; `mammoscope evaluate {name} --calibrate` fits one"),
    }
}
