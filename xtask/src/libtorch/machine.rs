//! The machine that libtorch is fetched for.

use anyhow::bail;

/// A kind of machine that ready-made libtorch libraries exist for, under Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// 64-bit Intel and AMD.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

impl Machine {
    /// The machine that this program runs on.
    pub(crate) fn here() -> anyhow::Result<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Ok(Self::X86_64),
            ("linux", "aarch64") => Ok(Self::Aarch64),
            (system, architecture) => bail!("no ready-made libtorch for {system} on {architecture}"),
        }
    }

    /// Its name in the tags of wheels.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The platform tags of wheels that glibc 2.28 and later can load, newest first. pip takes each tag literally: the
    /// newest does not imply the older ones.
    pub(crate) fn platform_tags(self) -> impl Iterator<Item = String> {
        let name = self.name();
        [28, 27, 25, 18, 17, 12, 5]
            .into_iter()
            .map(move |minor| format!("manylinux_2_{minor}_{name}"))
            .chain(["manylinux2014", "manylinux2010", "manylinux1"].map(move |era| format!("{era}_{name}")))
    }
}

/// Whether an NVIDIA driver is installed: the same question that the engine asks before it loads the CUDA libraries.
pub(crate) fn has_nvidia_driver() -> bool {
    // SAFETY: loading the driver's library runs its initialisers only, which every CUDA program runs.
    unsafe { libloading::Library::new("libcuda.so.1") }.is_ok()
}
