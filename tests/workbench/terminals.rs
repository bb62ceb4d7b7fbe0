//! Terminals of many kinds: light ones, those without a mouse, a name or a size, and those whose keys come in another way.

#![cfg(unix)]

use std::path::Path;

use chrono::Utc;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};
use mammoscope_test_support::program;
use mammoscope_test_support::pty_session::{Color, PtySession, Screen};
use rustix::process::{Pid, Signal, kill_process};

/// The colour of the focus on a light and on a dark background, of 256.
const LIGHT: &[u8] = b"38;5;91";
const DARK: &[u8] = b"38;5;177";

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn start(arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> PtySession {
    PtySession::start_with(&[&["--workspace", "ws"], arguments].concat(), variables, folder, (80, 24))
}

fn quit(session: &mut PtySession) {
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

/// A run that was trained, with events in steps of less than a second.
fn trained_run(folder: &Path) -> RunDir {
    let workspace = Workspace::open(Some(&folder.join("ws"))).unwrap();
    let history = SyntheticHistory { epochs: 4, steps_per_epoch: 10, seed: 1, study: None };
    let mut run = SyntheticRun::create(&workspace, history, Utc::now()).unwrap();
    while run.advance().unwrap() {}
    run.end().unwrap();
    let runs = mammoscope_storage::runs::run_catalog::list_runs(&workspace).unwrap();
    runs[0].run.clone()
}

#[test]
fn the_theme_is_that_of_the_command_line_the_terminal_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, stated, light) in [
        (&[][..], "", false),
        (&[][..], "0;15", true),
        (&[][..], "15;default;0", false),
        (&["--theme", "light"][..], "15;0", true),
        (&["--theme", "dark"][..], "0;15", false),
        (&["attach", "--theme", "light"][..], "", true),
    ] {
        let mut session = start(arguments, &[("COLORFGBG", stated)], folder.path());
        session.wait_for_text("mammoscope");
        quit(&mut session);
        let bytes = session.bytes();
        let used = (contains(&bytes, LIGHT), contains(&bytes, DARK));
        assert_eq!(used, (light, !light), "{arguments:?} COLORFGBG={stated}");
    }
    // The terminal's own answer outweighs the environment.
    let mut session = start(&[], &[("COLORFGBG", "0;15")], folder.path());
    session.wait_for_text("[1 Datasets]");
    session.send(b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62c");
    session.wait_for_bytes(DARK);
    quit(&mut session);
}

/// The contrast of two colours (WCAG 2).
fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |(red, green, blue)| 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The letters on screen that are hard to read on white, each with its contrast.
fn faint_letters(screen: &Screen) -> Vec<String> {
    let rgb = |color: Color, own: (u8, u8, u8)| match color {
        Color::Default => own,
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Idx(index) => panic!("colour {index} in a terminal with true colour"),
    };
    let (rows, columns) = screen.size();
    let cells = (0..rows).flat_map(|row| (0..columns).filter_map(move |column| screen.cell(row, column)));
    let letters = cells.filter(|cell| cell.contents().chars().any(char::is_alphanumeric));
    letters
        .map(|cell| (cell.contents(), contrast(rgb(cell.fgcolor(), (0, 0, 0)), rgb(cell.bgcolor(), (255, 255, 255)))))
        .filter(|(_, contrast)| *contrast < 4.5)
        .map(|(letter, contrast)| format!("{letter} {contrast:.1}"))
        .collect()
}

#[test]
fn every_letter_of_the_light_theme_can_be_read_on_white() {
    let folder = tempfile::tempdir().unwrap();
    trained_run(folder.path());
    let variables = [("COLORTERM", "truecolor")];
    let arguments = ["--workspace", "ws", "--theme", "light"];
    let mut session = PtySession::start_with(&arguments, &variables, folder.path(), (120, 40));
    let mut letters = 0;
    for (keys, wanted) in [
        ("3", "gradient norm"),
        ("i", "log"),
        ("2", "[2 Train]"),
        ("4", "[4 Evaluate]"),
        ("5", "[5 Explain]"),
        ("1", "[1 Datasets]"),
        (":", "Commands"),
    ] {
        session.send(keys.as_bytes());
        session.wait_for_text(wanted);
        session.read(|screen| {
            letters += screen.contents().chars().filter(|letter| letter.is_alphanumeric()).count();
            assert_eq!(faint_letters(screen), [""; 0], "{wanted}:\n{}", screen.contents());
        });
    }
    assert!(letters > 1000, "{letters}");
    session.send(b"\x03");
    assert!(session.wait_for_end().0.success());
}

#[test]
fn the_mouse_can_be_left_to_the_terminal_and_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = start(&["--no-mouse"], &[], folder.path());
    session.wait_for_text("[1 Datasets]");
    session.send(b"?G");
    session.wait_for_text("The mouse is the terminal's: drag to select text.");
    let bytes = session.bytes();
    for mode in [b"?1000h", b"?1002h", b"?1006h"] {
        assert!(!contains(&bytes, mode), "{mode:?}");
    }
    session.send(b"\x1b");
    session.wait_for("the help closed", |screen| !screen.contents().contains("Keys on this screen"));
    session.send(b"\x1bOQ");
    session.wait_for_text("Shift-drag (iTerm2: Option) selects text");
    session.wait_for_bytes(b"\x1b[?1000h\x1b[?1002h\x1b[?1006h");
    let before = session.bytes().len();
    session.send(b":select text\r");
    session.wait_for_text("drag to select text (mouse = false keeps it)");
    assert!(contains(&session.bytes()[before..], b"\x1b[?1000l"), "by the palette as well");
    quit(&mut session);
}

