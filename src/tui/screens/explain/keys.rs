//! The keys of the screen Explain.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::explain::ExplainAction as Do;

const fn shown(action: Do, keys: &'static [Key], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Explain(action), keys, hint, name)
}

const fn quiet(action: Do, keys: &'static [Key], name: &'static str) -> Binding {
    Binding::quiet(Action::Explain(action), keys, name)
}

/// While images are gone through.
pub(super) const IMAGES: &[Binding] = &[
    shown(Do::Next, &[Key::Right, Key::Down, Key::Char(' ')], "next", "explain the next image"),
    shown(Do::Arrangement, &[Key::Char('o')], "view", "show both, the overlay, contours, the map or the image"),
    shown(Do::Method, &[Key::Char('m')], "method", "choose the next method"),
    shown(Do::Layer, &[Key::Char('y')], "layer", "choose the layer before"),
    shown(Do::Class, &[Key::Char('t')], "class", "explain the predicted class, the true one, or A to D"),
    shown(Do::Outlines, &[Key::Char('k')], "masks", "outline dense tissue, breast, skin edge, muscle or all of them"),
    shown(Do::Grid, &[Key::Char('g')], "four views", "show all views of the subject beside each other"),
    shown(Do::Export, &[Key::Char('e')], "export", "write the map and its pictures into the workspace"),
    shown(Do::Models, &[Key::Char('M')], "models", "choose the training or folder whose models explain"),
    quiet(Do::Previous, &[Key::Left, Key::Up, Key::Backspace], "explain the previous image"),
    quiet(Do::LessOpacity, &[Key::Char('[')], "show less of the map"),
    quiet(Do::MoreOpacity, &[Key::Char(']')], "show more of the map"),
    quiet(Do::Colors, &[Key::Char('c')], "choose the next colours"),
    quiet(Do::Scale, &[Key::Char('s')], "scale all maps as this one, or each by itself"),
    quiet(Do::Window, &[Key::Char('w')], "choose the next grey window"),
    quiet(Do::FullScreen, &[Key::Enter, Key::Char('f')], "show the image full screen"),
    quiet(Do::PreviousMethod, &[Key::Char('n')], "choose the method before"),
    quiet(Do::PreviousLayer, &[Key::Char('Y')], "choose the layer after"),
    quiet(Do::PreviousClass, &[Key::Char('T')], "explain the class before"),
    quiet(Do::Retry, &[Key::Char('r')], "compute again what could not be computed"),
    quiet(Do::TenOn, &[Key::PageDown], "go ten images on"),
    quiet(Do::TenBack, &[Key::PageUp], "go ten images back"),
    quiet(Do::First, &[Key::Home], "go to the first image"),
    quiet(Do::Last, &[Key::End], "go to the last image"),
    quiet(Do::Back, &[Key::Escape], "go back to where the images came from"),
];

/// While models are chosen.
pub(super) const MODELS: &[Binding] = &[
    shown(Do::Choose, &[Key::Enter], "explain with these", "explain with these models"),
    shown(Do::Back, &[Key::Escape, Key::Char('M')], "back", "go back to the images"),
    quiet(Do::Up, &[Key::Up, Key::Char('k')], "go one up"),
    quiet(Do::Down, &[Key::Down, Key::Char('j')], "go one down"),
];

/// While there is no image.
pub(super) const EMPTY: &[Binding] = &[
    shown(Do::ToDatasets, &[Key::Enter, Key::Char('d')], "choose in Datasets", "choose images in Datasets"),
    shown(Do::ToEvaluate, &[Key::Char('v')], "choose in Evaluate", "choose images in Evaluate"),
];
