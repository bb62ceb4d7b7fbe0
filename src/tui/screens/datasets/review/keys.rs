//! The key tables of the review.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::review::ReviewAction as Do;
use mammoscope_domain::subject::density::DensityClass;

const fn act(action: Do) -> Action {
    Action::Datasets(DatasetsAction::Review(action))
}

const fn shown(action: Do, keys: &'static [Key], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(act(action), keys, hint, name)
}

const fn quiet(action: Do, keys: &'static [Key], name: &'static str) -> Binding {
    Binding::quiet(act(action), keys, name)
}

/// The keys while the list has the focus.
pub(super) const IMAGES: KeyTables = &[
    &[
        shown(Do::Accept, &[Key::Enter, Key::Char('y')], "accept", "accept the image and go to the next open one"),
        shown(Do::Reject, &[Key::Char('x')], "reject", "reject the image, which removes it; y makes it again"),
        shown(Do::Correct, &[Key::Char('e')], "correct", "correct the muscle's edge with the arrow keys"),
        shown(Do::NextOpen, &[Key::Char('n')], "next", "go to the next image without a verdict, uncertain ones first"),
        // The four letters are one hint.
        shown(Do::Label(DensityClass::A), &[Key::Char('a')], "b c d class", "give the examination class A"),
        quiet(Do::Label(DensityClass::B), &[Key::Char('b')], "give the examination class B"),
        quiet(Do::Label(DensityClass::C), &[Key::Char('c')], "give the examination class C"),
        quiet(Do::Label(DensityClass::D), &[Key::Char('d')], "give the examination class D"),
        shown(Do::Close, &[Key::Escape], "back", "leave the review; verdicts are kept"),
        shown(Do::Arrangement, &[Key::Char('v')], "view", "show both pictures, the original, or the prepared image"),
        shown(Do::Outlines, &[Key::Char('m')], "masks", "outline crop, breast and muscle, or nothing"),
        shown(Do::Locate, &[Key::Char('i')], "sources", "name the folder of the sources"),
    ],
    LIST_MOTIONS,
];

/// The keys during a correction.
pub(super) const CORRECTION: KeyTables = &[&[
    shown(Do::Shift(-10), &[Key::Left], "→ move", "move the muscle's edge to the left by 1 % of the width"),
    quiet(Do::Shift(10), &[Key::Right], "move the muscle's edge to the right by 1 % of the width"),
    shown(Do::Turn(10), &[Key::Up], "↓ turn", "turn the edge by 1°, wider at the top"),
    quiet(Do::Turn(-10), &[Key::Down], "turn the edge by 1°, narrower at the top"),
    shown(Do::Keep, &[Key::Enter], "keep", "keep the edge and make the image again"),
    shown(Do::Discard, &[Key::Escape], "discard", "give up the correction"),
    shown(Do::Shift(-2), &[Key::ShiftLeft, Key::Char('H')], "fine steps", "move the edge to the left by 0.2 %"),
    quiet(Do::Shift(2), &[Key::ShiftRight, Key::Char('L')], "move the edge to the right by 0.2 %"),
    quiet(Do::Turn(2), &[Key::ShiftUp, Key::Char('K')], "turn the edge by 0.2°, wider at the top"),
    quiet(Do::Turn(-2), &[Key::ShiftDown, Key::Char('J')], "turn the edge by 0.2°, narrower at the top"),
    quiet(Do::Arrangement, &[Key::Char('v')], "show both pictures, the original, or the prepared image"),
    quiet(Do::Outlines, &[Key::Char('m')], "outline crop, breast and muscle, or nothing"),
]];
