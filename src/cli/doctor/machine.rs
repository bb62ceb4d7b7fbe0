//! The NVIDIA driver and its GPUs, the processor, and the cache.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::thread;

use indicatif::BinaryBytes;
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use super::{Check, State};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_protocol::engine_facts::EngineFacts;

/// The processor features that make convolutions fast, by their names in `/proc/cpuinfo`, widest last.
const FAST_FEATURES: [&str; 8] = ["avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16", "sve", "sve2"];

/// The state of the NVIDIA driver, queried through NVML, which is loaded at run time because most machines have none.
pub(super) enum NvidiaDriver {
    Absent,
    /// A driver that does not respond, with the reason.
    Silent(String),
    Present {
        version: String,
        /// The name and memory in bytes of each.
        gpus: Vec<(String, u64)>,
    },
}

impl NvidiaDriver {
    pub(super) fn ask() -> Self {
        // The unversioned name belongs to the development package.
        match Nvml::builder().lib_path("libnvidia-ml.so.1".as_ref()).init() {
            Ok(nvml) => Self::describe(&nvml).unwrap_or_else(|error| Self::Silent(error.to_string())),
            Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded) => {
                Self::Absent
            }
            Err(error) => Self::Silent(error.to_string()),
        }
    }

    fn describe(nvml: &Nvml) -> Result<Self, NvmlError> {
        let gpus = (0..nvml.device_count()?)
            .map(|index| {
                let device = nvml.device_by_index(index)?;
                Ok((device.name()?, device.memory_info()?.total))
            })
            .collect::<Result<_, NvmlError>>()?;
        Ok(Self::Present { version: nvml.sys_driver_version()?, gpus })
    }
}

/// The checks of the machine itself.
pub(super) fn checks(driver: &NvidiaDriver, facts: Option<&EngineFacts>) -> Vec<Check> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    vec![driver_check(driver), gpus_check(driver), cores_check(facts), processor_check(&cpuinfo, facts), cache_check()]
}

fn driver_check(driver: &NvidiaDriver) -> Check {
    match driver {
        NvidiaDriver::Absent => Check::new("driver", State::Missing, "no NVIDIA driver"),
        NvidiaDriver::Silent(reason) => {
            Check::new("driver", State::Warning, format!("the NVIDIA driver does not respond: {}", printable(reason)))
                .advise("`nvidia-smi` must work; after a driver update, restart the machine")
        }
        NvidiaDriver::Present { version, .. } => {
            Check::new("driver", State::Ok, format!("NVIDIA {}", printable(version)))
        }
    }
}

fn gpus_check(driver: &NvidiaDriver) -> Check {
    let NvidiaDriver::Present { gpus, .. } = driver else {
        return Check::new("GPUs", State::Missing, "none");
    };
    if gpus.is_empty() {
        return Check::new("GPUs", State::Missing, "none found by the driver");
    }
    let listed: Vec<String> =
        gpus.iter().map(|(name, memory)| format!("{} ({})", printable(name), BinaryBytes(*memory))).collect();
    Check::new("GPUs", State::Ok, listed.join(", "))
}

fn cores_check(facts: Option<&EngineFacts>) -> Check {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let usable = if cores == 1 { "one usable".to_owned() } else { format!("{cores} usable") };
    let found = match facts.map(|facts| facts.threads) {
        None => usable,
        Some(1) => format!("{usable}, the engine uses one thread"),
        Some(threads) => format!("{usable}, the engine uses {threads} threads"),
    };
    match facts.map(|facts| facts.threads as usize) {
        Some(threads) if threads > cores => Check::new("cores", State::Warning, found)
            .advise(format!("more threads than cores are slower: OMP_NUM_THREADS={cores}")),
        _ => Check::new("cores", State::Ok, found),
    }
}

fn processor_check(cpuinfo: &str, facts: Option<&EngineFacts>) -> Check {
    let (model, features) = read_cpuinfo(cpuinfo);
    let model = model.map_or_else(|| env::consts::ARCH.to_owned(), printable);
    let bf16 = match facts {
        Some(facts) if facts.cpu_bf16 => "; bfloat16 is native",
        Some(_) => "; bfloat16 is not native",
        None => "",
    };
    let listed = if features.is_empty() { "no vector features known".to_owned() } else { features.join(" ") };
    let found = format!("{model}: {listed}{bf16}");
    if env::consts::ARCH == "x86_64" && !cpuinfo.is_empty() && !features.contains(&"avx2") {
        return Check::new("processor", State::Warning, found)
            .advise("without AVX2 training on the CPU is several times slower");
    }
    Check::new("processor", State::Ok, found)
}

/// The model name and the relevant features of the first processor.
fn read_cpuinfo(cpuinfo: &str) -> (Option<&str>, Vec<&'static str>) {
    let value = |keys: [&str; 2]| {
        cpuinfo.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            keys.contains(&key.trim()).then(|| value.trim())
        })
    };
    let flags: Vec<&str> = value(["flags", "Features"]).unwrap_or_default().split_whitespace().collect();
    let features = FAST_FEATURES.into_iter().filter(|feature| flags.contains(feature)).collect();
    (value(["model name", "Model"]), features)
}

fn cache_check() -> Check {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")));
    let Some(folder) = cache.map(|cache| cache.join("mammoscope")) else {
        return Check::new("cache", State::Warning, "neither XDG_CACHE_HOME nor HOME is set")
            .advise("set XDG_CACHE_HOME to a folder on a local disk");
    };
    let path = printable_path(&folder);
    match fs::read_dir(&folder) {
        Ok(_) => Check::new("cache", State::Ok, path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::new("cache", State::Ok, format!("{path} (not created yet)"))
        }
        Err(error) => Check::new("cache", State::Warning, format!("{path}: {error}"))
            .advise("make it readable and writable, or set XDG_CACHE_HOME to another folder"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_as_whole_words() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some Processor\nflags\t\t: fpu avx avx2x avx512f avx512_bf16\n\n\
                       processor\t: 1\nflags\t\t: avx2\n";
        assert_eq!(read_cpuinfo(cpuinfo), (Some("Some Processor"), vec!["avx512f", "avx512_bf16"]));
        let arm = "processor : 0\nFeatures : fp asimd bf16 sve\n";
        assert_eq!(read_cpuinfo(arm), (None, vec!["asimd", "bf16", "sve"]));
        assert_eq!(read_cpuinfo(""), (None, vec![]));
    }

    #[test]
    fn gpus_are_listed_with_their_memory() {
        let driver = NvidiaDriver::Present {
            version: "580.1".to_owned(),
            gpus: vec![("NVIDIA H100".to_owned(), 80 << 30), ("odd\u{1b}name".to_owned(), 1 << 30)],
        };
        let check = gpus_check(&driver);
        assert_eq!(check.found, "NVIDIA H100 (80.00 GiB), odd\\u{1b}name (1.00 GiB)");
        assert_eq!(driver_check(&driver).found, "NVIDIA 580.1");
    }

    #[test]
    fn a_missing_driver_is_not_a_warning() {
        let check = driver_check(&NvidiaDriver::Absent);
        assert_eq!((check.state, check.advice.len()), (State::Missing, 0));
        let silent = driver_check(&NvidiaDriver::Silent("version mismatch".to_owned()));
        assert!(silent.state == State::Warning && !silent.advice.is_empty());
    }
}
