//! The workbench: browse data, start and watch trainings, read evaluations, all in the terminal.
//!
//! One inbox of messages; `App::update` changes the state and returns effects without doing any I/O; services
//! carry them out on threads of their own and answer with messages; a frame is drawn when something changed.

mod app;
mod ascii;
mod fault;
mod frame;
#[doc(hidden)]
pub mod frame_timing;

mod buffered_terminal;
pub mod input_reader;
mod malloc;
mod model;
mod popups;
mod protocol;
mod screens;
mod services;
mod signals;
mod terminal;
#[cfg(test)]
mod testing;
pub mod theme;
mod view_state;
mod widgets;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::terminal::color_depth::ColorDepth;
use crate::terminal::graphics::{GraphicsFacts, PicturePlacement};
use crate::terminal::input::Input;
use crate::terminal::query;
use anyhow::{Context as _, bail};
use app::App;
use buffered_terminal::BufferedTerminal;
use chrono::Utc;
use model::Model;
use services::Services;
use terminal::TerminalGuard;
use theme::Theme;
use view_state::ViewState;

use crate::terminal::graphics_protocol::GraphicsProtocol;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::RunList;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// Between frames: no more than 30 a second.
const FRAME_TIME: Duration = Duration::from_millis(33);
/// Before the answer to a key: it does not wait for the pace of news.
const KEY_FRAME_TIME: Duration = Duration::from_millis(8);
/// How long the terminal may take to answer what it can do.
const QUERY_TIME: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_secs(1);

/// How the workbench is opened.
#[derive(Clone, Debug)]
pub struct WorkbenchOptions {
    /// The workspace.
    pub workspace: Workspace,
    /// How pictures are drawn; `None` leaves it to the terminal.
    pub graphics: Option<GraphicsProtocol>,
    /// Whether only ASCII is drawn.
    pub ascii: bool,
    /// The run to open Runs on, instead of what was shown last.
    pub run: Option<RunDir>,
}

/// Opens the workbench and comes back when it is left. The terminal is as before then, also after an error.
pub fn run(options: WorkbenchOptions) -> anyhow::Result<()> {
    malloc::trim_on_free();
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        bail!("the workbench needs a terminal; `mammoscope --help` lists the commands for scripts");
    }
    let variable = |name: &str| std::env::var(name).ok();
    let folder = options.workspace.path().to_owned();
    let model = Model {
        workspace: folder.clone(),
        now: Utc::now(),
        theme: Theme { depth: ColorDepth::of_environment(variable), light: false, ascii: options.ascii },
        graphics: GraphicsFacts::new(PicturePlacement::Screen, options.graphics, variable),
        machine: MachineSample::default(),
        runs: RunList::default(),
    };
    let mut app = App::new(model, ViewState::read(&folder));
    query::measure(&mut app.model.graphics);
    let (inbox, messages) = channel();
    fault::report_panics(folder.clone(), inbox.clone());
    signals::watch_signals(inbox.clone()).context("watch for signals")?;
    let taken = TerminalGuard::enter().context("take the terminal over")?;
    let screen = BufferedTerminal::new(io::stdout()).context("open the terminal")?;
    input_reader::start_reader(inbox.clone()).context("read the terminal")?;
    Services::watch_machine(inbox.clone());
    let services = Services::new(options.workspace, inbox);
    let mut workbench = Workbench { screen, services, messages, folder, query_end: None };
    let outcome = workbench.live(&mut app, options.run);
    let _ = app.view_state().write(&workbench.folder);
    drop(taken);
    outcome?;
    let at_work = app.model.runs.at_work().count();
    if at_work > 0 {
        let _ = writeln!(
            io::stdout(),
            "{at_work} {}; `mammoscope attach` comes back",
            if at_work == 1 { "training goes on" } else { "trainings go on" }
        );
    }
    Ok(())
}

struct Workbench {
    screen: BufferedTerminal<io::Stdout>,
    services: Services,
    messages: Receiver<UiMessage>,
    folder: PathBuf,
    query_end: Option<Instant>,
}

