//! The wheels that libtorch is taken from, and the files in them that are kept.

use super::machine::Machine;
use super::wheel_table::{TORCH_AARCH64, TORCH_CUDA, WHEELS};

/// The only libtorch release that tch 0.24 fits.
pub(crate) const LIBTORCH_VERSION: &str = "2.11.0";

/// Which part of libtorch is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// The CPU library alone.
    Cpu,
    /// The CPU library and what an NVIDIA GPU needs.
    Cuda,
}

impl Parts {
    /// `cpu` or `cuda`, as in the names of folders.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// The wheels that hold these parts.
    pub(crate) fn wheels(self) -> impl Iterator<Item = &'static Wheel> {
        WHEELS.iter().filter(move |wheel| self == Self::Cuda || !wheel.cuda_only)
    }
}

/// One wheel on the Python Package Index.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// The project's name there.
    pub(crate) project: &'static str,
    /// The exact version.
    pub(crate) version: &'static str,
    /// Whether only a machine with an NVIDIA GPU needs it.
    pub(super) cuda_only: bool,
    /// The shared libraries that are kept on every machine.
    pub(super) libraries: &'static [&'static str],
    /// The file for `x86_64`.
    pub(super) x86_64: WheelFile,
    /// The file for `aarch64`.
    pub(super) aarch64: WheelFile,
}

/// What pins a wheel's file for one machine.
#[derive(Debug)]
pub(crate) struct WheelFile {
    /// The size of the download, in bytes.
    pub(crate) bytes: u64,
    /// SHA-256, in lower-case hexadecimal digits.
    pub(crate) sha256: &'static str,
    /// Bytes that stay after unpacking the parts for the CPU, and those that CUDA adds.
    pub(super) kept: (u64, u64),
}

impl Wheel {
    /// The wheel's file for a machine.
    pub(crate) fn file(&self, machine: Machine) -> &WheelFile {
        match machine {
            Machine::X86_64 => &self.x86_64,
            Machine::Aarch64 => &self.aarch64,
        }
    }

    /// How the wheel's file name begins: the project's name is written with underscores there.
    pub(crate) fn file_prefix(&self) -> String {
        format!("{}-{}-", self.project.replace('-', "_"), self.version)
    }

    /// Bytes that stay on disk after unpacking.
    pub(crate) fn kept_bytes(&self, machine: Machine, parts: Parts) -> u64 {
        let (cpu, cuda) = self.file(machine).kept;
        cpu + if parts == Parts::Cuda { cuda } else { 0 }
    }

    /// The folder of headers that is kept, if any.
    pub(crate) fn headers(&self) -> Option<&'static str> {
        (self.project == "torch").then_some("torch/include/")
    }

    /// The shared libraries that are kept, by their names in the wheel.
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
    fn the_table_is_whole() {
        let mut hashes = HashSet::new();
        for wheel in Parts::Cuda.wheels() {
            for machine in [Machine::X86_64, Machine::Aarch64] {
                let file = wheel.file(machine);
                assert!(file.sha256.len() == 64 && file.sha256.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
                assert!(hashes.insert(file.sha256), "{}: a hash stands twice", wheel.project);
                assert!(wheel.kept_bytes(machine, Parts::Cuda) > 0 && file.bytes > 0);
            }
        }
        let for_cpu: Vec<&str> = Parts::Cpu.wheels().map(|wheel| wheel.project).collect();
        assert_eq!(for_cpu, ["torch", "nvidia-cuda-cupti", "nvidia-cuda-runtime"]);
    }

    #[test]
    fn cuda_libraries_are_kept_only_when_wanted() {
        let torch = Parts::Cpu.wheels().next().expect("torch comes first");
        let has_cuda = |parts| torch.libraries(Machine::X86_64, parts).contains(&"torch/lib/libtorch_cuda.so");
        assert!(!has_cuda(Parts::Cpu) && has_cuda(Parts::Cuda));
        assert!(torch.kept_bytes(Machine::X86_64, Parts::Cpu) < torch.kept_bytes(Machine::X86_64, Parts::Cuda));
    }
}
