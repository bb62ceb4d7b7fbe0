//! Phantoms as DICOM files: read by pydicom with the same pixels, and all the way from the archive to an evaluation.

use std::fs;
use std::path::Path;
use std::process::Command;

use mammoscope_test_support::python::python_packages;
use mammoscope_test_support::{mammoscope, stderr_of};

fn archive(folder: &Path, subjects: &str, size: &str) -> std::path::PathBuf {
    let archive = folder.join("archive");
    let options = ["--subjects", subjects, "--size", size, "--seed", "5", "--dicom"];
    let made = mammoscope().arg("phantom").arg(&archive).args(options).output().unwrap();
    assert!(made.status.success(), "{}", stderr_of(&made));
    archive
}

/// pydicom, and its decoder of JPEG lossless.
const PACKAGES: [&str; 4] = ["pydicom==3.0.1", "numpy==2.2.6", "pylibjpeg==2.0.1", "pylibjpeg-libjpeg==2.3.0"];

/// Reads every DICOM file with pydicom and prints `name photometric syntax mean` of the displayed values.
const READ: &str = r#"
import sys, pathlib, numpy, pydicom
from pydicom.pixels import apply_voi_lut
for path in sorted(pathlib.Path(sys.argv[1]).glob("PHANTOM-*/IM*")):
    data = pydicom.dcmread(path)
    values = data.pixel_array.astype(int)
    if data.PhotometricInterpretation == "MONOCHROME1":
        values = (1 << data.BitsStored) - 1 - values
    grey = numpy.floor(values / ((1 << data.BitsStored) - 1) * 255 + .5).astype(numpy.uint8)
    grey.tofile(str(path) + ".raw")
    print(path.parent.name + "/" + path.name, data.PhotometricInterpretation, data.file_meta.TransferSyntaxUID,
          "lut" if "VOILUTSequence" in data else "window")
"#;

#[test]
fn pydicom_reads_the_phantoms_and_agrees_on_the_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path(), "5", "72");
    let Some(packages) = python_packages("pydicom", &PACKAGES) else { return };
    let reader = Command::new("python3").env("PYTHONPATH", packages).args(["-c", READ]).arg(&archive).output();
    let output = reader.unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 20);
    for kind in [
        "MONOCHROME1",
        "MONOCHROME2",
        "1.2.840.10008.1.2 ",
        "1.2.840.10008.1.2.1 ",
        "1.2.840.10008.1.2.4.70",
        "lut",
        "window",
    ] {
        assert!(text.contains(kind), "no file with {kind}:\n{text}");
    }
    for line in text.lines() {
        let file = archive.join(line.split(' ').next().unwrap());
        let png = folder.path().join("rendering.png");
        let run = mammoscope().arg("dicom").arg(&file).arg("--png").arg(&png).output().unwrap();
        assert!(run.status.success(), "{line}: {}", stderr_of(&run));
        let ours = image::open(&png).unwrap().into_luma8().into_raw();
        let theirs = fs::read(format!("{}.raw", file.display())).unwrap();
        assert!(ours == theirs, "{line}: the pixels differ");
    }
}

#[test]
fn phantom_archives_are_prepared_trained_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path(), "40", "96");
    let (data, workspace) = (folder.path().join("data"), folder.path().join("workspace"));
    let run = |arguments: &[&str]| {
        let output = mammoscope().env("XDG_DATA_HOME", folder.path().join("home")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr_of(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let [archive, data, workspace] = [&archive, &data, &workspace].map(|path| path.to_str().unwrap());
    let labels = format!("{archive}/labels.csv");
    let prepared = run(&["preprocess", archive, data, "--labels", &labels]);
    assert!(prepared.contains("160 images written"), "{prepared}");
    let recipe = "epochs=2,size=64,width=0.25,threads=1,batch_size=8";
    run(&[
        "train",
        "--data",
        data,
        "--view",
        "CC_R",
        "--preset",
        "quick",
        "--set",
        recipe,
        "--workspace",
        workspace,
        "--follow",
    ]);
    let evaluation = run(&["evaluate", "latest", "--workspace", workspace, "--json"]);
    let document: serde_json::Value = serde_json::from_str(&evaluation).unwrap();
    assert!(document.to_string().contains("accuracy"), "{document}");
}
