//! `mammoscope report`: what stands in the page, what is refused, and what is never named.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mammoscope_test_support::{fixture, mammoscope, names_in, stderr_of};

const HEADER: &str = "file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D\n";

fn report(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = mammoscope();
    command.current_dir(folder).arg("report").args(arguments).args(["--resamples", "60"]);
    command.output().unwrap()
}

/// The page of a report that is written.
fn page(folder: &Path, arguments: &[&str]) -> String {
    let output = report(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    fs::read_to_string(folder.join("report.html")).unwrap()
}

/// Four views of twelve subjects, a third of whom are predicted a class too low with high confidence.
pub(crate) fn table(secret: &str) -> String {
    let mut table = HEADER.to_owned();
    for subject in 0..12_usize {
        for view in ["CC_R", "CC_L", "MLO_R", "MLO_L"] {
            let label = subject % 4;
            let predicted = if subject % 3 == 0 { label.saturating_sub(1) } else { label };
            let p: Vec<&str> = (0..4).map(|class| if class == predicted { "0.7" } else { "0.1" }).collect();
            let [label, predicted] = [label, predicted].map(|class| ["A", "B", "C", "D"][class]);
            let _ = writeln!(
                table,
                "{secret}{subject}_1_{label}_{view}.png,{secret}{subject},1,{view},{label},{predicted},{}",
                p.join(",")
            );
        }
    }
    table
}

/// A run with stored predictions and a best checkpoint.
fn recorded_run(folder: &Path) -> PathBuf {
    let runs = fixture("recorded_workspace/runs");
    let name = names_in(&runs).into_iter().find(|name| name.contains("CC_R")).unwrap();
    let run = folder.join(&name);
    fs::create_dir_all(run.join("checkpoints")).unwrap();
    fs::write(run.join("checkpoints/best-001-2.13.safetensors"), "").unwrap();
    copy(&runs.join(&name), &run);
    run
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in names_in(from) {
        let (from, to) = (from.join(&entry), to.join(&entry));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::write(&to, fs::read(&from).unwrap()).unwrap();
        }
    }
}

/// The figures of `evaluate --json` for the same input.
fn evaluation(folder: &Path, input: &str) -> serde_json::Value {
    let mut command = mammoscope();
    command.current_dir(folder).args(["evaluate", input, "--json", "--resamples", "60"]);
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

#[test]
fn a_table_makes_a_whole_report_with_the_figures_of_evaluate() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.csv"), table("s")).unwrap();
    let page = page(folder.path(), &["p.csv", "--figures", "figures", "--key", "key.csv"]);
    let total = &evaluation(folder.path(), "p.csv")["sets"]["total"];
    for figure in ["kappa_linear", "auc_dense_sum", "accuracy", "ece15"] {
        let text = format!("{:.3}", total[figure].as_f64().unwrap());
        assert!(page.contains(&text), "{figure} {text}");
    }
    let interval = &total["intervals"]["kappa_linear"];
    let interval = format!("[{:.3}, {:.3}]", interval["low"].as_f64().unwrap(), interval["high"].as_f64().unwrap());
    assert!(page.contains(&interval), "{interval}");
    for section in ["verdict", "data", "results", "errors", "explanations", "limits", "provenance", "checklists"] {
        assert!(page.contains(&format!("<section id=\"{section}\">")), "{section}");
    }
    assert!(page.contains("3 of 12 cases in total are predicted wrongly"), "subjects 3, 6 and 9");
    assert!(page.contains("The figures come from tables of predictions"));
    // Each figure has a text alternative, and each chart is also a file.
    assert_eq!(page.matches("<svg").count(), page.matches("<svg role=\"img\" aria-label=\"").count());
    let charts = names_in(&folder.path().join("figures"));
    assert_eq!(charts.len(), 3 * page.matches("<svg").count());
    for chart in ["confusion-matrix-total", "kappa-linear", "reliability-total", "roc-total", "precision-recall-total"]
    {
        for extension in ["svg", "png", "csv"] {
            assert!(charts.contains(&format!("{chart}.{extension}")), "{chart}.{extension}");
        }
        let picture = image::open(folder.path().join(format!("figures/{chart}.png"))).unwrap();
        assert!(picture.width() > 600, "{chart}");
    }
    let matrix = fs::read_to_string(folder.path().join("figures/confusion-matrix-total.csv")).unwrap();
    assert!(matrix.starts_with("true,predicted,cases\nA,A,3\n"), "{matrix}");
    let key = fs::read_to_string(folder.path().join("key.csv")).unwrap();
    assert_eq!(key.lines().count(), 1 + 3 * 4);
    assert!(key.lines().nth(1).unwrap().starts_with("1,s"), "{key}");
}

