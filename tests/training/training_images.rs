//! Training runs with images that fail before or during training, by the real binaries.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::training_fixture::{
    TrainingFixture, assert_whole_and_finite, events, failure, status, summary, wait_for_end, wait_for_event,
};
use mammoscope_test_support::{names_in, stderr_of, wait_for, write_image};

/// The files that were left out and the reasons.
fn left_out(run: &RunDir) -> Vec<(String, String)> {
    summary(run).skipped.into_iter().map(|skipped| (skipped.file, skipped.reason)).collect()
}

fn warned(run: &RunDir, part: &str) -> bool {
    summary(run).warnings.iter().any(|warning| warning.message.contains(part))
}

fn cut_in_half(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn an_unreadable_image_is_left_out_from_the_start() {
    let fixture = TrainingFixture::new();
    fs::write(fixture.image("train", "A", 0), b"no image").unwrap();
    cut_in_half(&fixture.image("validation", "B", 9));
    let output = fixture.train(&[]);
    // The run is complete; the exit code says that some samples failed, and they are listed.
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let run = fixture.run();
    assert_eq!(status(&run).state, RunPhase::Completed);
    let left_out = left_out(&run);
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    for (file, reason) in &left_out {
        assert!(stderr_of(&output).contains(&format!("{file}: {reason}")), "{}", stderr_of(&output));
    }
    let setup = summary(&run).setup.unwrap();
    assert_eq!((setup.train, setup.validation, setup.test), (7, 3, 4));
    // 7 images in batches of four: the last one is smaller.
    assert_eq!((setup.steps_per_epoch, summary(&run).step), (2, 4));
    assert_whole_and_finite(&run);
    let output = fixture.resume(&run, &["--epochs", "3"]);
    assert_eq!((output.status.code(), status(&run).state), (Some(1), RunPhase::Completed));
    assert_eq!(summary(&run).skipped.len(), 2);
}

/// A run that is paused within an epoch, and the epoch.
fn paused(fixture: &TrainingFixture, settings: &[&str]) -> (RunDir, u32) {
    let run = fixture.start(&[&["epochs=100000"], settings].concat());
    wait_for("the first epoch", || (summary(&run).epoch > 1).then_some(()));
    fixture.control(&run, "pause");
    let epoch = summary(&run).epoch;
    (run, epoch)
}

const CHANGED: &str = "its pixels have changed since the run began";

#[test]
fn images_that_fail_mid_run_are_left_out_of_the_next_epoch() {
    let fixture = TrainingFixture::new();
    // Settings that depend on the images: their order, their transformations, the weights of the classes.
    let settings = ["augment=true", "class_weights=balanced", "batch_size=3", "ema=0.9", "optimizer=adamw"];
    let (run, epoch) = paused(&fixture, &settings);
    let [deleted, replaced, truncated] =
        [("A", 0), ("B", 1), ("C", 2)].map(|(class, subject)| fixture.image("train", class, subject));
    let originals: Vec<_> =
        [&deleted, &replaced, &truncated].map(|path| (path.clone(), fs::read(path).unwrap())).into();
    fs::remove_file(&deleted).unwrap();
    write_image(&replaced, 200);
    cut_in_half(&truncated);
    // Written again with the same bytes: that is not a change.
    let same = fixture.image("train", "D", 3);
    fs::write(&same, fs::read(&same).unwrap()).unwrap();
    fixture.control(&run, "continue");
    wait_for("three images that are left out", || (summary(&run).skipped.len() == 3).then_some(()));
    wait_for("two more epochs", || (summary(&run).epoch > epoch + 2).then_some(()));
    fixture.control(&run, "stop-after-epoch");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    let skipped = left_out(&run);
    let reason_of = |class: &str| &skipped.iter().find(|(file, _)| file.contains(&format!("/{class}/"))).unwrap().1;
    assert!(reason_of("A").starts_with("cannot be read: ") && reason_of("B") == CHANGED, "{skipped:?}");
    assert!(skipped.iter().any(|(file, _)| file.contains("/C/")), "{skipped:?}");
    let events = events(&run);
    let reported = events.iter().position(|event| matches!(event, RunEventKind::SampleSkipped(_))).unwrap();
    let next = events
        .iter()
        .position(|event| matches!(event, RunEventKind::EpochStarted { epoch: of, .. } if *of == epoch + 1))
        .unwrap();
    assert!(reported < next, "reported before the epoch that leaves them out");
    assert_whole_and_finite(&run);
    let ended = summary(&run).records.last().unwrap().metrics.epoch;

    // The same run interrupted where the images were lost, and then resumed without them.
    let other = TrainingFixture::new();
    let epochs = format!("epochs={epoch}");
    let again = other.train_successfully(&[&[epochs.as_str()], &settings[..]].concat());
    fs::remove_file(other.image("train", "A", 0)).unwrap();
    write_image(&other.image("train", "B", 1), 200);
    cut_in_half(&other.image("train", "C", 2));
    let output = other.resume(&again, &["--epochs", &ended.to_string()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let tensors = |run: &RunDir| Checkpoint::read(&run.last_checkpoint()).unwrap().tensors;
    assert!(tensors(&run) == tensors(&again), "the same numbers, however the images were lost");

    // Images that come back are used again, in both runs alike.
    for (path, bytes) in originals {
        fs::write(other.data.join(path.strip_prefix(&fixture.data).unwrap()), &bytes).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let before = tensors(&run);
    let more = (ended + 2).to_string();
    for (fixture, run) in [(&fixture, &run), (&other, &again)] {
        let output = fixture.resume(run, &["--epochs", &more]);
        assert_eq!((output.status.code(), status(run).state), (Some(0), RunPhase::Completed), "{}", stderr_of(&output));
        assert_eq!((restored(run), left_out(run)), (3, Vec::new()));
    }
    assert!(tensors(&run) == tensors(&again) && tensors(&run) != before, "the same numbers, with all images again");
}

/// The number of images that were used again after they had been left out.
fn restored(run: &RunDir) -> usize {
    events(run).iter().filter(|event| matches!(event, RunEventKind::SampleRestored { .. })).count()
}

#[test]
fn an_image_that_comes_back_is_used_again_from_the_next_epoch() {
    let fixture = TrainingFixture::new();
    let (run, _) = paused(&fixture, &[]);
    let image = fixture.image("train", "A", 0);
    let bytes = fs::read(&image).unwrap();
    fs::remove_file(&image).unwrap();
    fixture.control(&run, "continue");
    wait_for("an image that is left out", || (left_out(&run).len() == 1).then_some(()));
    let epoch = summary(&run).epoch;
    wait_for("two epochs without it", || (summary(&run).epoch > epoch + 2).then_some(()));
    fs::write(&image, bytes).unwrap();
    wait_for("its return", || (restored(&run) == 1).then_some(()));
    fixture.control(&run, "stop-after-epoch");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    assert_eq!((restored(&run), left_out(&run)), (1, Vec::new()));
    let events = events(&run);
    let returned = events.iter().position(|event| matches!(event, RunEventKind::SampleRestored { .. })).unwrap();
    let next = events[returned..].iter().find(|event| !matches!(event, RunEventKind::SampleRestored { .. }));
    assert!(matches!(next, Some(RunEventKind::EpochStarted { .. })), "{next:?}");
}

#[test]
fn a_class_lost_mid_run_gives_a_warning_and_a_folder_that_is_away_is_one_fact() {
    let fixture = TrainingFixture::new();
    let (run, _) = paused(&fixture, &["class_weights=balanced"]);
    for subject in [0, 4] {
        fs::remove_file(fixture.image("train", "A", subject)).unwrap();
    }
    fixture.control(&run, "continue");
    wait_for("the warning", || warned(&run, "no training image of class A is left").then_some(()));
    let epoch = summary(&run).epoch;
    wait_for("two more epochs", || (summary(&run).epoch > epoch + 2).then_some(()));
    // Then all of them: the folder is away, which says nothing about any image.
    let (there, away) = (fixture.data.join("CC_R/train"), fixture.folder.path().join("away"));
    fs::rename(&there, &away).unwrap();
    wait_for("the warning", || warned(&run, "are not there: training continues with the pixels").then_some(()));
    let epoch = summary(&run).epoch;
    wait_for("two more epochs", || (summary(&run).epoch > epoch + 2).then_some(()));
    assert_eq!(left_out(&run).len(), 2, "only those that were lost before");
    fs::rename(&away, &there).unwrap();
    wait_for("its return", || warned(&run, "are there again").then_some(()));
    fixture.control(&run, "stop-after-epoch");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    assert_whole_and_finite(&run);
}

#[test]
fn validation_and_test_images_missing_on_resume_are_left_out() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&[]);
    fs::remove_file(fixture.image("validation", "A", 8)).unwrap();
    write_image(&fixture.image("test", "D", 15), 201);
    let output = fixture.resume(&run, &["--epochs", "3"]);
    assert_eq!((output.status.code(), status(&run).state), (Some(1), RunPhase::Completed), "{}", stderr_of(&output));
    let left_out = left_out(&run);
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    assert!(left_out[0].1.starts_with("cannot be read: ") && left_out[1].1 == CHANGED, "{left_out:?}");
    let of = |split| summary(&run).evaluations.iter().find(|evaluation| evaluation.split == split).unwrap().images;
    assert_eq!((of(Split::Validation), of(Split::Test)), (3, 3));
}

#[test]
fn training_needs_no_validation_or_test_images() {
    let fixture = TrainingFixture::empty();
    for (number, class) in ["A", "B", "C", "D", "A", "B", "C", "D", "B"].into_iter().enumerate() {
        fixture.add("train", class, number);
    }
    let output = fixture.train(&["epochs=3"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    for part in ["no validation images in CC_R", "no test images in CC_R"] {
        assert!(stderr_of(&output).contains(part), "{part}: {}", stderr_of(&output));
    }
    let run = fixture.run();
    assert!(warned(&run, "the best epoch is chosen by the training metrics"));
    assert_eq!((summary(&run).evaluations.len(), names_in(&run.predictions())), (0, Vec::new()));
    assert!(summary(&run).records.iter().all(|record| record.metrics.val_accuracy.is_none()));
    let best = summary(&run).best.unwrap();
    let metrics = summary(&run).records[best.epoch as usize - 1].metrics;
    assert_eq!(best.value.to_bits(), metrics.train_accuracy.to_bits());
    let name = run.best_checkpoint(best.epoch, best.value);
    assert!(name.exists(), "{} of {:?}", name.display(), names_in(&run.checkpoints()));
    assert_whole_and_finite(&run);
}

#[test]
fn missing_classes_and_contradicting_labels_give_warnings() {
    let two_classes = TrainingFixture::empty();
    for (class, first) in [("B", 0), ("C", 50)] {
        for number in first..first + 4 {
            two_classes.add("train", class, number);
        }
    }
    // One class in each: not all metrics are defined there.
    two_classes.add("validation", "B", 100);
    two_classes.add("test", "B", 101);
    let output = two_classes.train(&["class_weights=balanced"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("no image of class A in train"), "{}", stderr_of(&output));
    let run = two_classes.run();
    assert_eq!(summary(&run).evaluations.len(), 2);
    assert_whole_and_finite(&run);
    fs::remove_dir_all(two_classes.data.join("CC_R/train/C")).unwrap();
    fs::remove_dir_all(run.path()).unwrap();
    let output = two_classes.train(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("there is nothing to learn"), "{}", stderr_of(&output));
    assert_eq!(names_in(&two_classes.workspace.join("runs")), Vec::<String>::new());

    let contradicting = TrainingFixture::new();
    fs::remove_file(contradicting.image("validation", "A", 8)).unwrap();
    // The same examination with label D; its name says A.
    let folder = contradicting.data.join("CC_R/train/D");
    write_image(&folder.join("0_1_A_CC_R.png"), 90);
    let output = contradicting.train(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    for part in ["labels contradict each other", "no image of class A in validation"] {
        assert!(stderr_of(&output).contains(part), "{part}: {}", stderr_of(&output));
    }
    assert_eq!(summary(&contradicting.run()).setup.unwrap().train, 9);
}

#[test]
fn any_batch_size_works_except_one_image_at_32_pixels() {
    let fixture = TrainingFixture::new();
    // 9 images: batches of four leave one.
    fixture.add("train", "A", 30);
    for settings in [["size=32", "batch_size=1"], ["size=32", "batch_size=4"]] {
        let output = fixture.train(&settings);
        assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
        let run = fixture.run();
        let reason = failure(&run);
        assert!(reason.starts_with("at 32 pixels a batch of one image cannot be normalised"), "{reason}");
        assert!(!events(&run).iter().any(|event| matches!(event, RunEventKind::EpochStarted { .. })));
        fs::remove_dir_all(run.path()).unwrap();
    }
    for (settings, steps) in
        [(["size=32", "batch_size=5"], 4), (["size=64", "batch_size=4"], 6), (["size=64", "batch_size=1000"], 2)]
    {
        let run = fixture.train_successfully(&settings);
        assert_eq!(summary(&run).step, steps, "{settings:?}");
        assert_whole_and_finite(&run);
        fs::remove_dir_all(run.path()).unwrap();
    }
}

#[test]
fn losing_an_image_so_that_one_remains_alone_at_32_pixels_fails_the_run() {
    let fixture = TrainingFixture::new();
    fixture.add("train", "A", 30);
    fixture.add("train", "B", 31);
    let (run, _) = paused(&fixture, &["size=32"]);
    let lost = fixture.image("train", "B", 31);
    let bytes = fs::read(&lost).unwrap();
    fs::remove_file(&lost).unwrap();
    fixture.control(&run, "continue");
    assert_eq!(wait_for_end(&run), RunPhase::Failed);
    assert!(failure(&run).contains("cannot be normalised, and 9 training images"), "{}", failure(&run));
    assert_whole_and_finite(&run);
    // With the image back, it continues.
    fs::write(&lost, bytes).unwrap();
    let epochs = (summary(&run).records.last().unwrap().metrics.epoch + 1).to_string();
    let output = fixture.resume(&run, &["--epochs", &epochs]);
    assert_eq!(status(&run).state, RunPhase::Completed, "{}", stderr_of(&output));
    wait_for_event(&run, "the end", |event| {
        matches!(event, RunEventKind::Ended { state: RunPhase::Completed, .. }).then_some(())
    });
}
