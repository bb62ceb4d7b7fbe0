//! An unpacked libtorch: in the cache, the user's own, or PyTorch's.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::wheels::LIBTORCH_VERSION;

/// Prints the folder of PyTorch without importing it, which would take seconds.
const FIND_PYTHON_TORCH: &str = "
import importlib.util, os, sys
found = importlib.util.find_spec('torch')
if found is None or found.origin is None: sys.exit('no module named torch')
print(os.path.dirname(os.path.abspath(found.origin)))
";

/// A libtorch of the supported release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Libtorch {
    /// The folder with the headers.
    pub(crate) include: PathBuf,
    /// The folder with `libtorch_cpu.so`.
    pub(crate) libraries: PathBuf,
}

impl Libtorch {
    /// Opens the libtorch in `root`, which contains `include` and `lib`. The error names what is missing, or the
    /// release if it is another.
    pub(crate) fn at(root: &Path) -> anyhow::Result<Self> {
        Self::at_roots(root, root)
    }

    /// Like [`Libtorch::at`], with a root for each of the two folders.
    fn at_roots(include_root: &Path, library_root: &Path) -> anyhow::Result<Self> {
        let absolute = |path: PathBuf| std::path::absolute(&path).with_context(|| format!("find {}", path.display()));
        let found =
            Self { include: absolute(include_root.join("include"))?, libraries: absolute(library_root.join("lib"))? };
        for library in ["libtorch_cpu.so", "libc10.so"] {
            let path = found.libraries.join(library);
            if !path.is_file() {
                bail!("no libtorch: {} is missing", path.display());
            }
        }
        let version = version_of_headers(&found.include)?;
        if version != LIBTORCH_VERSION && env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_none() {
            bail!("{} is libtorch {version}; this program requires {LIBTORCH_VERSION}", library_root.display());
        }
        Ok(found)
    }

    /// Returns the libtorch that the user's environment names, with the name of the variable: `LIBTORCH` (with
    /// `LIBTORCH_INCLUDE` and `LIBTORCH_LIB`, which `torch-sys` reads too), or `LIBTORCH_USE_PYTORCH`.
    pub(crate) fn from_environment(own_variable: Option<PathBuf>) -> anyhow::Result<Option<(Self, &'static str)>> {
        if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
            return Ok(Some((Self::of_python()?, "LIBTORCH_USE_PYTORCH")));
        }
        let Some(root) = own_variable else { return Ok(None) };
        let root_of = |name| env::var_os(name).map_or_else(|| root.clone(), PathBuf::from);
        let found = Self::at_roots(&root_of("LIBTORCH_INCLUDE"), &root_of("LIBTORCH_LIB"))
            .context("LIBTORCH is set in the environment")?;
        Ok(Some((found, "LIBTORCH")))
    }

    fn of_python() -> anyhow::Result<Self> {
        // The interpreter that torch-sys uses.
        let python = if env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
        let output = Command::new(python)
            .args(["-c", FIND_PYTHON_TORCH])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("LIBTORCH_USE_PYTORCH is set, but {python} does not start"))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!(
                "LIBTORCH_USE_PYTORCH is set, but {python} has no torch: {}",
                stderr.lines().last().unwrap_or("").trim()
            );
        }
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Self::at(Path::new(&folder)).context("LIBTORCH_USE_PYTORCH is set")
    }

    /// Returns true if the CUDA libraries are beside the CPU library.
    pub(crate) fn has_cuda(&self) -> bool {
        fs::canonicalize(self.libraries.join("libtorch_cpu.so"))
            .is_ok_and(|library| library.with_file_name("libtorch_cuda.so").is_file())
    }
}

/// Reads the release from the headers, the only place common to all distributions of libtorch.
fn version_of_headers(include: &Path) -> anyhow::Result<String> {
    let header = include.join("torch/headeronly/version.h");
    let text =
        fs::read_to_string(&header).with_context(|| format!("read libtorch's release from {}", header.display()))?;
    let number = |name: &str| {
        text.lines().find_map(|line| {
            let value = line.trim().strip_prefix("#define ")?.strip_prefix(name)?.trim();
            value.parse::<u32>().ok()
        })
    };
    let parts = (number("TORCH_VERSION_MAJOR"), number("TORCH_VERSION_MINOR"), number("TORCH_VERSION_PATCH"));
    let (Some(major), Some(minor), Some(patch)) = parts else {
        bail!("{} does not state libtorch's release", header.display());
    };
    Ok(format!("{major}.{minor}.{patch}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Creates a folder that looks like a release of libtorch.
    pub(in crate::libtorch) fn fake_libtorch(root: &Path, [major, minor, patch]: [u32; 3]) {
        fs::create_dir_all(root.join("include/torch/headeronly")).expect("made");
        fs::create_dir_all(root.join("lib")).expect("made");
        for library in ["libtorch_cpu.so", "libc10.so"] {
            fs::write(root.join("lib").join(library), b"").expect("written");
        }
        let header = format!(
            "#pragma once\n#define TORCH_VERSION_MAJOR {major}\n#define TORCH_VERSION_MINOR {minor}\n\
             #define TORCH_VERSION_PATCH {patch}\n#define TORCH_VERSION \\\n  \"unused\"\n"
        );
        fs::write(root.join("include/torch/headeronly/version.h"), header).expect("written");
    }

    #[test]
    fn another_release_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let right = folder.path().join("right one");
        fake_libtorch(&right, [2, 11, 0]);
        let found = Libtorch::at(&right).expect("the right release");
        assert_eq!(found.include, right.join("include"));
        assert!(!found.has_cuda());
        fs::write(right.join("lib/libtorch_cuda.so"), b"").expect("written");
        assert!(found.has_cuda());
        let older = folder.path().join("older");
        fake_libtorch(&older, [2, 10, 1]);
        let error = Libtorch::at(&older).expect_err("another release").to_string();
        assert!(error.contains("is libtorch 2.10.1") && error.contains("requires 2.11.0"), "{error}");
    }

    #[test]
    fn missing_files_are_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = Libtorch::at(folder.path()).expect_err("empty").to_string();
        assert!(error.contains("libtorch_cpu.so is missing"), "{error}");
        fake_libtorch(folder.path(), [2, 11, 0]);
        fs::write(folder.path().join("include/torch/headeronly/version.h"), b"// nothing\n").expect("written");
        let error = Libtorch::at(folder.path()).expect_err("no release").to_string();
        assert!(error.contains("does not state"), "{error}");
    }
}
