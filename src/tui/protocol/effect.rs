//! What an update asks of the world.

use std::path::PathBuf;

use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::evaluate::EvaluateEffect;
use crate::tui::protocol::explain::ExplainEffect;
use crate::tui::protocol::explain::ExplainList;
use crate::tui::protocol::pictures::PictureEffect;
use crate::tui::protocol::question::Question;
use crate::tui::protocol::runs::RunsEffect;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::train::TrainEffect;
use crate::tui::protocol::viewer::ImageList;
use mammoscope_storage::runs::run_dir::RunDir;

/// Something to be done that `update` does not do itself.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum Effect {
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
    Navigate(Destination),
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
pub(in crate::tui) enum Destination {
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
pub(in crate::tui) struct Notice {
    /// What is said; safe to print.
    pub(in crate::tui) text: String,
    /// How it is meant.
    pub(in crate::tui) tone: Tone,
}

/// How something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Tone {
    /// Something was done.
    Done,
    /// Something wants attention.
    Warning,
    /// Something failed.
    Failed,
}

impl Effect {
    /// Says that something was done.
    pub(in crate::tui) fn done(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Done })
    }

    /// Says that something failed.
    pub(in crate::tui) fn failed(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Failed })
    }
}
