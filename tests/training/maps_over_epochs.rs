//! `explain --over-epochs` on a run that was trained for it, against plain `explain` with the same models.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Output;

use image::RgbImage;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::stderr_of;
use mammoscope_test_support::trainer_fixture::TrainerFixture;
use serde_json::Value;

const SIZE: u32 = 64;
/// The factor by which pictures of this size are enlarged in an animation, and the space for the caption.
const FACTOR: u32 = 4;
const CAPTION: u32 = 60;

fn explain(fixture: &TrainerFixture, model: [&Path; 2], out: &Path, more: &[&str]) -> Output {
    let mut command =
        fixture.command(&["explain", "--view", "CC_R", "--split", "test", "--device", "cpu", "--threads", "1"]);
    command.args(model).arg("--data").arg(fixture.data()).arg("--out").arg(out).args(more).output().unwrap()
}

/// The frames of an animated PNG.
fn frames(path: &Path) -> Vec<RgbImage> {
    let bytes = fs::read(path).unwrap();
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let count = reader.info().animation_control().expect("an animation").num_frames;
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    let next = |_| {
        let info = reader.next_frame(&mut buffer).unwrap();
        RgbImage::from_raw(info.width, info.height, buffer.clone()).unwrap()
    };
    (0..count).map(next).collect()
}

/// The map of a frame, without its caption and as large as the network's input.
fn map_of(frame: &RgbImage) -> RgbImage {
    RgbImage::from_fn(SIZE, SIZE, |x, y| *frame.get_pixel(x * FACTOR, y * FACTOR))
}

/// The fields of the lines of a table, without a header: those of an epoch without the first two, and without the name
/// of the map's file.
fn fields(path: &Path, epoch: Option<u32>) -> Vec<Vec<String>> {
    let mut table = csv::Reader::from_path(path).unwrap();
    let headers = table.headers().unwrap().clone();
    let lines = table.records().map(|line| line.unwrap());
    let of_epoch = lines.filter(|line| epoch.is_none_or(|epoch| line[0] == epoch.to_string()));
    let is_shared = |name: &&str| !["epoch", "checkpoint", "map_file"].contains(name);
    of_epoch
        .map(|line| {
            headers.iter().zip(&line).filter(|(name, _)| is_shared(name)).map(|(_, field)| field.to_owned()).collect()
        })
        .collect()
}

#[test]
fn films_show_the_maps_of_plain_explanations_on_one_scale() {
    let fixture = TrainerFixture::new(24);
    let settings = "size=64,width=0.25,batch_size=4,epochs=5,keep_every=2,threads=1,learning_rate=0.01,warmup_epochs=0";
    let mut train = fixture.command(&["train", "--view", "CC_R", "--preset", "seed", "--device", "cpu", "--follow"]);
    let output = train.arg("--data").arg(fixture.data()).args(["--set", settings]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let run: RunDir = fixture.runs().remove(0).dir;
    let out = fixture.workspace().join("film");
    let name = PathBuf::from(run.name());
    let output = explain(&fixture, [Path::new("--over-epochs"), &name], &out, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let written: Value = serde_json::from_slice(&fs::read(out.join("over_epochs.json")).unwrap()).unwrap();
    assert_eq!(document, written);
    let epochs = |list: &Value| -> Vec<u64> {
        list.as_array().unwrap().iter().map(|one| one["epoch"].as_u64().unwrap()).collect()
    };
    assert_eq!(epochs(&document["checkpoints"]), [2, 4]);
    let images = document["images"].as_array().unwrap();
    assert!(images.len() >= 4, "{document:#}");
    let is_scored = |image: &Value| image["epochs"][1]["scores"]["breast_energy"].is_number();
    assert!(images.iter().any(is_scored), "{document:#}");

    for epoch in [2, 4] {
        let model = run.kept_checkpoint(epoch);
        let plain = fixture.workspace().join(format!("plain-{epoch}"));
        let output = explain(&fixture, [Path::new("--model"), &model], &plain, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        let scores = fields(&plain.join("scores.csv"), None);
        assert_eq!(scores.len(), images.len());
        assert_eq!(fields(&out.join("scores_over_epochs.csv"), Some(epoch)), scores);
    }
    for (at, image) in images.iter().enumerate() {
        assert_eq!(epochs(&image["epochs"]), [2, 4]);
        let films = frames(&out.join(image["animation"].as_str().unwrap()));
        assert_eq!(films.len(), 2, "one frame for each kept epoch");
        assert!(films.iter().all(|frame| frame.dimensions() == (FACTOR * SIZE, FACTOR * SIZE + CAPTION)));
        let strip = image::open(out.join(image["filmstrip"].as_str().unwrap())).unwrap();
        assert_eq!((strip.width(), strip.height()), (12 + 3 * 268, 80 + 328), "the image and two maps");
        if at > 1 {
            continue;
        }
        // The same scale makes the same picture.
        let Some(full) = image["full"].as_f64() else { panic!("image {at} has no map to paint: {image:#}") };
        for (place, epoch) in [2, 4].into_iter().enumerate() {
            if image["epochs"][place]["status"] != "sound" {
                continue;
            }
            let model = run.kept_checkpoint(epoch);
            let plain = fixture.workspace().join(format!("plain-{at}-{epoch}"));
            let full = (full as f32).to_string();
            let output = explain(&fixture, [Path::new("--model"), &model], &plain, &["--full", &full]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
            let film = Path::new(image["filmstrip"].as_str().unwrap());
            let stem = film.file_name().unwrap().to_str().unwrap().strip_suffix("_epochs.png").unwrap();
            let predicted = image["epochs"][place]["predicted"].as_str().unwrap();
            let overlay = plain.join(film.parent().unwrap()).join(format!("{predicted}_{stem}_overlay.png"));
            let overlay = image::open(&overlay).unwrap().into_rgb8();
            assert!(map_of(&films[place]) == overlay, "{stem} at epoch {epoch}");
        }
    }
    // Without --json, the table; and the summary names the folder.
    let output = explain(&fixture, [Path::new("--over-epochs"), run.path()], &out, &["--class", "D"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.starts_with("  epoch") && text.lines().nth(2).unwrap().starts_with("      4"), "{text}");
    assert!(stderr_of(&output).contains("at 2 epochs explained"), "{}", stderr_of(&output));
}