#[test]
fn a_terminal_without_a_name_or_a_cursor_is_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let mammoscope = program();
    let mammoscope = mammoscope.to_str().unwrap();
    for (words, term, reason) in [
        (&["TERM=dumb", mammoscope, "--workspace", "ws"][..], "xterm", "TERM=dumb"),
        (&["TERM=dumb", mammoscope, "attach", "--workspace", "ws"][..], "xterm", "TERM=dumb"),
        (&["-u", "TERM", mammoscope, "--workspace", "ws"][..], "xterm", "TERM is not set"),
        (&["TERM=", mammoscope, "--workspace", "ws"][..], "xterm", "TERM is not set"),
    ] {
        let variables = [("TERM", term)];
        let mut session =
            PtySession::start_program(Path::new("/usr/bin/env"), words, &variables, folder.path(), (80, 24));
        assert_eq!(session.wait_for_end().0.exit_code(), 2, "{words:?}");
        session.wait_for_bytes(b"`follow`");
        let said = String::from_utf8(session.bytes()).unwrap();
        assert!(said.contains(reason) && said.contains("`mammoscope runs`"), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        assert!(!said.contains('\x1b'), "it is sent nothing but text: {said:?}");
        assert!(!folder.path().join("ws").exists(), "nothing was made");
    }
    let words = ["TERM=dumb", mammoscope, "doctor"];
    let mut session = PtySession::start_program(Path::new("/usr/bin/env"), &words, &[], folder.path(), (120, 60));
    session.wait_for_end();
    session.wait_for_bytes(b"the workbench cannot be drawn with TERM=dumb");
}

#[test]
fn the_console_of_linux_gets_ascii_and_sixteen_colours() {
    let folder = tempfile::tempdir().unwrap();
    trained_run(folder.path());
    let variables = [("TERM", "linux"), ("COLORTERM", "truecolor")];
    let mut session = PtySession::start_with(&["--workspace", "ws"], &variables, folder.path(), (120, 40));
    session.send(b"3");
    session.wait_for_text("[3 Runs]");
    session.wait_for_text("learning rate");
    session.wait_for("a curve", |screen| screen.contents().contains("train"));
    quit(&mut session);
    let bytes = session.bytes();
    let sent = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(sent.chars().find(|character| !character.is_ascii()), None, "nothing that its font may lack");
    for part in ["\x1b_G", "\x1b]11", "8;2;", "\x1b[>"] {
        assert!(!sent.contains(part), "{part:?}");
    }
    let numbers = sent.split("8;5;").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap());
    let colours: Vec<u8> = numbers.map(|number| number.parse().unwrap()).collect();
    assert!(!colours.is_empty() && colours.iter().all(|colour| *colour < 16), "{colours:?}");
    assert!(sent.contains("\x1b[c"), "it is asked for its attributes");
}

