//! `mammoscope evaluate` as a user runs it: its output, on which stream, and its exit codes.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use assert_cmd::Command;
use tempfile::TempDir;

const HEADER: &str = "file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D\n";

fn evaluate(arguments: &[&str]) -> Output {
    Command::new(binary()).arg("evaluate").args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn file(name: &str, contents: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, contents).expect("room on disk");
    (folder, path)
}

fn row(subject: u32, view: &str, label: &str) -> String {
    let (predicted, p) = [("A", "0.7,0.2,0.1,0"), ("B", "0.2,0.7,0.1,0"), ("C", "0,0.2,0.7,0.1")][subject as usize % 3];
    format!("{subject}_1_{label}_{view}.png,{subject},1,{view},{label},{predicted},{p}\n")
}

/// Twelve subjects with four views each, but subject 1 without CC_L and MLO_L.
fn four_views() -> String {
    let mut table = HEADER.to_owned();
    for subject in 0..12 {
        for view in ["CC_R", "CC_L", "MLO_R", "MLO_L"] {
            if !(subject == 1 && view.ends_with('L')) {
                table.push_str(&row(subject, view, ["A", "B", "C", "D"][subject as usize % 4]));
            }
        }
    }
    table
}

/// Asserts that the command failed with one line on stderr that contains all `parts`, and printed nothing else.
fn assert_fails(output: &Output, code: i32, parts: &[&str]) {
    let message = text(&output.stderr);
    assert_eq!(message.lines().count(), 1, "{message}");
    assert_fails_listing(output, code, parts);
}

/// [`assert_fails`], but cases may follow on indented lines.
fn assert_fails_listing(output: &Output, code: i32, parts: &[&str]) {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(output.stdout.is_empty());
    assert!(message.starts_with("error: ") && message.lines().skip(1).all(|line| line.starts_with("  ")), "{message}");
    for part in parts {
        assert!(message.contains(part), "'{part}' in {message}");
    }
}

#[test]
fn class_counts_of_any_size_are_checked_first() {
    let columns = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/predictions_ccr.txt");
    for counts in ["18446744073709551615,1,1,1", "9999999999999,1,1,1", "14,51,50,12"] {
        let mut command = Command::cargo_bin("mammoscope").unwrap();
        command.arg("evaluate").arg("--seed-txt").arg(format!("CC_R={}", columns.display()));
        let output = command.args(["--class-counts", counts]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains("has 128 predictions"), "{stderr}");
    }
}

#[test]
fn a_bad_table_gives_one_line_with_location_and_reason() {
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        ("empty.csv", Vec::new(), &["empty.csv", "the file is empty"]),
        (
            "binary.csv",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x1b[31m".to_vec(),
            &["binary.csv", "not a table of predictions"],
        ),
        (
            "few.csv",
            b"file,subject,exam,view,label,predicted,p_A,p_B\n".to_vec(),
            &["the columns p_C, p_D are missing"],
        ),
        ("none.csv", HEADER.into(), &["a header but no predictions"]),
        ("nan.csv", format!("{HEADER}a,1,1,CC_R,A,A,nan,0,0,1\n").into(), &["nan.csv:2: p_A is NaN"]),
        ("sum.csv", format!("{HEADER}a,1,1,CC_R,A,A,0.9,0.2,0,0\n").into(), &["sum.csv:2:", "sum to 1.1"]),
        ("class.csv", format!("{HEADER}a,1,1,CC_R,X,A,1,0,0,0\n").into(), &["class.csv:2: column label: 'X'"]),
        (
            "labels.csv",
            format!("{HEADER}a,1,1,CC_R,,A,1,0,0,0\n").into(),
            &["none of the 1 predictions has a label", "<VIEW>/<CLASS>/"],
        ),
        ("de.csv", HEADER.replace(',', ";").into(), &["de.csv: not a table", "there is a header but no predictions"]),
    ];
    for (name, contents, parts) in cases {
        let (_folder, path) = file(name, contents);
        assert_fails(&evaluate(&[path.to_str().unwrap()]), 1, parts);
    }
}

#[test]
fn missing_files_and_folders_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.csv");
    let output = evaluate(&[absent.to_str().unwrap()]);
    assert_fails(&output, 1, &["read ", "absent.csv"]);
    assert_eq!(text(&output.stderr).matches("No such file").count(), 1, "the cause appears once");
    assert_fails(&evaluate(&[folder.path().to_str().unwrap()]), 1, &["holds no predictions.csv"]);
}

