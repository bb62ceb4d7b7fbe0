//! The vocabulary of the screen Train: requests, actions, effects and messages.

use std::path::PathBuf;
use std::sync::Arc;

use crate::tui::protocol::failure::Failure;
use mammoscope_dataset::manifest::ManifestSet;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::compute_options::DeviceList;
use mammoscope_domain::training::placement::Placement;
use mammoscope_domain::training::placement_limits::JobCount;
use mammoscope_domain::training::step_timing::EpochImages;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_client::placement_benchmark::PlacementTiming;
use mammoscope_storage::runs::run_dir::RunDir;

/// A run whose settings and splits fill the form.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ClonedRun {
    pub(in crate::tui) run: RunDir,
    pub(in crate::tui) spec: Arc<RunSpec>,
}

/// The images to train on.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct DataRequest {
    /// The root as typed; `~` is the home folder.
    pub(in crate::tui) root: PathBuf,
    pub(in crate::tui) views: ViewSelection,
    pub(in crate::tui) splits: SplitChoice,
    /// The grey range of 16-bit files.
    pub(in crate::tui) grey_range: GreyRange,
    /// The seed for drawing splits and folds.
    pub(in crate::tui) seed: u64,
    /// The number of folds, which replace the splits; `None` for no cross-validation.
    pub(in crate::tui) folds: Option<u32>,
}

/// What makes the runs a study: repetitions with other seeds, and a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tui) struct StudyChoice {
    /// `None` for the seed of the configuration alone.
    pub(in crate::tui) seeds: Option<u32>,
    /// The swept keys, such as `learning_rate=0.003,0.01`.
    pub(in crate::tui) sweep: Vec<String>,
}

/// Everything needed to start training runs.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct StartRequest {
    pub(in crate::tui) data: DataRequest,
    pub(in crate::tui) preset: String,
    pub(in crate::tui) label: String,
    pub(in crate::tui) config: TrainingConfig,
    pub(in crate::tui) devices: DeviceList,
    /// The study that the runs make; `None` for one run per view.
    pub(in crate::tui) study: Option<StudyChoice>,
    /// The requested number of runs side by side.
    pub(in crate::tui) jobs: JobCount,
    /// The number of runs side by side; `None` if it has not been timed yet.
    pub(in crate::tui) placement: Option<Placement>,
}

/// The runs whose steps are timed.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct TimingRequest {
    pub(in crate::tui) config: TrainingConfig,
    pub(in crate::tui) devices: DeviceList,
    pub(in crate::tui) runs: usize,
    /// The requested number of runs side by side.
    pub(in crate::tui) jobs: JobCount,
    /// The number of images of the largest run.
    pub(in crate::tui) images: usize,
}

/// The outcome of starting training runs.
#[derive(Debug)]
pub(in crate::tui) struct StartedRuns {
    /// The runs that a trainer has picked up, in the order of views.
    pub(in crate::tui) runs: Vec<RunDir>,
    /// The reasons why others were not started; safe to print.
    pub(in crate::tui) failures: Vec<String>,
}

/// Effects for the service of the screen Train.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum TrainEffect {
    /// Summarise a data set; the last request wins.
    Scan { request: u64, data: DataRequest },
    /// Time training steps, and how many runs train fastest side by side; the last request wins.
    Time { request: u64, runs: Box<TimingRequest> },
    /// Cancel the timing in progress.
    CancelTiming,
    /// Create the runs and start their trainers.
    Start(Box<StartRequest>),
    /// Read where the splits of a run came from.
    ReadSplits(ClonedRun),
    /// Read the validation losses of runs.
    ReadHistories(Vec<RunDir>),
}

/// Messages from the service of the screen Train.
#[derive(Debug)]
pub(in crate::tui) enum TrainMessage {
    Scanned {
        request: u64,
        outcome: Result<DataSummary, Failure>,
    },
    Timed {
        request: u64,
        outcome: Result<PlacementTiming, Failure>,
    },
    /// What `ReadSplits` asked for.
    SplitsRead {
        run: RunDir,
        outcome: Result<SplitChoice, Failure>,
    },
    Started(Result<StartedRuns, Failure>),
    /// What `ReadHistories` asked for.
    Histories(Vec<RunHistory>),
}

/// The validation losses of a run, one per epoch.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct RunHistory {
    pub(in crate::tui) run: RunDir,
    /// NaN for an epoch without validation.
    pub(in crate::tui) validation_losses: Vec<f64>,
}