#[test]
fn a_report_names_neither_subjects_nor_folders_and_escapes_names() {
    let folder = tempfile::tempdir().unwrap();
    let name = "<script>alert(1)</script>.csv".replace('/', "_");
    fs::write(folder.path().join(&name), table("SECRET")).unwrap();
    fs::write(folder.path().join("labels.csv"), "subject,site\nSECRET1,\"<b>\"\"north\"\"</b>\"\nSECRET2,south\n")
        .unwrap();
    let page = page(folder.path(), &[&name, "--labels", "labels.csv", "--name", "a & <i>b</i>"]);
    assert!(!page.contains("SECRET"), "a subject is named");
    assert!(!page.contains(folder.path().to_str().unwrap()), "a folder is named");
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    assert!(page.contains("a &amp; &lt;i&gt;b&lt;/i&gt;") && page.contains("&lt;b&gt;"));
    for loading in ["http://", "https://", "url(", "@import", "<link", "<script"] {
        let allowed = page.matches("http://www.w3.org/2000/svg").count();
        let found = page.matches(loading).count();
        assert_eq!(found, if loading == "http://" { allowed } else { 0 }, "{loading}");
    }
}

#[test]
fn a_run_is_reported_without_libtorch_and_with_its_curves() {
    let folder = tempfile::tempdir().unwrap();
    let run = recorded_run(folder.path());
    let page = page(folder.path(), &[run.to_str().unwrap()]);
    for section in ["recipe", "learning"] {
        assert!(page.contains(&format!("<section id=\"{section}\">")), "{section}");
    }
    assert!(page.contains("Learning curve: loss") && page.contains("quadratic kappa"));
    assert!(page.contains("Figures of the test images") && page.contains("mammoscope train --data "));
    assert!(page.contains("not found, and not shown"), "the images are elsewhere");
    assert!(!page.contains(folder.path().to_str().unwrap()), "a folder is named");
    // An earlier report is replaced, and only that.
    let again = self::page(folder.path(), &[run.to_str().unwrap()]);
    let without_date = |page: &str| -> String {
        let keep = |line: &&str| !line.contains("UTC");
        page.replace("</p>", "</p>\n").lines().filter(keep).collect()
    };
    assert_eq!(without_date(&again), without_date(&page), "the same report");
    fs::write(folder.path().join("report.html"), "mine").unwrap();
    let output = report(folder.path(), &[run.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("report.html exists already and is no earlier one"), "{}", stderr_of(&output));
    assert_eq!(fs::read_to_string(folder.path().join("report.html")).unwrap(), "mine");
}

#[test]
fn what_is_missing_stands_in_the_report_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let one = |rows: &[&str]| {
        fs::write(folder.path().join("p.csv"), HEADER.to_owned() + &rows.join("\n") + "\n").unwrap();
        page(folder.path(), &["p.csv"])
    };
    let unlabelled = one(&["a.png,1,1,CC_R,,A,.7,.1,.1,.1"]);
    assert!(unlabelled.contains("so there is nothing to compare them with"));
    assert!(unlabelled.contains("There are no predictions with a true class yet."));
    let subject = one(&["a.png,1,1,CC_R,A,A,.7,.1,.1,.1", "b.png,1,2,CC_R,B,A,.7,.1,.1,.1"]);
    assert!(subject.contains("All cases are of one subject"));
    assert!(subject.contains("There is no case of true class C or D in CC_R"));
    assert!(subject.contains("not found, and not shown; --data DIR says where they are."));
    let right = one(&["a.png,1,1,CC_R,A,A,.7,.1,.1,.1", "b.png,2,1,CC_R,B,B,.1,.7,.1,.1"]);
    assert!(right.contains("Every case of CC_R is predicted correctly."));
}

#[test]
fn bad_input_gets_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.csv"), table("s")).unwrap();
    fs::write(folder.path().join("labels.csv"), "subject,density\ns1,A\n").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["p.csv", "--out", "no/report.html"], 1, "--out: there is no folder no"),
        (&["p.csv", "--figures", "p.csv"], 1, "p.csv is a file, not a folder"),
        (&["p.csv", "--maps", "empty"], 1, "no scores.csv in this folder"),
        (&["p.csv", "--labels", "labels.csv"], 1, "no column divides the cases"),
        (&["p.csv", "--split", "test"], 2, "--split is for runs"),
        (&["p.csv", "--audit"], 2, "--audit needs the data set"),
        (&["empty"], 1, "empty holds no predictions.csv"),
        (&["p.csv", "--key", "report.html"], 2, "name the same file"),
    ];
    for (arguments, code, expected) in cases {
        let output = report(folder.path(), arguments);
        let stderr = stderr_of(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
        assert!(!folder.path().join("report.html").exists(), "{arguments:?}");
    }
}

#[test]
fn the_references_predictions_make_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["CC_R=predictions_ccr.txt", "MLO_R=predictions_mlor.txt"].map(|file| {
        let (view, name) = file.split_once('=').unwrap();
        format!("{view}={}", fixture(name).display())
    });
    let lines = fs::read_to_string(fixture("predictions_ccr.txt")).unwrap().lines().count();
    let counts = format!("{},{},{},{}", lines / 4, lines / 4, lines / 4, lines - 3 * (lines / 4));
    let page = page(folder.path(), &["--seed-txt", &files[0], &files[1], "--class-counts", &counts]);
    assert!(page.contains("right: mean of CC_R, MLO_R") && page.contains("CC_R=predictions_ccr.txt"));
}
