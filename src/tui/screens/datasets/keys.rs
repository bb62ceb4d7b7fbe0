//! The key tables of the screen Datasets.

use DatasetsAction as Do;

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::picture_action::{PictureAction, picture_bindings};
use crate::tui::protocol::preparation::PreparationAction;
use crate::tui::protocol::review::ReviewAction;

const fn on_picture(action: PictureAction) -> Action {
    Action::Datasets(Do::Picture(action))
}

/// The keys of the preview.
const PICTURE_KEYS: &[Binding] = picture_bindings!(on_picture);

const fn act(action: DatasetsAction) -> Action {
    Action::Datasets(action)
}

const FILTER: Binding = Binding::new(act(Do::Filter), &[Key::Char('/')], "filter", "filter the images by name");
const OPEN: Binding = Binding::new(act(Do::Open), &[Key::Char('o')], "open", "open another data set");
const TRAIN: Binding = Binding::new(act(Do::Train), &[Key::Char('t')], "train", "train on this data set");
const DUPLICATES: Binding = Binding::quiet(
    act(Do::FindDuplicates),
    &[Key::Char('a')],
    "check all images for duplicates and for contents that are not as expected",
);
const SHOWN: Binding =
    Binding::new(act(Do::NextShown), &[Key::Char('f')], "flagged", "list all, flagged or marked images");

const PREPROCESS: Binding = Binding::new(
    act(Do::Preparation(PreparationAction::Open)),
    &[Key::Char('p')],
    "preprocess",
    "prepare DICOM and image files for training",
);
const REVIEW: Binding =
    Binding::new(act(Do::Review(ReviewAction::Open)), &[Key::Char('r')], "review", "review the prepared images");

/// The keys while the folders have the focus.
pub(super) const FOLDERS: KeyTables = &[TO_IMAGES, FOLDER_KEYS, OTHERS, LIST_MOTIONS];

/// The keys while the folders of prepared images have the focus.
pub(super) const PREPARED_FOLDERS: KeyTables = &[TO_IMAGES, REVIEW_KEY, FOLDER_KEYS, OTHERS, LIST_MOTIONS];

/// The keys while the images have the focus.
pub(super) const IMAGES: KeyTables = &[IMAGE_KEYS, PICTURE_KEYS, OTHERS, LIST_MOTIONS];

/// The keys while prepared images have the focus.
pub(super) const PREPARED_IMAGES: KeyTables = &[REVIEW_KEY, IMAGE_KEYS, PICTURE_KEYS, OTHERS, LIST_MOTIONS];

/// The key of what is most useful for prepared images.
const REVIEW_KEY: &[Binding] = &[REVIEW];

/// Less common keys of folders and images.
const OTHERS: &[Binding] = &[PREPROCESS];

const TO_IMAGES: &[Binding] =
    &[Binding::new(act(Do::ToImages), &[Key::Enter], "images", "go to the images of this folder")];

const FOLDER_KEYS: &[Binding] = &[
    Binding::new(act(Do::Inward), &[Key::Right, Key::Char('l')], "expand", "expand the folder, or go into it"),
    Binding::quiet(act(Do::Outward), &[Key::Left, Key::Char('h')], "collapse the folder, or go to its parent"),
    TRAIN,
    FILTER,
    SHOWN,
    OPEN,
    DUPLICATES,
];

const IMAGE_KEYS: &[Binding] = &[
    Binding::new(act(Do::View), &[Key::Enter], "view", "show the image full screen"),
    Binding::new(
        act(Do::Explain),
        &[Key::Char('e')],
        "explain",
        "see where a network looks in the marked or listed images",
    ),
    Binding::new(act(Do::Mark), &[Key::Char(' ')], "mark", "mark or unmark the image"),
    FILTER,
    SHOWN,
    Binding::new(act(Do::ToFolders), &[Key::Escape, Key::Left, Key::Char('h')], "folders", "go back to the folders"),
    TRAIN,
    OPEN,
    Binding::quiet(act(Do::NextFlagged), &[Key::Char('!')], "go to the next flagged image"),
    DUPLICATES,
    Binding::quiet(act(Do::MarkAll), &[Key::Char('*')], "mark or unmark all listed images"),
];

/// The keys while no data set is open.
pub(super) const NOTHING: KeyTables = &[
    &[
        Binding::new(act(Do::Open), &[Key::Char('o')], "type a path", "open a data set"),
        Binding::new(act(Do::OpenOffered), &[Key::Enter], "open", "open the data set under the cursor"),
        PREPROCESS,
    ],
    LIST_MOTIONS,
];
