//! The engine's self-description: the one line of JSON that `mammoscope-engine probe` prints.

use serde::{Deserialize, Serialize};

/// The versions and abilities of an engine.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct EngineFacts {
    pub engine_version: String,
    /// The version of the protocol that it speaks ([`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION)).
    pub protocol: u32,
    /// The release of libtorch that it runs with.
    pub libtorch: String,
    /// The folder that libtorch was loaded from.
    pub library_folder: String,
    /// The number of CPU threads that it computes with.
    pub threads: u32,
    pub cuda: CudaFacts,
    /// True if the processor computes in bfloat16 natively.
    pub cpu_bf16: bool,
}

/// CUDA as the engine finds it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct CudaFacts {
    pub state: CudaState,
    /// Details for people, such as the error message.
    #[serde(default)]
    pub detail: String,
    /// The usable devices, in CUDA's order.
    #[serde(default)]
    pub devices: Vec<CudaDevice>,
    /// Why training steps cannot be recorded as CUDA graphs; empty if they can, or if there is no usable device.
    #[serde(default)]
    pub without_graphs: String,
}

/// The usability of CUDA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CudaState {
    Available,
    /// This machine has no NVIDIA driver.
    NoDriver,
    /// There is a driver, but libtorch has no CUDA library beside it.
    NoLibrary,
    /// CUDA was tried, and failed.
    Error,
}

/// A GPU as CUDA reports it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CudaDevice {
    pub name: String,
    /// Total memory in bytes.
    pub memory_bytes: u64,
}
