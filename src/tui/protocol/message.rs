//! The one inbox of the workbench.

use crate::terminal::input::Input;
use crate::tui::protocol::datasets::DatasetsMessage;
use crate::tui::protocol::evaluate::EvaluateMessage;
use crate::tui::protocol::explain::ExplainMessage;
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::pictures::PictureMessage;
use crate::tui::protocol::runs::RunsMessage;
use crate::tui::protocol::train::TrainMessage;

/// Something happened.
#[derive(Debug)]
pub(in crate::tui) enum UiMessage {
    /// The terminal has input.
    Input(Input),
    /// The terminal has another size.
    Resized,
    /// A second is over.
    Tick,
    /// The process is to stop, as by Ctrl-Z.
    Suspend,
    /// The process goes on after it was stopped.
    Resume,
    /// The process is to end: the terminal or the system says so.
    Terminate,
    /// The terminal had long enough to answer.
    QueryOver,
    /// News of runs.
    Runs(RunsMessage),
    /// News of data sets.
    Datasets(DatasetsMessage),
    /// News of the training that is being planned.
    Train(TrainMessage),
    /// News of evaluations.
    Evaluate(EvaluateMessage),
    /// News of explanations.
    Explain(ExplainMessage),
    /// A thread of the workbench failed; what is to be said of it.
    Fault(String),
    /// How busy the machine is.
    Machine(MachineSample),
    /// A picture is decoded or drawn.
    Picture(PictureMessage),
}
