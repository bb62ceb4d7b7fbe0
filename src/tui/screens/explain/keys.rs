//! The key tables of the screen Explain.

use crate::tui::protocol::binding::{Action, Binding, KeyTables, StateTables};
use crate::tui::protocol::explain::ExplainAction as Do;
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::picture_action::{PictureAction, picture_bindings};
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::verb::Verb;

const fn shown(action: Do, verbs: &'static [Verb], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Explain(action), verbs, hint, name)
}

const fn quiet(action: Do, verbs: &'static [Verb], name: &'static str) -> Binding {
    Binding::quiet(Action::Explain(action), verbs, name)
}

const fn on_picture(action: PictureAction) -> Action {
    Action::Explain(Do::Picture(action))
}

/// The keys while images are shown.
pub(super) const IMAGES: KeyTables = &[OF_IMAGES, picture_bindings!(on_picture)];

/// The keys while images are shown with the models of a run that has kept those of its epochs.
pub(super) const IMAGES_OF_EPOCHS: KeyTables = &[
    &[
        shown(Do::EarlierEpoch, &[Verb::EarlierEpoch], "earlier", "show the map by the model of an earlier epoch"),
        shown(Do::LaterEpoch, &[Verb::LaterEpoch], "later", "show the map by the model of a later epoch"),
    ],
    OF_IMAGES,
    picture_bindings!(on_picture),
];

const OF_IMAGES: &[Binding] = &[
    shown(Do::Next, &[Verb::Right, Verb::Down], "next", "explain the next image"),
    shown(Do::Arrangement, &[Verb::Arrangement], "view", "show both, the overlay, contours, the map or the image"),
    shown(Do::Method, &[Verb::Choose], "method", "switch to the next method"),
    shown(Do::Layer, &[Verb::PreviousTab], "layer", "switch to the previous layer"),
    shown(Do::Class, &[Verb::OtherClass], "class", "explain the predicted class, the true one, or A to D"),
    shown(Do::Outlines, &[Verb::Outlines], "masks", "outline dense tissue, breast, skin edge, muscle or all of them"),
    shown(Do::Grid, &[Verb::Hanging], "four views", "show all views of the subject side by side"),
    shown(Do::Compare, &[Verb::Compare], "compare", "show the maps of a second model beside these, or hide them"),
    shown(Do::Export, &[Verb::Export], "export", "write the map and its pictures into the workspace"),
    shown(Do::Models, &[Verb::OpenOther], "models", "choose the run or folder that provides the models"),
    quiet(Do::Copy, &[Verb::Copy], "copy the path of the image"),
    quiet(Do::Previous, &[Verb::Left, Verb::Up], "explain the previous image"),
    quiet(Do::LessOpacity, &[Verb::Darker], "make the map more transparent"),
    quiet(Do::MoreOpacity, &[Verb::Brighter], "make the map more opaque"),
    quiet(Do::Colors, &[Verb::Colors], "switch to the next colours"),
    quiet(Do::Scale, &[Verb::SameScale], "scale all maps like this one, or each on its own"),
    quiet(Do::Cells, &[Verb::Rougher], "draw each position of the map as a cell"),
    quiet(Do::Smooth, &[Verb::Smoother], "interpolate between the positions of the map"),
    quiet(Do::FullScreen, &[Verb::Open, Verb::FullScreen], "show the image full screen"),
    quiet(Do::PreviousMethod, &[Verb::ChoosePrevious], "switch to the previous method"),
    quiet(Do::PreviousLayer, &[Verb::NextTab], "switch to the next layer"),
    quiet(Do::PreviousClass, &[], "explain the previous class"),
    quiet(Do::Retry, &[Verb::Again], "retry the maps that failed"),
    quiet(Do::TenForward, &[Verb::PageDown], "go ten images forward"),
    quiet(Do::TenBack, &[Verb::PageUp], "go ten images back"),
    quiet(Do::First, &[Verb::First], "go to the first image"),
    quiet(Do::Last, &[Verb::Last], "go to the last image"),
    quiet(Do::Back, &[Verb::Back], "go back to where the images came from"),
];

/// The keys while models are being chosen.
pub(super) const MODELS: KeyTables = &[
    &[
        shown(Do::Choose, &[Verb::Open], "use these", "use these models"),
        shown(Do::TypeModels, &[Verb::OpenOther], "type a path", "type the path of a model file or a folder of models"),
        shown(Do::Back, &[Verb::Back, Verb::OpenOther], "back", "go back to the images"),
        quiet(Do::Copy, &[Verb::Copy], "copy the path of these models"),
    ],
    LIST_MOTIONS,
];

/// The keys without images.
pub(super) const EMPTY: KeyTables = &[&[
    shown(Do::ToDatasets, &[Verb::Open], "choose in Datasets", "choose images in Datasets"),
    shown(Do::ToEvaluate, &[Verb::Show(ScreenId::Evaluate)], "choose in Evaluate", "choose images in Evaluate"),
]];

/// All states, the most common first.
pub(super) const STATES: &[StateTables] = &[
    StateTables::new(IMAGES, "needs images"),
    StateTables::new(IMAGES_OF_EPOCHS, "needs a run that has kept models of its epochs"),
    StateTables::mode(MODELS, "needs the list of models"),
    StateTables::new(EMPTY, "images are shown"),
];
