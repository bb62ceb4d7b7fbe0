//! What is asked for when a training is planned and started, and what comes of it.

use std::path::PathBuf;

use super::form::SplitChoice;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::training::compute_options::DeviceList;
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
