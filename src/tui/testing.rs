//! Helpers for tests of the workbench: a workbench without a terminal, and its drawing as text with styles.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

use super::app::App;
use super::services::pictures::PictureService;
use super::shared_state::SharedState;
use super::theme::Theme;
use super::view_state::ViewState;
use crate::settings::Settings;
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::graphics::{GraphicsFacts, PicturePlacement};
use crate::terminal::graphics_protocol::GraphicsProtocol;
use crate::terminal::input::{Input, Key};
use crate::terminal::sizes::Cells;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::jobs::JobList;
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::RunList;
use crate::tui::protocol::verb::KeyMap;
use mammoscope_imaging::intensity_window::WindowChoice;

/// The time on the tests' clock.
pub(super) fn fixed_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

/// An empty shared state.
pub(super) fn empty_shared_state() -> SharedState {
    let mut graphics = GraphicsFacts::new(PicturePlacement::Screen, Some(GraphicsProtocol::Halfblocks), |_| None);
    graphics.resolve();
    SharedState {
        keymap: KeyMap::default(),
        workspace: "/density/workspace".into(),
        home: None,
        now: fixed_time(),
        theme: Theme { depth: ColorDepth::True, light: false, ascii: false },
        graphics,
        machine: MachineSample::default(),
        runs: RunList::default(),
        jobs: JobList::default(),
        window: WindowChoice::default(),
        settings: Settings::default(),
    }
}

/// A workbench that was opened for the first time.
pub(super) fn fresh_app() -> App {
    App::new(empty_shared_state(), ViewState::default())
}

/// Presses keys; returns the effects of the last one.
pub(super) fn press(app: &mut App, keys: &[Key]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys {
        effects = app.update(UiMessage::Input(Input::Key(*key)), fixed_time());
    }
    effects
}

/// The sizes of a terminal that snapshots are drawn at.
pub(super) const SIZES: [(&str, (u16, u16)); 3] = [("80x24", (80, 24)), ("120x40", (120, 40)), ("200x55", (200, 55))];

/// Compares the drawing of a state with its snapshots at all sizes; [`drawn`] draws it unless another function is named.
macro_rules! assert_drawn {
    ($name:expr, $app:expr) => {
        $crate::tui::testing::assert_drawn!($name, $app, $crate::tui::testing::drawn)
    };
    ($name:expr, $app:expr, $draw:expr) => {
        for (size_name, size) in $crate::tui::testing::SIZES {
            insta::assert_snapshot!(format!("{}_{size_name}", $name), $draw(&mut *$app, size));
        }
    };
}
pub(super) use assert_drawn;

/// Draws the workbench: the text, followed by the styles with the cells that have them.
pub(super) fn drawn(app: &mut App, size: impl Into<Cells>) -> String {
    let Cells { columns, rows } = size.into();
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| app.draw(frame)).unwrap();
    styled(terminal.backend().buffer())
}

/// Draws the workbench once the picture service has answered everything that a drawing requests.
pub(super) fn settled(app: &mut App, size: (u16, u16)) -> String {
    let (inbox, messages) = std::sync::mpsc::channel();
    let mut service = PictureService::new(inbox);
    for _ in 0..4 {
        drawn(app, size);
        for effect in app.after_draw() {
            match effect {
                Effect::Picture(effect) => service.perform(effect),
                Effect::FindViews(of) => service.find_views(of),
                _ => continue,
            }
            app.update(messages.recv_timeout(std::time::Duration::from_secs(20)).unwrap(), fixed_time());
        }
    }
    drawn(app, size)
}

/// A buffer as text, followed by the styles as `row: from-to style`, without plain cells.
pub(super) fn styled(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    let mut styles = String::new();
    for row in area.rows() {
        let mut line = String::new();
        let mut run: Option<(u16, Style)> = None;
        let mut end_run = |run: &mut Option<(u16, Style)>, end: u16| {
            if let Some((start, style)) = run.take().filter(|(_, style)| *style != plain()) {
                let _ = writeln!(styles, "{:>2}: {start}-{} {}", row.y, end - 1, described(style));
            }
        };
        let mut skip = 0;
        for column in row.columns() {
            let cell = &buffer[(column.x, column.y)];
            if skip > 0 {
                skip -= 1;
            } else {
                line.push_str(cell.symbol());
                skip = super::widgets::fitted::width(cell.symbol()).saturating_sub(1);
            }
            let style = Style { underline_color: None, ..cell.style() };
            if run.is_none_or(|(_, other)| other != style) {
                end_run(&mut run, column.x);
                run = Some((column.x, style));
            }
        }
        end_run(&mut run, area.right());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    format!("{text}---\n{styles}")
}

fn plain() -> Style {
    Style { underline_color: None, ..ratatui::buffer::Cell::default().style() }
}

fn described(style: Style) -> String {
    let mut parts = Vec::new();
    for (name, color) in [("fg", style.fg), ("bg", style.bg)] {
        if let Some(color) = color.filter(|color| *color != ratatui::style::Color::Reset) {
            parts.push(format!("{name} {color}"));
        }
    }
    for (name, modifier) in [
        ("bold", Modifier::BOLD),
        ("dim", Modifier::DIM),
        ("reversed", Modifier::REVERSED),
        ("underlined", Modifier::UNDERLINED),
    ] {
        if style.add_modifier.contains(modifier) {
            parts.push(name.to_owned());
        }
    }
    parts.join(" ")
}
