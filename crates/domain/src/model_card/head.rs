//! The YAML head of a card, in the format of Hugging Face's model cards.

use std::fmt::Write as _;

use super::card_evaluation::{CardEvaluation, CardFigure};
use super::escaping::yaml_text;
use super::facts::{ModelCardFacts, WeightsForm};
use crate::subject::split::Split;

/// The entries of the head that are the program's.
pub(super) fn head(facts: &ModelCardFacts) -> String {
    let (library, form) = match facts.weights.form {
        WeightsForm::Mammoscope => ("mammoscope", "safetensors"),
        WeightsForm::Onnx => ("onnx", "onnx"),
        WeightsForm::Pytorch { .. } => ("pytorch", "safetensors"),
    };
    let mut head = format!("library_name: {library}\npipeline_tag: image-classification\ntags:\n");
    let synthetic = facts.data.is_synthetic().then_some("synthetic");
    let tags = ["breast-density", "bi-rads", "mammography", "not-for-clinical-use", form].into_iter().chain(synthetic);
    for tag in tags {
        add(&mut head, format_args!("  - {tag}"));
    }
    let reported: Vec<&CardEvaluation> = reported(facts).collect();
    let mut metrics: Vec<&str> = Vec::new();
    for (figure, _) in reported.iter().flat_map(|evaluation| defined(evaluation)) {
        if !metrics.contains(&figure.kind.metric) {
            metrics.push(figure.kind.metric);
        }
    }
    // Without figures there are no results, and a model index must have some.
    if metrics.is_empty() {
        return head;
    }
    head.push_str("metrics:\n");
    for metric in metrics {
        add(&mut head, format_args!("  - {metric}"));
    }
    add(&mut head, format_args!("model-index:\n  - name: {}\n    results:", yaml_text(&facts.name)));
    for evaluation in reported {
        result(&mut head, facts, evaluation);
    }
    head
}

/// The evaluations that become results: of test images if there are any, of validation images otherwise; none of fused views,
/// which are results of several models.
fn reported(facts: &ModelCardFacts) -> impl Iterator<Item = &CardEvaluation> {
    let all = facts.figures.evaluations();
    let has_test = all.iter().any(|evaluation| evaluation.split == Some(Split::Test));
    let of_test = move |evaluation: &&CardEvaluation| !has_test || evaluation.split == Some(Split::Test);
    all.iter().filter(|evaluation| !evaluation.is_fused()).filter(of_test)
}

fn defined(evaluation: &CardEvaluation) -> impl Iterator<Item = (&CardFigure, f64)> {
    evaluation.figures.iter().filter_map(|figure| Some((figure, figure.value?)))
}

fn result(head: &mut String, facts: &ModelCardFacts, evaluation: &CardEvaluation) {
    let images = evaluation.images(facts);
    let data = facts.data.name.as_ref().map_or_else(|| images.clone(), |name| format!("{name}, {images}"));
    head.push_str(
        "      - task:\n          type: image-classification\n          name: Breast density, BI-RADS A to D\n",
    );
    add(head, format_args!("        dataset:\n          name: {}\n          type: imagefolder", yaml_text(&data)));
    if let Some(split) = evaluation.split {
        add(head, format_args!("          split: {split}"));
    }
    head.push_str("        metrics:\n");
    for (figure, value) in defined(evaluation) {
        let kind = figure.kind;
        add(head, format_args!("          - type: {}", kind.metric));
        add(head, format_args!("            name: {}", yaml_text(kind.label)));
        add(head, format_args!("            value: {}", rounded(value)));
        if !kind.arguments.is_empty() || figure.interval.is_some() {
            head.push_str("            args:\n");
            for (name, argument) in kind.arguments {
                add(head, format_args!("              {name}: {argument}"));
            }
            if let Some((low, high)) = figure.interval {
                let (low, high) = (rounded(low), rounded(high));
                add(head, format_args!("              confidence_interval_95: [{low}, {high}]"));
            }
        }
    }
}

/// Four decimals, and at least one, so that every value is a number with a point.
fn rounded(value: f64) -> String {
    let text = format!("{value:.4}");
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

fn add(head: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(head, "{line}");
}
