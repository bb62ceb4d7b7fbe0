//! The effects that an update returns, for the main loop and the services to perform.

use std::path::PathBuf;

use crate::tui::protocol::binding::Action;
use crate::tui::protocol::explain::ExplainList;
use crate::tui::protocol::jobs::JobEffect;
use crate::tui::protocol::pictures::PictureEffect;
use crate::tui::protocol::question::Question;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::screen_table::for_each_screen;
use crate::tui::protocol::thumbnails::ThumbnailRequest;
use crate::tui::protocol::train::ClonedRun;
use crate::tui::protocol::viewer::ImageList;
use mammoscope_imaging::intensity_window::WindowChoice;
use mammoscope_storage::runs::run_dir::RunDir;

macro_rules! define_effect {
    ($($module:ident: $Name:ident $key:literal $go:literal,
        $Screen:ident $View:ident $Action:ident $Effect:ident $Message:ident $Service:ident;)*) => {
        /// A side effect; an update only returns it.
        #[derive(Debug, PartialEq)]
        pub(in crate::tui) enum Effect {
            Quit,
            /// Restore the terminal and suspend the process, as Ctrl-Z does.
            Suspend,
            /// Clear the terminal and draw everything again.
            Redraw,
            /// Take the mouse, or leave it to the terminal.
            TakeMouse(bool),
            /// Query the terminal's capabilities.
            QueryTerminal,
            /// Save the state of the screens.
            SaveView,
            /// Draw attention to a training run, in the way of the settings.
            Signal(String),
            /// Go to another screen or view; handled by the application.
            Navigate(Destination),
            /// Show a line above the footer for a while; handled by the application.
            Notice(Notice),
            /// Perform an action as if its key had been pressed; handled by the application.
            Act(Action),
            /// Ask for confirmation; handled by the application.
            Ask(Question),
            /// Show all pictures through this grey window; handled by the application.
            Window(WindowChoice),
            /// Put a text on the terminal's clipboard; the application says so in the footer.
            Copy(String),
            Picture(PictureEffect),
            Job(JobEffect),
            /// Look for the other views of the examination that an image belongs to.
            FindViews(PathBuf),
            /// Make these thumbnails instead of those that are still waited for.
            Thumbnails(ThumbnailRequest),
            $(
                /// An effect for the service of one screen.
                $Name(crate::tui::protocol::$module::$Effect),
            )*
        }
    };
}

for_each_screen!(define_effect);

/// A screen or view to go to, and its content.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Destination {
    /// The screen Runs with the cursor on this run.
    Run(RunDir),
    /// The screen Evaluate with the metrics of this run.
    Evaluation(RunDir),
    /// The screen Train with this data set, and with the settings of a run.
    NewTraining { data: PathBuf, like: Option<ClonedRun> },
    /// The screen Evaluate with a folder of predictions, and the data set of its images if it is known.
    Predictions { folder: PathBuf, data: Option<PathBuf> },
    /// The screen Datasets with this data set.
    DataSet(PathBuf),
    /// The choice of a job for a data set; `None` for the one of the form.
    JobChoice { data: Option<PathBuf> },
    /// The screen Explain with these images.
    Explanation(ExplainList),
    /// A screen in its present state.
    Screen(ScreenId),
    /// The full-screen picture viewer.
    Viewer(ImageList),
    /// The viewer with the four views of the first image's examination.
    Hanging(ImageList),
}

/// A line shown above the footer for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Notice {
    /// Safe to print.
    pub(in crate::tui) text: String,
    pub(in crate::tui) tone: Tone,
}

/// The severity of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Tone {
    /// Something was achieved.
    Done,
    /// A fact, neither good nor bad.
    Neutral,
    /// An aside that passes quickly.
    Quiet,
    Warning,
    Failed,
}

impl Effect {
    /// A notice of success.
    pub(in crate::tui) fn done(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Done })
    }

    /// A notice of a fact that is neither good nor bad.
    pub(in crate::tui) fn neutral(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Neutral })
    }

    /// An aside that passes quickly.
    pub(in crate::tui) fn quiet(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Quiet })
    }

    /// A notice of something that needs attention.
    pub(in crate::tui) fn warning(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Warning })
    }

    /// A notice of failure.
    pub(in crate::tui) fn failed(text: impl Into<String>) -> Self {
        Self::Notice(Notice { text: text.into(), tone: Tone::Failed })
    }
}
