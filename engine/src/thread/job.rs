//! What every job on the engine thread is given besides its work.

use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_engine_protocol::protocol::JobId;

use super::job_control::JobControl;
use super::outlet::EventSender;
use super::progress::Progress;

/// What every job on the engine thread is given besides its work.
#[derive(Debug)]
pub struct JobContext<'a> {
    /// The job's number.
    pub id: JobId,
    /// Whether it is to stop.
    pub control: &'a JobControl,
    /// Where its events go.
    pub events: &'a EventSender,
    /// Where it counts its steps.
    pub progress: &'a Progress,
    /// The GPUs.
    pub cuda: &'a CudaFacts,
    /// CPU threads of a job that asks for no number.
    pub default_threads: usize,
}
