//! Explanations of two networks that are known to look at different things: one was trained on phantoms whose class is
//! in the dense tissue, one on phantoms whose class is a bar in the corner.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use mammoscope_dataset::phantom::confounder::marker_rectangle;
use mammoscope_domain::explanation::explanation_summary::Score;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::Side;
use mammoscope_storage::tables::map_file::read_table;
use mammoscope_test_support::{engine, mammoscope, names_in, stderr_of};
use serde_json::Value;

const SIZE: usize = 256;
/// Pixels from the bar that count as near: one and a half cells of the network's 8 × 8 map, which is enlarged
/// bilinearly. With the bar itself that is less than a tenth of the picture.
const NEAR: usize = 48;

/// The result of `explain --sanity` on phantoms that were held back from training.
struct Experiment {
    maps: PathBuf,
    sanity: Value,
}

impl Experiment {
    fn run(folder: &Path, kind: &str, flags: &[&str]) -> Self {
        let of = |what: &str| folder.join(format!("{kind}-{what}")).to_str().unwrap().to_owned();
        let (training, held_back, workspace, maps) = (of("training"), of("held-back"), of("workspace"), of("maps"));
        for (data, subjects, seed) in [(&training, "400", "5"), (&held_back, "120", "6")] {
            let phantoms = ["phantom", data, "--subjects", subjects, "--size", "256", "--seed", seed];
            run_successfully(&[&phantoms, flags].concat());
        }
        fs::create_dir(&workspace).unwrap();
        let settings = "size=256,width=0.25,epochs=16,early_stop=0";
        let train =
            ["train", "--data", &training, "--view", "CC_R", "--preset", "modern", "--set", settings, "--follow"];
        run_successfully(&[&["--workspace", &workspace], &train[..]].concat());
        let explain =
            ["explain", "--model", "latest", "--data", &held_back, "--view", "CC_R", "--sanity", "--out", &maps];
        run_successfully(&[&["--workspace", &workspace], &explain[..]].concat());
        let sanity = serde_json::from_slice(&fs::read(Path::new(&maps).join("sanity.json")).unwrap()).unwrap();
        Self { maps: maps.into(), sanity }
    }

    /// The interval of the enrichment in dense tissue over classes C and D, of the maps or the control.
    fn enrichment(&self, of: &str) -> (f64, f64) {
        let means = self.sanity["evidence"][of]["means"].as_array().unwrap();
        let interval = &means[Score::DenseEnrichment as usize]["interval"];
        (interval["low"].as_f64().unwrap(), interval["high"].as_f64().unwrap())
    }

    /// The share of each map's energy that is near the bar, for images of class C and D.
    fn energy_near_the_bar(&self) -> Vec<f64> {
        let of_class = |class: DensityClass| {
            let marker = marker_rectangle(SIZE, class, Side::Right);
            let folder = self.maps.join(format!("CC_R/{class}"));
            let maps = names_in(&folder).into_iter().filter(|name| name.ends_with("_map.npy"));
            maps.map(|name| {
                let map = read_table(&folder.join(name)).unwrap();
                let energy: Vec<f64> = map.values.iter().map(|&value| f64::from(value.max(0.0))).collect();
                let near = |&(at, _): &(usize, &f64)| marker.is_near(at % SIZE, at / SIZE, NEAR);
                energy.iter().enumerate().filter(near).map(|(_, value)| value).sum::<f64>() / energy.iter().sum::<f64>()
            })
            .collect::<Vec<f64>>()
        };
        [DensityClass::C, DensityClass::D].into_iter().flat_map(of_class).collect()
    }
}

/// Runs a command that must succeed.
fn run_successfully(arguments: &[&str]) {
    let output = mammoscope().env("MAMMOSCOPE_ENGINE", engine()).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr_of(&output));
}

#[test]
#[ignore = "trains two networks, ten minutes: cargo test --release --test training phantom_explanations -- --ignored"]
fn maps_distinguish_a_network_that_looks_at_dense_tissue_from_one_that_looks_at_a_marker() {
    let folder = tempfile::tempdir().unwrap();
    let clean = Experiment::run(folder.path(), "clean", &[]);
    let ((low, _), (_, control)) = (clean.enrichment("maps"), clean.enrichment("control"));
    assert!(low > 1.2 && low > control, "clean: enrichment from {low}, control to {control}");
    assert_eq!(clean.sanity["verdict"], "supported", "{}", clean.sanity["conditions"]);

    let confounded = Experiment::run(folder.path(), "confounded", &["--confounder"]);
    let ((_, high), (_, control)) = (confounded.enrichment("maps"), confounded.enrichment("control"));
    assert!(high <= control, "confounded: enrichment to {high}, control to {control}");
    assert_eq!(confounded.sanity["verdict"], "not supported", "{}", confounded.sanity["conditions"]);
    let near = confounded.energy_near_the_bar();
    let mean = near.iter().sum::<f64>() / near.len() as f64;
    assert!(near.len() >= 50 && mean > 0.5, "{} maps have {mean} of their energy near the bar", near.len());
    let elsewhere = clean.energy_near_the_bar();
    let chance = elsewhere.iter().sum::<f64>() / elsewhere.len() as f64;
    assert!(chance < 0.1, "the clean network's maps have {chance} of their energy in the same place");
}
