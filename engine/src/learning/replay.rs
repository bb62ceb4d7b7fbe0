//! The repetition of a training step's parts: carried out operation by operation, or recorded once and replayed.
//!
//! At small batches a GPU finishes an operation before the next one is started, so that a step takes as long as the start
//! of its 600 operations. A replay starts all at once. It does exactly what was recorded, on the same memory: everything
//! that changes from step to step is in tensors that are written in place.

use std::fmt;

use tch::{Device, TchError};

use super::libtorch_ext::cuda_graph::{CudaGraph, check_graphs};
use super::libtorch_ext::first_line;

/// The times that a part is carried out before it is recorded: until then cuDNN chooses its algorithms, and libraries
/// reserve their memory.
const WARM_UPS: u8 = 3;

/// The variable of the environment that keeps steps from being recorded, whatever its value.
const WITHOUT_GRAPHS: &str = "MAMMOSCOPE_WITHOUT_CUDA_GRAPHS";

/// A part of a training step. They differ in their operations, so that each has a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPart {
    /// The pass of the first batch of a step.
    FirstPass,
    /// That of another one, whose gradients are added.
    FurtherPass,
    /// Clipping, the optimizer's step, the moving average.
    Update,
}

/// A way to carry out the parts of steps.
pub trait Replay: fmt::Debug {
    /// Carries out a part, whose operations are those of `operations`. It may be called again if it fails.
    fn run(&mut self, part: StepPart, operations: &mut dyn FnMut() -> Result<(), TchError>) -> Result<(), TchError>;

    /// The number of steps after which all others take as long.
    fn warm_ups(&self) -> usize;

    /// Drops all recordings, because later parts have other operations or other memory.
    fn forget(&mut self);

    /// Frees the memory of all recordings, and records nothing any more; `false` if there were none.
    fn release(&mut self) -> bool;

    /// Why parts are no longer recorded, once.
    fn take_failure(&mut self) -> Option<String>;
}

/// The way to carry out steps on a device: on a GPU they are recorded, unless the environment has `MAMMOSCOPE_WITHOUT_CUDA_GRAPHS`.
#[must_use]
pub fn replay_on(device: Device) -> Box<dyn Replay> {
    let is_wanted = device.is_cuda() && std::env::var_os(WITHOUT_GRAPHS).is_none_or(|value| value.is_empty());
    if is_wanted { Box::new(Captured::new()) } else { Box::new(Eager) }
}

/// Operation by operation.
#[derive(Debug)]
pub struct Eager;

impl Replay for Eager {
    fn run(&mut self, _part: StepPart, operations: &mut dyn FnMut() -> Result<(), TchError>) -> Result<(), TchError> {
        operations()
    }

    fn warm_ups(&self) -> usize {
        1
    }

    fn forget(&mut self) {}

    fn release(&mut self) -> bool {
        false
    }

    fn take_failure(&mut self) -> Option<String> {
        None
    }
}

/// Recorded as CUDA graphs after a warm-up. If anything fails, from then on operation by operation.
#[derive(Debug)]
pub struct Captured {
    parts: [Recording; 3],
    has_failed: bool,
    failure: Option<String>,
}

#[derive(Debug)]
enum Recording {
    /// Carried out that many times so far.
    Warming(u8),
    Ready(CudaGraph),
}

impl Captured {
    /// If this libtorch cannot record, it has failed from the start.
    #[must_use]
    pub fn new() -> Self {
        let failure = check_graphs().err().map(|error| first_line(&error));
        Self { parts: warming(), has_failed: failure.is_some(), failure }
    }

    /// Replays a part, recording it first if it is warm; `false` if it is not.
    fn replayed(
        &mut self,
        part: StepPart,
        operations: &mut dyn FnMut() -> Result<(), TchError>,
    ) -> Result<bool, TchError> {
        if let Recording::Warming(times) = &mut self.parts[part as usize] {
            if *times < WARM_UPS {
                *times += 1;
                return Ok(false);
            }
            let recorded = self.parts.iter().find_map(|part| match part {
                Recording::Ready(graph) => Some(graph),
                Recording::Warming(_) => None,
            });
            let graph = CudaGraph::record(recorded, operations)?;
            self.parts[part as usize] = Recording::Ready(graph);
        }
        let Recording::Ready(graph) = &mut self.parts[part as usize] else { return Ok(false) };
        graph.replay().map(|()| true)
    }
}

impl Default for Captured {
    fn default() -> Self {
        Self::new()
    }
}

impl Replay for Captured {
    fn run(&mut self, part: StepPart, operations: &mut dyn FnMut() -> Result<(), TchError>) -> Result<(), TchError> {
        if !self.has_failed {
            match self.replayed(part, operations) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // Neither a recording nor a replay that fails to start has carried anything out.
                Err(error) => {
                    self.forget();
                    self.has_failed = true;
                    self.failure = Some(first_line(&error));
                }
            }
        }
        operations()
    }

    fn warm_ups(&self) -> usize {
        // The next one is recorded.
        usize::from(WARM_UPS) + 1
    }

    fn forget(&mut self) {
        self.parts = warming();
    }

    fn release(&mut self) -> bool {
        let has_any = self.parts.iter().any(|part| matches!(part, Recording::Ready(_)));
        if has_any {
            self.forget();
            self.has_failed = true;
        }
        has_any
    }

    fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }
}

fn warming() -> [Recording; 3] {
    [const { Recording::Warming(0) }; 3]
}

/// The warning that steps are no longer recorded.
#[must_use]
pub fn without_recordings(reason: &str) -> String {
    format!(
        "steps cannot be recorded as CUDA graphs ({reason}): they are carried out operation by operation, which changes no \
         result, but is slower at small batches"
    )
}
