//! Matches the layers of a Keras file to those of the network.

use std::collections::BTreeMap;

use super::excerpt;
use super::weight_array::WeightArray;
use super::weight_tree::{Numbering, WeightLayer};
use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};

/// An array of the file, with its name for messages.
#[derive(Debug)]
pub(super) struct FoundArray<'a> {
    /// `<layer>/<role>`, as the file names them.
    pub(super) name: String,
    pub(super) array: &'a WeightArray,
}

/// The arrays of a file by the network's names for them.
pub(super) type MatchedArrays<'a> = BTreeMap<String, FoundArray<'a>>;

const CONVOLUTION: &str = "conv2d";
const BATCH_NORM: &str = "batch_normalization";
const DENSE: &str = "dense";
const KERNEL_AND_BIAS: &[&str] = &["kernel", "bias"];
const STATISTICS: &[&str] = &["gamma", "beta", "moving_mean", "moving_variance"];

/// Matches layers by kind and by the order of their numbers. The error lists every missing or superfluous layer and
/// every missing weight.
pub(super) fn match_by_numbers(layers: &[WeightLayer], numbering: Numbering) -> Result<MatchedArrays<'_>, Vec<String>> {
    // Names and order are the same at every width.
    let plan = NetworkPlan::new(WidthFactor::ONE);
    let order = match numbering {
        Numbering::Creation => plan.convolutions(),
        Numbering::ModelLayers => plan.convolutions_in_model_order(),
    };
    let foreign: Vec<&WeightLayer> = layers
        .iter()
        .filter(|layer| ![CONVOLUTION, BATCH_NORM, DENSE].iter().any(|kind| number(&layer.name, kind).is_some()))
        .collect();
    if let Some(first) = foreign.first().filter(|_| 2 * foreign.len() > layers.len()) {
        return Err(vec![format!(
            "the layers have names of their own, such as '{}', which weights alone do not connect: save the whole \
             model (model.save) as .h5, save the weights with Keras 3, or keep Keras' names",
            excerpt(&first.name)
        )]);
    }
    let mut faults: Vec<String> = foreign.into_iter().map(superfluous).collect();
    let mut matched = MatchedArrays::new();
    for (position, layer) in in_order(layers, CONVOLUTION, order.len(), &mut faults) {
        match_weights(&mut matched, &order[position].name(), layer, KERNEL_AND_BIAS, &mut faults);
    }
    for (position, layer) in in_order(layers, BATCH_NORM, order.len(), &mut faults) {
        match_weights(&mut matched, &order[position].batch_norm_name(), layer, STATISTICS, &mut faults);
    }
    for (_, layer) in in_order(layers, DENSE, 1, &mut faults) {
        match_weights(&mut matched, NetworkPlan::DENSE, layer, KERNEL_AND_BIAS, &mut faults);
    }
    if faults.is_empty() { Ok(matched) } else { Err(faults) }
}

/// Matches layers by the names in the file's configuration; `names` maps the network's names to the file's. Errors are
/// those of [`match_by_numbers`].
pub(super) fn match_by_wiring<'a>(
    layers: &'a [WeightLayer],
    names: &BTreeMap<String, String>,
) -> Result<MatchedArrays<'a>, Vec<String>> {
    let mut unmatched: BTreeMap<&str, &WeightLayer> = layers.iter().map(|layer| (layer.name.as_str(), layer)).collect();
    let mut matched = MatchedArrays::new();
    let mut faults = Vec::new();
    for (ours, name) in names {
        let roles = if ours.starts_with(BATCH_NORM) { STATISTICS } else { KERNEL_AND_BIAS };
        match unmatched.remove(name.as_str()) {
            Some(layer) => match_weights(&mut matched, ours, layer, roles, &mut faults),
            None => faults.push(format!("layer '{}' has no weights", excerpt(name))),
        }
    }
    faults.extend(unmatched.into_values().map(superfluous));
    if faults.is_empty() { Ok(matched) } else { Err(faults) }
}

fn superfluous(layer: &WeightLayer) -> String {
    format!("layer '{}' is superfluous", excerpt(&layer.name))
}

/// Sorts the layers of one kind by their numbers and gives them positions from 0; gaps and extra layers become faults.
fn in_order<'a>(
    layers: &'a [WeightLayer],
    kind: &str,
    count: usize,
    faults: &mut Vec<String>,
) -> Vec<(usize, &'a WeightLayer)> {
    let numbered: BTreeMap<usize, &WeightLayer> =
        layers.iter().filter_map(|layer| Some((number(&layer.name, kind)?, layer))).collect();
    let lowest = numbered.keys().next().copied().unwrap_or(1);
    // The numbering starts at 1 or 0 or, in the second model of a session, anywhere: use the start with the fewest
    // gaps.
    let first = [1, 0, lowest]
        .into_iter()
        .min_by_key(|&first| (first..first + count).filter(|number| !numbered.contains_key(number)).count())
        .expect("three candidates");
    let unnumbered_first = numbered.contains_key(&0) || first == 0;
    for missing in (first..first + count).filter(|number| !numbered.contains_key(number)) {
        let name = if missing == 0 && unnumbered_first { kind.to_owned() } else { format!("{kind}_{missing}") };
        faults.push(format!("layer '{name}' is missing"));
    }
    let mut found = Vec::with_capacity(count);
    for (number, layer) in numbered {
        match number.checked_sub(first).filter(|position| *position < count) {
            Some(position) => found.push((position, layer)),
            None => faults.push(superfluous(layer)),
        }
    }
    found
}

