//! Folders of predictions in a terminal: opened by their paths, and compared as flips.

#![cfg(unix)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use mammoscope_test_support::pty_session::PtySession;

const SIZE: (u16, u16) = (120, 40);

/// Writes a table in which the subject `wrong` of class B is predicted as C, and every other one correctly.
fn write_predictions(folder: &Path, wrong: usize) {
    let mut table = "file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D\n".to_owned();
    for subject in 0..12 {
        let truth = ["A", "B", "C", "D"][subject % 4];
        let (predicted, probabilities) = match (subject == wrong, truth) {
            (true, _) => ("C", ".05,.15,.75,.05"),
            (_, "A") => ("A", ".85,.05,.05,.05"),
            (_, "B") => ("B", ".05,.85,.05,.05"),
            (_, "C") => ("C", ".05,.05,.85,.05"),
            _ => ("D", ".05,.05,.05,.85"),
        };
        writeln!(table, "{subject}.png,{subject},1,CC_R,{truth},{predicted},{probabilities}").unwrap();
    }
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("predictions.csv"), table).unwrap();
}

fn open(session: &mut PtySession, name: &str) {
    session.send(b"o");
    session.wait_for_text("Open predictions");
    session.send(name.as_bytes());
    session.send(b"\r");
}

#[test]
fn two_folders_are_opened_and_compared_as_flips() {
    let folder = tempfile::tempdir().unwrap();
    write_predictions(&folder.path().join("ws/first"), 1);
    write_predictions(&folder.path().join("ws/second"), 5);
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"4");
    session.wait_for_text("open a folder of predictions");
    open(&mut session, "first");
    session.wait_for_text("Confusion matrix");
    // A path that cannot be opened is refused, and what is open stays.
    open(&mut session, "nowhere");
    session.wait_for_text("no such file or folder");
    session.send(b"\x1b");
    session.wait_for("the open evaluation", |screen| {
        let text = screen.contents();
        text.contains("Confusion matrix") && !text.contains("Open predictions")
    });
    open(&mut session, "second");
    session.wait_for("the second folder", |screen| {
        let text = screen.contents();
        text.contains("ws/second") && text.contains("Confusion matrix") && !text.contains("Open predictions")
    });
    session.send(b"c");
    session.wait_for_text("Compare ");
    // The list has the latest folder first, without the open one.
    session.send(b"\r");
    session.wait_for_text("1 fixed");
    session.wait_for_text("McNemar");
    // From A predicted as A to B predicted as C.
    session.send(b"\x1b[B\x1b[C\x1b[C");
    session.wait_for_text("B predicted as C: 1 fixed, 1 broken");
    session.send(b"\r");
    session.wait_for("both flips", |screen| {
        let text = screen.contents();
        text.contains("✔ fixed") && text.contains("✖ broken") && text.contains(".75") && text.contains(".85")
    });
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    // The folders are remembered.
    let mut again = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    again.wait_for_text("Confusion matrix");
    again.send(b"\x1b");
    again.wait_for("both folders", |screen| {
        let text = screen.contents();
        text.contains("ws/first") && text.contains("ws/second") && text.contains("Evaluations")
    });
    again.send(b"q");
    assert!(again.wait_for_end().0.success());
}

#[test]
fn digits_belong_to_the_number_under_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"2");
    session.wait_for_text("New training");
    session.send(b"/lr");
    session.wait_for_text("learning_rate");
    session.send(b"\r5");
    session.wait_for_text("Enter apply");
    session.send(b"e-3\r");
    session.wait_for_text("0.005");
    session.send(b"\x1b");
    session.wait_for_text("data and runs");
    session.send(b"/epochs\r");
    session.wait_for_text("Passes over the training images");
    // Behind 100, this would make 10020.
    session.send(b"20\r");
    session.wait_for_text("d restores 100");
    session.send(b"10020\r");
    session.wait_for_text("Enter accepts");
    session.send(b"\x1b");
    session.wait_for("the old value", |screen| !screen.contents().contains("Enter accepts"));
    session.send(b"\x1b");
    session.wait_for_text("data and runs");
    // On a field that is not a number, a digit shows a screen.
    session.send(b"\x1b[H5");
    session.wait_for_text("[5 Explain]");
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}
