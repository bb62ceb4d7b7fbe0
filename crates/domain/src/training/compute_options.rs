//! Devices and precisions to compute with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::named_choice::named_choice;

/// The requested device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DeviceChoice {
    /// The first GPU if there is one, else the CPU.
    #[default]
    Auto,
    Cpu,
    /// A GPU, by its number.
    Cuda(usize),
}

/// An unknown device name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a device; devices are auto, cpu, and cuda:0, cuda:1, …")]
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

/// The devices that runs are assigned to, with one trainer per device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceList {
    /// These, in this order; only the CPU may occur more than once.
    Named(Vec<DeviceChoice>),
    /// Every GPU of the machine.
    AllCuda,
}

impl Default for DeviceList {
    fn default() -> Self {
        Self::Named(vec![DeviceChoice::Auto])
    }
}

/// An invalid list of devices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeviceList {
    #[error("{0}; lists are cuda:0,cuda:1 and so on, or cuda:all")]
    Unknown(#[from] UnknownDevice),
    /// A GPU that is listed twice would train two runs at once, each at half the speed.
    #[error("{0} is named twice")]
    Twice(DeviceChoice),
    /// `auto` or `cuda:all` among other devices.
    #[error("'{0}' cannot be combined with other devices")]
    NotAlone(&'static str),
}

impl DeviceList {
    /// Assigns `runs` runs to the devices in turn: returns each device that gets any, with the positions of its runs in
    /// order. `gpus` is the number of GPUs, for [`DeviceList::AllCuda`]; if it is 0, nothing is assigned.
    #[must_use]
    pub fn assign(&self, runs: usize, gpus: usize) -> Vec<(DeviceChoice, Vec<usize>)> {
        deal(self.all(gpus), runs)
    }

    /// Like [`DeviceList::assign`], with `jobs` trainers on each device; a device that is listed twice counts once.
    #[must_use]
    pub fn assign_side_by_side(&self, runs: usize, gpus: usize, jobs: usize) -> Vec<(DeviceChoice, Vec<usize>)> {
        let devices = self.distinct(gpus);
        deal(devices.repeat(jobs.max(1)), runs)
    }

    /// The devices, each once.
    #[must_use]
    pub fn distinct(&self, gpus: usize) -> Vec<DeviceChoice> {
        let mut devices = self.all(gpus);
        let mut seen = Vec::with_capacity(devices.len());
        devices.retain(|device| {
            let is_new = !seen.contains(device);
            seen.push(*device);
            is_new
        });
        devices
    }

    /// The devices as listed.
    #[must_use]
    pub fn all(&self, gpus: usize) -> Vec<DeviceChoice> {
        match self {
            Self::Named(devices) => devices.clone(),
            Self::AllCuda => (0..gpus).map(DeviceChoice::Cuda).collect(),
        }
    }
}

/// Deals the positions of `runs` runs in turn: one list for each trainer that gets any.
fn deal(trainers: Vec<DeviceChoice>, runs: usize) -> Vec<(DeviceChoice, Vec<usize>)> {
    let count = trainers.len();
    let dealt = trainers.into_iter().enumerate().take(runs);
    dealt.map(|(first, device)| (device, (first..runs).step_by(count).collect())).collect()
}

impl FromStr for DeviceList {
    type Err = InvalidDeviceList;

    /// Parses `auto`, `cuda:all`, or devices separated by commas; after a GPU a number is enough, as in `cuda:0,1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts == ["cuda:all"] {
            return Ok(Self::AllCuda);
        }
        let mut devices: Vec<DeviceChoice> = Vec::with_capacity(parts.len());
        for part in &parts {
            let device = match (*part, devices.last()) {
                ("auto", _) if parts.len() > 1 => return Err(InvalidDeviceList::NotAlone("auto")),
                ("cuda:all", _) => return Err(InvalidDeviceList::NotAlone("cuda:all")),
                (number, Some(DeviceChoice::Cuda(_))) if number.parse::<usize>().is_ok() => {
                    format!("cuda:{number}").parse()?
                }
                (name, _) => name.parse()?,
            };
            if device != DeviceChoice::Cpu && devices.contains(&device) {
                return Err(InvalidDeviceList::Twice(device));
            }
            devices.push(device);
        }
        Ok(Self::Named(devices))
    }
}