/// Returns the number in `<kind>_<number>` as Keras writes it, 0 for `<kind>` alone, and `None` for any other name.
fn number(name: &str, kind: &str) -> Option<usize> {
    const MAX_DIGITS: usize = 6;
    let rest = name.strip_prefix(kind)?;
    if rest.is_empty() {
        return Some(0);
    }
    // Keras never writes `conv2d_0` or `conv2d_01`, which would be ambiguous.
    let digits = rest.strip_prefix('_')?;
    let written_by_keras =
        digits.len() <= MAX_DIGITS && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if written_by_keras { digits.parse().ok() } else { None }
}

fn match_weights<'a>(
    arrays: &mut MatchedArrays<'a>,
    ours: &str,
    layer: &'a WeightLayer,
    roles: &[&str],
    faults: &mut Vec<String>,
) {
    for (position, role) in roles.iter().enumerate() {
        let name = format!("{}/{role}", excerpt(&layer.name));
        let position = position.to_string();
        match layer.weights.iter().find(|(found, _)| found == role || *found == position) {
            Some((_, array)) => {
                arrays.insert(format!("{ours}.{role}"), FoundArray { name, array });
            }
            None => faults.push(format!("weight '{name}' is missing")),
        }
    }
    for (found, _) in &layer.weights {
        let known =
            roles.contains(&found.as_str()) || found.parse().is_ok_and(|position: usize| position < roles.len());
        if !known {
            faults.push(format!("weight '{}/{}' is superfluous", excerpt(&layer.name), excerpt(found)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(kind: &str, numbers: impl IntoIterator<Item = usize>) -> Vec<WeightLayer> {
        let name = |number| if number == 0 { kind.to_owned() } else { format!("{kind}_{number}") };
        numbers.into_iter().map(|number| WeightLayer { name: name(number), weights: Vec::new() }).collect()
    }

    fn positions(numbers: impl IntoIterator<Item = usize>) -> (Vec<String>, Vec<String>) {
        let layers = layers("conv2d", numbers);
        let mut faults = Vec::new();
        let found = in_order(&layers, "conv2d", 4, &mut faults);
        (found.into_iter().map(|(position, layer)| format!("{position}={}", layer.name)).collect(), faults)
    }

    #[test]
    fn numbering_may_start_anywhere() {
        assert_eq!(positions(1..=4).0, ["0=conv2d_1", "1=conv2d_2", "2=conv2d_3", "3=conv2d_4"]);
        assert_eq!(positions([2, 0, 1, 3]).0, ["0=conv2d", "1=conv2d_1", "2=conv2d_2", "3=conv2d_3"]);
        assert_eq!(positions(42..46).0[0], "0=conv2d_42");
        assert!(positions(42..46).1.is_empty());
    }

    #[test]
    fn gaps_and_surplus_are_named() {
        assert_eq!(positions([1, 2, 4]).1, ["layer 'conv2d_3' is missing"]);
        assert_eq!(positions([2, 3, 4]).1, ["layer 'conv2d_1' is missing"]);
        assert_eq!(positions(1..=5).1, ["layer 'conv2d_5' is superfluous"]);
        assert_eq!(positions([]).1.len(), 4);
    }

    #[test]
    fn ten_comes_after_nine() {
        assert_eq!(number("conv2d_10", CONVOLUTION), Some(10));
        assert_eq!(number("conv2d_transpose_1", CONVOLUTION), None);
        assert_eq!(number("conv2d", CONVOLUTION), Some(0));
    }

    #[test]
    fn numbers_that_keras_does_not_write_are_ignored() {
        for name in ["conv2d_0", "conv2d_01", "conv2d_+1", "conv2d_", "conv2d_1234567", "conv2d_18446744073709551615"] {
            assert_eq!(number(name, CONVOLUTION), None, "{name}");
        }
        let layers = [WeightLayer { name: "conv2d_18446744073709551615".to_owned(), weights: Vec::new() }];
        assert!(match_by_numbers(&layers, Numbering::Creation).is_err());
    }

    #[test]
    fn custom_names_are_distinguished_from_missing_layers() {
        let layers = layers("stem", 1..=3);
        let faults = match_by_numbers(&layers, Numbering::Creation).expect_err("other names");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("'stem_1'") && faults[0].contains("model.save"), "{faults:?}");
    }
}
