//! What is asked for when a training is planned and started, and what comes of it.

use std::path::PathBuf;

use crate::terminal::input::Key;
use mammoscope_dataset::manifest::ManifestSet;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_domain::training::step_timing::{EpochImages, StepTiming};
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::run_dir::RunDir;

/// Which images are asked for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct DataRequest {
    /// The root as it was typed; `~` is the home folder.
    pub(in crate::tui) root: PathBuf,
    pub(in crate::tui) views: ViewSelection,
    pub(in crate::tui) splits: SplitChoice,
    /// What is white in 16-bit files.
    pub(in crate::tui) grey_range: GreyRange,
    /// What splits are drawn from.
    pub(in crate::tui) seed: u64,
}

/// A training that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct StartRequest {
    pub(in crate::tui) data: DataRequest,
    pub(in crate::tui) preset: String,
    pub(in crate::tui) label: String,
    pub(in crate::tui) config: TrainingConfig,
    pub(in crate::tui) devices: DeviceList,
}

/// Trainings that were started.
#[derive(Debug)]
pub(in crate::tui) struct StartedRuns {
    /// Those that a trainer has taken up; in the order of views.
    pub(in crate::tui) runs: Vec<RunDir>,
    /// Why others have none, safe to print.
    pub(in crate::tui) failures: Vec<String>,
}

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum TrainEffect {
    /// Find out what a data set gives; the last request wins.
    Scan { request: u64, data: DataRequest },
    /// Time three steps of a training; the last request wins.
    Time { request: u64, config: TrainingConfig, device: DeviceChoice },
    /// Time nothing any more.
    CancelTiming,
    /// Make the runs and start their trainers.
    Start(Box<StartRequest>),
}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum TrainMessage {
    /// What a data set gives, or why it gives nothing.
    Scanned { request: u64, outcome: Result<DataSummary, String> },
    /// What a step takes, or why nobody knows.
    Timed { request: u64, outcome: Result<StepTiming, String> },
    /// Trainers were started, or why none was.
    Started(Result<StartedRuns, String>),
}

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum TrainAction {
    Edit,
    Start,
    Toggle,
    AllViews,
    Filter,
    Layers,
    Outlook,
    Reset,
    ResetAll,
    TimeAgain,
    Previous,
    Next,
    Move(Key),
    Take,
    Back,
}

/// What a data set gives for the views and splits that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct DataSummary {
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

impl DataSummary {
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
    pub(in crate::tui) fn images(&self) -> usize {
        let counted = if self.source == SplitSource::AllAsTrain { &Split::ALL[..1] } else { &Split::ALL[..] };
        self.views.iter().map(|view| counted.iter().map(|split| view.of_split(*split)).sum::<usize>()).sum()
    }
}

/// The images of a view: by split, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct ViewImages {
    pub(in crate::tui) view: View,
    pub(in crate::tui) counts: [[usize; DensityClass::COUNT]; 3],
}

impl ViewImages {
    /// Images of a split.
    pub(in crate::tui) fn of_split(&self, split: Split) -> usize {
        self.counts[split as usize].iter().sum()
    }

    pub(crate) fn of_epoch(self) -> EpochImages {
        EpochImages { train: self.of_split(Split::Train), validation: self.of_split(Split::Validation) }
    }
}

/// Where the splits come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::tui) enum SplitChoice {
    /// The data's own folders, else drawn.
    #[default]
    OwnOrDrawn,
    /// Every image is for training, and for validation.
    AllAsTrain,
}

impl SplitChoice {
    /// As it is shown.
    pub(in crate::tui) fn text(self) -> &'static str {
        match self {
            Self::OwnOrDrawn => "the data's own, else drawn",
            Self::AllAsTrain => "all images as training images",
        }
    }
}
