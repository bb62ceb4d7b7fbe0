//! The sections on the training run and on the origin of the weights.

use super::facts::{ModelCardFacts, Recipe, TrainingFacts, WeightsForm};
use super::{code, markdown_text, table};
use crate::training::training_changes::SettingChange;

pub(super) fn training(facts: &ModelCardFacts) -> String {
    let TrainingFacts { preset, recipe, changes, best, epochs, seed, device, .. } = &facts.training;
    let mut lines: Vec<String> = Vec::new();
    match (preset, recipe) {
        (None, _) => lines.push("- The training run is not recorded in the weights.".to_owned()),
        (Some(preset), Some(Recipe::Changed(keys))) if keys.is_empty() => {
            lines.push(format!("- Preset {}, unchanged.", code(preset)));
        }
        (Some(preset), Some(Recipe::Changed(_))) => {
            lines.push(format!("- Preset {} with the changes below.", code(preset)));
        }
        (Some(preset), Some(Recipe::Whole(_))) => {
            lines.push(format!("- A preset of the user's, {}, with the settings below.", code(preset)));
        }
        (Some(preset), None) => {
            lines.push(format!("- Preset {}; whether keys were changed is not recorded in the weights.", code(preset)));
        }
    }
    if let Some(seed) = seed {
        lines.push(format!("- Seed {}.", code(seed)));
    }
    if let Some((epoch, monitor, value)) = best {
        let of = epochs.map_or_else(String::new, |epochs| format!(" of {epochs}"));
        let value = value.parse::<f64>().map_or_else(|_| markdown_text(value), |value| format!("{value:.3}"));
        lines.push(format!("- Best epoch {}{of}, by {} ({value}).", markdown_text(epoch), code(monitor)));
    }
    if let Some(device) = device {
        lines.push(format!("- Trained on {}.", markdown_text(device)));
    }
    for SettingChange { key, from, to } in changes {
        lines.push(format!("- Changed during the run: {} from {} to {}.", code(key), code(from), code(to)));
    }
    let mut text = lines.join("\n") + "\n";
    match recipe {
        Some(Recipe::Changed(keys)) if !keys.is_empty() => {
            let rows: Vec<_> = keys.iter().map(|row| row.each_ref().map(|cell| code(cell))).collect();
            text.push('\n');
            text.push_str(&table(&["key", "preset", "this run"], &rows));
        }
        Some(Recipe::Whole(keys)) => {
            let rows: Vec<_> = keys.iter().map(|row| row.each_ref().map(|cell| code(cell))).collect();
            text.push('\n');
            text.push_str(&table(&["key", "value"], &rows));
        }
        _ => {}
    }
    text
}

pub(super) fn provenance(facts: &ModelCardFacts) -> String {
    let (weights, training) = (&facts.weights, &facts.training);
    let mut rows = vec![[format!("SHA-256 of {}", markdown_text(&weights.file)), code(&weights.sha256)]];
    if let Some(sha256) = &weights.exported_from {
        rows.push(["SHA-256 of the model file it was exported from".to_owned(), code(sha256)]);
    }
    if let Some(fingerprint) = &facts.data.fingerprint {
        rows.push(["fingerprint of `dataset.json`".to_owned(), code(fingerprint)]);
    }
    if let Some(version) = &training.version {
        let date = training.date.as_ref().map_or_else(String::new, |date| format!(", {}", markdown_text(date)));
        rows.push(["trained by".to_owned(), format!("mammoscope {}{date}", markdown_text(version))]);
    }
    rows.extend(facts.provenance.iter().map(|(key, value)| [markdown_text(key), markdown_text(value)]));
    if weights.form != WeightsForm::Mammoscope {
        rows.push(["exported by".to_owned(), format!("mammoscope {}", env!("CARGO_PKG_VERSION"))]);
    }
    table(&["", ""], &rows)
}
