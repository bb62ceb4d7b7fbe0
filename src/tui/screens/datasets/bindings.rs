//! The keys of the screen Datasets.

use DatasetsAction as Do;

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::datasets::DatasetsAction;

const fn act(action: DatasetsAction) -> Action {
    Action::Datasets(action)
}

const UP: Binding = Binding::quiet(act(Do::Up), &[Key::Up, Key::Char('k')], "go up");
const DOWN: Binding = Binding::quiet(act(Do::Down), &[Key::Down, Key::Char('j')], "go down");
const PAGE_UP: Binding = Binding::quiet(act(Do::PageUp), &[Key::PageUp], "go a page up");
const PAGE_DOWN: Binding = Binding::quiet(act(Do::PageDown), &[Key::PageDown], "go a page down");
const FIRST: Binding = Binding::quiet(act(Do::First), &[Key::Home], "go to the top");
const LAST: Binding = Binding::quiet(act(Do::Last), &[Key::End], "go to the bottom");
const FILTER: Binding = Binding::new(act(Do::Filter), &[Key::Char('/')], "filter", "find images by their names");
const OPEN: Binding = Binding::new(act(Do::Open), &[Key::Char('o')], "open", "open another data set");
const TRAIN: Binding = Binding::new(act(Do::Train), &[Key::Char('t')], "train", "train on this data set");
const DUPLICATES: Binding = Binding::quiet(
    act(Do::FindDuplicates),
    &[Key::Char('a')],
    "look at all images: flag those that are the same, or not as expected",
);
const SHOWN: Binding =
    Binding::new(act(Do::NextShown), &[Key::Char('f')], "flagged", "list all images, flagged or marked ones");

/// While the folders have the focus.
pub(super) const FOLDERS: &[Binding] = &[
    Binding::new(act(Do::ToImages), &[Key::Enter], "images", "go to the images of this folder"),
    Binding::new(act(Do::Inward), &[Key::Right, Key::Char('l')], "inside", "show the folders in this one"),
    Binding::quiet(act(Do::Outward), &[Key::Left, Key::Char('h')], "hide them, or go to the folder around"),
    TRAIN,
    FILTER,
    SHOWN,
    OPEN,
    DUPLICATES,
    UP,
    DOWN,
    PAGE_UP,
    PAGE_DOWN,
    FIRST,
    LAST,
];

/// While the images have the focus.
pub(super) const IMAGES: &[Binding] = &[
    Binding::new(act(Do::View), &[Key::Enter], "view", "show the image full screen"),
    Binding::new(
        act(Do::Explain),
        &[Key::Char('e')],
        "explain",
        "see where a network looks in the marked or listed images",
    ),
    Binding::new(act(Do::Mark), &[Key::Char(' ')], "mark", "mark the image, or no longer"),
    FILTER,
    Binding::new(act(Do::NextWindow), &[Key::Char('w')], "window", "choose the next grey window"),
    SHOWN,
    Binding::new(act(Do::ToFolders), &[Key::Escape, Key::Left, Key::Char('h')], "folders", "go back to the folders"),
    TRAIN,
    OPEN,
    Binding::quiet(act(Do::NextFlagged), &[Key::Char('!')], "go to the next flagged image"),
    DUPLICATES,
    Binding::quiet(act(Do::MarkAll), &[Key::Char('*')], "mark all that are listed, or none"),
    Binding::quiet(act(Do::Darker), &[Key::Char('[')], "draw the image darker"),
    Binding::quiet(act(Do::Brighter), &[Key::Char(']')], "draw the image brighter"),
    Binding::quiet(act(Do::LessContrast), &[Key::Char('{')], "draw the image with less contrast"),
    Binding::quiet(act(Do::MoreContrast), &[Key::Char('}')], "draw the image with more contrast"),
    Binding::quiet(act(Do::UsualWindow), &[Key::Char('0')], "draw the image as at first"),
    UP,
    DOWN,
    PAGE_UP,
    PAGE_DOWN,
    FIRST,
    LAST,
];

/// As long as there is no data set.
pub(super) const NOTHING: &[Binding] = &[
    Binding::new(act(Do::Open), &[Key::Char('o')], "type a path", "open a data set"),
    Binding::new(act(Do::OpenOffered), &[Key::Enter], "open", "open the data set under the cursor"),
    UP,
    DOWN,
];
