//! The terminal: its size, colours and picture protocol.

use std::env;
use std::io::{self, IsTerminal as _};

use super::{Check, State};
use crate::terminal::clipboard::{tmux_copies, tmux_option, tmux_takes_copies};
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::graphics::{GraphicsFacts, PicturePlacement, PictureWay, TextLook};
use crate::terminal::query;
use crate::terminal::terminal_kind::TerminalKind;
use mammoscope_domain::text::printable::printable;

/// The smallest size that the workbench is designed for, in columns and lines.
const MIN_SIZE: (u16, u16) = (80, 24);

/// The facts about the terminal that the check judges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TerminalEnvironment {
    is_terminal: bool,
    /// Columns and lines.
    size: Option<(u16, u16)>,
    term: String,
    colorterm: String,
    program: String,
    in_kitty: bool,
    /// The terminal's own answer.
    answer: Option<PictureWay>,
    tmux: Tmux,
    /// Inside tmux, true if it takes copies, by its own command or from programs.
    tmux_clipboard: bool,
}

/// The presence of tmux between this program and the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tmux {
    #[default]
    Absent,
    /// It passes pictures on to the terminal.
    Open,
    /// It does not pass pictures on, or its setting is unknown.
    Closed,
}

/// Checks the terminal of this process.
pub(super) fn check() -> Check {
    let text = |name| env::var(name).unwrap_or_default();
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = text("TERM_PROGRAM");
    describe(&TerminalEnvironment {
        is_terminal: io::stdout().is_terminal() || io::stderr().is_terminal(),
        size: terminal_size::terminal_size().map(|(width, height)| (width.0, height.0)),
        term: text("TERM"),
        colorterm: text("COLORTERM"),
        // Over SSH, only this variable identifies iTerm2.
        program: if program.is_empty() { text("LC_TERMINAL") } else { program },
        in_kitty: is_set("KITTY_WINDOW_ID"),
        answer: ask_terminal(),
        tmux: if is_set("TMUX") { ask_tmux() } else { Tmux::Absent },
        tmux_clipboard: is_set("TMUX") && (tmux_takes_copies() || tmux_copies()),
    })
}

/// Asks the terminal which pictures it draws; `None` without a terminal or an answer.
fn ask_terminal() -> Option<PictureWay> {
    let can_answer = !matches!(query::kind(), TerminalKind::Dumb | TerminalKind::Unnamed);
    if !can_answer || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return None;
    }
    let mut facts = GraphicsFacts::new(PicturePlacement::Scrollback, None, |name| env::var(name).ok());
    query::measure(&mut facts);
    let text = TextLook { depth: ColorDepth::True, light: false, ascii: false };
    query::ask(&mut facts).then(|| facts.look(text)).flatten().map(|look| look.way)
}

/// Asks the surrounding tmux for its passthrough option; a tmux that is too old does not have it.
fn ask_tmux() -> Tmux {
    match tmux_option(&["-gqv", "allow-passthrough"]).as_slice() {
        b"on" | b"all" => Tmux::Open,
        _ => Tmux::Closed,
    }
}

fn describe(terminal: &TerminalEnvironment) -> Check {
    if !terminal.is_terminal && terminal.term.is_empty() {
        return Check::new("terminal", State::Missing, "none: output goes to a file or another program");
    }
    let mut found =
        vec![if terminal.term.is_empty() { "TERM is not set".to_owned() } else { printable(&terminal.term) }];
    if !terminal.program.is_empty() {
        found.push(printable(&terminal.program));
    }
    if let Some((columns, lines)) = terminal.size {
        found.push(format!("{columns}×{lines}"));
    }
    let true_color = matches!(terminal.colorterm.as_str(), "truecolor" | "24bit") || terminal.term.ends_with("-direct");
    let colors = match (true_color, terminal.term.contains("256color")) {
        (true, _) => "true colour",
        (false, true) => "256 colours",
        (false, false) => "few colours",
    };
    found.push(colors.to_owned());
    found.push(format!("pictures: {}", picture_protocol(terminal)));
    let mut advice = Vec::new();
    let kind = TerminalKind::of_environment(|name| (name == "TERM").then(|| terminal.term.clone()));
    advice.extend(kind.refusal().map(str::to_owned));
    if kind.needs_ascii() {
        found.push("ASCII only".to_owned());
    }
    if let Some((columns, lines)) = terminal.size
        && (columns < MIN_SIZE.0 || lines < MIN_SIZE.1)
    {
        advice.push(format!("make the window at least {}×{}", MIN_SIZE.0, MIN_SIZE.1));
    }
    if terminal.tmux != Tmux::Absent {
        found.push("in tmux".to_owned());
        if terminal.tmux == Tmux::Closed {
            advice.push("for pictures in tmux 3.3 or later, in ~/.tmux.conf: set -g allow-passthrough on".to_owned());
        }
        if !terminal.tmux_clipboard {
            advice.push("to copy paths out of the workbench, in ~/.tmux.conf: set -s set-clipboard on".to_owned());
        }
        if !true_color {
            advice.push("for true colour, in ~/.tmux.conf: set -as terminal-features ',*:RGB'".to_owned());
        }
    } else if !true_color && kind == TerminalKind::Usual {
        advice
            .push("if the terminal has true colour, set COLORTERM=truecolor (ssh needs SendEnv COLORTERM)".to_owned());
    }
    let state = if advice.is_empty() { State::Ok } else { State::Warning };
    Check { name: "terminal", state, found: found.join(", "), advice }
}

