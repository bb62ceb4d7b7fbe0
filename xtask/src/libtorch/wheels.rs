//! The wheels that contain libtorch, and the files that are kept of them.

use super::machine::Machine;
use super::wheel_table::{TORCH_AARCH64, TORCH_CUDA, WHEELS};

/// The only libtorch release that tch 0.24 supports.
pub(crate) const LIBTORCH_VERSION: &str = "2.11.0";

/// The parts of libtorch to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// Only the CPU library.
    Cpu,
    /// The CPU library and the libraries for NVIDIA GPUs.
    Cuda,
}

impl Parts {
    /// Returns `cpu` or `cuda`, as in folder names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// Returns the wheels that contain these parts.
    pub(crate) fn wheels(self) -> impl Iterator<Item = &'static Wheel> {
        WHEELS.iter().filter(move |wheel| self == Self::Cuda || !wheel.cuda_only)
    }
}

/// A wheel on the Python Package Index.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// The name of the project.
    pub(crate) project: &'static str,
    pub(crate) version: &'static str,
    /// True if only machines with an NVIDIA GPU need it.
    pub(super) cuda_only: bool,
    /// The shared libraries to keep on every machine.
    pub(super) libraries: &'static [&'static str],
    /// The file for `x86_64`.
    pub(super) x86_64: WheelFile,
    /// The file for `aarch64`.
    pub(super) aarch64: WheelFile,
}

/// The pinned file of a wheel for one architecture.
#[derive(Debug)]
pub(crate) struct WheelFile {
    /// The size of the download in bytes.
    pub(crate) bytes: u64,
    /// The SHA-256 in lower-case hexadecimal.
    pub(crate) sha256: &'static str,
    /// The unpacked size in bytes: of the CPU parts, and what CUDA adds.
    pub(super) kept: (u64, u64),
}

impl Wheel {
    /// Returns the file for a machine.
    pub(crate) fn file(&self, machine: Machine) -> &WheelFile {
        match machine {
            Machine::X86_64 => &self.x86_64,
            Machine::Aarch64 => &self.aarch64,
        }
    }

    /// Returns the beginning of the file name, in which the project's name has underscores.
    pub(crate) fn file_prefix(&self) -> String {
        format!("{}-{}-", self.project.replace('-', "_"), self.version)
    }

    /// Returns the unpacked size in bytes.
    pub(crate) fn kept_bytes(&self, machine: Machine, parts: Parts) -> u64 {
        let (cpu, cuda) = self.file(machine).kept;
        cpu + if parts == Parts::Cuda { cuda } else { 0 }
    }

    /// Returns the folder of headers to keep, if any.
    pub(crate) fn headers(&self) -> Option<&'static str> {
        (self.project == "torch").then_some("torch/include/")
    }

    /// Returns the shared libraries to keep, by their paths in the wheel.
    pub(crate) fn libraries(&self, machine: Machine, parts: Parts) -> Vec<&'static str> {
        let mut libraries = self.libraries.to_vec();
        if self.project == "torch" {
            if machine == Machine::Aarch64 {
                libraries.extend(TORCH_AARCH64);
            }
            if parts == Parts::Cuda {
                libraries.extend(TORCH_CUDA);
            }
        }
        libraries
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_complete() {
        let mut hashes = HashSet::new();
        for wheel in Parts::Cuda.wheels() {
            for machine in [Machine::X86_64, Machine::Aarch64] {
                let file = wheel.file(machine);
                assert!(file.sha256.len() == 64 && file.sha256.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
                assert!(hashes.insert(file.sha256), "{}: a hash is listed twice", wheel.project);
                assert!(wheel.kept_bytes(machine, Parts::Cuda) > 0 && file.bytes > 0);
            }
        }
        let for_cpu: Vec<&str> = Parts::Cpu.wheels().map(|wheel| wheel.project).collect();
        assert_eq!(for_cpu, ["torch", "nvidia-cuda-cupti", "nvidia-cuda-runtime"]);
    }

    #[test]
    fn cuda_libraries_are_kept_only_on_request() {
        let torch = Parts::Cpu.wheels().next().expect("torch comes first");
        let has_cuda = |parts| torch.libraries(Machine::X86_64, parts).contains(&"torch/lib/libtorch_cuda.so");
        assert!(!has_cuda(Parts::Cpu) && has_cuda(Parts::Cuda));
        assert!(torch.kept_bytes(Machine::X86_64, Parts::Cpu) < torch.kept_bytes(Machine::X86_64, Parts::Cuda));
    }
}
