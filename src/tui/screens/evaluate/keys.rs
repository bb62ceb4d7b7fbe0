//! The key tables of the screen Evaluate.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::evaluate::EvaluateAction::{
    self, Back, Compare, Counts, FullScreen, Left, NextSet, Open, PreviousSet, ReadAgain, Right, ShowRun, Split,
};
use crate::tui::protocol::list_motion::LIST_MOTIONS;

const fn shown(action: EvaluateAction, keys: &'static [Key], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Evaluate(action), keys, hint, name)
}

const fn quiet(action: EvaluateAction, keys: &'static [Key], name: &'static str) -> Binding {
    Binding::quiet(Action::Evaluate(action), keys, name)
}

const READ_AGAIN: Binding = quiet(ReadAgain, &[Key::Char('r')], "read the files again");
const SHOW_RUN: Binding = quiet(ShowRun, &[Key::Char('o')], "go to its run");

/// The keys in the list of evaluations.
pub(super) const LIST: KeyTables = &[
    &[
        shown(Open, &[Key::Enter], "open", "open this evaluation"),
        shown(ShowRun, &[Key::Char('o')], "its run", "go to its run"),
        shown(ReadAgain, &[Key::Char('r')], "read again", "read the files again"),
    ],
    LIST_MOTIONS,
];

/// The keys while the list is empty.
pub(super) const EMPTY: KeyTables = &[&[READ_AGAIN]];

/// The keys while an open evaluation has nothing to show.
pub(super) const WAITING: KeyTables = &[&[
    shown(Back, &[Key::Escape], "back to the list", "go back to the list"),
    shown(ShowRun, &[Key::Char('o')], "its run", "go to its run"),
    quiet(Split, &[Key::Char('v')], "switch between validation and test images"),
    READ_AGAIN,
]];

/// The keys while choosing an evaluation to compare with.
pub(super) const CHOOSER: KeyTables = &[
    &[
        shown(Open, &[Key::Enter], "compare", "compare with this one"),
        shown(Back, &[Key::Escape, Key::Char('c')], "back", "go back without a comparison"),
    ],
    LIST_MOTIONS,
];

/// The keys while the arrows move in the matrix.
pub(super) const MATRIX: KeyTables = &[
    &[
        shown(Open, &[Key::Enter], "images", "list the images of this cell"),
        shown(Counts, &[Key::Char('n')], "%", "switch between counts, row % and column %"),
        shown(NextSet, &[Key::Char(']')], "next view", "show the next view, breast or subject"),
        shown(Compare, &[Key::Char('c')], "compare", "compare with another evaluation"),
        shown(Split, &[Key::Char('v')], "split", "switch between validation and test images"),
        shown(Back, &[Key::Escape], "back", "go back"),
        quiet(PreviousSet, &[Key::Char('[')], "show the previous view, breast or subject"),
        quiet(Left, &[Key::Left, Key::Char('h')], "move left"),
        quiet(Right, &[Key::Right, Key::Char('l')], "move right"),
        SHOW_RUN,
        READ_AGAIN,
    ],
    LIST_MOTIONS,
];

/// The keys while the arrows move in the images of a cell.
pub(super) const CASES: KeyTables = &[
    &[
        shown(Open, &[Key::Enter, Key::Char('e')], "explain", "see where the network looks in this image"),
        shown(FullScreen, &[Key::Char('f')], "full screen", "show this image full screen"),
        shown(Back, &[Key::Escape, Key::Left], "back to the matrix", "go back to the matrix"),
        shown(NextSet, &[Key::Char(']')], "next view", "show the next view, breast or subject"),
        quiet(PreviousSet, &[Key::Char('[')], "show the previous view, breast or subject"),
        quiet(Counts, &[Key::Char('n')], "switch between counts, row % and column %"),
        quiet(Split, &[Key::Char('v')], "switch between validation and test images"),
    ],
    LIST_MOTIONS,
];
