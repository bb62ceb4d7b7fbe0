//! Parity of the augmentation with the Keras reference: four transforms of a mammogram, before and after
//! standardisation.

use std::path::{Path, PathBuf};

use mammoscope_engine::learning::augmentation::{AffineParameters, transform};
use mammoscope_engine::learning::batches::standardise;
use mammoscope_test_support::shared;
use serde_json::Value;
use tch::{Kind, Tensor};

fn reference(name: &str) -> Option<PathBuf> {
    shared(&format!("reference/augment/{name}"))
}

/// Reads one channel S×S as 1×1×S×S.
fn image(path: &Path) -> Tensor {
    Tensor::read_npy(path).expect("a fixture").to_kind(Kind::Float).unsqueeze(0).unsqueeze(0)
}

fn largest_difference(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    (ours - theirs).abs().max().double_value(&[])
}

#[test]
fn transforms_match_the_reference() {
    let (Some(input), Some(sets)) = (reference("input_128_u8.npy"), reference("augment.json")) else { return };
    let sets: Value = serde_json::from_str(&std::fs::read_to_string(sets).expect("a fixture")).expect("JSON");
    let sets = sets["sets"].as_array().expect("sets");
    assert_eq!(sets.len(), 4);
    let parameters: Vec<AffineParameters> = sets
        .iter()
        .map(|set| {
            let number = |key: &str| set[key].as_f64().expect("a number");
            AffineParameters {
                theta: number("theta"),
                tx: number("tx"),
                ty: number("ty"),
                zx: number("zx"),
                zy: number("zy"),
            }
        })
        .collect();
    let batch = image(&input).expand([sets.len() as i64, -1, -1, -1], false);
    let transformed = transform(&batch, &parameters).expect("a batch");
    let standardised = standardise(&transformed, Kind::Float).expect("a batch");
    for number in 0..sets.len() {
        let (Some(affine), Some(standard)) = (
            reference(&format!("set{number}_affine_seed.npy")),
            reference(&format!("set{number}_standardized_seed.npy")),
        ) else {
            return;
        };
        let at = |tensor: &Tensor, channels| tensor.narrow(0, number as i64, 1).narrow(1, 0, channels);
        let difference = largest_difference(&at(&transformed, 1), &image(&affine));
        assert!(difference < 5e-3, "set {number}: {difference:.1e} grey levels");
        let expected = image(&standard).expand([-1, 3, -1, -1], false);
        let difference = 255.0 * largest_difference(&at(&standardised, 3), &expected);
        assert!(difference < 5e-3, "set {number}, standardised: {difference:.1e} grey levels");
    }
}
