//! The commands of the tutorial run as written, in an empty folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mammoscope_test_support::{engine, mammoscope, names_in, shared, stderr_of};

/// The blocks of commands in the section of a second-level heading.
fn commands(text: &str, heading: &str) -> Vec<String> {
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0.to_owned()).collect()
}

fn tutorial() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md")).unwrap()
}

#[test]
fn the_learners_section_works() {
    let blocks = commands(&tutorial(), "To learn");
    assert!(blocks.len() > 8 && blocks.concat().contains("mammoscope evaluate"), "{blocks:#?}");
    let folder = tempfile::tempdir().unwrap();
    let (stdout, stderr) = run_blocks(folder.path(), &blocks);
    let made = folder.path().join("tutorial");
    let runs = names_in(&made.join("workspace/runs"));
    for (name, count) in [("by-heart", 1), ("first", 1), ("long", 1), ("four", 4)] {
        assert_eq!(runs.iter().filter(|run| run.ends_with(name)).count(), count, "{runs:?}");
    }
    // The interrupted run was completed, and its history has no gap.
    let long = runs.iter().find(|run| run.ends_with("long")).unwrap();
    let history = fs::read_to_string(made.join("workspace/runs").join(long).join("loss_train.txt")).unwrap();
    assert_eq!(history.lines().count(), 8);
    assert!(made.join("figures/evaluation.json").is_file());
    assert!(stdout.contains("kappa"), "{stdout}");
    let report = fs::read_to_string(made.join("report.html")).unwrap();
    assert!(report.contains("Where the networks look") && report.contains("temperature"), "the learner's report");
    let archive = runs.iter().find(|run| run.ends_with("archive")).unwrap();
    let card = fs::read_to_string(made.join("workspace/runs").join(archive).join("model_card.md")).unwrap();
    assert!(card.contains("prepared by `mammoscope preprocess`") && card.contains("fold 1 of 4 held out"), "{card}");
    // The tutorial's statements about its own results.
    let by_heart = runs.iter().find(|name| name.ends_with("by-heart")).unwrap();
    let accuracy = values(&made.join("workspace/runs").join(by_heart), "acc_val.txt");
    assert_eq!(accuracy.last(), Some(&1.0), "within these twelve epochs every image is classified correctly");
    assert!(stderr.contains("CC_R: 80 training, 12 validation, 8 test images"), "eight test subjects: {stderr}");
    assert!(stdout.contains("That the network looks at dense tissue is undecided."), "{stdout}");
    assert!(stdout.contains(" subjects; at least 10 subjects are needed."), "{stdout}");
    assert!(stderr.contains("maps of add_12 have 2 × 2 positions at 64 px"), "{stderr}");
    assert!(stderr.contains("use --layer add_6"), "{stderr}");
}

