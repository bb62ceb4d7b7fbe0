//! The text of `model.py`.

use crate::exports::{ExportedModel, INTENDED_USE};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::BlockPlan;

const TEMPLATE: &str = include_str!("model.py");
/// The preprocessing functions of each route.
const TRAINING_ROUTE: &str = include_str!("training_route.py");
const NOTEBOOK_ROUTE: &str = include_str!("notebook_route.py");

/// Returns the program for a model.
pub(super) fn script(exported: &ExportedModel<'_>) -> String {
    let metadata = &exported.model.metadata;
    let plan = metadata.plan();
    let white = match metadata.grey_range() {
        GreyRange::Auto => "None".to_owned(),
        GreyRange::White(white) => white.to_string(),
    };
    let preprocessing = match metadata.input_route {
        InputRoute::Training => TRAINING_ROUTE,
        InputRoute::GradCamNotebook => NOTEBOOK_ROUTE,
    };
    let stages: Vec<String> = plan.blocks.iter().filter(|block| block.shortcut.is_some()).map(stage).collect();
    let values = [
        ("@PREPROCESSING@", preprocessing.trim_end()),
        ("@VIEW@", exported.view()),
        ("@INTENDED_USE@", INTENDED_USE),
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@SHA256@", exported.sha256),
        ("@SIZE@", &metadata.size.to_string()),
        ("@WHITE@", &white),
        ("@STEM@", &plan.stem.outputs.to_string()),
        ("@STAGES@", &stages.join(", ")),
    ];
    values.into_iter().fold(TEMPLATE.to_owned(), |text, (place, value)| text.replace(place, value))
}

/// `(64, 128, 1)`: the channels within and after the blocks of a stage, and the stride of this first block.
fn stage(first: &BlockPlan) -> String {
    let [inner, strided, outer] = &first.branch;
    format!("({}, {}, {})", inner.outputs, outer.outputs, strided.stride)
}
