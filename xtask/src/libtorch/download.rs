//! Downloads wheels from the Python Package Index with the user's pip and its index, proxy and certificate settings.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::machine::Machine;
use super::progress::Progress;
use super::wheels::Wheel;

/// The interval at which the growing file is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Fails with installation advice if `python3 -m pip` does not run.
pub(super) fn require_pip() -> anyhow::Result<()> {
    let answer = Command::new("python3").args(["-m", "pip", "--version"]).stdin(Stdio::null()).output();
    match answer {
        Ok(answer) if answer.status.success() => Ok(()),
        Ok(_) => bail!("python3 has no pip: install it (Debian, Ubuntu: `apt-get install python3-pip`)"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("python3 is not installed: install it with pip (Debian, Ubuntu: `apt-get install python3-pip`)")
        }
        Err(error) => Err(error).context("start python3"),
    }
}

/// Downloads a wheel into `folder`, which must be empty, and returns its path. The file is not verified.
pub(super) fn download(wheel: &Wheel, machine: Machine, folder: &Path) -> anyhow::Result<PathBuf> {
    let bytes = wheel.file(machine).bytes;
    let progress = Progress::begin(format!("downloading {} {}", wheel.project, wheel.version), bytes);
    let log = folder.join("pip.log");
    let log_file = File::create(&log).with_context(|| format!("write {}", log.display()))?;
    let mut pip = pip_command(wheel, machine, folder);
    pip.stdin(Stdio::null()).stdout(log_file.try_clone().context("share pip's log")?).stderr(log_file);
    let mut child = pip.spawn().context("start python3 -m pip")?;
    let status = loop {
        if let Some(status) = child.try_wait().context("wait for pip")? {
            break status;
        }
        progress.set_position(bytes_under(folder).min(bytes));
        thread::sleep(POLL_INTERVAL);
    };
    if !status.success() {
        drop(progress);
        let output = fs::read(&log).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        bail!("{}", explain_failure(wheel, &output, status.code()));
    }
    let path =
        find_wheel(folder, wheel)?.with_context(|| format!("pip left no {} in {}", wheel.project, folder.display()))?;
    progress.done(bytes);
    Ok(path)
}

/// Finds the file of a wheel in a folder.
pub(super) fn find_wheel(folder: &Path, wheel: &Wheel) -> anyhow::Result<Option<PathBuf>> {
    let prefix = wheel.file_prefix();
    for entry in fs::read_dir(folder).with_context(|| format!("read the folder {}", folder.display()))? {
        let path = entry.with_context(|| format!("read the folder {}", folder.display()))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(&prefix) && path.extension().is_some_and(|extension| extension == "whl") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn pip_command(wheel: &Wheel, machine: Machine, folder: &Path) -> Command {
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
    ])
    // pip's cache would keep a second copy of half a gigabyte.
    .args(["--no-cache-dir", "--progress-bar", "off", "--python-version", "3.11", "--implementation", "cp"])
    .args(["--abi", "cp311", "--abi", "none"]);
    for tag in machine.platform_tags() {
        pip.args(["--platform", &tag]);
    }
    // `===`: exactly this version, not the index-specific `2.11.0+cpu`, which has another hash.
    pip.arg("--dest").arg(folder).arg(format!("{}==={}", wheel.project, wheel.version));
    // pip first writes the file under TMPDIR: in this folder its size can be polled, and it is removed with the folder.
    pip.env("TMPDIR", folder).env("PIP_REQUIRE_VIRTUALENV", "0");
    pip
}

/// Returns the total size of all files under a folder, ignoring files that vanish in the meantime.
pub(super) fn bytes_under(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Explains a failure from pip's output: known causes in words, otherwise its last lines.
fn explain_failure(wheel: &Wheel, output: &str, code: Option<i32>) -> String {
    const DISK: [&str; 2] = ["No space left on device", "Disk quota exceeded"];
    const NETWORK: [&str; 8] = [
        "NewConnectionError",
        "NameResolutionError",
        "Temporary failure in name resolution",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ProxyError",
        "SSLError",
        "Network is unreachable",
    ];
    let wheel_name = format!("{} {}", wheel.project, wheel.version);
    let mentions = |phrases: &[&str]| phrases.iter().any(|phrase| output.contains(phrase));
    if mentions(&DISK) {
        return format!("the disk became full while downloading {wheel_name}");
    }
    if mentions(&NETWORK) {
        let reason = output.find("[Errno").and_then(|at| output[at..].split(['\'', ')', '\n']).next());
        let reason = reason.map_or_else(String::new, |reason| format!(" ({})", reason.trim()));
        return format!("{wheel_name} could not be downloaded: the package index cannot be reached{reason}");
    }
    if output.contains("(from versions: none)") {
        return format!("the package index that pip uses cannot be reached, or has no {} at all", wheel.project);
    }
    if output.contains("No matching distribution found") {
        return format!("the package index that pip uses does not offer {wheel_name} for this machine");
    }
    let ended = code.map_or("was killed by a signal".to_owned(), |code| format!("failed with status {code}"));
    format!("pip {ended} while downloading {wheel_name}: {}", last_lines(output, 3))
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let kept = &lines[lines.len().saturating_sub(count)..];
    if kept.is_empty() { "no output".to_owned() } else { kept.join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libtorch::wheels::Parts;

    fn torch() -> &'static Wheel {
        Parts::Cpu.wheels().next().expect("torch comes first")
    }

    #[test]
    fn known_failures_are_explained() {
        let offline = "WARNING: Retrying after 'NewConnectionError('…: [Errno 111] Connection refused')': /simple/torch/\n\
                       ERROR: No matching distribution found for torch===2.11.0";
        assert!(
            explain_failure(torch(), offline, Some(1)).ends_with("cannot be reached ([Errno 111] Connection refused)")
        );
        let absent = "ERROR: No matching distribution found for torch===2.11.0";
        assert!(explain_failure(torch(), absent, Some(1)).contains("does not offer torch 2.11.0"));
        let unreachable = "ERROR: Could not find a version that satisfies the requirement (from versions: none)\n\
                           ERROR: No matching distribution found for torch===2.11.0";
        assert!(explain_failure(torch(), unreachable, Some(1)).contains("cannot be reached, or has no torch"));
        let full = "ERROR: Could not install packages: [Errno 28] No space left on device";
        assert!(explain_failure(torch(), full, Some(1)).contains("disk became full"));
        assert!(explain_failure(torch(), "one\ntwo\n\nthree\nfour\n", Some(7)).ends_with("two | three | four"));
        assert!(explain_failure(torch(), "", None).contains("killed by a signal"));
    }

    #[test]
    fn a_wheel_is_found_by_project_and_version() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["torch-2.10.0-cp311.whl", "torchvision-2.11.0-cp311.whl", "torch-2.11.0-cp311.whl.part"] {
            fs::write(folder.path().join(name), b"").expect("written");
        }
        assert_eq!(find_wheel(folder.path(), torch()).expect("readable"), None);
        let right = folder.path().join("torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl");
        fs::write(&right, b"").expect("written");
        assert_eq!(find_wheel(folder.path(), torch()).expect("readable"), Some(right));
    }
}
