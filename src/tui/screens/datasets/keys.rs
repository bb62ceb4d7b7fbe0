//! The key tables of the screen Datasets.

use DatasetsAction as Do;

use super::{preparation, review};
use crate::tui::protocol::binding::{Action, Binding, KeyTables, StateTables};
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::picture_action::{PictureAction, picture_bindings};
use crate::tui::protocol::preparation::PreparationAction;
use crate::tui::protocol::review::ReviewAction;
use crate::tui::protocol::verb::Verb;

const fn on_picture(action: PictureAction) -> Action {
    Action::Datasets(Do::Picture(action))
}

/// The keys of the preview.
const PICTURE_KEYS: &[Binding] = picture_bindings!(on_picture);

const fn act(action: DatasetsAction) -> Action {
    Action::Datasets(action)
}

const FILTER: Binding = Binding::new(act(Do::Filter), &[Verb::Find], "filter", "filter the images by name");
const OPEN: Binding = Binding::new(act(Do::Open), &[Verb::OpenOther], "open", "open another data set");
const TRAIN: Binding = Binding::new(act(Do::Train), &[Verb::Train], "train", "train on this data set");
const DUPLICATES: Binding = Binding::quiet(
    act(Do::FindDuplicates),
    &[Verb::Duplicates],
    "check all images for duplicates and for contents that are not as expected",
);
const SHOWN: Binding =
    Binding::new(act(Do::NextShown), &[Verb::Listed], "flagged", "list all, flagged or marked images");

const PREPROCESS: Binding = Binding::new(
    act(Do::Preparation(PreparationAction::Open)),
    &[Verb::Process],
    "preprocess",
    "prepare DICOM and image files for training",
);
const REVIEW: Binding =
    Binding::new(act(Do::Review(ReviewAction::Open)), &[Verb::Review], "review", "review the prepared images");

/// The keys while the folders have the focus.
pub(super) const FOLDERS: KeyTables = &[TO_IMAGES, FOLDER_KEYS, OTHERS, LIST_MOTIONS];

/// The keys while the folders of prepared images have the focus.
pub(super) const PREPARED_FOLDERS: KeyTables = &[TO_IMAGES, REVIEW_KEY, FOLDER_KEYS, OTHERS, LIST_MOTIONS];

/// The keys while the images have the focus.
pub(super) const IMAGES: KeyTables = &[IMAGE_KEYS, PICTURE_KEYS, OTHERS, LIST_MOTIONS];

/// The keys while prepared images have the focus.
pub(super) const PREPARED_IMAGES: KeyTables = &[REVIEW_KEY, IMAGE_KEYS, PICTURE_KEYS, OTHERS, LIST_MOTIONS];

/// The keys of the contact sheet.
pub(super) const SHEET: KeyTables = &[SHEET_KEYS, IMAGE_KEYS, OTHERS, LIST_MOTIONS];

/// The keys of the contact sheet of prepared images.
pub(super) const PREPARED_SHEET: KeyTables = &[REVIEW_KEY, SHEET_KEYS, IMAGE_KEYS, OTHERS, LIST_MOTIONS];

const SHEET_KEYS: &[Binding] = &[
    Binding::quiet(act(Do::SheetLeft), &[Verb::Left], "go to the image on the left"),
    Binding::quiet(act(Do::SheetRight), &[Verb::Right], "go to the image on the right"),
];

const SORT: Binding =
    Binding::new(act(Do::Sort), &[Verb::Sort], "sort", "sort by the next property: name, class, size or flags");
const REVERSE: Binding = Binding::quiet(act(Do::ReverseSort), &[Verb::ReverseSort], "reverse the order");
const SHEET_OR_LIST: Binding = Binding::new(
    act(Do::Arrangement),
    &[Verb::Arrangement],
    "thumbnails",
    "show the images as thumbnails or as a list",
);
const COPY: Binding = Binding::quiet(act(Do::Copy), &[Verb::Copy], "copy the path");

/// The key of what is most useful for prepared images.
const REVIEW_KEY: &[Binding] = &[REVIEW];

/// Less common keys of folders and images.
const OTHERS: &[Binding] = &[
    Binding::new(act(Do::Jobs), &[Verb::Process], "jobs", "prepare, predict, audit or split this data"),
    Binding::quiet(act(Do::Preparation(PreparationAction::Open)), &[], "prepare DICOM and image files for training"),
];

const TO_IMAGES: &[Binding] =
    &[Binding::new(act(Do::ToImages), &[Verb::Open], "images", "go to the images of this folder")];

const FOLDER_KEYS: &[Binding] = &[
    Binding::new(act(Do::Inward), &[Verb::Right], "expand", "expand the folder, or go into it"),
    Binding::quiet(act(Do::Outward), &[Verb::Left], "collapse the folder, or go to its parent"),
    TRAIN,
    FILTER,
    SHOWN,
    OPEN,
    SHEET_OR_LIST,
    DUPLICATES,
    COPY,
];

const IMAGE_KEYS: &[Binding] = &[
    Binding::new(act(Do::View), &[Verb::Open], "view", "show the image full screen"),
    Binding::new(
        act(Do::Explain),
        &[Verb::Explain],
        "explain",
        "see where a network looks in the marked or listed images",
    ),
    Binding::new(act(Do::Mark), &[Verb::Mark], "mark", "mark or unmark the image"),
    SHEET_OR_LIST,
    FILTER,
    SORT,
    SHOWN,
    Binding::new(act(Do::ToFolders), &[Verb::Back, Verb::Left], "folders", "go back to the folders"),
    TRAIN,
    OPEN,
    Binding::quiet(act(Do::NextFlagged), &[Verb::NextWarning], "go to the next flagged image"),
    DUPLICATES,
    Binding::quiet(act(Do::MarkAll), &[Verb::MarkAll], "mark or unmark all listed images"),
    Binding::quiet(act(Do::MarkRange), &[Verb::MarkRange], "begin a range of marks, or end it here"),
    REVERSE,
    Binding::quiet(act(Do::Hanging), &[Verb::Hanging], "hang the four views of the examination"),
    COPY,
];

/// The keys while no data set is open.
pub(super) const NOTHING: KeyTables = &[
    &[
        Binding::new(act(Do::Open), &[Verb::OpenOther], "type a path", "open a data set"),
        Binding::new(act(Do::OpenOffered), &[Verb::Open], "open", "open the data set under the cursor"),
        PREPROCESS,
        COPY,
    ],
    LIST_MOTIONS,
];

/// All states, the most common first.
pub(super) const STATES: &[StateTables] = &[
    StateTables::new(IMAGES, "needs a folder with images"),
    StateTables::new(FOLDERS, "needs an open data set"),
    StateTables::new(PREPARED_IMAGES, "needs prepared images"),
    StateTables::new(SHEET, "needs the thumbnails of a folder"),
    StateTables::new(NOTHING, "a data set is open"),
    StateTables::mode(review::keys::IMAGES, "needs an open review"),
    StateTables::mode(review::keys::CORRECTION, "needs a correction in the review"),
    StateTables::new(preparation::keys::RUNNING, "nothing is being preprocessed"),
    StateTables::new(preparation::keys::ENDED, "nothing was preprocessed"),
];
