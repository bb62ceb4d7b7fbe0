//! `evaluate --format`: the same figures in each format, readable by what reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use mammoscope_test_support::{fixture, mammoscope, names_in, stderr_of};
use serde_json::Value;

/// A name that means something to every format.
const NAME: &str = r"a&b_100%{x}~^$#|*`\.csv";

fn evaluate(arguments: &[&str]) -> String {
    let output = mammoscope().arg("evaluate").args(arguments).args(["--resamples", "60"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Two tables with predictions of the same images in four views, the second one shifted by a class.
fn tables(folder: &Path) -> [String; 2] {
    [("these.csv", 0), (NAME, 1)].map(|(name, shift)| {
        let mut table = "file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D\n".to_owned();
        for subject in 0..12_usize {
            for view in ["CC_R", "CC_L", "MLO_R", "MLO_L"] {
                let (label, predicted) = (subject % 4, (subject + shift * (subject % 2)) % 3);
                let p: Vec<&str> = (0..4).map(|class| if class == predicted { "0.7" } else { "0.1" }).collect();
                let (label, predicted) = (["A", "B", "C", "D"][label], ["A", "B", "C"][predicted]);
                let file = format!("{subject}_1_{label}_{view}.png");
                let _ = writeln!(table, "{file},{subject},1,{view},{label},{predicted},{}", p.join(","));
            }
        }
        let path = folder.join(name);
        fs::write(&path, table).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

/// The reference's files, of which a part is among the fixtures.
fn reference() -> [String; 2] {
    ["CC_R=predictions_ccr.txt", "MLO_R=predictions_mlor.txt"].map(|file| {
        let (view, name) = file.split_once('=').unwrap();
        format!("{view}={}", fixture(name).display())
    })
}

/// A copy of the workspace of runs with stored predictions, baselines included.
fn recorded_run() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let runs = fixture("recorded_workspace/runs");
    let name = names_in(&runs).into_iter().find(|name| name.contains("CC_R")).unwrap();
    let run = folder.path().join(&name);
    // The model comes first: predictions older than it would be refused.
    fs::create_dir_all(run.join("checkpoints")).unwrap();
    fs::write(run.join("checkpoints/best-001-2.13.safetensors"), "").unwrap();
    copy(&runs.join(&name), &run);
    (folder, run)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in names_in(from) {
        let (from, to) = (from.join(&entry), to.join(&entry));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// The lines of a table in CSV as maps from column to field.
fn read_csv(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|line| line.unwrap()).collect()
}

/// The rows of the pipe tables of a text, with their cells; escaped bars do not separate.
fn pipe_tables(text: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut was_row = false;
    for line in text.lines() {
        let is_row = line.starts_with("| ");
        if is_row {
            let unescaped = line.replace("\\\\", "\u{1}").replace("\\|", "\u{2}");
            let cells = unescaped.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            if !was_row {
                tables.push(Vec::new());
            }
            tables.last_mut().unwrap().push(cells);
        }
        was_row = is_row;
    }
    tables
}

/// Checks what LaTeX would: balanced braces and environments, and as many cells in a row as the `tabular` has columns.
/// Returns the number of tables.
fn check_latex(text: &str) -> usize {
    let (mut depth, mut open, mut labels, mut columns, mut tables) = (0_i32, Vec::new(), BTreeSet::new(), 0, 0);
    for line in text.lines().filter(|line| !line.starts_with('%')) {
        let bare = line.replace("\\\\", "\u{1}").replace("\\{", "").replace("\\}", "").replace("\\&", "");
        let bare = bare.replace("\\%", "").replace("\\$", "").replace("\\#", "").replace("\\_", "");
        assert!(!bare.contains(['%', '#', '_', '~', '^']), "{line}");
        assert_eq!(bare.matches('$').count() % 2, 0, "{line}");
        for character in bare.chars() {
            depth += i32::from(character == '{') - i32::from(character == '}');
            assert!(depth >= 0, "{line}");
        }
        if let Some(name) = bare.trim().strip_prefix("\\begin{") {
            let (name, rest) = name.split_once('}').unwrap();
            open.push(name.to_owned());
            if name == "tabular" {
                columns = rest.trim_matches(['{', '}']).len();
                tables += 1;
            }
        } else if let Some(name) = bare.trim().strip_prefix("\\end{") {
            assert_eq!(open.pop().as_deref(), Some(name.trim_end_matches('}')), "{line}");
        } else if let Some(label) = bare.trim().strip_prefix("\\label{") {
            assert!(labels.insert(label.to_owned()), "{label} twice");
        } else if let Some(row) = bare.strip_suffix(" \u{1}") {
            let spanned = row.split("\\multicolumn{").nth(1).map_or(1, |rest| rest[..1].parse::<usize>().unwrap());
            assert_eq!(row.split('&').count() + spanned - 1, columns, "{line}");
        }
    }
    assert!(depth == 0 && open.is_empty(), "{open:?}");
    assert_eq!(labels.len(), tables);
    tables
}

#[test]
fn the_csv_has_the_numbers_of_the_json() {
    let folder = tempfile::tempdir().unwrap();
    let [these, others] = tables(folder.path());
    let arguments = [these.as_str(), "--against", &others];
    let lines = read_csv(&evaluate(&[&arguments[..], &["--format", "csv"]].concat()));
    let json: Value = serde_json::from_str(&evaluate(&[&arguments[..], &["--json"]].concat())).unwrap();
    let field = |value: &Value| value.as_f64().map(|value| value.to_string()).unwrap_or_default();
    let mut counts = [0; 5];
    for line in &lines {
        let [figure, set, class] = ["figure", "set", "class"].map(|column| line[column].as_str());
        let (of_set, compared) = (&json["sets"][set], &json["comparison"]["sets"][set]);
        let at = "ABCD".find(class).filter(|_| !class.is_empty());
        let [value, interval, n] = match (line["quantity"].as_str(), at) {
            ("network", _) if figure.starts_with("bin_") => {
                let bins = of_set["ece15_bins"].as_array().unwrap();
                let bin = bins.iter().find(|bin| bin[0].as_u64() == line["bin"].parse().ok()).unwrap();
                counts[0] += 1;
                [&bin[if figure == "bin_accuracy" { 2 } else { 3 }], &Value::Null, &bin[1]]
            }
            ("network", Some(at)) if figure == "confusion_matrix" => {
                let predicted = "ABCD".find(&line["predicted"]).unwrap();
                counts[1] += 1;
                [&of_set[figure][at][predicted], &Value::Null, &of_set["n"]]
            }
            ("network", Some(at)) if figure == "auc_per_class_ovr" => {
                [&of_set[figure][at], &of_set["intervals"][figure][at], &of_set["n"]]
            }
            ("network", Some(_)) => {
                counts[2] += 1;
                let (per_class, intervals) = (&of_set["per_class"][class], &of_set["intervals"]["per_class"][class]);
                if line["value"].is_empty() {
                    // Class D is never predicted: its precision is 0/0, which the JSON has as 0.
                    assert_eq!((class, figure, field(&per_class[figure]).as_str()), ("D", "precision", "0"));
                    [&Value::Null, &Value::Null, &per_class["support"]]
                } else {
                    [&per_class[figure], &intervals[figure], &per_class["support"]]
                }
            }
            ("network", None) => [&of_set[figure], &of_set["intervals"][figure], &of_set["n"]],
            ("common_network", _) => [&compared["here"][figure], &Value::Null, &compared["n"]],
            ("common_other", _) => [&compared["there"][figure], &Value::Null, &compared["n"]],
            ("common_difference", _) => {
                counts[3] += 1;
                [&compared["difference"][figure], &compared["intervals"][figure], &compared["n"]]
            }
            ("published", _) => {
                counts[4] += 1;
                let of_source =
                    |one: &&Value| line["source"].starts_with(&format!("{};", one["between"].as_str().unwrap()));
                let one = json["published_agreement"].as_array().unwrap().iter().find(of_source).unwrap();
                assert_eq!(line["lower"], field(&one["range"][0]));
                assert_eq!(line["value"], field(&one["kappa"]));
                continue;
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(line["value"], field(value), "{line:?}");
        assert_eq!([&line["lower"], &line["upper"]], [&field(&interval["low"]), &field(&interval["high"])], "{line:?}");
        assert_eq!(line["n"], field(n), "{line:?}");
        let is_of_others = matches!(line["quantity"].as_str(), "common_other" | "common_difference");
        assert_eq!(line["source"].contains("100%{x}~^$#|*`\\"), is_of_others, "{line:?}");
    }
    let sets = json["sets"].as_object().unwrap().len();
    assert!(counts[0] > 0);
    assert_eq!(counts[1..], [16 * sets, 12 * sets, 17 * sets, 4]);
}

#[test]
fn markdown_and_latex_show_the_texts_of_the_plain_tables() {
    let folder = tempfile::tempdir().unwrap();
    let [these, others] = tables(folder.path());
    let plain = evaluate(&[&these, "--against", &others]);
    let markdown = evaluate(&[&these, "--against", &others, "--format", "markdown"]);
    let latex = evaluate(&[&these, "--against", &others, "--format", "latex"]);
    // Three tables for each of seven sets, an overview, and a comparison for each set.
    let tables = pipe_tables(&markdown);
    assert_eq!((tables.len(), check_latex(&latex)), (29, 29));
    for table in &tables {
        assert!(table.iter().all(|row| row.len() == table[0].len()), "{table:?}");
        assert!(table[1].iter().all(|rule| rule.trim_matches(':').chars().all(|dash| dash == '-')), "{table:?}");
    }
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain_lines: BTreeSet<String> = plain.lines().map(words).collect();
    let mut found = 0;
    for row in tables.iter().flatten() {
        let row = words(&row.join(" ").replace("\\[", "[").replace("\\]", "]").replace("\\_", "_").replace("\\*", "*"));
        found += usize::from(plain_lines.contains(&row));
    }
    let rows: usize = tables.iter().map(Vec::len).sum();
    // All but the rules under the titles, and the titles that plain text has not or has otherwise.
    assert!(found + 3 * tables.len() >= rows, "{found} of {rows}");
    assert!(markdown.contains(r"a\&b\_100%\{x\}\~\^\$\#\|\*\`\\.csv"), "{markdown}");
    assert!(latex.contains(r"a\&b\_100\%\{x\}\textasciitilde{}\textasciicircum{}\$\#\textbar{}*`\textbackslash{}.csv"));
}

#[test]
fn the_reference_is_read_in_every_format() {
    let [ccr, mlor] = reference();
    let arguments = ["--seed-txt", &ccr, &mlor, "--class-counts", "14,51,50,13"];
    let format = |name| evaluate(&[&arguments[..], &["--format", name]].concat());
    assert_eq!(format("table"), evaluate(&arguments), "the default");
    assert_eq!(check_latex(&format("latex")), 10);
    assert_eq!(pipe_tables(&format("markdown")).len(), 10);
    let lines = read_csv(&format("csv"));
    let accuracy = |set: &str| {
        let is_it =
            |line: &&std::collections::BTreeMap<String, String>| line["figure"] == "accuracy" && line["set"] == set;
        lines.iter().find(is_it).map(|line| (line["value"].clone(), line["n"].clone())).unwrap()
    };
    let [ccr, mlor, right] = ["CC_R", "MLO_R", "right"].map(accuracy);
    assert_eq!([&ccr.1, &mlor.1, &right.1], ["128"; 3]);
    assert!(evaluate(&arguments).contains(&format!("{:.3}", right.0.parse::<f64>().unwrap())));
}

#[test]
fn the_baseline_of_a_run_is_in_every_format() {
    let (_folder, run) = recorded_run();
    let run = run.to_str().unwrap();
    let csv = evaluate(&[run, "--stored", "--split", "validation", "--format", "csv"]);
    let lines = read_csv(&csv);
    let count = |quantity: &str| lines.iter().filter(|line| line["quantity"] == quantity).count();
    assert_eq!((count("baseline"), count("network_minus_baseline")), (4, 1), "{csv}");
    let latex = evaluate(&[run, "--stored", "--split", "validation", "--format", "latex"]);
    assert!(latex.contains("\\label{tab:baseline}"), "{latex}");
    check_latex(&latex);
    let markdown = evaluate(&[run, "--stored", "--split", "validation", "--format", "markdown"]);
    assert!(markdown.contains("| network ahead, lin. κ |"), "{markdown}");
}

#[test]
fn contradictory_formats_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let [these, _] = tables(folder.path());
    for (arguments, part) in [
        (&["--json", "--format", "table"][..], "leave one of them out"),
        (&["--json", "--format", "csv"], "leave one of them out"),
        (&["--brief", "--format", "csv"], "leave out --brief"),
    ] {
        let output = mammoscope().arg("evaluate").arg(&these).args(arguments).output().unwrap();
        let stderr = stderr_of(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains(part) && output.stdout.is_empty(), "{stderr}");
    }
    let brief = evaluate(&[&these, "--brief", "--format", "markdown"]);
    assert_eq!(pipe_tables(&brief).len(), 4, "the last set and the overview");
}
