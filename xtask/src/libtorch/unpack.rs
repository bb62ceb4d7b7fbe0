//! Unpacks the needed files of a wheel, which is a zip archive.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use zip::ZipArchive;

use super::progress::Progress;

/// An unpacked file: its path relative to the folder, and its size in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnpackedFile {
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// Unpacks the given libraries, and everything under the folder of headers, into `into`. A library that the wheel lacks
/// is an error.
pub(super) fn unpack(
    wheel: &Path,
    headers: Option<&str>,
    libraries: &[&str],
    into: &Path,
    progress: &Progress,
) -> anyhow::Result<Vec<UnpackedFile>> {
    let reader = BufReader::new(File::open(wheel).with_context(|| format!("open {}", wheel.display()))?);
    let mut archive = ZipArchive::new(reader).with_context(|| format!("read the archive {}", wheel.display()))?;
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(Cow::into_owned))
        .collect::<Result<_, _>>()
        .with_context(|| format!("read the names in {}", wheel.display()))?;
    if let Some(absent) = libraries.iter().find(|library| !names.iter().any(|name| name == *library)) {
        bail!("{} does not contain {absent}", wheel.display());
    }
    let mut unpacked = Vec::new();
    for name in names {
        let is_header = headers.is_some_and(|folder| name.starts_with(folder));
        if name.ends_with('/') || !(is_header || libraries.contains(&name.as_str())) {
            continue;
        }
        let mut entry = archive.by_name(&name).with_context(|| format!("read {name} in {}", wheel.display()))?;
        let Some(relative) = entry.enclosed_name() else {
            bail!("{} contains {name:?}, which would escape the folder", wheel.display());
        };
        let destination = into.join(relative);
        let folder = destination.parent().expect("a joined path has a parent");
        fs::create_dir_all(folder).with_context(|| format!("create the folder {}", folder.display()))?;
        let file = File::create(&destination).with_context(|| format!("write {}", destination.display()))?;
        let mut writer = BufWriter::with_capacity(1 << 18, file);
        let bytes = io::copy(&mut entry, &mut writer)
            .and_then(|bytes| writer.flush().map(|()| bytes))
            .with_context(|| format!("unpack {name} to {}", destination.display()))?;
        progress.advance(bytes);
        unpacked.push(UnpackedFile { name, bytes });
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(folder: &Path, files: &[(&str, &[u8])]) -> std::path::PathBuf {
        let path = folder.join("some.whl");
        let mut writer = ZipWriter::new(File::create(&path).expect("a fresh file"));
        for (name, contents) in files {
            writer.start_file(*name, SimpleFileOptions::default()).expect("a new entry");
            writer.write_all(contents).expect("room");
        }
        writer.finish().expect("a whole archive");
        path
    }

    #[test]
    fn only_requested_files_are_unpacked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files: [(&str, &[u8]); 3] =
            [("torch/include/a/b.h", b"header"), ("torch/lib/libc10.so", b"library"), ("torch/nn.py", b"python")];
        let wheel = archive(folder.path(), &files);
        let into = folder.path().join("tree");
        let progress = Progress::begin("unpacking a test", 13);
        let unpacked =
            unpack(&wheel, Some("torch/include/"), &["torch/lib/libc10.so"], &into, &progress).expect("unpacked");
        assert_eq!(unpacked.len(), 2);
        assert_eq!(fs::read(into.join("torch/include/a/b.h")).expect("the header"), b"header");
        assert_eq!(fs::read(into.join("torch/lib/libc10.so")).expect("the library"), b"library");
        assert!(!into.join("torch/nn.py").exists());
    }

    #[test]
    fn a_wheel_without_a_requested_library_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let wheel = archive(folder.path(), &[("torch/lib/libc10.so", b"library")]);
        let progress = Progress::begin("unpacking a test", 7);
        let error = unpack(&wheel, None, &["torch/lib/libtorch_cpu.so"], folder.path(), &progress).expect_err("absent");
        assert!(error.to_string().contains("does not contain torch/lib/libtorch_cpu.so"), "{error}");
    }

    #[test]
    fn a_name_that_escapes_the_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = "torch/include/../../../escaped.h";
        let wheel = archive(folder.path(), &[(name, b"no")]);
        let into = folder.path().join("tree");
        let progress = Progress::begin("unpacking a test", 2);
        let error = unpack(&wheel, Some("torch/include/"), &[], &into, &progress).expect_err("refused");
        assert!(error.to_string().contains("would escape the folder"), "{error}");
        assert!(!folder.path().join("escaped.h").exists());
    }
}
