//! The file of a model card: written once, then updated without the loss of what a person wrote into it.

use std::io;
use std::path::Path;

use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;
use mammoscope_domain::model_card::{
    CardFigures, CardProblem, FIGURE_SECTIONS, ModelCardFacts, WEIGHTS_SECTION, model_card, section_of, updated_card,
};

/// The largest card that is read.
const LIMIT: u64 = 1 << 24;

/// A card that was not written. An existing file is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is not UTF-8 text")]
    NotText,
    /// It cannot be updated without the loss of what a person wrote.
    #[error(transparent)]
    Kept(#[from] CardProblem),
}

/// What became of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardChange {
    Written,
    Updated,
    /// It says all this already.
    Unchanged,
}

/// Writes the card of a model, or brings the generated sections of an existing one up to date. If the figures are not known,
/// an existing card of the same weights keeps those it has.
pub fn write_card(path: &Path, facts: &ModelCardFacts) -> Result<CardChange, CardError> {
    let fresh = model_card(facts);
    let bytes = match read_regular_file(path, LIMIT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_atomically(path, fresh.as_bytes())?;
            return Ok(CardChange::Written);
        }
        read => read?,
    };
    let card = String::from_utf8(bytes).map_err(|_| CardError::NotText)?;
    let is_of_these_weights =
        section_of(&card, WEIGHTS_SECTION).is_some_and(|text| text.contains(&facts.weights.sha256));
    let keeps_figures = facts.figures == CardFigures::Unknown && is_of_these_weights;
    let updated = updated_card(&card, &fresh, if keeps_figures { &FIGURE_SECTIONS } else { &[] })?;
    if updated == card {
        return Ok(CardChange::Unchanged);
    }
    write_atomically(path, updated.as_bytes())?;
    Ok(CardChange::Updated)
}
