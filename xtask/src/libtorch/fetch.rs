//! Installs libtorch from wheels into the user's cache, completely or not at all.
//!
//! Everything is collected in `<name>.partial` beside its destination: `wheels/` (downloaded and verified), `tree/`
//! (unpacked), `unpacked/` (one list of files per completely unpacked wheel). Complete parts survive an interruption
//! and are used by the next run. At the end the tree is flushed and renamed into place.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use indicatif::DecimalBytes;

use super::cache::{SetupLock, cache_folder, flush_to_disk, require_space};
use super::download::{bytes_under, download, find_wheel, require_pip};
use super::installed::Libtorch;
use super::machine::Machine;
use super::progress::{Progress, short};
use super::sha256::sha256_of_file;
use super::unpack::{UnpackedFile, unpack};
use super::wheels::{LIBTORCH_VERSION, Parts, Wheel};

/// The list of the unpacked files, written when all of them are present.
const FILE_LIST: &str = "files.txt";

/// The libtorch to install in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) machine: Machine,
    pub(crate) parts: Parts,
    /// A folder with the wheels, for machines without network access.
    pub(crate) wheels: Option<PathBuf>,
}

/// Returns true if a libtorch in the cache is still complete; the user's own libtorch always counts as complete.
pub(super) fn is_intact(libtorch: &Libtorch) -> bool {
    let Ok(library) = fs::canonicalize(libtorch.libraries.join("libtorch_cpu.so")) else { return false };
    match library.ancestors().nth(3) {
        Some(folder) if folder.join(FILE_LIST).exists() => is_complete(folder),
        _ => true,
    }
}

/// Installs libtorch in the cache, if necessary, and returns its folder. It contains `torch/` and `nvidia/` side by
/// side, because `libtorch_cpu.so` looks for the CUDA libraries there.
pub(crate) fn fetch(wanted: &Wanted) -> anyhow::Result<PathBuf> {
    let cache = cache_folder()?;
    let name = folder_name(wanted.machine, wanted.parts);
    let destination = cache.join(&name);
    if is_complete(&destination) {
        return Ok(destination);
    }
    let started = Instant::now();
    let _lock = SetupLock::acquire(&cache)?;
    if is_complete(&destination) {
        return Ok(destination); // Another set-up did it while this one waited.
    }
    let partial = Partial::open(cache.join(format!("{name}.partial")))?;
    let missing: Vec<&Wheel> = wanted.parts.wheels().filter(|wheel| !partial.is_unpacked(wheel)).collect();
    announce(wanted, &missing, &cache);
    require_space(&cache, space_for(wanted, &missing).saturating_sub(partial.bytes_to_reuse(wanted)))?;
    if wanted.wheels.is_none() && !missing.is_empty() {
        require_pip()?;
    }
    for wheel in missing {
        partial.add(wheel, wanted)?;
    }
    let bytes = partial.publish(wanted.parts, &destination)?;
    eprintln!("  libtorch is in {}: {} in {}", destination.display(), DecimalBytes(bytes), short(started.elapsed()));
    Ok(destination)
}

fn folder_name(machine: Machine, parts: Parts) -> String {
    format!("{LIBTORCH_VERSION}-{}-{}", parts.name(), machine.name())
}

fn announce(wanted: &Wanted, missing: &[&Wheel], cache: &Path) {
    let download: u64 = missing.iter().map(|wheel| wheel.file(wanted.machine).bytes).sum();
    let kept: u64 = missing.iter().map(|wheel| wheel.kept_bytes(wanted.machine, wanted.parts)).sum();
    let kind = match wanted.parts {
        Parts::Cpu => "for the CPU",
        Parts::Cuda => "with CUDA",
    };
    let verb = if wanted.wheels.is_some() { "to read" } else { "to download" };
    eprintln!(
        "libtorch {LIBTORCH_VERSION} {kind}: {} {verb}, {} to keep in {}",
        DecimalBytes(download),
        DecimalBytes(kept),
        cache.display()
    );
}

/// Estimates the disk space: the unpacked files, the largest wheel beside them, and 5 % for the file system.
fn space_for(wanted: &Wanted, missing: &[&Wheel]) -> u64 {
    let kept: u64 = missing.iter().map(|wheel| wheel.kept_bytes(wanted.machine, wanted.parts)).sum();
    let largest = missing.iter().map(|wheel| wheel.file(wanted.machine).bytes).max().unwrap_or(0);
    let needed = if wanted.wheels.is_some() { kept } else { kept + largest };
    needed + needed / 20
}