#[test]
fn contradictions_and_duplicates_are_all_listed() {
    let table =
        [HEADER, &row(1, "CC_R", "B"), &row(1, "MLO_R", "C"), &row(2, "CC_R", "C"), &row(2, "CC_R", "C")].concat();
    let (_folder, path) = file("predictions.csv", table);
    let parts = ["subject 1 exam 1: B in CC_R", "C in MLO_R", "subject 2 exam 1 CC_R: 2_1_C_CC_R.png, 2_1_C_CC_R.png"];
    assert_fails_listing(&evaluate(&[path.to_str().unwrap()]), 1, &parts);
}

#[test]
fn overlapping_tables_give_ten_cases_and_a_count() {
    let (folder, first) = file("first.csv", four_views());
    let second = folder.path().join("second.csv");
    fs::write(&second, four_views()).unwrap();
    let output = evaluate(&[first.to_str().unwrap(), second.to_str().unwrap()]);
    let parts = ["46 of 46 views are predicted more than once (the tables overlap)", "\n  and 36 more"];
    assert_fails_listing(&output, 1, &parts);
    assert_eq!(text(&output.stderr).lines().count(), 12);
}

#[test]
fn labels_that_differ_between_networks_are_counted() {
    let (_folder, here) = file("predictions.csv", four_views());
    let relabelled = four_views().replace(",1,CC_R,A,", ",1,CC_R,D,").replace(",1,CC_R,B,", ",1,CC_R,D,");
    let only_cc: String = relabelled.split_inclusive('\n').filter(|line| !line.contains(",MLO_")).collect();
    let only_cc: String = only_cc.split_inclusive('\n').filter(|line| !line.contains(",CC_L")).collect();
    let (_other_folder, there) = file("predictions.csv", only_cc);
    let output = evaluate(&[here.to_str().unwrap(), "--against", there.to_str().unwrap()]);
    let parts = ["compare CC_R: the labels of the two sides differ in 6 cases:\n  subject 0 exam 1: A and D"];
    assert_fails_listing(&output, 1, &parts);
}

#[test]
fn ids_in_two_spellings_give_a_warning() {
    let more = row(3, "CC_R", "A").replace(",3,1,", ",003,1,") + &row(4, "CC_R", "A").replace(",4,1,", ",4,,");
    let (_folder, path) = file("predictions.csv", four_views() + &more);
    let output = evaluate(&[path.to_str().unwrap(), "--quiet"]);
    let expected = "warning: rows with and without an exam are not fused, in subjects 4\n\
                    warning: subject ids that look the same are treated as different subjects (003 and 3) and not fused; write each id in one way\n";
    assert_eq!((text(&output.stderr).as_str(), output.status.code()), (expected, Some(0)));
}

#[test]
fn metrics_of_a_class_without_cases_are_not_zero() {
    let table: String = four_views().split_inclusive('\n').filter(|line| !line.contains(",D,")).collect();
    let (_folder, path) = file("predictions.csv", table);
    let table = text(&evaluate(&[path.to_str().unwrap()]).stdout);
    assert!(
        table.contains("  D     –                      –                      –                        0\n"),
        "{table}"
    );
    assert!(table.contains("Macro means are over 4 classes although only A, B, C occur in\n  CC_R, CC_L,"), "{table}");
    let document: serde_json::Value =
        serde_json::from_slice(&evaluate(&[path.to_str().unwrap(), "--json"]).stdout).unwrap();
    assert_eq!(document["sets"]["total"]["per_class"]["D"]["recall"], 0.0, "as in scikit-learn");
}

#[test]
fn an_accuracy_of_one_has_no_interval() {
    let rows: String = (0..9).map(|subject| row(subject, "CC_R", ["A", "B", "C"][subject as usize % 3])).collect();
    let (_folder, path) = file("predictions.csv", format!("{HEADER}{rows}"));
    let table = text(&evaluate(&[path.to_str().unwrap()]).stdout);
    assert!(table.contains("  accuracy                  1.000                –\n"), "{table}");
    assert!(table.contains("–: no interval; the resamples agree"), "{table}");
}

#[test]
fn wrong_use_exits_with_2() {
    let (_folder, path) = file("predictions.csv", four_views());
    let path = path.to_str().unwrap();
    assert_eq!(evaluate(&[]).status.code(), Some(2));
    assert_eq!(evaluate(&["--seed-txt", "CC_R=x.txt"]).status.code(), Some(2), "no class counts");
    assert_eq!(evaluate(&["--seed-txt", "CC=x.txt", "--class-counts", "1,1,1,1"]).status.code(), Some(2));
    assert_fails(&evaluate(&["--seed-txt", "CC_R=x", "--class-counts", "1,2"]), 2, &["four numbers"]);
    assert_fails(&evaluate(&[path, path]), 2, &["is given twice"]);
    assert_fails(&evaluate(&[path, "--fusion", "weighted"]), 2, &["--weights CC_R=WEIGHT"]);
    let (_folder, columns) = file("cc.txt", "1 0 0 0\n");
    assert_fails(&evaluate(&[columns.to_str().unwrap()]), 2, &["cc.txt", "--seed-txt VIEW=FILE"]);
    assert_fails(&evaluate(&[path, "--weights", "CC_R=1"]), 2, &["--fusion weighted"]);
}

