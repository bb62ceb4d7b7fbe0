//! Damaged, lying and foreign files: one line each, no panic, and neither time nor memory beyond measure.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use mammoscope_test_support::{mammoscope, program, shared, stderr_of};

/// Address space above what the program needs itself, in kilobytes; a decoder that believes a lying length fails here.
const MEMORY_KB: u64 = 200 * 1024;

/// The peak of resident memory of `mammoscope dicom`, in kilobytes.
fn peak_memory(file: &Path) -> u64 {
    let script = "import resource, subprocess, sys\n\
                  subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n\
                  print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let output = Command::new("python3").args(["-c", script]).arg(program()).arg("dicom").arg(file).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

fn examine_whole_folder(folder: &Path) -> usize {
    let idle = peak_memory(Path::new("/nonexistent"));
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let output = mammoscope().arg("dicom").arg(&file).output().unwrap();
        let shown = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(output.status.signal().is_none(), "{shown}: ended by a signal");
        let errors = stderr_of(&output);
        assert!(!errors.contains("panicked"), "{shown}: {errors}");
        let memory = peak_memory(&file);
        assert!(memory <= idle + MEMORY_KB, "{shown}: {memory} kB, idle {idle} kB");
        files += 1;
    }
    files
}

#[test]
fn bad_files_neither_crash_nor_eat_memory() {
    let Some(root) = shared("dicom/bad") else { return };
    assert!(examine_whole_folder(&root) >= 24);
}

#[test]
fn files_cut_anywhere_are_refused_or_complete() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let made = mammoscope()
        .arg("phantom")
        .arg(&archive)
        .args(["--subjects", "2", "--size", "64", "--dicom"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", stderr_of(&made));
    let file = folder.path().join("cut.dcm");
    let mut cuts = 0;
    for image in ["PHANTOM-1/IM1", "PHANTOM-1/IM2", "PHANTOM-1/IM3", "PHANTOM-2/IM4"] {
        let whole = fs::read(archive.join(image)).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 12) {
            fs::write(&file, &whole[..at]).unwrap();
            let output = mammoscope().arg("dicom").arg(&file).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{image} cut at {at}: {}", stderr_of(&output));
            assert!(!stderr_of(&output).contains("panicked"), "{image} cut at {at}");
            cuts += 1;
        }
    }
    assert!(cuts >= 48);
}