#[test]
fn a_terminal_without_a_size_is_drawn_on_as_if_it_had_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (0, 0));
    session.wait_for_text("[1 Datasets]");
    session.wait_for_text("the terminal reports no size: 80×24 is assumed");
    session.resize((100, 30));
    session.wait_for("the footer in the last line", |screen| {
        screen.rows(0, 100).nth(29).is_some_and(|row| row.contains("help"))
    });
    quit(&mut session);

    let stated = [("COLUMNS", "70"), ("LINES", "20")];
    let mut session = PtySession::start_with(&["--workspace", "ws"], &stated, folder.path(), (0, 0));
    session
        .wait_for("the footer in line 20", |screen| screen.rows(0, 80).nth(19).is_some_and(|row| row.contains("help")));
    quit(&mut session);
}

#[test]
fn keys_by_number_work_as_a_crashed_program_leaves_them() {
    let folder = tempfile::tempdir().unwrap();
    for leaves in [b"\x1b[113u".as_slice(), b"\x1b[99;5u", b"\x1b[27;5;99~"] {
        let mut session = start(&[], &[], folder.path());
        session.wait_for_text("mammoscope");
        // Pressed and released, as the protocol reports it.
        session.send(b"\x1b[51;1:1u\x1b[51;1:3u");
        session.wait_for_text("[3 Runs]");
        session.send(b"\x1b[47:63;2u");
        session.wait_for_text("Keys on this screen");
        session.send(b"\x1b[27u");
        session.wait_for("the help closed", |screen| !screen.contents().contains("Keys on this screen"));
        session.send(b"\x1b[58;1u");
        session.wait_for_text("Commands");
        for letter in b"go to train" {
            session.send(format!("\x1b[{letter}u").as_bytes());
        }
        session.send(b"\x1b[13u");
        session.wait_for_text("[2 Train]");
        session.send(leaves);
        assert!(session.wait_for_end().0.success(), "{leaves:?}");
        session.wait_until_restored();
    }
}

#[test]
fn the_keyboard_is_asked_for_as_usual_and_given_back_whatever_ends_the_workbench() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [None, Some(Signal::TERM), Some(Signal::HUP)] {
        let mut session = start(&[], &[], folder.path());
        session.wait_for_text("mammoscope");
        let bytes = session.bytes();
        assert!(contains(&bytes, b"\x1b[>0u") && contains(&bytes, b"\x1b[>4;0m"), "{signal:?}");
        match signal {
            None => session.send(b"q"),
            Some(signal) => kill_process(Pid::from_raw(session.pid()).unwrap(), signal).unwrap(),
        }
        session.wait_for_end();
        session.wait_until_restored();
        let bytes = session.bytes();
        let pops = bytes.windows(4).filter(|part| *part == b"\x1b[<u").count();
        assert_eq!(pops, 1, "{signal:?}: as often as pushed");
        let left = bytes.windows(8).rposition(|part| part == b"\x1b[?1049l").unwrap();
        let popped = bytes.windows(4).rposition(|part| part == b"\x1b[<u").unwrap();
        assert!(popped < left, "{signal:?}: on the screen where it was pushed");
    }
}

#[test]
fn letters_of_another_layout_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = start(&[], &[], folder.path());
    session.wait_for_text("[1 Datasets]");
    // In the places of q and of 3 on other keyboards.
    session.send("йλ".as_bytes());
    session.wait_for_text("й is not a key here: is another keyboard layout active?");
    assert!(session.contents().contains("[1 Datasets]"), "nothing acts by its place");
    quit(&mut session);
}

#[test]
fn a_clock_that_is_set_back_changes_neither_the_axis_nor_the_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained_run(folder.path());
    let events = std::fs::read_to_string(run.events()).unwrap();
    let mut is_back = false;
    let lines = events.lines().map(|line| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        if is_back {
            let time: chrono::DateTime<Utc> = event["time"].as_str().unwrap().parse().unwrap();
            event["time"] = (time - chrono::TimeDelta::hours(1)).to_rfc3339().into();
        }
        is_back |= event["event"] == "epoch_ended" && event["epoch"] == 2;
        event.to_string() + "\n"
    });
    let changed: String = lines.collect();
    assert!(is_back);
    std::fs::write(run.events(), changed).unwrap();

    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (120, 40));
    session.send(b"3");
    session.wait_for_text("[3 Runs]");
    session.wait_for("the last checkpoint", |screen| {
        screen.contents().lines().any(|line| line.contains("saved") && line.contains("step 40"))
    });
    // 40 steps of 0.4 s: the axis ends after 16 s, not after an hour, and not at the time of the change.
    session.send(b"XX");
    session.wait_for("the axis of time", |screen| {
        let text = screen.contents();
        text.contains("15s") && !text.contains("1h")
    });
    quit(&mut session);
}
