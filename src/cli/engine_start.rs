//! The start of the engine for a command.

use super::console::Interrupted;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_process::{EngineError, EngineProcess, Timeouts};

/// Finds and starts the engine.
pub(super) fn start_engine(cancellation: Cancellation<'_>) -> anyhow::Result<EngineProcess> {
    match EngineProcess::start(&locate_engine()?.path, Timeouts::default(), cancellation) {
        Err(EngineError::Interrupted) => Err(Interrupted.into()),
        started => Ok(started?),
    }
}
