//! Model cards in the format of Hugging Face: a YAML head, and Markdown with what a model is for, what it was made from, how
//! good it is and where that ends.
//!
//! [`model_card`] makes the text from [`ModelCardFacts`]; [`updated_card`] brings the generated sections of an existing card
//! up to date and leaves the rest to people.

mod card_evaluation;
mod data_section;
mod escaping;
mod facts;
mod figures_section;
mod head;
mod sections;
mod training_section;
mod use_section;

use std::fmt::Write as _;

pub use self::card_evaluation::{CardEvaluation, CardFigure, FIGURES, FigureKind};
pub use self::facts::{
    CardFigures, DataFacts, DataOrigin, ModelCardFacts, Recipe, SplitCounts, TrainingFacts, WeightsFacts, WeightsForm,
};
pub use self::sections::{CardProblem, section_of, updated_card};

use self::escaping::markdown_text;
use self::sections::section;
use crate::subject::view::View;
use crate::text::grouped_digits::grouped;

/// The sections that depend on figures.
pub const FIGURE_SECTIONS: [&str; 3] = ["head", "figures", "limits"];
/// The section that names the weights with their checksum.
pub const WEIGHTS_SECTION: &str = "summary";

const INTENDED_USE: &str = "\
Research and teaching: studying how networks classify breast density, reproducing a training run, and comparing methods.
The input is one mammogram of the view named above, prepared like the training images.
";
const OUT_OF_SCOPE_USE: &str = "\
Any decision about the care of a person: diagnosis, screening, triage, or estimating the risk of a person. The model is not
a medical device, and nothing in this card is evidence that it would be safe as one. It says nothing about lesions, and
nothing useful about images of another kind: other views, magnifications, implants, photographs of films, or images from
machines that the training images do not cover.
";

/// The text of a new card. Its generated sections are marked, so that [`updated_card`] finds them; the licence, the title and
/// the uses are written once and belong to people from then on.
#[must_use]
pub fn model_card(facts: &ModelCardFacts) -> String {
    let head = section("head", &head::head(facts), "# ");
    let title = match facts.view {
        Some(view) => format!("Breast density from mammograms of the view {view}", view = code(view.name())),
        None => "Breast density from mammograms".to_owned(),
    };
    let mut card = format!(
        "---\n# The licence is for the owner of the weights to choose, for example cc0-1.0 or cc-by-4.0.\nlicense: unknown\n\
         {head}---\n\n# {title}\n\n"
    );
    card.push_str(&section(WEIGHTS_SECTION, &summary(facts), ""));
    for (heading, text) in [
        ("Intended use", INTENDED_USE.to_owned()),
        ("Out-of-scope use", OUT_OF_SCOPE_USE.to_owned()),
        ("Data", section("data", &data_section::data(facts), "")),
        ("Training", section("training", &training_section::training(facts), "")),
        ("Figures", section("figures", &figures_section::figures(facts), "")),
        ("Limits", section("limits", &figures_section::limits(facts), "")),
        ("How to use", section("use", &use_section::how_to_use(facts), "")),
        ("Provenance", section("provenance", &training_section::provenance(facts), "")),
    ] {
        // Writing to a string cannot fail.
        let _ = write!(card, "\n## {heading}\n\n{text}");
    }
    card
}

fn summary(facts: &ModelCardFacts) -> String {
    let WeightsFacts { form, file, bytes, sha256, parameters, .. } = &facts.weights;
    let synthetic = if facts.data.is_synthetic() {
        "**Synthetic, not for clinical use.** Trained on computer-generated phantoms."
    } else {
        "**For research only, not for clinical use.**"
    };
    let form = match form {
        WeightsForm::Mammoscope => "mammoscope model (safetensors)",
        WeightsForm::Onnx => "ONNX, batch normalisation folded into the convolutions",
        WeightsForm::Pytorch { .. } => "PyTorch `state_dict` (safetensors)",
    };
    let name = markdown_text(&facts.name);
    let bytes = grouped(usize::try_from(*bytes).unwrap_or(usize::MAX));
    let rows = [
        ("Model", name),
        ("File", format!("{}, {bytes} bytes", markdown_text(file))),
        ("SHA-256", code(sha256)),
        ("Form", form.to_owned()),
        ("Network", format!("41 convolutions, width factor {}, {} parameters", facts.width, grouped(*parameters))),
        (
            "Input",
            format!(
                "view {view}, {size} × {size} pixels, route {route}",
                view = facts.view.map_or("any", View::name),
                size = facts.size,
                route = facts.input_route
            ),
        ),
        ("Output", "probabilities of the BI-RADS classes A, B, C and D".to_owned()),
    ];
    format!(
        "{synthetic} It is not a medical device.\n\n{}",
        table(&["", ""], &rows.map(|(name, value)| [name.to_owned(), value]))
    )
}

/// A table of cells that are Markdown already, with a line break after it.
fn table<const N: usize>(head: &[&str; N], rows: &[[String; N]]) -> String {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head) + &format!("|{}\n", "---|".repeat(N));
    for row in rows {
        text.push_str(&line(&row.each_ref().map(String::as_str)));
    }
    text
}

/// A text without markup as code; any other text is escaped.
fn code(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._-/+=, ".contains(character);
    if !text.trim().is_empty() && text.chars().all(is_plain) { format!("`{text}`") } else { markdown_text(text) }
}

#[cfg(test)]
mod tests;