/// The picture protocol: the terminal's answer, or else a guess from its name.
fn picture_protocol(terminal: &TerminalEnvironment) -> &'static str {
    match terminal.answer {
        Some(PictureWay::Kitty { .. }) => return "kitty protocol",
        Some(PictureWay::Iterm2) => return "iTerm2 protocol",
        Some(PictureWay::Sixel { .. }) => return "sixel",
        Some(PictureWay::Halfblocks(_) | PictureWay::Ascii { .. }) => return "half blocks",
        None => {}
    }
    let (term, program) = (terminal.term.as_str(), terminal.program.as_str());
    if terminal.in_kitty || term.contains("kitty") || term.contains("ghostty") || program == "ghostty" {
        "kitty protocol"
    } else if ["iTerm.app", "iTerm2", "WezTerm", "mintty", "vscode"].contains(&program) {
        "iTerm2 protocol"
    } else if ["foot", "mlterm", "yaft", "sixel", "contour"].iter().any(|name| term.contains(name)) {
        "sixel"
    } else {
        "half blocks"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kitty() -> TerminalEnvironment {
        TerminalEnvironment {
            is_terminal: true,
            size: Some((120, 40)),
            term: "xterm-kitty".to_owned(),
            colorterm: "truecolor".to_owned(),
            ..TerminalEnvironment::default()
        }
    }

    #[test]
    fn a_good_terminal_needs_no_advice() {
        let check = describe(&kitty());
        assert_eq!((check.state, check.advice.len()), (State::Ok, 0));
        assert_eq!(check.found, "xterm-kitty, 120×40, true colour, pictures: kitty protocol");
    }

    #[test]
    fn tmux_users_get_advice_on_their_settings() {
        let closed = TerminalEnvironment {
            term: "tmux-256color".to_owned(),
            colorterm: String::new(),
            tmux: Tmux::Closed,
            ..kitty()
        };
        let advice = describe(&closed).advice.join("\n");
        assert!(
            advice.contains("set -g allow-passthrough on") && advice.contains("RGB") && advice.contains("clipboard"),
            "{advice}"
        );
        let colorterm = "truecolor".to_owned();
        let open = TerminalEnvironment { colorterm, tmux: Tmux::Open, tmux_clipboard: true, ..closed };
        assert!(describe(&open).advice.is_empty());
    }

    #[test]
    fn a_small_or_colourless_window_is_a_warning() {
        let small = describe(&TerminalEnvironment { size: Some((79, 24)), ..kitty() });
        assert!(small.advice[0].contains("80×24"));
        let plain = describe(&TerminalEnvironment { term: "xterm".to_owned(), colorterm: String::new(), ..kitty() });
        assert!(plain.state == State::Warning && plain.found.contains("few colours"));
    }

    #[test]
    fn a_terminal_that_cannot_show_the_workbench_is_a_warning_with_what_to_use() {
        for term in ["", "dumb"] {
            let check = describe(&TerminalEnvironment { term: term.to_owned(), colorterm: String::new(), ..kitty() });
            assert_eq!(check.state, State::Warning, "{term}");
            assert!(check.advice.len() == 1 && check.advice[0].contains("`mammoscope runs`"), "{:?}", check.advice);
        }
        let console = TerminalEnvironment { term: "linux".to_owned(), colorterm: String::new(), ..kitty() };
        let check = describe(&console);
        assert_eq!((check.state, check.advice.len()), (State::Ok, 0), "{:?}", check.advice);
        assert!(check.found.contains("ASCII only") && check.found.contains("half blocks"), "{}", check.found);
    }

    #[test]
    fn protocols_are_guessed_from_terminal_names() {
        let named = |term: &str, program: &str| {
            picture_protocol(&TerminalEnvironment {
                term: term.to_owned(),
                program: program.to_owned(),
                ..TerminalEnvironment::default()
            })
        };
        assert_eq!(named("xterm-256color", "WezTerm"), "iTerm2 protocol");
        assert_eq!(named("foot", ""), "sixel");
        assert_eq!(named("xterm-ghostty", ""), "kitty protocol");
        assert_eq!(named("xterm-256color", "Apple_Terminal"), "half blocks");
    }

    #[test]
    fn the_terminals_answer_overrides_its_name() {
        let sixel = TerminalEnvironment { answer: Some(PictureWay::Sixel { registers: 256 }), ..kitty() };
        assert_eq!(picture_protocol(&sixel), "sixel");
        let blocks = TerminalEnvironment { answer: Some(PictureWay::Halfblocks(ColorDepth::True)), ..kitty() };
        assert_eq!(picture_protocol(&blocks), "half blocks");
    }

    #[test]
    fn a_missing_terminal_needs_no_advice() {
        let check = describe(&TerminalEnvironment::default());
        assert_eq!((check.state, check.advice.len()), (State::Missing, 0));
    }
}