/// Returns true if every shared library in the list exists with its size. The headers are not checked one by one:
/// thousands of requests to a network file system would take seconds.
fn is_complete(folder: &Path) -> bool {
    let libraries =
        |files: Vec<UnpackedFile>| files.into_iter().filter(|file| !file.name.starts_with("torch/include/"));
    read_list(&folder.join(FILE_LIST)).is_some_and(|files| libraries(files).all(|file| is_present(folder, &file)))
}

fn is_present(folder: &Path, file: &UnpackedFile) -> bool {
    fs::metadata(folder.join(&file.name)).is_ok_and(|metadata| metadata.len() == file.bytes)
}

/// The folder in which a libtorch is collected.
struct Partial {
    folder: PathBuf,
}

impl Partial {
    fn open(folder: PathBuf) -> anyhow::Result<Self> {
        for part in ["wheels", "tree", "unpacked"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("create the folder {}", part.display()))?;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("read the folder {}", folder.display()))? {
            let path = entry.with_context(|| format!("read the folder {}", folder.display()))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("download-")) {
                // If a pip that outlived its set-up is still writing there, the folder stays until the next run.
                let _ = fs::remove_dir_all(&path);
            }
        }
        Ok(Self { folder })
    }

    fn list_of(&self, wheel: &Wheel) -> PathBuf {
        self.folder.join("unpacked").join(format!("{}.txt", wheel.project))
    }

    /// Returns true if an earlier run unpacked this wheel and all files still have their sizes.
    fn is_unpacked(&self, wheel: &Wheel) -> bool {
        let tree = self.folder.join("tree");
        read_list(&self.list_of(wheel)).is_some_and(|files| files.iter().all(|file| is_present(&tree, file)))
    }

    /// Returns the bytes already taken by complete wheels and half-unpacked files of an interrupted run.
    fn bytes_to_reuse(&self, wanted: &Wanted) -> u64 {
        let unpacked = wanted.parts.wheels().filter(|wheel| self.is_unpacked(wheel));
        let complete: u64 = unpacked.map(|wheel| wheel.kept_bytes(wanted.machine, wanted.parts)).sum();
        let present = bytes_under(&self.folder.join("tree")) + bytes_under(&self.folder.join("wheels"));
        present.saturating_sub(complete)
    }

    fn add(&self, wheel: &Wheel, wanted: &Wanted) -> anyhow::Result<()> {
        let path = self.verified_wheel(wheel, wanted)?;
        let kept = wheel.kept_bytes(wanted.machine, wanted.parts);
        let progress = Progress::begin(format!("unpacking {} {}", wheel.project, wheel.version), kept);
        let libraries = wheel.libraries(wanted.machine, wanted.parts);
        let files = unpack(&path, wheel.headers(), &libraries, &self.folder.join("tree"), &progress)?;
        progress.done(files.iter().map(|file| file.bytes).sum());
        write_list(&self.list_of(wheel), &files)?;
        if wanted.wheels.is_none() {
            fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Returns the path of a wheel with the expected hash: from the given folder, an interrupted run, or a download.
    fn verified_wheel(&self, wheel: &Wheel, wanted: &Wanted) -> anyhow::Result<PathBuf> {
        let expected = wheel.file(wanted.machine).sha256;
        if let Some(folder) = &wanted.wheels {
            let path = find_wheel(folder, wheel)?.with_context(|| {
                format!("{} does not contain the wheel of {} {}", folder.display(), wheel.project, wheel.version)
            })?;
            verify(&path, expected)?;
            return Ok(path);
        }
        let wheels = self.folder.join("wheels");
        if let Some(path) = find_wheel(&wheels, wheel)? {
            if verify(&path, expected).is_ok() {
                eprintln!("  {} {}: already downloaded", wheel.project, wheel.version);
                return Ok(path);
            }
            fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
        // A name unique to this process: a pip that outlived a killed set-up writes elsewhere.
        let fresh = self.folder.join(format!("download-{}", std::process::id()));
        fs::create_dir_all(&fresh).with_context(|| format!("create the folder {}", fresh.display()))?;
        let downloaded = download(wheel, wanted.machine, &fresh)?;
        verify(&downloaded, expected)?;
        let path = wheels.join(downloaded.file_name().expect("a found wheel has a name"));
        fs::rename(&downloaded, &path)
            .with_context(|| format!("move {} to {}", downloaded.display(), path.display()))?;
        fs::remove_dir_all(&fresh).with_context(|| format!("remove {}", fresh.display()))?;
        Ok(path)
    }

    /// Moves the collected tree into place and returns its size in bytes.
    fn publish(self, parts: Parts, destination: &Path) -> anyhow::Result<u64> {
        let tree = self.folder.join("tree");
        let mut files = Vec::new();
        for wheel in parts.wheels() {
            let list = self.list_of(wheel);
            files.extend(read_list(&list).with_context(|| format!("read {}", list.display()))?);
        }
        write_list(&tree.join(FILE_LIST), &files)?;
        flush_to_disk(&tree)?;
        if destination.exists() {
            // It is incomplete, or it would not have been collected again.
            fs::remove_dir_all(destination).with_context(|| format!("remove {}", destination.display()))?;
        }
        fs::rename(&tree, destination)
            .with_context(|| format!("move {} to {}", tree.display(), destination.display()))?;
        fs::remove_dir_all(&self.folder).with_context(|| format!("remove {}", self.folder.display()))?;
        Ok(files.iter().map(|file| file.bytes).sum())
    }
}

fn verify(path: &Path, expected: &str) -> anyhow::Result<()> {
    let found = sha256_of_file(path)?;
    if found != expected {
        bail!(
            "{} is not the expected file: its SHA-256 is {found}, not {expected}; another index may offer a build of \
             its own under this version",
            path.display()
        );
    }
    Ok(())
}

/// Reads a list of lines `<bytes> <name>`; `None` if the file is missing or incomplete.
fn read_list(path: &Path) -> Option<Vec<UnpackedFile>> {
    let text = fs::read_to_string(path).ok()?;
    let whole = text.strip_suffix("end\n")?;
    whole
        .lines()
        .map(|line| {
            let (bytes, name) = line.split_once(' ')?;
            Some(UnpackedFile { name: name.to_owned(), bytes: bytes.parse().ok()? })
        })
        .collect()
}

/// Writes such a list; its last line `end` marks it as complete.
fn write_list(path: &Path, files: &[UnpackedFile]) -> anyhow::Result<()> {
    let mut lines: Vec<String> = files.iter().map(|file| format!("{} {}", file.bytes, file.name)).collect();
    lines.push("end\n".to_owned());
    let text = lines.join("\n");
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_list_is_ignored() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("list.txt");
        let files = [
            UnpackedFile { name: "torch/lib/libc10.so".to_owned(), bytes: 3 },
            UnpackedFile { name: "torch/include/a b.h".to_owned(), bytes: 0 },
        ];
        write_list(&path, &files).expect("written");
        assert_eq!(read_list(&path).expect("whole"), files);
        let text = fs::read_to_string(&path).expect("the list");
        for length in 0..text.len() {
            fs::write(&path, &text[..length]).expect("written");
            assert_eq!(read_list(&path), None, "cut at {length}");
        }
    }

    #[test]
    fn a_library_of_another_size_makes_the_folder_incomplete() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let library = folder.path().join("libc10.so");
        assert!(!is_complete(folder.path()), "no list");
        fs::write(&library, b"abc").expect("written");
        write_list(&folder.path().join(FILE_LIST), &[UnpackedFile { name: "libc10.so".to_owned(), bytes: 3 }])
            .expect("written");
        assert!(is_complete(folder.path()));
        fs::write(&library, b"").expect("emptied, as after a crash");
        assert!(!is_complete(folder.path()));
        fs::remove_file(&library).expect("removed");
        assert!(!is_complete(folder.path()));
    }

    #[test]
    fn a_wheel_with_another_hash_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let torch = Parts::Cpu.wheels().next().expect("torch comes first");
        fs::write(folder.path().join(format!("{}cp311.whl", torch.file_prefix())), b"not torch").expect("written");
        let partial = Partial::open(folder.path().join("partial")).expect("made");
        let wanted = Wanted { machine: Machine::X86_64, parts: Parts::Cpu, wheels: Some(folder.path().to_owned()) };
        let error = partial.add(torch, &wanted).expect_err("refused").to_string();
        assert!(error.contains("not the expected file"), "{error}");
        assert!(!partial.is_unpacked(torch));
    }
}