#[test]
fn the_references_section_works() {
    let blocks = commands(&tutorial(), "Through the reference");
    assert!(blocks.len() == 7 && blocks.concat().contains("--parity"), "{blocks:#?}");
    let (Some(seed), Some(weights), Some(expected)) =
        (shared("seed"), shared("reference/full/keras_resnet41.h5"), shared("reference/predictions.json"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["TestSet", "Predictions", "CC_R_history", "MAPS"] {
        std::os::unix::fs::symlink(seed.canonicalize().unwrap().join(name), folder.path().join(name)).unwrap();
    }
    fs::copy(weights, folder.path().join("CC_R.h5")).unwrap();
    let (stdout, stderr) = run_blocks(folder.path(), &blocks);
    // The figures in the text are those that the program prints.
    let line = |start: &str| {
        let line = stdout.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no line {start}: {stdout}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let text = tutorial();
    for (set, row) in [("CC_R ", "| CC_R |"), ("MLO_R ", "| MLO_R |"), ("right ", "| right, the mean of both |")] {
        let row = text.lines().find(|line| line.starts_with(row)).unwrap();
        let figures: Vec<String> =
            row.split(" | ").skip(1).map(|cell| format!("0{}", cell.trim_end_matches(" |"))).collect();
        assert!(line(set).starts_with(&format!("{}128 {}", set, figures.join(" "))), "{row}: {}", line(set));
    }
    assert!(line("  accuracy  ").contains("0.805 [0.734, 0.867]"), "{}", line("  accuracy  "));
    assert!(line("  linear kappa").starts_with("linear kappa 0.768 "), "{}", line("  linear kappa"));
    assert_eq!((line("  C   "), line("  D   ")), ("C 0 6 42 2 0.840".to_owned(), "D 0 0 4 9 0.692".to_owned()));
    assert!(stdout.contains("\nepoch 46, accuracy 0.80\n"), "{stdout}");
    assert!(stderr.contains("41 convolutions, 2,262,660 parameters"), "{stderr}");
    let runs = folder.path().join("workspace/runs");
    let run = runs.join(names_in(&runs).into_iter().find(|name| name.ends_with("small")).unwrap());
    for series in ["loss_train", "acc_train", "loss_val", "acc_val"] {
        assert_eq!(values(&run, &format!("{series}.txt")).len(), 3, "{series}");
    }
    let card = fs::read_to_string(run.join("model_card.md")).unwrap();
    assert!(card.contains("`mammoscope phantom DIR --subjects 24 --size 64 --seed 3`"), "{card}");
    assert!(names_in(&run.join("checkpoints")).iter().any(|name| name.starts_with("best-00")), "{run:?}");
    // The probabilities of Keras, to five decimals.
    let expected: serde_json::Value = serde_json::from_slice(&fs::read(expected).unwrap()).unwrap();
    let images = expected["images"].as_array().unwrap().iter().filter(|image| image["view"] == "CC_R");
    let theirs: Vec<f64> = images
        .flat_map(|image| {
            image["route1"]["probabilities"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap())
        })
        .collect();
    let columns = fs::read_to_string(folder.path().join("predictions/predictions_CC_R.txt")).unwrap();
    let ours: Vec<f64> = columns.split_whitespace().map(|value| value.parse().unwrap()).collect();
    assert_eq!((ours.len(), theirs.len()), (16, 16));
    assert!(ours.iter().zip(&theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-5), "{ours:?}, {theirs:?}");
    // The pictures have the reference's names.
    let (made, reference) = (folder.path().join("maps/CC_R"), folder.path().join("MAPS/CC_R"));
    let pictures = names_in(&made.join("A"));
    let missing: Vec<String> =
        names_in(&reference.join("A")).into_iter().filter(|name| !pictures.contains(name)).collect();
    assert!(missing.is_empty() && pictures.contains(&"1251_1_A_CC_R_map.npy".to_owned()), "{missing:?}: {pictures:?}");
    assert!(stdout.contains("in dense tissue  along the skin"), "{stdout}");
    let report = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(report("figures.html").contains("Linear kappa 0.768 [0.674, 0.849] on 128 breasts of 128 subjects"));
    assert!(report("report.html").contains("<img src=\"data:image/jpeg;base64,"));
}

/// Runs blocks of commands in one shell, as a user would, in a folder. Returns stdout and stderr.
fn run_blocks(folder: &Path, blocks: &[String]) -> (String, String) {
    let mut path = OsString::from(engine().parent().unwrap());
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    // `-x` shows where it failed.
    shell.args(["-eux", "-c", &blocks.join("\n")]).current_dir(folder);
    shell.env("PATH", path).env("OMP_WAIT_POLICY", "PASSIVE").env_remove("MAMMOSCOPE_ENGINE");
    let output = shell.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout).into_owned(), stderr_of(&output));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    (stdout, stderr)
}

/// Runs `mammoscope` in a folder with a workspace. It must succeed; returns its stdout.
fn run_in(folder: &Path, arguments: &[&str]) -> String {
    let output = mammoscope().current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr_of(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Trains on view CC_R of a data set in the folder. Returns the run directory.
fn train(folder: &Path, data: &str, name: &str, settings: &str, more: &[&str]) -> PathBuf {
    let settings = format!("size=64,width=0.125,threads=1,{settings}");
    let arguments = ["train", "--data", data, "--view", "CC_R", "--preset", "quick", "--device", "cpu", "--follow"];
    run_in(folder, &[&arguments[..], &["--name", name, "--set", &settings], more].concat());
    let runs = folder.join("workspace/runs");
    let run = names_in(&runs).into_iter().find(|run| run.ends_with(name)).unwrap();
    runs.join(run)
}

fn values(run: &Path, file: &str) -> Vec<f64> {
    fs::read_to_string(run.join(file)).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn the_claim_about_moving_averages_holds() {
    let text = tutorial();
    assert!(text.contains("(`--set bn_momentum=0.99,bn_warmup=false`) the same"), "the claim is gone");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("workspace")).unwrap();
    run_in(folder.path(), &["phantom", "phantoms", "--subjects", "100", "--size", "64", "--seed", "1"]);
    let settings = "epochs=12,augment=false,dropout=0";
    let settled = train(folder.path(), "phantoms", "settled", settings, &["--all-as-train"]);
    let slow = format!("{settings},bn_momentum=0.99,bn_warmup=false");
    let lagging = train(folder.path(), "phantoms", "lagging", &slow, &["--all-as-train"]);
    // The same run, weight for weight, looks as if it had learnt nothing.
    assert_eq!(values(&settled, "loss_train.txt"), values(&lagging, "loss_train.txt"));
    assert_eq!(values(&settled, "acc_val.txt").last(), Some(&1.0));
    assert!(*values(&lagging, "acc_val.txt").last().unwrap() <= 0.5, "{:?}", values(&lagging, "acc_val.txt"));
}

#[test]
fn the_claim_about_the_confounder_holds() {
    let text = tutorial();
    let command = "mammoscope phantom confounded --subjects 100 --size 64 --seed 1 --confounder";
    assert!(text.contains(command) && text.contains("Train on it with `--set augment=false`"), "the claim is gone");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("workspace")).unwrap();
    run_in(folder.path(), &command.split(' ').skip(1).collect::<Vec<_>>());
    run_in(folder.path(), &["phantom", "phantoms", "--subjects", "100", "--size", "64", "--seed", "1"]);
    let without = train(folder.path(), "confounded", "plain", "augment=false", &[]);
    let with = train(folder.path(), "confounded", "augmented", "augment=true", &[]);
    let best = |run: &Path| values(run, "acc_val.txt").into_iter().fold(0.0, f64::max);
    assert!(best(&without) >= 0.9, "high: {:?}", values(&without, "acc_val.txt"));
    assert!(best(&with) <= 0.7, "low: {:?}", values(&with, "acc_val.txt"));
    let model = without.to_str().unwrap();
    let arguments = ["predict", "--model", model, "--data", "phantoms", "--view", "CC_R", "--out", "predictions"];
    run_in(folder.path(), &arguments);
    let evaluation: serde_json::Value =
        serde_json::from_str(&run_in(folder.path(), &["evaluate", "predictions", "--json"])).unwrap();
    let accuracy = evaluation["sets"]["CC_R"]["accuracy"].as_f64().unwrap();
    assert!(accuracy <= 0.4, "no better than chance, .25 of four classes: {accuracy}");
}

#[test]
fn all_commands_of_the_tutorial_exist() {
    let text = tutorial();
    let blocks =
        [commands(&text, "To learn"), commands(&text, "With data and a GPU"), commands(&text, "Through the reference")]
            .concat();
    let mut tried = 0;
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let Some(words) = line.trim_start().strip_prefix("mammoscope ") else { continue };
        let subcommand = words.split_whitespace().next().unwrap();
        let help = mammoscope().args([subcommand, "--help"]).output().unwrap();
        assert!(help.status.success(), "{line}: {}", stderr_of(&help));
        let help = String::from_utf8(help.stdout).unwrap();
        for option in words.split_whitespace().filter(|word| word.starts_with("--")) {
            // Subcommands of subcommands have options of their own.
            assert!(help.contains(option) || help.contains("Commands:"), "{line}: {option}");
        }
        tried += 1;
    }
    assert!(tried > 15, "{tried}");
}
