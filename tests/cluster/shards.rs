//! Images in shards: the merged result is that of one process.

use std::fs;

use mammoscope_test_support::{small_model, wait_for};

use crate::fixture::ClusterFixture;

#[test]
fn merged_predictions_are_those_of_one_process() {
    let Some(fixture) = ClusterFixture::start(12, "") else { return };
    let folder = tempfile::tempdir().unwrap();
    let model = small_model(folder.path(), 64);
    let (whole, merged) = (folder.path().join("whole"), folder.path().join("merged"));
    let data = fixture.trainer.data();
    let [model, whole_folder, merged_folder, data] =
        [&model, &whole, &merged, &data].map(|path| path.to_str().unwrap());
    let own = ["--model", model, "--data", data, "--view", "CC_R,CC_L", "--device", "cpu"];
    fixture.output(&[["predict"].as_slice(), &own, &["--out", whole_folder]].concat());
    let before = ["submit", "predict", "--time", "5"].as_slice();
    fixture.output(&[before, &own, &["--out", merged_folder, "--shards", "3", "--cpus", "1"]].concat());
    let table = |folder: &std::path::Path| fs::read_to_string(folder.join("predictions.csv")).ok();
    let merged = wait_for("the merged table", || table(&merged));
    assert_eq!(Some(merged), table(&whole));
}
