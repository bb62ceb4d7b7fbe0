//! The key tables of the review.

use crate::tui::protocol::binding::{Action, Binding, KeyTables, Risk};
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::review::ReviewAction as Do;
use crate::tui::protocol::verb::Verb;
use mammoscope_domain::subject::density::DensityClass;

const fn act(action: Do) -> Action {
    Action::Datasets(DatasetsAction::Review(action))
}

const fn shown(action: Do, verbs: &'static [Verb], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(act(action), verbs, hint, name)
}

const fn quiet(action: Do, verbs: &'static [Verb], name: &'static str) -> Binding {
    Binding::quiet(act(action), verbs, name)
}

/// The keys while the list has the focus.
pub(in crate::tui::screens::datasets) const IMAGES: KeyTables = &[
    &[
        shown(Do::Accept, &[Verb::Open], "accept", "accept the image and go to the next open one"),
        shown(Do::Reject, &[Verb::Remove], "reject", "reject the image, which removes it; Enter makes it again")
            .risky(Risk::AtOnce),
        shown(Do::Correct, &[Verb::Edit], "correct", "correct the muscle's edge with the arrow keys"),
        shown(Do::NextOpen, &[Verb::NextHit], "next", "go to the next image without a verdict, uncertain ones first"),
        // The four letters are one hint.
        shown(Do::Label(DensityClass::A), &[Verb::ClassA], "b c d class", "give the examination class A"),
        quiet(Do::Label(DensityClass::B), &[Verb::ClassB], "give the examination class B"),
        quiet(Do::Label(DensityClass::C), &[Verb::ClassC], "give the examination class C"),
        quiet(Do::Label(DensityClass::D), &[Verb::ClassD], "give the examination class D"),
        shown(Do::Close, &[Verb::Back], "back", "leave the review; verdicts are kept"),
        shown(Do::Arrangement, &[Verb::Arrangement], "view", "show both pictures, the original, or the prepared image"),
        shown(Do::Outlines, &[Verb::Outlines], "masks", "outline crop, breast and muscle, or nothing"),
        shown(Do::Locate, &[Verb::NextPane], "sources", "name the folder of the sources"),
        quiet(Do::Copy, &[Verb::Copy], "copy the path of the prepared image"),
    ],
    LIST_MOTIONS,
];

/// The keys during a correction.
pub(in crate::tui::screens::datasets) const CORRECTION: KeyTables = &[&[
    shown(Do::Shift(-10), &[Verb::Left], "→ move", "move the muscle's edge to the left by 1 % of the width"),
    quiet(Do::Shift(10), &[Verb::Right], "move the muscle's edge to the right by 1 % of the width"),
    shown(Do::Turn(10), &[Verb::Up], "↓ turn", "turn the edge by 1°, wider at the top"),
    quiet(Do::Turn(-10), &[Verb::Down], "turn the edge by 1°, narrower at the top"),
    shown(Do::Keep, &[Verb::Open], "keep", "keep the edge and make the image again"),
    shown(Do::Discard, &[Verb::Back], "discard", "give up the correction"),
    shown(Do::Shift(-2), &[Verb::PanLeft], "fine steps", "move the edge to the left by 0.2 %"),
    quiet(Do::Shift(2), &[Verb::PanRight], "move the edge to the right by 0.2 %"),
    quiet(Do::Turn(2), &[Verb::PanUp], "turn the edge by 0.2°, wider at the top"),
    quiet(Do::Turn(-2), &[Verb::PanDown], "turn the edge by 0.2°, narrower at the top"),
    quiet(Do::Arrangement, &[Verb::Arrangement], "show both pictures, the original, or the prepared image"),
    quiet(Do::Outlines, &[Verb::Outlines], "outline crop, breast and muscle, or nothing"),
]];
