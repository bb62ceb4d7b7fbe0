//! The metrics that are charted.

use serde::{Deserialize, Serialize};

use mammoscope_domain::run::machine_record::{GpuRecord, MachineRecord};
use mammoscope_domain::run::run_records::StepReport;

/// A metric that is charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::tui) enum Metric {
    Loss,
    Accuracy,
    LearningRate,
    ImagesPerS,
    GradientNorm,
    GpuUse,
    GpuMemory,
    GpuTemperature,
    Cpu,
    Memory,
}

impl Metric {
    /// All, the most important first.
    pub(in crate::tui) const ALL: [Self; 10] = [
        Self::Loss,
        Self::Accuracy,
        Self::LearningRate,
        Self::ImagesPerS,
        Self::GradientNorm,
        Self::GpuUse,
        Self::GpuMemory,
        Self::GpuTemperature,
        Self::Cpu,
        Self::Memory,
    ];
    /// Those that the steps report.
    pub(in crate::tui) const OF_STEPS: [Self; 5] =
        [Self::Loss, Self::Accuracy, Self::LearningRate, Self::ImagesPerS, Self::GradientNorm];
    /// Those of the machine.
    pub(in crate::tui) const OF_MACHINE: [Self; 5] =
        [Self::GpuUse, Self::GpuMemory, Self::GpuTemperature, Self::Cpu, Self::Memory];

    /// The title of its chart.
    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::LearningRate => "learning rate",
            Self::ImagesPerS => "images/s",
            Self::GradientNorm => "gradient norm",
            Self::GpuUse => "GPU %",
            Self::GpuMemory => "GPU memory GB",
            Self::GpuTemperature => "GPU °C",
            Self::Cpu => "CPU %",
            Self::Memory => "memory GB",
        }
    }

    /// What it is, for the list of metrics.
    pub(in crate::tui) const fn meaning(self) -> &'static str {
        match self {
            Self::Loss => "training and validation loss",
            Self::Accuracy => "training and validation accuracy",
            Self::LearningRate => "learning rate of each step",
            Self::ImagesPerS => "training images per second",
            Self::GradientNorm => "norm of the gradient before clipping",
            Self::GpuUse => "share of time in which a kernel ran",
            Self::GpuMemory => "memory in use on the GPU",
            Self::GpuTemperature => "temperature of the GPU",
            Self::Cpu => "load of all cores of the machine",
            Self::Memory => "memory in use on the machine",
        }
    }

    /// A short name.
    pub(in crate::tui) const fn brief(self) -> &'static str {
        match self {
            Self::Accuracy => "acc",
            Self::LearningRate => "lr",
            Self::GradientNorm => "grad",
            other => other.title(),
        }
    }

    /// The value in a report; `None` for a metric of the machine.
    pub(in crate::tui) fn of_step(self, point: &StepReport) -> Option<f32> {
        let value = match self {
            Self::Loss => point.loss,
            Self::Accuracy => point.accuracy,
            Self::LearningRate => point.learning_rate,
            Self::ImagesPerS => point.images_per_s,
            Self::GradientNorm => point.gradient_norm,
            Self::GpuUse | Self::GpuMemory | Self::GpuTemperature | Self::Cpu | Self::Memory => return None,
        };
        Some(value as f32)
    }

    /// The value in a record of the machine; of several GPUs the mean load, the memory of all, and the highest
    /// temperature.
    pub(in crate::tui) fn of_machine(self, record: &MachineRecord) -> Option<f32> {
        let of_gpus =
            |value: fn(&GpuRecord) -> Option<f64>| -> Vec<f64> { record.gpus.iter().filter_map(value).collect() };
        let value = match self {
            Self::GpuUse => {
                let busy = of_gpus(|gpu| gpu.busy.map(f64::from));
                (!busy.is_empty()).then(|| busy.iter().sum::<f64>() / busy.len() as f64)
            }
            Self::GpuMemory => {
                let memory = of_gpus(|gpu| gpu.memory.map(|bytes| bytes as f64 / 1e9));
                (!memory.is_empty()).then(|| memory.iter().sum::<f64>())
            }
            Self::GpuTemperature => of_gpus(|gpu| gpu.celsius.map(f64::from)).into_iter().reduce(f64::max),
            Self::Cpu => record.cpu.map(f64::from),
            Self::Memory => record.memory.map(|bytes| bytes as f64 / 1e9),
            Self::Loss | Self::Accuracy | Self::LearningRate | Self::ImagesPerS | Self::GradientNorm => None,
        };
        value.map(|value| value as f32)
    }

    /// True for a measured metric, which is smoothed.
    pub(in crate::tui) fn is_noisy(self) -> bool {
        self != Self::LearningRate && !Self::OF_MACHINE.contains(&self)
    }

    /// True if its axis starts at zero.
    pub(in crate::tui) fn starts_at_zero(self) -> bool {
        self == Self::ImagesPerS || (Self::OF_MACHINE.contains(&self) && self != Self::GpuTemperature)
    }

    /// True if values far from the others are cut.
    pub(in crate::tui) fn has_peaks(self) -> bool {
        matches!(self, Self::Loss | Self::ImagesPerS | Self::GradientNorm)
    }
}
