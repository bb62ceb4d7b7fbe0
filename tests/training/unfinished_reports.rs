//! `report` of a run that is still at work, and of the same run when it has ended.

use std::fs;

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_test_support::training_fixture::{TrainingFixture, summary, wait_for_end};
use mammoscope_test_support::{stderr_of, wait_for};

#[test]
fn a_report_of_a_run_at_work_says_so_and_has_the_curves() {
    let fixture = TrainingFixture::new();
    let run = fixture.start(&["epochs=100000"]);
    wait_for("the first epochs", || (summary(&run).epoch > 3).then_some(()));
    let page = |name: &str| {
        let file = fixture.folder.path().join(name);
        let mut command = fixture.command(&["report", &run.name(), "--resamples", "50", "--no-images", "--out"]);
        let output = command.arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        fs::read_to_string(file).unwrap()
    };
    let early = page("early.html");
    let title = &early[early.find("<title>").unwrap()..early.find("</title>").unwrap()];
    assert!(title.contains("report, so far: "), "{title}");
    assert!(early.contains("A report so far.") && early.contains("Learning curves"), "{title}");
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    let late = page("late.html");
    assert!(!late.contains("so far"), "{}", &late[late.find("so far").unwrap_or_default()..][..200]);
    assert!(late.contains("Confusion matrices"));
}
