//! The messages between the program and its engine, and their framing.
//!
//! A frame is a length (4 bytes, little-endian) followed by that many bytes of JSON: an
//! [`EngineCommand`](command::EngineCommand) one way, an [`EngineEvent`](event::EngineEvent) the other. Readers may
//! rely on the order of events:
//!
//! ```text
//! Ready → (Run → JobStarted? → (SampleDone* | MapDone* | StepsTimed?) → JobEnded)*     Alive after two seconds without another event
//! ```
//!
//! `Ready` comes first, and once. A job ends exactly once, even if it is cancelled, fails, or the engine is asked to
//! shut down; only the death of the process can swallow its `JobEnded`.

pub mod command;
pub mod engine_facts;
pub mod event;
pub mod frame;
pub mod wire_path;

use std::time::Duration;

/// Changes whenever a command, an event or the framing does.
pub const PROTOCOL_VERSION: u32 = 5;
/// The version of both the program and the engine: they are built together.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The longest silence of a live engine: after it, the engine sends [`Alive`](event::EngineEvent::Alive).
pub const HEARTBEAT: Duration = Duration::from_secs(2);

/// Returns true if an engine of this protocol and version was built together with this program.
#[must_use]
pub fn is_same_build(protocol: u32, version: &str) -> bool {
    protocol == PROTOCOL_VERSION && version == VERSION
}
