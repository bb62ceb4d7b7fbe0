//! The machine for which libtorch is fetched.

use anyhow::bail;

/// A Linux architecture with prebuilt libtorch libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// 64-bit Intel and AMD.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

impl Machine {
    /// Returns the machine on which this program runs.
    pub(crate) fn here() -> anyhow::Result<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Ok(Self::X86_64),
            ("linux", "aarch64") => Ok(Self::Aarch64),
            (system, architecture) => bail!("there is no prebuilt libtorch for {system} on {architecture}"),
        }
    }

    /// The name in wheel tags.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// Returns the platform tags of wheels that glibc 2.28 and later can load, newest first. pip matches tags
    /// literally: the newest does not imply the older ones.
    pub(crate) fn platform_tags(self) -> impl Iterator<Item = String> {
        let name = self.name();
        [28, 27, 25, 18, 17, 12, 5]
            .into_iter()
            .map(move |minor| format!("manylinux_2_{minor}_{name}"))
            .chain(["manylinux2014", "manylinux2010", "manylinux1"].map(move |era| format!("{era}_{name}")))
    }
}

/// Returns true if an NVIDIA driver is installed, by the test that the engine applies before loading the CUDA
/// libraries.
pub(crate) fn has_nvidia_driver() -> bool {
    // SAFETY: loading the driver's library only runs its initialisers, as every CUDA program does.
    unsafe { libloading::Library::new("libcuda.so.1") }.is_ok()
}
