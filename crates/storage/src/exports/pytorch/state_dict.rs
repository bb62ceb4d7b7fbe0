//! The names of the tensors in PyTorch's `state_dict` of the network in `model.py`.

use mammoscope_domain::network::network_plan::{NetworkPlan, ParameterPlan};

/// A tensor of the network, and its name in `state_dict`.
pub(super) struct StateDictEntry {
    pub(super) parameter: ParameterPlan,
    pub(super) name: String,
}

/// The parts of a convolution and its batch normalisation, with their names in PyTorch.
const PARTS: [(&str, &str); 6] = [
    ("kernel", "conv.weight"),
    ("bias", "conv.bias"),
    ("gamma", "norm.weight"),
    ("beta", "norm.bias"),
    ("moving_mean", "norm.running_mean"),
    ("moving_variance", "norm.running_var"),
];

/// Every tensor of a network, in the order of [`NetworkPlan::parameters`].
pub(super) fn state_dict(plan: &NetworkPlan) -> Vec<StateDictEntry> {
    plan.parameters()
        .into_iter()
        .map(|parameter| StateDictEntry { name: name_of(&parameter.name, plan), parameter })
        .collect()
}

/// `conv2d_2.kernel` → `blocks.0.first.conv.weight`
fn name_of(ours: &str, plan: &NetworkPlan) -> String {
    let (layer, part) = ours.split_once('.').expect("a tensor's name has a layer and a part");
    if layer == NetworkPlan::DENSE {
        return format!("dense.{}", if part == "kernel" { "weight" } else { part });
    }
    let (_, part) = PARTS.into_iter().find(|(ours, _)| *ours == part).expect("the parts of a plan are known");
    let number = layer.rsplit('_').next().and_then(|number| number.parse().ok());
    let number: usize = number.expect("the layers of a plan are numbered");
    format!("{}.{part}", module_of(number, plan))
}

/// The module of the convolution of this number.
fn module_of(number: usize, plan: &NetworkPlan) -> String {
    for (index, block) in plan.blocks.iter().enumerate() {
        let [first, second, third] = &block.branch;
        let parts = [("first", Some(first)), ("second", Some(second)), ("third", Some(third))];
        let parts = parts.into_iter().chain([("shortcut", block.shortcut.as_ref())]);
        for (name, convolution) in parts {
            if convolution.is_some_and(|convolution| convolution.number == number) {
                return format!("blocks.{index}.{name}");
            }
        }
    }
    "stem".to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use mammoscope_domain::network::network_plan::WidthFactor;

    #[test]
    fn names_are_distinct_and_those_of_the_modules() {
        let entries = state_dict(&NetworkPlan::new(WidthFactor::ONE));
        let named = |ours: &str| &entries.iter().find(|entry| entry.parameter.name == ours).unwrap().name;
        assert_eq!(named("conv2d_1.kernel"), "stem.conv.weight");
        assert_eq!(named("batch_normalization_1.moving_variance"), "stem.norm.running_var");
        assert_eq!(named("conv2d_2.bias"), "blocks.0.first.conv.bias");
        // The shortcut has the highest number of its block.
        assert_eq!(named("batch_normalization_5.gamma"), "blocks.0.shortcut.norm.weight");
        assert_eq!(named("batch_normalization_41.beta"), "blocks.11.third.norm.bias");
        assert_eq!((named("dense_1.kernel").as_str(), named("dense_1.bias").as_str()), ("dense.weight", "dense.bias"));
        let names: BTreeSet<&String> = entries.iter().map(|entry| &entry.name).collect();
        assert_eq!((names.len(), entries.len()), (6 * 41 + 2, 6 * 41 + 2));
    }
}
