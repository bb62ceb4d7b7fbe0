//! Where and in what precision a network is computed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The device that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DeviceChoice {
    /// The first GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU by its number.
    Cuda(usize),
}

/// A text that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no device; devices are auto, cpu, and cuda:0, cuda:1, …")]
pub struct UnknownDevice(pub String);

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Cpu => f.pad("cpu"),
            Self::Cuda(number) => f.pad(&format!("cuda:{number}")),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownDevice(text.to_owned());
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text.strip_prefix("cuda:").and_then(|number| number.parse().ok()).map(Self::Cuda).ok_or_else(unknown),
        }
    }
}

impl From<DeviceChoice> for String {
    fn from(device: DeviceChoice) -> Self {
        device.to_string()
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = UnknownDevice;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The devices that runs are dealt to, one trainer each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceList {
    /// These, in this order; only the CPU may stand there more than once.
    Named(Vec<DeviceChoice>),
    /// Every GPU of the machine.
    AllCuda,
}

impl Default for DeviceList {
    fn default() -> Self {
        Self::Named(vec![DeviceChoice::Auto])
    }
}

/// A text that is no list of devices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImproperDeviceList {
    /// A part of it is no device.
    #[error("{0}; lists are cuda:0,cuda:1 and so on, or cuda:all")]
    Unknown(#[from] UnknownDevice),
    /// A GPU that stands there twice would compute two trainings at once, each at half the speed.
    #[error("{0} is named twice")]
    Twice(DeviceChoice),
    /// `auto` or `cuda:all` among others.
    #[error("'{0}' stands alone: it is not one device among others")]
    NotAlone(&'static str),
}

impl DeviceList {
    /// Deals `runs` to the devices in turn: for each device that has any, the positions of its runs in their order.
    /// `gpus` is the number of GPUs, for [`DeviceList::AllCuda`]; without one nothing can be dealt.
    #[must_use]
    pub fn deal(&self, runs: usize, gpus: usize) -> Vec<(DeviceChoice, Vec<usize>)> {
        let devices = match self {
            Self::Named(devices) => devices.clone(),
            Self::AllCuda => (0..gpus).map(DeviceChoice::Cuda).collect(),
        };
        let count = devices.len();
        let shares = devices.into_iter().enumerate().take(runs);
        shares.map(|(first, device)| (device, (first..runs).step_by(count).collect())).collect()
    }
}

impl FromStr for DeviceList {
    type Err = ImproperDeviceList;

    /// Reads `auto`, `cuda:all`, or devices with commas between them; after a GPU its number is enough, as in
    /// `cuda:0,1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts == ["cuda:all"] {
            return Ok(Self::AllCuda);
        }
        let mut devices: Vec<DeviceChoice> = Vec::with_capacity(parts.len());
        for part in &parts {
            let device = match (*part, devices.last()) {
                ("auto", _) if parts.len() > 1 => return Err(ImproperDeviceList::NotAlone("auto")),
                ("cuda:all", _) => return Err(ImproperDeviceList::NotAlone("cuda:all")),
                (number, Some(DeviceChoice::Cuda(_))) if number.parse::<usize>().is_ok() => {
                    format!("cuda:{number}").parse()?
                }
                (name, _) => name.parse()?,
            };
            if device != DeviceChoice::Cpu && devices.contains(&device) {
                return Err(ImproperDeviceList::Twice(device));
            }
            devices.push(device);
        }
        Ok(Self::Named(devices))
    }
}

/// The precision that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32-bit floats; on a GPU its convolutions may round their inputs to TF32 (10 bits of mantissa).
    #[default]
    #[serde(rename = "f32")]
    F32,
    /// 32-bit floats without TF32, the reference's arithmetic.
    #[serde(rename = "f32-strict")]
    F32Strict,
    /// 16-bit brain floats between the layers; sums and the last layer stay 32-bit.
    #[serde(rename = "bf16")]
    Bf16,
    /// bf16 where the device has instructions for it, else f32.
    #[serde(rename = "auto")]
    Auto,
}

impl Precision {
    /// All choices.
    pub const ALL: [Self; 4] = [Self::F32, Self::F32Strict, Self::Bf16, Self::Auto];

    /// The choice's name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F32Strict => "f32-strict",
            Self::Bf16 => "bf16",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no precision; precisions are f32, f32-strict, bf16 and auto")]
pub struct UnknownPrecision(pub String);

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.name() == text)
            .ok_or_else(|| UnknownPrecision(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for device in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Cuda(0), DeviceChoice::Cuda(12)] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        for precision in Precision::ALL {
            assert_eq!(precision.name().parse(), Ok(precision));
            assert_eq!(serde_json::to_string(&precision).expect("a unit variant"), format!("\"{precision}\""));
        }
        assert!("gpu".parse::<DeviceChoice>().is_err() && "cuda:x".parse::<DeviceChoice>().is_err());
        assert!("f16".parse::<Precision>().is_err());
    }

    #[test]
    fn runs_are_dealt_to_devices_in_turn() {
        let deal = |text: &str, runs, gpus| text.parse::<DeviceList>().unwrap().deal(runs, gpus);
        assert_eq!(deal("auto", 4, 0), [(DeviceChoice::Auto, vec![0, 1, 2, 3])]);
        assert_eq!(deal("cpu,cpu", 3, 0), [(DeviceChoice::Cpu, vec![0, 2]), (DeviceChoice::Cpu, vec![1])]);
        assert_eq!(deal("cuda:2, 0", 2, 0), [(DeviceChoice::Cuda(2), vec![0]), (DeviceChoice::Cuda(0), vec![1])]);
        assert_eq!(deal("cuda:all", 1, 4), [(DeviceChoice::Cuda(0), vec![0])], "a device without a run is left alone");
        assert_eq!(deal("cuda:all", 4, 2).len(), 2);
        assert_eq!(deal("cuda:all", 4, 0), []);
    }

    #[test]
    fn improper_lists_are_refused() {
        let error = |text: &str| text.parse::<DeviceList>().unwrap_err();
        assert_eq!(error("cuda:1,cuda:1"), ImproperDeviceList::Twice(DeviceChoice::Cuda(1)));
        assert_eq!(error("cpu,auto"), ImproperDeviceList::NotAlone("auto"));
        assert_eq!(error("cuda:all,cpu"), ImproperDeviceList::NotAlone("cuda:all"));
        assert_eq!(error("cpu,1"), ImproperDeviceList::Unknown(UnknownDevice("1".to_owned())));
        assert_eq!(error(""), ImproperDeviceList::Unknown(UnknownDevice(String::new())));
    }
}