/// The requested precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32-bit floats; on a GPU its convolutions may round their inputs to TF32 (10 bits of mantissa).
    #[default]
    #[serde(rename = "f32")]
    F32,
    /// 32-bit floats without TF32, the reference's arithmetic.
    #[serde(rename = "f32-strict")]
    F32Strict,
    /// bfloat16 between the layers; sums and the last layer stay 32-bit.
    #[serde(rename = "bf16")]
    Bf16,
    /// bf16 if the device has instructions for it, else f32.
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

/// An unknown precision name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a precision; precisions are f32, f32-strict, bf16 and auto")]
pub struct UnknownPrecision(pub String);

named_choice!(Precision by name, str::eq, UnknownPrecision);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_to_the_same_values() {
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
    fn runs_are_assigned_to_devices_in_turn() {
        let assign = |text: &str, runs, gpus| text.parse::<DeviceList>().unwrap().assign(runs, gpus);
        assert_eq!(assign("auto", 4, 0), [(DeviceChoice::Auto, vec![0, 1, 2, 3])]);
        assert_eq!(assign("cpu,cpu", 3, 0), [(DeviceChoice::Cpu, vec![0, 2]), (DeviceChoice::Cpu, vec![1])]);
        assert_eq!(assign("cuda:2, 0", 2, 0), [(DeviceChoice::Cuda(2), vec![0]), (DeviceChoice::Cuda(0), vec![1])]);
        assert_eq!(assign("cuda:all", 1, 4), [(DeviceChoice::Cuda(0), vec![0])], "a device without a run is left out");
        assert_eq!(assign("cuda:all", 4, 2).len(), 2);
        assert_eq!(assign("cuda:all", 4, 0), []);
    }

    #[test]
    fn several_trainers_share_a_device() {
        let assign = |text: &str, runs, jobs| {
            let list: DeviceList = text.parse().unwrap();
            list.assign_side_by_side(runs, 2, jobs)
                .into_iter()
                .map(|(device, runs)| (device.to_string(), runs))
                .collect()
        };
        let dealt = |shares: &[(&str, &[usize])]| -> Vec<(String, Vec<usize>)> {
            shares.iter().map(|(device, runs)| ((*device).to_owned(), runs.to_vec())).collect()
        };
        let check = |got: Vec<(String, Vec<usize>)>, expected: &[(&str, &[usize])]| assert_eq!(got, dealt(expected));
        check(assign("cpu", 4, 2), &[("cpu", &[0, 2]), ("cpu", &[1, 3])]);
        check(assign("cpu,cpu", 3, 2), &[("cpu", &[0, 2]), ("cpu", &[1])]);
        check(assign("cpu", 2, 3), &[("cpu", &[0]), ("cpu", &[1])]);
        let both = [("cuda:0", &[0][..]), ("cuda:1", &[1]), ("cuda:0", &[2]), ("cuda:1", &[3])];
        check(assign("cuda:all", 4, 2), &both);
        check(assign("cuda:1,0", 3, 1), &[("cuda:1", &[0, 2]), ("cuda:0", &[1])]);
    }

    #[test]
    fn invalid_lists_are_refused() {
        let error = |text: &str| text.parse::<DeviceList>().unwrap_err();
        assert_eq!(error("cuda:1,cuda:1"), InvalidDeviceList::Twice(DeviceChoice::Cuda(1)));
        assert_eq!(error("cpu,auto"), InvalidDeviceList::NotAlone("auto"));
        assert_eq!(error("cuda:all,cpu"), InvalidDeviceList::NotAlone("cuda:all"));
        assert_eq!(error("cpu,1"), InvalidDeviceList::Unknown(UnknownDevice("1".to_owned())));
        assert_eq!(error(""), InvalidDeviceList::Unknown(UnknownDevice(String::new())));
    }
}