#[test]
fn mismatched_class_counts_give_both_numbers() {
    let (_folder, path) = file("cc.txt", "1 0 0 0\n".repeat(5));
    let seed = format!("CC_R={}", path.display());
    assert_fails(&evaluate(&["--seed-txt", &seed, "--class-counts", "1,2,3,1"]), 1, &["5 predictions", "add up to 7"]);
    assert_eq!(evaluate(&["--seed-txt", &seed, "--class-counts", "2,1,1,1"]).status.code(), Some(0));
}

#[test]
fn missing_views_are_tolerated_and_reported() {
    let (_folder, path) = file("predictions.csv", four_views());
    let path = path.to_str().unwrap();
    let table = text(&evaluate(&[path]).stdout);
    assert!(
        table.contains("1 of 12 lack views and are fused from the rest:\n    missing: CC_L 1, MLO_L 1\n"),
        "{table}"
    );
    let document: serde_json::Value = serde_json::from_slice(&evaluate(&[path, "--json"]).stdout).unwrap();
    let sets = document["sets"].as_object().unwrap();
    assert_eq!(sets.len(), 7);
    assert_eq!(sets["total"]["n"], 12);
    assert_eq!(sets["total"]["missing_views"]["cases"], 1);
    assert_eq!(sets["total"]["missing_views"]["examinations"][0]["subject"], "1");
    assert_eq!(sets["left"]["n"], 11, "no view of the left breast of subject 1");
    assert_eq!(sets["right"]["missing_views"]["cases"], 0);
}

#[test]
fn the_table_fits_80_columns_and_has_no_escapes() {
    let (_folder, path) = file("predictions.csv", four_views());
    let (_other_folder, fewer) = file("predictions.csv", four_views().lines().take(20).collect::<Vec<_>>().join("\n"));
    for setting in [None, Some("1")] {
        let mut command = Command::new(binary());
        setting.map(|value| command.env("NO_COLOR", value));
        let table = text(&command.arg("evaluate").arg(&path).arg("--against").arg(&fewer).output().unwrap().stdout);
        assert!(!table.contains('\x1b'));
        for line in table.lines().filter(|line| !line.starts_with("Compared with")) {
            assert!(line.chars().count() <= 80, "{line}");
            assert_eq!(line.trim_end(), line, "no trailing blanks");
        }
    }
}

#[test]
fn all_files_are_written_and_the_json_equals_stdout() {
    let (folder, path) = file("predictions.csv", four_views());
    let out = folder.path().join("new/evaluation");
    let arguments = [path.to_str().unwrap(), "--json", "--out", out.to_str().unwrap(), "--seed", "7"];
    let output = evaluate(&arguments);
    assert!(text(&output.stderr).contains("wrote evaluation.json and 7 confusion matrices"));
    assert_eq!(fs::read(out.join("evaluation.json")).unwrap(), output.stdout);
    let mut names: Vec<_> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let sets = ["CC_L", "CC_R", "MLO_L", "MLO_R", "left", "right", "total"];
    let mut expected: Vec<_> = sets.map(|set| format!("confusion_matrix_{set}.png")).into();
    expected.push("evaluation.json".to_owned());
    assert_eq!(names, expected);
    assert_eq!(evaluate(&arguments).stdout, output.stdout, "the same seed gives the same document");
}

