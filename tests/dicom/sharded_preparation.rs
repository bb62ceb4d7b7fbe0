//! `preprocess --shard` and `preprocess merge`: the merged folder is that of one process, byte by byte.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mammoscope_test_support::folder_tree::{assert_equal_folders, files_below};
use mammoscope_test_support::{mammoscope, stderr_of};

fn preprocess(home: &Path, arguments: &[&Path], options: &[&str]) -> Output {
    mammoscope().env("XDG_DATA_HOME", home).arg("preprocess").args(arguments).args(options).output().unwrap()
}

fn shard(home: &Path, input: &Path, out: &Path, shard: &str, options: &[&str]) -> Output {
    preprocess(home, &[input, Path::new("--out"), out], &[&["--shard", shard], options].concat())
}

fn merge(home: &Path, parts: &[PathBuf], out: &Path) -> Output {
    let mut command = mammoscope();
    command.env("XDG_DATA_HOME", home).args(["preprocess", "merge"]).args(parts).arg("--out").arg(out);
    command.output().unwrap()
}

/// Six women on DICOM files and two on PNG files, one of them with a copy of the other's image; a damaged file, a file
/// without a view, and one that is not an image.
fn archive(folder: &Path) -> PathBuf {
    let archive = folder.join("archive");
    let made = mammoscope().arg("phantom").arg(&archive).args(["--subjects", "6", "--size", "96", "--dicom"]).output();
    assert!(made.unwrap().status.success());
    let films = folder.join("films");
    let made = mammoscope().arg("phantom").arg(&films).args(["--subjects", "2", "--size", "96"]).output();
    assert!(made.unwrap().status.success());
    let film = files_below(&films).into_iter().find(|(path, _)| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with("_CC_L.png") && path.components().count() == 3
    });
    let (_, film) = film.unwrap();
    for name in ["41_1_A_CC_L.png", "58_1_A_CC_L.png", "IMG_0001.png"] {
        fs::write(archive.join(name), &film).unwrap();
    }
    let whole = fs::read(archive.join("PHANTOM-2/IM3")).unwrap();
    fs::write(archive.join("PHANTOM-2/IM3"), &whole[..whole.len() / 2]).unwrap();
    fs::write(archive.join("notes.txt"), "not an image").unwrap();
    archive
}

fn warnings(output: &Output) -> Vec<String> {
    let mut lines: Vec<String> =
        stderr_of(output).lines().filter(|line| line.starts_with("warning: file")).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn three_merged_shards_equal_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let (home, whole, merged) = (folder.path().join("home"), folder.path().join("whole"), folder.path().join("merged"));
    let archive = archive(folder.path());
    let labels = archive.join("labels.csv");
    let options = ["--labels", labels.to_str().unwrap(), "--bits", "16"];
    let one = preprocess(&home, &[&archive, &whole], &options);
    assert_eq!(one.status.code(), Some(1), "{}", stderr_of(&one));
    let parts: Vec<PathBuf> = (1..=3)
        .map(|number| {
            let out = folder.path().join(format!("part{number}"));
            let output = shard(&home, &archive, &out, &format!("{number}/3"), &options);
            assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr_of(&output));
            out
        })
        .collect();
    let images = |part: &PathBuf| files_below(part).len() - 3;
    assert!(parts.iter().filter(|part| images(part) > 0).count() > 1, "the women are in several shards");
    let output = merge(&home, &parts, &merged);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    assert_equal_folders(&merged, &whole);
    assert_eq!(warnings(&output), warnings(&one));
    assert_eq!(warnings(&one).len(), 3, "{}", stderr_of(&one));
    let text = |output: &Output| String::from_utf8_lossy(&output.stdout).replace("/merged;", "/whole;");
    assert_eq!(text(&output), text(&one));

    // The merged folder is one of an ordinary run, and a shard is continued like one.
    let again = preprocess(&home, &[&archive, &merged], &options);
    assert!(String::from_utf8_lossy(&again.stdout).contains("0 images written, 24 unchanged"), "{}", text(&again));
    assert_equal_folders(&merged, &whole);
    let verified = preprocess(&home, &[&archive, &merged], &["--verify"]);
    assert!(verified.status.success(), "{}", stderr_of(&verified));
    let before = files_below(&parts[0]);
    let again = shard(&home, &archive, &parts[0], "1/3", &options);
    assert!(String::from_utf8_lossy(&again.stdout).contains("0 images written"), "{}", text(&again));
    let unchanged = |(path, bytes): (&PathBuf, &Vec<u8>)| path == Path::new("shard.json") || before[path] == *bytes;
    assert!(files_below(&parts[0]).iter().all(unchanged));
    refusals(folder.path(), &archive, &parts, &options);
}

