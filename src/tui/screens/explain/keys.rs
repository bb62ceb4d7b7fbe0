//! The key tables of the screen Explain.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::explain::ExplainAction as Do;
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::picture_action::{PictureAction, picture_bindings};

const fn shown(action: Do, keys: &'static [Key], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Explain(action), keys, hint, name)
}

const fn quiet(action: Do, keys: &'static [Key], name: &'static str) -> Binding {
    Binding::quiet(Action::Explain(action), keys, name)
}

const fn on_picture(action: PictureAction) -> Action {
    Action::Explain(Do::Picture(action))
}

/// The keys while images are shown.
pub(super) const IMAGES: KeyTables = &[&[
    shown(Do::Next, &[Key::Right, Key::Down, Key::Char(' ')], "next", "explain the next image"),
    shown(Do::Arrangement, &[Key::Char('o')], "view", "show both, the overlay, contours, the map or the image"),
    shown(Do::Method, &[Key::Char('m')], "method", "switch to the next method"),
    shown(Do::Layer, &[Key::Char('y')], "layer", "switch to the previous layer"),
    shown(Do::Class, &[Key::Char('t')], "class", "explain the predicted class, the true one, or A to D"),
    shown(Do::Outlines, &[Key::Char('k')], "masks", "outline dense tissue, breast, skin edge, muscle or all of them"),
    shown(Do::Grid, &[Key::Char('g')], "four views", "show all views of the subject side by side"),
    shown(Do::Export, &[Key::Char('e')], "export", "write the map and its pictures into the workspace"),
    shown(Do::Models, &[Key::Char('M')], "models", "choose the run or folder that provides the models"),
    quiet(Do::Previous, &[Key::Left, Key::Up, Key::Backspace], "explain the previous image"),
    quiet(Do::LessOpacity, &[Key::Char('[')], "make the map more transparent"),
    quiet(Do::MoreOpacity, &[Key::Char(']')], "make the map more opaque"),
    quiet(Do::Colors, &[Key::Char('c')], "switch to the next colours"),
    quiet(Do::Scale, &[Key::Char('s')], "scale all maps like this one, or each on its own"),
    quiet(Do::Cells, &[Key::Char('(')], "draw each position of the map as a cell"),
    quiet(Do::Smooth, &[Key::Char(')')], "interpolate between the positions of the map"),
    quiet(Do::FullScreen, &[Key::Enter, Key::Char('f')], "show the image full screen"),
    quiet(Do::PreviousMethod, &[Key::Char('n')], "switch to the previous method"),
    quiet(Do::PreviousLayer, &[Key::Char('Y')], "switch to the next layer"),
    quiet(Do::PreviousClass, &[Key::Char('T')], "explain the previous class"),
    quiet(Do::Retry, &[Key::Char('r')], "retry the maps that failed"),
    quiet(Do::TenForward, &[Key::PageDown], "go ten images forward"),
    quiet(Do::TenBack, &[Key::PageUp], "go ten images back"),
    quiet(Do::First, &[Key::Home], "go to the first image"),
    quiet(Do::Last, &[Key::End], "go to the last image"),
    quiet(Do::Back, &[Key::Escape], "go back to where the images came from"),
], picture_bindings!(on_picture)];

/// The keys while models are being chosen.
pub(super) const MODELS: KeyTables = &[
    &[
        shown(Do::Choose, &[Key::Enter], "use these", "use these models"),
        shown(Do::Back, &[Key::Escape, Key::Char('M')], "back", "go back to the images"),
    ],
    LIST_MOTIONS,
];

/// The keys without images.
pub(super) const EMPTY: KeyTables = &[&[
    shown(Do::ToDatasets, &[Key::Enter, Key::Char('d')], "choose in Datasets", "choose images in Datasets"),
    shown(Do::ToEvaluate, &[Key::Char('v')], "choose in Evaluate", "choose images in Evaluate"),
]];
