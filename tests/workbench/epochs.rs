//! The slider over the kept epochs of a run, with a run that was trained for it and the real engine.

#![cfg(unix)]

use mammoscope_test_support::pty_session::PtySession;

#[test]
fn the_maps_of_a_run_are_stepped_through_epoch_by_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let mammoscope = |arguments: &[&str]| {
        assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"))
            .args(arguments)
            .env("OMP_WAIT_POLICY", "PASSIVE")
            .current_dir(folder.path())
            .assert()
            .success();
    };
    let data = "ws/datasets/phantoms";
    mammoscope(&["phantom", data, "--subjects", "24", "--size", "64", "--seed", "3", "--quiet"]);
    let settings = "size=64,width=0.25,epochs=4,early_stop=0,warmup_epochs=0,keep_every=2,threads=1";
    let train = ["train", "--data", data, "--view", "CC_R", "--preset", "quick", "--device", "cpu"];
    mammoscope(&[&["--workspace", "ws"], &train[..], &["--set", settings, "--follow"]].concat());

    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (120, 40));
    session.wait_for_text("Found nearby");
    session.send(b"\r");
    session.wait_for_text("Classes by view and split");
    session.send(b"\r");
    session.wait_for_text("e explain");
    session.send(b"e");
    session.wait_for_text("[5 Explain]");
    session.wait_for_text("best model");
    session.wait_for_text("; earlier");
    session.wait_for_text("best-00");
    session.send(b";");
    session.wait_for_text("2 of 2");
    session.wait_for_text("epoch-004.safetensors");
    // The course of the scores, at both epochs.
    session.wait_for("the scores of all epochs", |screen| {
        let text = screen.contents();
        text.contains("of the map:") && !text.contains("of 2 epochs")
    });
    session.send(b";");
    session.wait_for_text("epoch-002.safetensors");
    session.wait_for_text("1 of 2");
    session.send(b"''");
    session.wait_for_text("best model");
    session.wait_for("the best model's map", |screen| {
        let text = screen.contents();
        text.contains("best-00") && !text.contains("of the map:")
    });
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}
