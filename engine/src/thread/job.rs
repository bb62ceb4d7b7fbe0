//! The context of a job on the engine thread.

use mammoscope_engine_protocol::command::JobId;
use mammoscope_engine_protocol::engine_facts::CudaFacts;

use super::event_writer::EventSender;
use super::job_control::JobControl;
use super::progress::Progress;

/// Everything that a job on the engine thread gets besides its work.
#[derive(Debug)]
pub struct JobContext<'a> {
    pub id: JobId,
    pub control: &'a JobControl,
    pub events: &'a EventSender,
    pub progress: &'a Progress,
    pub cuda: &'a CudaFacts,
    /// CPU threads of a job that does not set a number.
    pub default_threads: usize,
}