#[test]
fn pictures_of_an_earlier_evaluation_are_removed() {
    let (folder, path) = file("predictions.csv", four_views());
    let out = folder.path().join("evaluation");
    let evaluate_into = |path: &Path| evaluate(&[path.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(evaluate_into(&path).status.code(), Some(0));
    fs::write(out.join("confusion_matrix_of_mine.png"), "kept").unwrap();
    let (_right_folder, right) = file("right.csv", format!("{HEADER}{}{}", row(1, "CC_R", "A"), row(2, "CC_R", "B")));
    assert_eq!(evaluate_into(&right).status.code(), Some(0));
    let mut names: Vec<_> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["confusion_matrix_CC_R.png", "confusion_matrix_of_mine.png", "evaluation.json"]);
}

#[test]
fn a_folder_that_cannot_be_created_is_named() {
    let (_folder, path) = file("predictions.csv", four_views());
    let below_a_file = path.join("out");
    let output = evaluate(&[path.to_str().unwrap(), "--out", below_a_file.to_str().unwrap()]);
    assert_fails(&output, 1, &["is a file, not a folder", "predictions.csv"]);
    let output = evaluate(&[path.to_str().unwrap(), "--out", path.to_str().unwrap()]);
    assert_fails(&output, 1, &["predictions.csv is a file, not a folder"]);
}

#[test]
fn rows_without_labels_are_counted_even_if_quiet() {
    let (folder, path) = file("predictions.csv", format!("{}x.png,99,1,CC_R,,A,1,0,0,0\n", four_views()));
    let out = folder.path().join("out");
    let output = evaluate(&[path.to_str().unwrap(), "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(text(&output.stderr), "warning: 1 of 47 predictions have no label and are left out\n");
    assert_eq!(output.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&fs::read(out.join("evaluation.json")).unwrap()).unwrap();
    assert_eq!((&document["rows"], &document["rows_without_label"]), (&47.into(), &1.into()));
}

#[test]
fn a_view_without_a_label_counts_only_where_it_is_fused() {
    let (_folder, path) = file("predictions.csv", four_views().replacen(",CC_R,A,", ",CC_R,,", 1));
    let output = evaluate(&[path.to_str().unwrap(), "--json"]);
    let message = text(&output.stderr);
    assert!(
        message.starts_with("warning: 1 of 46 predictions have no label of their own: they count only"),
        "{message}"
    );
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |set: &str| (document["sets"][set]["n"].clone(), document["sets"][set]["missing_views"]["cases"].clone());
    assert_eq!(of("CC_R").0, 11);
    assert_eq!(of("right"), (12.into(), 0.into()));
    assert_eq!(document["rows_without_label"], 1);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let (_folder, path) = file("predictions.csv", four_views());
    let mut child = std::process::Command::new(binary())
        .args([Path::new("evaluate"), &path, Path::new("--json")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!((child.wait().unwrap().code(), message.as_str()), (Some(0), ""));
}

fn binary() -> PathBuf {
    assert_cmd::cargo::cargo_bin("mammoscope")
}

#[test]
fn two_networks_are_compared_on_their_common_cases() {
    let (_folder, here) = file("predictions.csv", four_views());
    let table = four_views();
    let half: String = table.split_inclusive('\n').filter(|line| !line.contains(",MLO_")).collect();
    let (_other_folder, there) = file("predictions.csv", half);
    let (here, there) = (here.to_str().unwrap(), there.to_str().unwrap());
    let document: serde_json::Value =
        serde_json::from_slice(&evaluate(&[here, "--against", there, "--json"]).stdout).unwrap();
    let sets = document["comparison"]["sets"].as_object().unwrap();
    assert_eq!(sets.keys().collect::<Vec<_>>(), ["CC_L", "CC_R"]);
    assert_eq!(sets["CC_R"]["difference"]["accuracy"], 0.0);
    assert!(sets["CC_R"]["intervals"]["accuracy"].is_null(), "every resample agrees on 0");
    let table = text(&evaluate(&[here, "--against", there]).stdout);
    assert!(table.contains("Compared with") && table.contains("CC_L: 11 cases in common"), "{table}");
    let (_unrelated_folder, unrelated) = file("predictions.csv", format!("{HEADER}{}", row(77, "CC_R", "A")));
    let output = evaluate(&[here, "--against", unrelated.to_str().unwrap()]);
    assert_fails(&output, 1, &["--against", "no examination and view in common"]);
}

#[test]
fn fusion_rules_differ_where_views_disagree() {
    let mut table = HEADER.to_owned();
    for subject in 0..6 {
        // Right fatty, left dense; the truth is dense, since BI-RADS goes by the denser breast.
        for (view, predicted, p) in [
            ("CC_R", "B", "0,0.9,0.1,0"),
            ("MLO_R", "B", "0,0.9,0.1,0"),
            ("CC_L", "C", "0,0.3,0.7,0"),
            ("MLO_L", "C", "0,0.3,0.7,0"),
        ] {
            writeln!(table, "{subject}{view},{subject},1,{view},C,{predicted},{p}").unwrap();
        }
    }
    let (_folder, path) = file("predictions.csv", table);
    let accuracy = |options: &[&str]| {
        let arguments = [&[path.to_str().unwrap(), "--json"], options].concat();
        let document: serde_json::Value = serde_json::from_slice(&evaluate(&arguments).stdout).unwrap();
        document["sets"]["total"]["accuracy"].as_f64()
    };
    assert_eq!(accuracy(&[]), Some(0.0));
    assert_eq!(accuracy(&["--fusion", "max"]), Some(0.0));
    assert_eq!(accuracy(&["--fusion", "denser"]), Some(1.0));
    let weights = ["--fusion", "weighted", "--weights", "CC_R=0.1,CC_L=0.9,MLO_R=0.1,MLO_L=0.9"];
    assert_eq!(accuracy(&weights), Some(1.0));
}
