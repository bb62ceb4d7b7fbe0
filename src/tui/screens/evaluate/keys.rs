//! The key tables of the screen Evaluate.

use crate::tui::protocol::binding::{Action, Binding, KeyTables, StateTables};
use crate::tui::protocol::evaluate::EvaluateAction::{
    self, Arrangement, Back, Compare, CopyPath, CopyPlace, Counts, ExplainOther, Export, ForgetFolder, FullScreen,
    Left, NextPane, NextSet, Open, OpenFolder, PreviousPane, PreviousSet, ReadAgain, ReverseOrder, Right, SheetLeft,
    SheetRight, ShowRun, Sort, Split, WorstErrors,
};
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::verb::Verb;

const fn shown(action: EvaluateAction, verbs: &'static [Verb], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Evaluate(action), verbs, hint, name)
}

const fn quiet(action: EvaluateAction, verbs: &'static [Verb], name: &'static str) -> Binding {
    Binding::quiet(Action::Evaluate(action), verbs, name)
}

const EXPORT: Binding = quiet(Export, &[Verb::Export], "write the figures of this set as SVG, PNG and CSV");
const READ_AGAIN: Binding = quiet(ReadAgain, &[Verb::Again], "read the files again");
const COPY_PLACE: Binding = quiet(CopyPlace, &[Verb::Copy], "copy the path of this evaluation");
const SHOW_RUN: Binding = quiet(ShowRun, &[Verb::Parent], "go to its run");

/// The keys in the list of evaluations.
pub(super) const LIST: KeyTables = &[
    &[
        shown(Open, &[Verb::Open], "open", "open this evaluation"),
        shown(ShowRun, &[Verb::Parent], "its run", "go to its run"),
        shown(ReadAgain, &[Verb::Again], "read again", "read the files again"),
        shown(OpenFolder, &[Verb::OpenOther], "open folder", "open a folder of predictions"),
        quiet(ForgetFolder, &[Verb::Remove], "remove this folder from the list"),
        COPY_PLACE,
    ],
    LIST_MOTIONS,
];

/// The keys while the list is empty.
pub(super) const EMPTY: KeyTables =
    &[&[shown(OpenFolder, &[Verb::OpenOther], "open folder", "open a folder of predictions"), READ_AGAIN]];

/// The keys while a path is being typed.
pub(super) const PROMPT: KeyTables = &[];

/// The keys while an open evaluation has nothing to show.
pub(super) const WAITING: KeyTables = &[&[
    shown(Back, &[Verb::Back], "back to the list", "go back to the list"),
    shown(ShowRun, &[Verb::Parent], "its run", "go to its run"),
    quiet(Split, &[Verb::Split], "switch between validation and test images"),
    COPY_PLACE,
    READ_AGAIN,
]];

/// The keys while choosing an evaluation to compare with.
pub(super) const CHOOSER: KeyTables = &[
    &[
        shown(Open, &[Verb::Open], "compare", "compare with this one"),
        shown(Back, &[Verb::Back, Verb::Compare], "back", "go back without a comparison"),
        COPY_PLACE,
    ],
    LIST_MOTIONS,
];

/// The keys while the arrows move in the matrix.
pub(super) const MATRIX: KeyTables = &[
    &[
        shown(Open, &[Verb::Open], "images", "list the images of this cell"),
        shown(Counts, &[Verb::Percent], "numbers", "switch between counts, row %, column % and flips"),
        shown(WorstErrors, &[Verb::NextWarning], "worst", "list all cases, the worst errors first"),
        shown(NextSet, &[Verb::NextTab], "next view", "show the next view, breast or subject"),
        shown(Compare, &[Verb::Compare], "compare", "compare with another evaluation"),
        shown(Split, &[Verb::Split], "split", "switch between validation and test images"),
        shown(Back, &[Verb::Back], "back", "go back"),
        quiet(PreviousSet, &[Verb::PreviousTab], "show the previous view, breast or subject"),
        shown(NextPane, &[Verb::NextPane], "pane", "show the next pane: figures, curves, reliability or subgroups"),
        quiet(PreviousPane, &[Verb::PreviousPane], "show the previous pane"),
        quiet(OpenFolder, &[Verb::OpenOther], "open a folder of predictions"),
        quiet(Left, &[Verb::Left], "move left"),
        quiet(Right, &[Verb::Right], "move right"),
        EXPORT,
        COPY_PLACE,
        SHOW_RUN,
        READ_AGAIN,
    ],
    LIST_MOTIONS,
];

/// The keys while the arrows move in the list of cases.
pub(super) const CASES: KeyTables = &[
    &[
        shown(Open, &[Verb::Open, Verb::Explain], "explain", "see where the network looks in this image"),
        shown(FullScreen, &[Verb::FullScreen], "full screen", "show this image full screen"),
        shown(Back, &[Verb::Back, Verb::Left], "back to the matrix", "go back to the matrix"),
    ],
    OF_CASES,
    LIST_MOTIONS,
];

/// The keys while the arrows move on the contact sheet of cases.
pub(super) const SHEET: KeyTables = &[
    &[
        shown(Open, &[Verb::Open, Verb::Explain], "explain", "see where the network looks in this image"),
        shown(FullScreen, &[Verb::FullScreen], "full screen", "show this image full screen"),
        shown(Back, &[Verb::Back], "back to the matrix", "go back to the matrix"),
        quiet(SheetLeft, &[Verb::Left], "go to the case on the left"),
        quiet(SheetRight, &[Verb::Right], "go to the case on the right"),
    ],
    OF_CASES,
    LIST_MOTIONS,
];

/// The keys of cases, as a list or as a contact sheet.
const OF_CASES: &[Binding] = &[
    shown(Sort, &[Verb::Sort], "sort", "sort by the next property"),
    shown(Arrangement, &[Verb::Arrangement], "thumbnails", "show the cases as thumbnails, or as a list"),
    quiet(ReverseOrder, &[Verb::ReverseSort], "reverse the order"),
    quiet(CopyPath, &[Verb::Copy], "copy the path of this image"),
    EXPORT,
    quiet(ExplainOther, &[Verb::Reference], "explain with the other model on the left"),
    shown(NextSet, &[Verb::NextTab], "next view", "show the next view, breast or subject"),
    quiet(PreviousSet, &[Verb::PreviousTab], "show the previous view, breast or subject"),
    quiet(NextPane, &[Verb::NextPane], "show the next pane: figures, curves, reliability or subgroups"),
    quiet(PreviousPane, &[Verb::PreviousPane], "show the previous pane"),
    quiet(Counts, &[Verb::Percent], "switch between counts, row %, column % and flips"),
    quiet(Split, &[Verb::Split], "switch between validation and test images"),
];

/// All states, the most common first.
pub(super) const STATES: &[StateTables] = &[
    StateTables::new(MATRIX, "needs an open evaluation"),
    StateTables::new(CASES, "needs the images of a cell"),
    StateTables::new(SHEET, "needs the thumbnails of a cell"),
    StateTables::new(LIST, "needs a listed evaluation"),
    StateTables::new(WAITING, "needs an open evaluation"),
    StateTables::mode(CHOOSER, "needs `compare` first"),
];
