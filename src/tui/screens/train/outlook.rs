//! What will happen: images, devices, memory and time of the training that is asked for.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::form::TrainForm;
use mammoscope_dataset::manifest::ManifestSet;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_domain::training::step_timing::{EpochImages, StepTiming};
use mammoscope_domain::training::training_config::{OptimizerKind, ScheduleKind, TrainingConfig};

/// What a data set gives for the views and splits that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct DataOutlook {
    /// Its root, absolute.
    pub(in crate::tui) root: PathBuf,
    /// Where the splits come from.
    pub(in crate::tui) source: SplitSource,
    /// The views, one run each.
    pub(in crate::tui) views: Vec<ViewImages>,
    /// What is doubtful, each in one line that is safe to print.
    pub(in crate::tui) warnings: Vec<String>,
    /// Bytes left in the workspace.
    pub(in crate::tui) free: Option<u64>,
}

/// The images of a view: by split, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct ViewImages {
    pub(in crate::tui) view: View,
    pub(in crate::tui) counts: [[usize; DensityClass::COUNT]; 3],
}

impl ViewImages {
    /// Images of a split.
    pub(super) fn of_split(&self, split: Split) -> usize {
        self.counts[split as usize].iter().sum()
    }

    fn of_epoch(self) -> EpochImages {
        EpochImages { train: self.of_split(Split::Train), validation: self.of_split(Split::Validation) }
    }
}

impl DataOutlook {
    /// What manifests hold.
    pub(in crate::tui) fn new(set: &ManifestSet, problems: Vec<String>, free: Option<u64>) -> Self {
        let views = set.manifests.iter().map(|manifest| {
            let mut counts = [[0; DensityClass::COUNT]; 3];
            for split in Split::ALL {
                for (_, sample) in manifest.of_split(split) {
                    counts[split as usize][sample.label.index()] += 1;
                }
            }
            ViewImages { view: manifest.view, counts }
        });
        let first = set.manifests.first();
        let mut warnings: Vec<String> = set.warnings.iter().map(ToString::to_string).collect();
        warnings.extend(problems);
        Self {
            root: first.map(|manifest| manifest.root.clone()).unwrap_or_default(),
            source: first.map_or(SplitSource::Folders, |manifest| manifest.split_source),
            views: views.collect(),
            warnings,
            free,
        }
    }

    /// All images, which are read and kept once; those of all-as-train stand in two splits.
    pub(super) fn images(&self) -> usize {
        let counted = if self.source == SplitSource::AllAsTrain { &Split::ALL[..1] } else { &Split::ALL[..] };
        self.views.iter().map(|view| counted.iter().map(|split| view.of_split(*split)).sum::<usize>()).sum()
    }
}

/// What is known of the data set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum DataState {
    /// Nothing was asked for yet.
    #[default]
    Unknown,
    /// Its folders are being listed.
    Reading,
    /// It can be trained on.
    Known(DataOutlook),
    /// It cannot, and why.
    Failed(String),
}

impl DataState {
    /// What is known, where something is.
    pub(super) fn known(&self) -> Option<&DataOutlook> {
        if let Self::Known(outlook) = self { Some(outlook) } else { None }
    }
}

/// What is known of the time that a step takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Timing {
    /// Nothing was asked of the engine.
    #[default]
    Unknown,
    /// The engine is timing three steps.
    Running,
    /// It has.
    Known { timing: StepTiming, at: DateTime<Utc> },
    /// It could not, and why.
    Failed(String),
}

/// How long the whole takes, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Estimate {
    /// Seconds of the longest epoch.
    pub(super) epoch: f64,
    /// Seconds until the last run is over.
    pub(super) total: f64,
}

/// For each trainer its device and the positions of its runs; one on an unknown device where GPUs are not counted yet.
pub(super) fn shares(devices: &DeviceList, runs: usize, gpus: usize) -> Vec<(DeviceChoice, Vec<usize>)> {
    let shares = devices.deal(runs, gpus);
    if shares.is_empty() { vec![(DeviceChoice::Cuda(0), (0..runs).collect())] } else { shares }
}

/// The time that a timing and a data set give.
pub(super) fn estimate(form: &TrainForm, data: &DataOutlook, timing: &StepTiming) -> Estimate {
    let batch_size = form.config.batch_size;
    let runs: Vec<EpochImages> = data.views.iter().map(|view| view.of_epoch()).collect();
    let shares = shares(&form.devices(), runs.len(), timing.gpus);
    Estimate {
        epoch: runs.iter().map(|images| timing.epoch_seconds(batch_size, *images)).fold(0.0, f64::max),
        total: timing.total_seconds(form.config.epochs, batch_size, &runs, &shares),
    }
}

/// The configuration without what makes no difference to the time of a step.
pub(super) fn as_timed(config: &TrainingConfig) -> TrainingConfig {
    TrainingConfig {
        epochs: 1,
        seed: 0,
        accumulate: 1,
        learning_rate: 0.01,
        warmup_epochs: 0,
        schedule: ScheduleKind::Constant,
        plateau_min: 0.0,
        plateau_factor: 0.5,
        plateau_patience: 1,
        // Nesterov's wants some.
        momentum: if config.optimizer == OptimizerKind::Nesterov || config.momentum > 0.0 { 0.9 } else { 0.0 },
        keep_best: 1,
        early_stop: 0,
        checkpoint_minutes: 10.0,
        ..config.clone()
    }
}
