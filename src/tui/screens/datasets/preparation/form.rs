//! The form of preprocessing: the folders to read and to write, and a label file.

use crate::terminal::input::Key;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::preparation::PreparationPath;
use crate::tui::widgets::text_field::TextField;

/// The fields, from the top down.
pub(super) const INPUT: usize = 0;
pub(super) const OUTPUT: usize = 1;
pub(super) const LABELS: usize = 2;

/// A form of three fields.
#[derive(Debug)]
pub(super) struct PreparationForm {
    pub(super) fields: [TextField; 3],
    /// The field that is being typed into.
    pub(super) field: usize,
    /// True while the output follows the input.
    suggests: bool,
    /// Completions of the field, each as it would be typed.
    pub(super) found: Vec<String>,
    /// The reason why it was not submitted.
    pub(super) problem: Option<String>,
}

/// The outcome of a key in the form.
pub(super) enum Submitted {
    /// Typing continues; a path is to be completed.
    Typing(Option<String>),
    Start {
        input: String,
        output: String,
        labels: String,
    },
    Cancelled,
}

impl PreparationForm {
    /// A form with these folders, and the path to complete; without an output, one is suggested.
    pub(super) fn new(input: &str, output: Option<&str>) -> (Self, String) {
        let suggestion = output.map_or_else(|| suggested(input), str::to_owned);
        let fields = [TextField::new(input), TextField::new(suggestion), TextField::default()];
        let form = Self { fields, field: INPUT, suggests: output.is_none(), found: Vec::new(), problem: None };
        (form, input.to_owned())
    }

    pub(super) fn press(&mut self, key: Key) -> Submitted {
        self.problem = None;
        match key {
            Key::Escape => return Submitted::Cancelled,
            Key::Enter => return self.submit(),
            Key::Up | Key::BackTab => return self.go_to((self.field + 2) % 3),
            Key::Down => return self.go_to((self.field + 1) % 3),
            Key::Tab => match self.completion() {
                Some(found) if found != self.text(self.field) => {
                    self.fields[self.field] = TextField::new(found);
                    return self.changed();
                }
                _ => return self.go_to((self.field + 1) % 3),
            },
            key => {
                let before = self.text(self.field).to_owned();
                // After a slash, another slash or a tilde starts a new path.
                if matches!(key, Key::Char('/' | '~')) && before.ends_with('/') {
                    self.fields[self.field] = TextField::default();
                }
                self.fields[self.field].press(key);
                if self.text(self.field) != before {
                    return self.changed();
                }
            }
        }
        Submitted::Typing(None)
    }

    /// Pastes a path; returns the path to complete.
    pub(super) fn paste(&mut self, text: &str) -> String {
        let text = text.trim();
        if text.starts_with(['/', '~']) {
            self.fields[self.field] = TextField::default();
        }
        self.fields[self.field].paste(text);
        self.follow();
        self.text(self.field).to_owned()
    }

    /// Takes completions if they are still those of the typed path.
    pub(super) fn on_completed(&mut self, typed: &str, found: Vec<String>) {
        if typed == self.text(self.field) {
            self.found = found;
        }
    }

    pub(super) fn text(&self, field: usize) -> &str {
        self.fields[field].text()
    }

    /// The folder with the typed name or, without one, the first that begins like it.
    fn completion(&self) -> Option<String> {
        let exact = format!("{}/", self.text(self.field));
        self.found.iter().find(|found| **found == exact).or(self.found.first()).cloned()
    }

    fn go_to(&mut self, field: usize) -> Submitted {
        self.field = field;
        self.found.clear();
        Submitted::Typing(Some(self.text(field).to_owned()))
    }

    /// Shows why a path cannot be used, with the cursor in its field.
    pub(super) fn refuse(&mut self, path: PreparationPath, problem: &Failure) {
        self.field = match path {
            PreparationPath::Input => INPUT,
            PreparationPath::Output => OUTPUT,
            PreparationPath::Labels => LABELS,
        };
        self.found.clear();
        self.problem = Some(problem.text().to_owned());
    }

    fn changed(&mut self) -> Submitted {
        self.follow();
        Submitted::Typing(Some(self.text(self.field).to_owned()))
    }

    /// Lets the output follow the input until it is typed itself.
    fn follow(&mut self) {
        self.found.clear();
        self.suggests &= self.field != OUTPUT;
        if self.suggests {
            self.fields[OUTPUT] = TextField::new(suggested(self.text(INPUT)));
        }
    }

    fn submit(&mut self) -> Submitted {
        let [input, output, labels] = [INPUT, OUTPUT, LABELS].map(|field| self.text(field).trim().to_owned());
        let missing = match (input.is_empty(), output.is_empty()) {
            (true, _) => Some((INPUT, "type the folder of the source files")),
            (_, true) => Some((OUTPUT, "type the folder to write to")),
            _ if input.trim_end_matches('/') == output.trim_end_matches('/') => {
                Some((OUTPUT, "type another folder: sources are never written over"))
            }
            _ => None,
        };
        match missing {
            Some((field, problem)) => {
                let typing = self.go_to(field);
                self.problem = Some(problem.to_owned());
                typing
            }
            None => Submitted::Start { input, output, labels },
        }
    }
}

/// The folder beside the input with `-prepared` after its name; empty without a name.
fn suggested(input: &str) -> String {
    let input = input.trim().trim_end_matches('/');
    if input.is_empty() || input == "~" { String::new() } else { format!("{input}-prepared") }
}