/// Actions of the screen Train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum TrainAction {
    Edit,
    /// Copy the command line.
    Copy,
    Start,
    Toggle,
    AllViews,
    Filter,
    Layers,
    Estimate,
    Reset,
    ResetAll,
    TimeAgain,
    Previous,
    Next,
    Apply,
    Back,
}

/// The images of a data set for the requested views and splits.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct DataSummary {
    /// Absolute.
    pub(in crate::tui) root: PathBuf,
    pub(in crate::tui) source: SplitSource,
    /// One run each; of a cross-validation, the run that holds out the first fold.
    pub(in crate::tui) views: Vec<ViewImages>,
    /// One line each, safe to print.
    pub(in crate::tui) warnings: Vec<String>,
    /// Free bytes in the workspace's file system.
    pub(in crate::tui) free: Option<u64>,
}

impl DataSummary {
    /// Summarises manifests.
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

    /// The number of images of the largest run, in all splits.
    pub(in crate::tui) fn largest_run(&self) -> usize {
        let images = self.views.iter().map(|view| Split::ALL.iter().map(|split| view.of_split(*split)).sum());
        images.max().unwrap_or(0)
    }

    /// The number of distinct images; with all-as-train each is in two splits, but counts once.
    pub(in crate::tui) fn images(&self) -> usize {
        let counted = if self.source == SplitSource::AllAsTrain { &Split::ALL[..1] } else { &Split::ALL[..] };
        self.views.iter().map(|view| counted.iter().map(|split| view.of_split(*split)).sum::<usize>()).sum()
    }
}

/// The numbers of images of a view, by split and class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct ViewImages {
    pub(in crate::tui) view: View,
    pub(in crate::tui) counts: [[usize; DensityClass::COUNT]; 3],
}

impl ViewImages {
    /// The number of images in a split.
    pub(in crate::tui) fn of_split(&self, split: Split) -> usize {
        self.counts[split as usize].iter().sum()
    }

    pub(crate) fn of_epoch(self) -> EpochImages {
        EpochImages { train: self.of_split(Split::Train), validation: self.of_split(Split::Validation) }
    }
}

/// The origin of the splits.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::tui) enum SplitChoice {
    /// The data set's own split folders, else a random draw.
    #[default]
    OwnOrDrawn,
    /// Every image is used for training and for validation.
    AllAsTrain,
    /// The splits that an earlier run took from a table.
    OfRun(RunSplits),
}

/// The splits of an earlier run, which keeps a record of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::tui) struct RunSplits {
    /// The run's directory.
    pub(in crate::tui) run: PathBuf,
    /// The name of the table; empty if it is unknown.
    pub(in crate::tui) file: String,
    /// The fold that is held out.
    pub(in crate::tui) fold: Option<u32>,
    pub(in crate::tui) state: TableState,
}

/// The state of a table from which an earlier run took its splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::tui) enum TableState {
    Unchanged,
    Changed,
    /// It is not beside the data set, nor in the workspace or the current folder.
    NotFound,
}

impl SplitChoice {
    /// The choice as the form shows it.
    pub(in crate::tui) fn text(&self) -> String {
        match self {
            Self::OwnOrDrawn => "the data's own, else random".to_owned(),
            Self::AllAsTrain => "all images as training images".to_owned(),
            Self::OfRun(splits) => splits.text(),
        }
    }
}

impl RunSplits {
    fn text(&self) -> String {
        let fold = self.fold.map_or_else(String::new, |fold| format!(", fold {fold}"));
        let name = if self.file.is_empty() { "a table" } else { &self.file };
        let state = match self.state {
            TableState::Unchanged => "as in the run",
            TableState::Changed => "as recorded; changed since",
            TableState::NotFound => "as recorded; file not found",
        };
        format!("{}{fold}, {state}", printable(name))
    }

    /// One line about a table that is not as it was; `None` for one that is.
    pub(in crate::tui) fn warning(&self) -> Option<String> {
        let name = if self.file.is_empty() { "the table of splits" } else { &self.file };
        let name = printable(name);
        match self.state {
            TableState::Unchanged => None,
            TableState::Changed => {
                Some(format!("{name} has changed since the run; the form uses the splits that the run recorded"))
            }
            TableState::NotFound => {
                Some(format!("{name} was not found; the form uses the splits that the run recorded"))
            }
        }
    }
}