fn refusals(folder: &Path, archive: &Path, parts: &[PathBuf], options: &[&str]) {
    let (home, out) = (folder.join("home"), folder.join("out"));
    let refused = |parts: &[PathBuf], reason: &str| {
        let output = merge(&home, parts, &out);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr_of(&output).contains(reason), "{reason} in {}", stderr_of(&output));
        assert!(!out.exists() && !stderr_of(&output).trim_end().contains('\n'));
    };
    refused(&parts[..2], "missing: shard 3 of 3");
    refused(&[parts[0].clone(), parts[1].clone(), parts[1].clone()], "both shard 2");
    let other = folder.join("other");
    let with = |home: &Path, options: &[&str]| {
        let output = shard(home, archive, &other, "3/3", options);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr_of(&output));
        [parts[0].clone(), parts[1].clone(), other.clone()]
    };
    refused(&with(&home, &options[..2]), "differ in the settings");
    refused(&with(&home, &options[2..]), "differ in --labels");
    fs::remove_dir_all(&other).unwrap();
    // Another key: the subjects are others, and so are their shards.
    refused(&with(&folder.join("another home"), options), "differ in the key of the pseudonyms");
    fs::write(archive.join("new.txt"), "one file more").unwrap();
    fs::remove_dir_all(&other).unwrap();
    refused(&with(&home, options), "differ in the sources");
    fs::remove_file(archive.join("new.txt")).unwrap();
    fs::write(parts[2].join("labels.csv"), "subject,class\n").unwrap();
    refused(parts, "labels.csv: holds more than a shard's images");
    fs::remove_file(parts[2].join("labels.csv")).unwrap();
    let image = files_below(&parts[0]).into_keys().chain(files_below(&parts[1]).into_keys());
    let image = image.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "png")).unwrap();
    let part = parts[..2].iter().find(|part| part.join(&image).exists()).unwrap();
    let bytes = fs::read(part.join(&image)).unwrap();
    fs::write(part.join(&image), b"changed").unwrap();
    refused(parts, "not as the manifest states");
    fs::write(part.join(&image), bytes).unwrap();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine.txt"), "").unwrap();
    let output = merge(&home, parts, &out);
    assert!(stderr_of(&output).contains("is not empty"), "{}", stderr_of(&output));
    assert_eq!(files_below(&out).len(), 1);

    for (arguments, status, reason) in [
        (&["--shard", "4/3"][..], 2, "expected I/N"),
        (&["--shard", "1/3", "--dry-run"], 2, "cannot be used with"),
        (&["--shard", "1/3", "--verify"], 2, "cannot be used with"),
        (&["--shard", "2/3"], 2, "holds shard 1/3"),
    ] {
        let output = preprocess(&home, &[archive, &parts[0]], arguments);
        assert_eq!(output.status.code(), Some(status), "{}", stderr_of(&output));
        assert!(stderr_of(&output).contains(reason), "{reason} in {}", stderr_of(&output));
    }
    let within = archive.join("prepared");
    let output = shard(&home, archive, &within, "1/3", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("within the input") && !within.exists(), "{}", stderr_of(&output));
    // A folder whose record is lost still has the images of its shard only.
    let filled = parts.iter().find(|part| files_below(part).len() > 3).unwrap();
    fs::remove_file(filled.join("shard.json")).unwrap();
    let output = shard(&home, archive, filled, "1/97", &[]);
    assert!(stderr_of(&output).contains("has images of other shards"), "{}", stderr_of(&output));
}
