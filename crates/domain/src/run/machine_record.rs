//! The load of the machine during a run, one record a line of `machine.jsonl`. It is no part of the events: the same run
//! has other loads on another machine.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The load at one moment. A value without a sensor is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineRecord {
    pub time: DateTime<Utc>,
    /// The weight updates of the run so far.
    pub step: u64,
    /// Load of all cores, in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// Memory in use on the machine, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The GPU on which the run is trained; several where it is not known which of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GpuRecord>,
}

/// The load of a GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GpuRecord {
    /// Its position in the driver's order.
    pub index: usize,
    pub name: String,
    /// Share of the time during which a kernel ran, in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<u32>,
    /// Memory in use, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub celsius: Option<u32>,
}
