//! The commands that repeat a report.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::ReportArguments;
use crate::analysis::report_facts::ReportedRun;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::text::printable::{printable, printable_os};
use mammoscope_domain::training::config_keys::KEYS;
use mammoscope_domain::training::preset::Preset;

/// The commands, one a line. Folders are named without their place.
pub(super) fn commands(arguments: &ReportArguments, name: &str, runs: &[ReportedRun]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for run in runs {
        let line = training(run);
        if seen.insert(line.clone()) {
            lines.push(line);
        }
    }
    let mut report = vec!["mammoscope report".to_owned()];
    if runs.is_empty() {
        report.extend(arguments.inputs.iter().map(|input| quoted(&file_name(input))));
    } else {
        report.push(quoted(name));
    }
    for (place, (view, file)) in arguments.seed_txt.iter().enumerate() {
        let option = if place == 0 { "--seed-txt " } else { "" };
        report.push(format!("{option}{view}={}", quoted(&file_name(file))));
    }
    if !arguments.class_counts.is_empty() {
        let counts: Vec<String> = arguments.class_counts.iter().map(ToString::to_string).collect();
        report.push(format!("--class-counts {}", counts.join(",")));
    }
    let paths = [
        ("--maps", arguments.maps.as_ref()),
        ("--model", arguments.model.as_ref()),
        ("--labels", arguments.labels.as_ref()),
    ];
    for (option, path) in paths {
        report.extend(path.map(|path| format!("{option} {}", quoted(&file_name(path)))));
    }
    for (option, paths) in [("--data", &arguments.data), ("--against", &arguments.against)] {
        if !paths.is_empty() {
            let names: Vec<String> = paths.iter().map(|path| quoted(&file_name(path))).collect();
            report.push(format!("{option} {}", names.join(" ")));
        }
    }
    report.extend(arguments.split.map(|split| format!("--split {split}")));
    report.push(format!("--resamples {} --seed {}", arguments.resamples, arguments.seed));
    lines.push(report.join(" "));
    lines
}

/// The command that trains a run.
fn training(run: &ReportedRun) -> String {
    let spec = &run.spec;
    let data = spec.data.file_name().map_or_else(|| "DATA".to_owned(), printable_os);
    let mut line = format!(
        "mammoscope train --data {} --view {} --preset {}",
        quoted(&data),
        spec.view,
        quoted(&printable(&spec.preset))
    );
    if let Some(manifest) = &run.manifest {
        if let (SplitSource::File, Some(file)) = (manifest.split_source, &manifest.split_file) {
            let _ = write!(line, " --splits {}", quoted(&printable(&file.name)));
            if let Some(fold) = file.fold {
                let _ = write!(line, " --fold {fold}");
            }
        }
        if manifest.split_source == SplitSource::AllAsTrain {
            line += " --all-as-train";
        }
        if manifest.allow_duplicates {
            line += " --allow-duplicates";
        }
    }
    if let Ok(preset) = Preset::named(&spec.preset) {
        let differing = KEYS.iter().filter(|key| key.value(&spec.config) != key.value(&preset.config));
        let changes: Vec<String> = differing.map(|key| format!("{}={}", key.name, key.value(&spec.config))).collect();
        if !changes.is_empty() {
            let _ = write!(line, " --set {}", changes.join(","));
        }
    }
    line
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| ".".to_owned(), printable_os)
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./=:,+@".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a-b_1.csv"), "a-b_1.csv");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's <b>"), "'it'\\''s <b>'");
        assert_eq!(quoted(""), "''");
    }
}
