//! Text that is being typed: the value of a field, or the filter of the fields.

use super::fields::Field;
use crate::tui::widgets::text_field::TextField;

/// A field that is being typed.
#[derive(Debug)]
pub(super) struct Editing {
    pub(super) field: Field,
    pub(super) typed: TextField,
    /// The implausible text that the user was asked about.
    pub(super) doubted: Option<String>,
}

impl Editing {
    /// A field with its value selected: typing replaces it.
    pub(super) fn new(field: Field, text: String) -> Self {
        Self { field, typed: TextField::selected(text), doubted: None }
    }
}

/// The filter of the form's fields.
#[derive(Debug, Default)]
pub(super) struct FieldFilter {
    pub(super) field: TextField,
    pub(super) is_typing: bool,
}

impl FieldFilter {
    pub(super) fn is_shown(&self) -> bool {
        self.is_typing || !self.field.text().is_empty()
    }
}
