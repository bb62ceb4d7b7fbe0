//! What the engine says about itself: the one line of JSON that `mammoscope-engine probe` prints.

use serde::{Deserialize, Serialize};

/// The engine's account of itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct EngineFacts {
    /// The version of the engine.
    pub engine_version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// The release of libtorch that it runs with.
    pub libtorch: String,
    /// The folder that libtorch was loaded from.
    pub library_folder: String,
    /// The threads that it computes with.
    pub threads: u32,
    /// What CUDA it has.
    pub cuda: CudaFacts,
    /// Whether the processor computes in bfloat16 natively.
    pub cpu_bf16: bool,
}

/// What CUDA the engine has.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct CudaFacts {
    /// Whether it can be used.
    pub state: CudaState,
    /// More about it, for people.
    #[serde(default)]
    pub detail: String,
    /// The usable devices, in CUDA's order.
    #[serde(default)]
    pub devices: Vec<CudaDevice>,
}

/// Whether CUDA can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CudaState {
    /// It can.
    Available,
    /// This machine has no NVIDIA driver.
    NoDriver,
    /// There is a driver, but libtorch has no CUDA library beside it.
    NoLibrary,
    /// It was tried, and failed.
    Error,
}

/// A GPU, as CUDA sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CudaDevice {
    /// Its name.
    pub name: String,
    /// Its memory, in bytes.
    pub memory_bytes: u64,
}
