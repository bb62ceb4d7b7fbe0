//! Pictures in a terminal: thumbnails, magnification, the four views, and the clipboard.

#![cfg(unix)]

use mammoscope_test_support::pty_session::PtySession;

/// A data set of phantoms in the workspace.
fn data_set(folder: &tempfile::TempDir) {
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"))
        .args(["phantom", "ws/datasets/phantoms", "--subjects", "3", "--size", "320", "--seed", "3", "--quiet"])
        .current_dir(folder.path())
        .assert()
        .success();
}

#[test]
fn a_picture_is_magnified_by_keys_and_by_the_wheel_and_its_path_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    data_set(&folder);
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (80, 24));
    session.wait_for_text("Found nearby");
    session.send(b"\r");
    session.wait_for_text("Classes by view and split");
    session.send(b"\r");
    session.wait_for_text("␣ mark");
    session.send(b"\r");
    session.wait_for_text("1 of 12");
    session.wait_for_text("window 0–255");
    // Three keys at once are three steps.
    session.send(b"zzz");
    session.wait_for_text("25 %");
    session.send(b"zzzz");
    session.wait_for_text("1:1");
    // Shift-right pans, and the wheel takes the next magnification.
    session.send(b"\x1b[1;2C\x1b[<64;40;10M");
    session.wait_for_text("×2");
    session.send(b",");
    session.wait_for_text("· x ");
    session.send(b"0");
    session.wait_for("the whole image is shown", |screen| !screen.contents().contains("×2"));
    session.send(b"y");
    session.wait_for_text("copied");
    let bytes = session.bytes();
    assert!(bytes.windows(7).any(|sent| sent == b"\x1b]52;c;"), "the path is on the clipboard");
    session.send(b"H");
    session.wait_for_text("MLO_L");
    // A step back is to the image, then from its crosshair, and then to the list.
    session.send(b"\x1b");
    session.wait_for("one image again", |screen| !screen.contents().contains("MLO_L"));
    session.wait_for_text("1 of 12");
    session.wait_for_text("· x ");
    session.send(b"\x1b");
    session.wait_for("the crosshair is gone", |screen| !screen.contents().contains("· x "));
    session.send(b"\x1b");
    session.wait_for("the viewer is closed", |screen| !screen.contents().contains("1 of 12"));
    session.wait_for_text("flags");
    session.send(b"a");
    session.wait_for("the contact sheet", |screen| !screen.contents().contains("flags"));
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn a_folder_that_does_not_exist_is_refused_in_the_prompt() {
    let folder = tempfile::tempdir().unwrap();
    data_set(&folder);
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (80, 24));
    session.wait_for_text("Found nearby");
    session.send(b"\r");
    session.wait_for_text("Classes by view and split");
    session.send(b"o");
    session.wait_for_text("Open a data set");
    session.send(b"\x15/nowhere/at/all\r");
    session.wait_for_text("there is no such folder");
    session.send(b"\x1b");
    session.wait_for("the data set is still open", |screen| {
        let text = screen.contents();
        text.contains("Classes by view and split") && !text.contains("Open a data set")
    });
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}
