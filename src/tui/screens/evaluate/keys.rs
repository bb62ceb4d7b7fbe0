//! The keys of Evaluate, by what is shown.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::evaluate::EvaluateAction::{
    self, Back, Compare, Counts, Down, End, FullScreen, Home, Left, NextSet, Open, PageDown, PageUp, PreviousSet,
    ReadAgain, Right, ShowRun, Split, Up,
};

const fn shown(action: EvaluateAction, keys: &'static [Key], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Evaluate(action), keys, hint, name)
}

const fn quiet(action: EvaluateAction, keys: &'static [Key], name: &'static str) -> Binding {
    Binding::quiet(Action::Evaluate(action), keys, name)
}

const UP: Binding = quiet(Up, &[Key::Up, Key::Char('k')], "go one up");
const DOWN: Binding = quiet(Down, &[Key::Down, Key::Char('j')], "go one down");
const LIST_MOVES: [Binding; 4] = [
    quiet(PageUp, &[Key::PageUp], "go a page up"),
    quiet(PageDown, &[Key::PageDown], "go a page down"),
    quiet(Home, &[Key::Home], "go to the first"),
    quiet(End, &[Key::End], "go to the last"),
];
const READ_AGAIN: Binding = quiet(ReadAgain, &[Key::Char('r')], "read the files again");
const SHOW_RUN: Binding = quiet(ShowRun, &[Key::Char('o')], "go to its run");

/// While the list of what was evaluated is shown.
pub(super) const LIST: &[Binding] = &[
    shown(Open, &[Key::Enter], "open", "open this evaluation"),
    shown(ShowRun, &[Key::Char('o')], "its run", "go to its run"),
    shown(ReadAgain, &[Key::Char('r')], "read again", "read the files again"),
    UP,
    DOWN,
    LIST_MOVES[0],
    LIST_MOVES[1],
    LIST_MOVES[2],
    LIST_MOVES[3],
];

/// While there is nothing to list.
pub(super) const EMPTY: &[Binding] = &[READ_AGAIN];

/// While what is open has nothing to show, or not yet.
pub(super) const WAITING: &[Binding] = &[
    shown(Back, &[Key::Escape], "back to the list", "go back to the list"),
    shown(ShowRun, &[Key::Char('o')], "its run", "go to its run"),
    quiet(Split, &[Key::Char('v')], "show the validation or the test images"),
    READ_AGAIN,
];

/// While one chooses what to compare with.
pub(super) const CHOOSER: &[Binding] = &[
    shown(Open, &[Key::Enter], "compare", "compare with this one"),
    shown(Back, &[Key::Escape, Key::Char('c')], "back", "go back without a comparison"),
    UP,
    DOWN,
    LIST_MOVES[0],
    LIST_MOVES[1],
    LIST_MOVES[2],
    LIST_MOVES[3],
];

/// While the arrows move in the matrix.
pub(super) const MATRIX: &[Binding] = &[
    shown(Open, &[Key::Enter], "images", "list the images of this cell"),
    shown(Counts, &[Key::Char('n')], "%", "show counts, row % or column %"),
    shown(NextSet, &[Key::Char(']')], "next view", "show the next view, breast or subject"),
    shown(Compare, &[Key::Char('c')], "compare", "compare with another evaluation"),
    shown(Split, &[Key::Char('v')], "split", "show the validation or the test images"),
    shown(Back, &[Key::Escape], "back", "go back"),
    quiet(PreviousSet, &[Key::Char('[')], "show the previous view, breast or subject"),
    UP,
    DOWN,
    quiet(Left, &[Key::Left, Key::Char('h')], "go one to the left"),
    quiet(Right, &[Key::Right, Key::Char('l')], "go one to the right"),
    SHOW_RUN,
    READ_AGAIN,
];

/// While the arrows move in the images of a cell.
pub(super) const CASES: &[Binding] = &[
    shown(Open, &[Key::Enter, Key::Char('e')], "explain", "see where the network looks in it"),
    shown(FullScreen, &[Key::Char('f')], "full screen", "show this image full screen"),
    shown(Back, &[Key::Escape, Key::Left], "back to the matrix", "go back to the matrix"),
    shown(NextSet, &[Key::Char(']')], "next view", "show the next view, breast or subject"),
    quiet(PreviousSet, &[Key::Char('[')], "show the previous view, breast or subject"),
    quiet(Counts, &[Key::Char('n')], "show counts, row % or column %"),
    quiet(Split, &[Key::Char('v')], "show the validation or the test images"),
    UP,
    DOWN,
    LIST_MOVES[0],
    LIST_MOVES[1],
    LIST_MOVES[2],
    LIST_MOVES[3],
];
