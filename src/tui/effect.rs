//! What an update asks of the world.

use std::path::PathBuf;

use super::popups::confirm::Question;
use super::popups::viewer::ImageList;
use super::screens::ScreenId;
use super::screens::datasets::DatasetsEffect;
use super::screens::evaluate::EvaluateEffect;
use super::screens::explain::{ExplainEffect, ExplainList};
use super::screens::runs::RunsEffect;
use super::screens::train::TrainEffect;
use super::services::pictures::PictureEffect;
use mammoscope_storage::runs::run_dir::RunDir;

/// Something to be done that `update` does not do itself.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    /// Leave the workbench.
    Quit,
    /// Put the terminal back and stop, as by Ctrl-Z.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Ask the terminal what it can do.
    QueryTerminal,
    /// Save what is shown.
    SaveView,
    /// Show something elsewhere; the application does it itself.
    Go(Place),
    /// Say something in the footer for a while; the application does it itself.
    Notice(Notice),
    /// Ask before something is done that cannot be undone; the application does it itself.
    Ask(Question),
    /// Of the screen Runs.
    Runs(RunsEffect),
    /// Of the screen Datasets.
    Datasets(DatasetsEffect),
    /// Of the screen Train.
    Train(TrainEffect),
    /// Of the screen Evaluate.
    Evaluate(EvaluateEffect),
    /// Of the screen Explain.
    Explain(ExplainEffect),
    /// Of a picture.
    Picture(PictureEffect),
}

/// Where to go.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// Runs, on this run.
    Run(RunDir),
    /// Evaluate, with the figures of this run.
    Evaluation(RunDir),
    /// Train, with this data set.
    NewTraining {
        /// The data set's root.
        data: PathBuf,
    },
    /// Explain, with these images.
    Explanation(ExplainList),
    /// A screen, as it is.
    Screen(ScreenId),
    /// A list of images, one of them full screen.
    Viewer(ImageList),
}

/// A line in the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// What is said; safe to print.
    pub(super) text: String,
    /// How it is meant.
    pub(super) tone: Tone,
}

/// How something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something was done.
    Done,
    /// Something wants attention.
    Warning,
    /// Something failed.
    Failed,
}

impl Effect {
    /// Says that something was done.
    pub(super) fn done(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Done })
    }

    /// Says that something failed.
    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Failed })
    }
}
