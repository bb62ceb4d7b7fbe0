//! The sections on the figures of merit and on their limits.

use std::fmt::Write as _;

use super::card_evaluation::{CardEvaluation, FIGURES};
use super::facts::{CardFigures, ModelCardFacts};
use super::table;
use crate::subject::density::DensityClass;
use crate::subject::split::Split;
use crate::text::counted::counted;

/// Fewer subjects than this make intervals that are too wide to rank models by.
const FEW_SUBJECTS: u64 = 100;

impl CardEvaluation {
    /// The images of the evaluation in words, such as `test images of CC_R`.
    pub(super) fn images(&self, facts: &ModelCardFacts) -> String {
        let split = match self.split {
            Some(Split::Validation) if facts.data.all_as_train() => "training ".to_owned(),
            Some(split) => format!("{split} "),
            None => String::new(),
        };
        match self.set.as_str() {
            "total" if facts.view.is_some() => format!("{split}examinations, all views fused, each by its own model"),
            "total" => format!("{split}examinations, all views fused"),
            "right" | "left" => format!("{split}images of the {} breast, views fused", self.set),
            set => format!("{split}images of {set}"),
        }
    }
}

// Writing to a string cannot fail.
pub(super) fn figures(facts: &ModelCardFacts) -> String {
    let (evaluations, outdated) = match &facts.figures {
        CardFigures::Unknown => return "No evaluation of these weights is recorded beside them.\n".to_owned(),
        CardFigures::Stored { evaluations, outdated } => (evaluations, outdated),
    };
    let mut text = String::new();
    for split in outdated {
        let _ = write!(
            text,
            "The stored evaluation of the {split} images is older than these weights and is left out; `mammoscope evaluate` \
             makes a new one.\n\n"
        );
    }
    if evaluations.is_empty() {
        text.push_str("No evaluation is stored.\n");
        return text;
    }
    text.push_str("With 95 % intervals by a bootstrap over subjects:\n\n");
    let rows: Vec<Vec<String>> = FIGURES
        .iter()
        .enumerate()
        .map(|(place, kind)| {
            let cell = |evaluation: &CardEvaluation| cell(evaluation, place);
            std::iter::once(kind.label.to_owned()).chain(evaluations.iter().map(cell)).collect()
        })
        .collect();
    let head = std::iter::once(String::new()).chain(evaluations.iter().map(|evaluation| {
        format!(
            "{} ({} of {})",
            evaluation.images(facts),
            evaluation.cases,
            counted(evaluation.subjects as usize, "subject")
        )
    }));
    text.push_str(&wide_table(&head.collect::<Vec<_>>(), &rows));
    for evaluation in evaluations.iter().filter(|evaluation| !evaluation.is_fused()) {
        let _ = write!(text, "\nConfusion matrix, {}: rows true, columns predicted.\n\n", evaluation.images(facts));
        let row = |class: DensityClass| {
            let [a, b, c, d] = evaluation.confusion[class.index()].map(|count| count.to_string());
            [class.letter().to_owned(), a, b, c, d]
        };
        text.push_str(&table(&["", "A", "B", "C", "D"], &DensityClass::ALL.map(row)));
        if let Some((kappa, accuracy)) = evaluation.baseline {
            let shown =
                |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.3}"));
            let _ = write!(
                text,
                "\nThe one-feature baseline, the spread of grey inside the breast, has accuracy {} and linear kappa {} on the \
                 same images.\n",
                shown(accuracy),
                shown(kappa)
            );
        }
    }
    text
}

fn cell(evaluation: &CardEvaluation, place: usize) -> String {
    let figure = &evaluation.figures[place];
    match (figure.value, figure.interval) {
        (None, _) => "undefined".to_owned(),
        (Some(value), None) => format!("{value:.3}"),
        (Some(value), Some((low, high))) => format!("{value:.3} [{low:.3}, {high:.3}]"),
    }
}

fn wide_table(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head) + &format!("|{}\n", "---|".repeat(head.len()));
    for row in rows {
        text.push_str(&line(row));
    }
    text
}

pub(super) fn limits(facts: &ModelCardFacts) -> String {
    let mut lines = Vec::new();
    if facts.data.is_synthetic() {
        lines.push(
            "All phantoms come from one recipe, with known classes: no differences between machines, no implants, no \
             lesions, no readers who disagree. Agreement on phantoms says nothing about agreement on mammograms."
                .to_owned(),
        );
    }
    let evaluations = facts.figures.evaluations();
    if evaluations.is_empty() {
        lines.push("How good these weights are was not measured, as far as this card knows.".to_owned());
    } else {
        lines.push(
            "The figures are those of one data set. On images from other machines, populations or readers they can be much \
             worse; measure them there."
                .to_owned(),
        );
    }
    let is_only = |split| evaluations.iter().all(|evaluation| evaluation.split == Some(split));
    if !evaluations.is_empty() && is_only(Split::Validation) {
        lines.push(if facts.data.all_as_train() {
            "There are no held-out images: the figures are those of the training images and say only how well these were \
             memorised."
                .to_owned()
        } else {
            "There are no figures of test images. The best epoch was chosen by the validation images, so their figures are \
             too good."
                .to_owned()
        });
    }
    if evaluations.iter().any(|evaluation| evaluation.split.is_none()) {
        lines.push(
            "The evaluated images are of no split of the training run, and the card cannot say whether the same people were \
             seen in training."
                .to_owned(),
        );
    }
    for evaluation in
        evaluations.iter().filter(|evaluation| !evaluation.is_fused() && evaluation.subjects < FEW_SUBJECTS)
    {
        lines.push(format!(
            "{} ({}): the intervals are wide, and differences between models within them mean nothing.",
            counted(evaluation.subjects as usize, "subject"),
            evaluation.images(facts)
        ));
    }
    for evaluation in evaluations {
        let absent: Vec<&str> = DensityClass::ALL
            .into_iter()
            .filter(|class| evaluation.support()[class.index()] == 0)
            .map(DensityClass::letter)
            .collect();
        if !absent.is_empty() {
            lines.push(format!("No case of class {} is among the {}.", absent.join(", "), evaluation.images(facts)));
        }
    }
    lines.push(
        "Where the network looks is not part of these figures; `mammoscope explain --sanity` examines it.".to_owned(),
    );
    lines.iter().fold(String::new(), |text, line| text + "- " + line + "\n")
}