impl Workbench {
    /// Waits for messages and draws, until it is left.
    fn live(&mut self, app: &mut App, run: Option<RunDir>) -> anyhow::Result<()> {
        self.draw(app)?;
        let mut effects = app.start();
        if let Some(run) = run {
            effects.extend(app.arrive(Destination::Run(run)));
        }
        let mut leaves = self.perform(app, effects)?;
        let (mut last_frame, mut last_tick) = (Instant::now(), Instant::now());
        let (mut changed, mut pace) = (true, FRAME_TIME);
        while !leaves {
            let frame_due = changed.then_some(last_frame + pace);
            let due = [frame_due, self.query_end, Some(last_tick + TICK)].into_iter().flatten().min();
            let timeout = due.map_or(TICK, |due| due.saturating_duration_since(Instant::now()));
            let message = match self.messages.recv_timeout(timeout) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => bail!("the workbench has lost its terminal"),
            };
            let mut next = message;
            while let (false, Some(message)) = (leaves, next) {
                if matches!(message, UiMessage::Input(Input::Key(_))) {
                    pace = KEY_FRAME_TIME;
                }
                leaves |= self.take(app, message)?;
                changed = true;
                next = self.messages.try_recv().ok();
            }
            if self.query_end.is_some_and(|end| Instant::now() >= end) {
                self.query_end = None;
                leaves |= self.take(app, UiMessage::QueryOver)?;
                changed = true;
            }
            if last_tick.elapsed() >= TICK {
                last_tick = Instant::now();
                #[cfg(debug_assertions)]
                fail_if_a_test_wants_it();
                leaves |= self.take(app, UiMessage::Tick)?;
                changed = true;
            }
            if changed && !leaves && last_frame.elapsed() >= pace {
                self.draw(app)?;
                last_frame = Instant::now();
                (changed, pace) = (false, FRAME_TIME);
            }
        }
        Ok(())
    }

    fn take(&mut self, app: &mut App, message: UiMessage) -> anyhow::Result<bool> {
        if matches!(message, UiMessage::Resized) {
            query::measure(&mut app.model.graphics);
        }
        let effects = app.update(message, Utc::now());
        self.perform(app, effects)
    }

    /// Carries effects out; gives whether the workbench is left.
    fn perform(&mut self, app: &mut App, effects: Vec<Effect>) -> anyhow::Result<bool> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::Suspend => self.suspend()?,
                Effect::Redraw => self.redraw()?,
                Effect::QueryTerminal => {
                    let mut stdout = io::stdout().lock();
                    stdout.write_all(query::query().as_bytes()).and_then(|()| stdout.flush())?;
                    self.query_end = Some(Instant::now() + QUERY_TIME);
                }
                Effect::SaveView => {
                    // A workspace that cannot be written to is told by what needs it, not by this.
                    let _ = app.view_state().write(&self.folder);
                }
                effect => self.services.perform(effect),
            }
        }
        Ok(false)
    }

    fn draw(&mut self, app: &mut App) -> anyhow::Result<()> {
        self.screen.draw(|frame| app.draw(frame)).context("draw")?;
        for effect in app.after_draw() {
            self.services.perform(effect);
        }
        Ok(())
    }

    fn redraw(&mut self) -> anyhow::Result<()> {
        // ratatui's own clearing asks the terminal where the cursor is, and some answer nothing.
        self.screen = BufferedTerminal::new(io::stdout()).context("open the terminal")?;
        terminal::clear().context("clear the terminal")
    }

    fn suspend(&mut self) -> anyhow::Result<()> {
        terminal::leave();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        terminal::enter().context("take the terminal back")?;
        self.redraw()
    }
}

/// A test of what happens then cannot wait for a real fault.
#[cfg(debug_assertions)]
fn fail_if_a_test_wants_it() {
    match std::env::var("MAMMOSCOPE_TEST_FAULT").as_deref() {
        Ok("drawing") => panic!("a test wanted this"),
        Ok("thread") => drop(std::thread::spawn(|| panic!("a test wanted this"))),
        _ => {}
    }
}
