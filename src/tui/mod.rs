//! The workbench: browse data, start and watch training runs, and inspect evaluations, all in the terminal.
//!
//! There is one inbox of messages. `App::update` changes the state and returns effects without doing any I/O; services
//! perform them on threads of their own and answer with messages. A frame is drawn when something has changed.

mod app;
mod ascii;
mod fault;
mod first_start;
mod frame;
#[cfg(feature = "frame-timing")]
#[doc(hidden)]
pub mod frame_timing;

mod buffered_terminal;
pub mod input_reader;
mod malloc;
mod popups;
mod protocol;
mod run_end_signal;
mod screens;
mod services;
mod shared_state;
mod signals;
mod terminal_guard;
#[cfg(debug_assertions)]
mod test_fault;
#[cfg(test)]
mod testing;
pub mod theme;
mod view_state;
mod widgets;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::settings::{Settings, SettingsError, tour_marker};
use crate::terminal::clipboard::copy_sequence;
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::graphics::{GraphicsFacts, PicturePlacement};
use crate::terminal::input::Input;
use crate::terminal::multiplexer::Multiplexer;
use crate::terminal::notification::NotificationProtocol;
use crate::terminal::query;
use crate::terminal::window_size::WindowSize;
use anyhow::{Context as _, bail};
use app::App;
use buffered_terminal::BufferedTerminal;
use chrono::Utc;
use services::Services;
use services::view_saver::ViewSaver;
use shared_state::SharedState;
use terminal_guard::TerminalGuard;
use theme::Theme;
use view_state::ViewState;

use crate::terminal::graphics_protocol::GraphicsProtocol;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::jobs::{JobList, going_on};
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::RunList;
use crate::tui::protocol::verb::KeyMap;
use mammoscope_imaging::intensity_window::WindowChoice;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// The shortest time between frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(33);
/// The shortest time between frames after a key, so that the response is immediate.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(8);
/// The time for the terminal's replies to a query.
const QUERY_TIMEOUT: Duration = Duration::from_millis(200);
/// The time for the last line on the terminal.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// Judges the keys in the user's settings: their verbs must exist, and no key may have two.
pub fn check_keys(settings: &Settings) -> Result<(), SettingsError> {
    KeyMap::of_settings(settings).map(drop)
}

/// The options for opening the workbench.
#[derive(Clone, Debug)]
pub struct WorkbenchOptions {
    pub workspace: Workspace,
    /// The protocol for pictures; `None` to detect it.
    pub graphics: Option<GraphicsProtocol>,
    /// True to draw ASCII characters only.
    pub ascii: bool,
    /// The run to show instead of the saved state.
    pub run: Option<RunDir>,
    pub settings: Settings,
    /// The command that returns to this workspace, named on leaving.
    pub return_command: String,
}

/// Runs the workbench until the user quits it. The terminal is restored on return, also after an error.
pub fn run(options: WorkbenchOptions) -> anyhow::Result<()> {
    malloc::trim_on_free();
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        bail!("the workbench needs a terminal; `mammoscope --help` lists the commands for scripts");
    }
    let folder = options.workspace.path().to_owned();
    let shared = SharedState {
        keymap: KeyMap::of_settings(&options.settings)?,
        workspace: folder.clone(),
        home: std::env::home_dir(),
        now: Utc::now(),
        theme: Theme {
            depth: query::kind().limit(ColorDepth::of_environment(variable)),
            light: false,
            ascii: options.ascii || query::kind().needs_ascii(),
        },
        graphics: GraphicsFacts::new(PicturePlacement::Screen, options.graphics, variable),
        machine: MachineSample::default(),
        runs: RunList::default(),
        jobs: JobList::default(),
        window: WindowChoice::default(),
        settings: options.settings,
    };
    let mut app = App::new(shared, ViewState::read(&folder));
    query::measure(&mut app.shared.graphics);
    let (inbox, messages) = channel();
    fault::report_panics(folder.clone(), inbox.clone());
    signals::watch_signals(inbox.clone()).context("watch for signals")?;
    let taken = TerminalGuard::enter(app.shared.settings.mouse).context("take the terminal over")?;
    let size = WindowSize::of_terminal();
    let screen = BufferedTerminal::new(io::stdout(), size.cells).context("open the terminal")?;
    if size.is_assumed {
        app.warn_of_size(size.cells);
    }
    input_reader::start_reader(inbox.clone()).context("read the terminal")?;
    services::watch_machine(inbox.clone());
    let services = Services::new(&options.workspace, &inbox);
    let saver = ViewSaver::start(folder);
    let mut workbench = Workbench { screen, services, messages, saver, query_end: None };
    let outcome = workbench.live(&mut app, options.run);
    workbench.saver.save(app.view_state());
    drop(taken);
    // While preprocessing ends, nothing else is seen on the terminal as it was before.
    let said = say_farewell(app.shared.jobs.farewell());
    drop(workbench);
    let _ = said.recv_timeout(FAREWELL_TIMEOUT);
    outcome?;
    if let Some((text, are_several)) = going_on(app.shared.runs.active().count(), app.shared.jobs.lasting()) {
        let keep = if are_several { "keep" } else { "keeps" };
        let _ = writeln!(io::stdout(), "{text} {keep} running; `{}` returns to the workbench", options.return_command);
    }
    Ok(())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Prints a line, if there is one; reports when that is done, which is never in a terminal that has stopped reading.
fn say_farewell(text: String) -> Receiver<()> {
    let (done, said) = channel();
    if !text.is_empty() {
        thread::spawn(move || {
            // A terminal that was hung up takes no text.
            let _ = writeln!(io::stdout(), "{text}");
            let _ = done.send(());
        });
    }
    said
}

struct Workbench {
    screen: BufferedTerminal<io::Stdout>,
    services: Services,
    messages: Receiver<UiMessage>,
    saver: ViewSaver,
    query_end: Option<Instant>,
}

impl Workbench {
    /// Handles messages and draws frames until the user quits.
    fn live(&mut self, app: &mut App, run: Option<RunDir>) -> anyhow::Result<()> {
        self.draw(app)?;
        let mut effects = app.start();
        if let Some(run) = run {
            effects.extend(app.navigate(Destination::Run(run)));
        }
        if first_start::is_first_start(tour_marker().as_deref()) {
            app.show_tour();
        }
        let mut quits = self.perform(app, effects)?;
        let (mut last_frame, mut last_tick) = (Instant::now(), Instant::now());
        let (mut changed, mut pace) = (true, FRAME_INTERVAL);
        while !quits {
            let frame_due = changed.then_some(last_frame + pace);
            let due = [frame_due, self.query_end, Some(last_tick + TICK_INTERVAL)].into_iter().flatten().min();
            let timeout = due.map_or(TICK_INTERVAL, |due| due.saturating_duration_since(Instant::now()));
            let message = match self.messages.recv_timeout(timeout) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => bail!("the workbench has lost its terminal"),
            };
            let mut next = message;
            while let (false, Some(message)) = (quits, next) {
                if matches!(message, UiMessage::Input(Input::Key(_))) {
                    pace = KEY_FRAME_INTERVAL;
                }
                quits |= self.take(app, message)?;
                changed = true;
                next = self.messages.try_recv().ok();
            }
            if self.query_end.is_some_and(|end| Instant::now() >= end) {
                self.query_end = None;
                quits |= self.take(app, UiMessage::QueryOver)?;
                changed = true;
            }
            if last_tick.elapsed() >= TICK_INTERVAL {
                last_tick = Instant::now();
                #[cfg(debug_assertions)]
                test_fault::fail_on_request();
                quits |= self.take(app, UiMessage::Tick)?;
                changed = true;
            }
            if changed && !quits && last_frame.elapsed() >= pace {
                self.draw(app)?;
                last_frame = Instant::now();
                (changed, pace) = (false, FRAME_INTERVAL);
            }
        }
        Ok(())
    }

    fn take(&mut self, app: &mut App, message: UiMessage) -> anyhow::Result<bool> {
        if matches!(message, UiMessage::Resized) {
            query::measure(&mut app.shared.graphics);
        }
        let effects = app.update(message, Utc::now());
        self.perform(app, effects)
    }

    /// Performs effects; returns `true` if one of them is to quit.
    fn perform(&mut self, app: &mut App, effects: Vec<Effect>) -> anyhow::Result<bool> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::Suspend => self.suspend()?,
                Effect::Redraw => self.redraw()?,
                Effect::TakeMouse(mouse) => terminal_guard::take_mouse(mouse).context("switch the mouse")?,
                Effect::QueryTerminal => {
                    let mut stdout = io::stdout().lock();
                    stdout.write_all(query::query().as_bytes()).and_then(|()| stdout.flush())?;
                    self.query_end = Some(Instant::now() + QUERY_TIMEOUT);
                }
                Effect::SaveView => self.saver.save(app.view_state()),
                Effect::Copy(text) => {
                    let mut stdout = io::stdout().lock();
                    let sequence = copy_sequence(&text, Multiplexer::of_environment(variable));
                    stdout.write_all(sequence.as_bytes()).and_then(|()| stdout.flush())?;
                    drop(stdout);
                    self.services.perform(Effect::Copy(text));
                }
                Effect::Signal(text) => {
                    let known = NotificationProtocol::of_terminal(app.shared.graphics.version(), variable);
                    let multiplexer = Multiplexer::of_environment(variable);
                    let signal = run_end_signal::bytes(&text, app.shared.settings.run_end, known, multiplexer);
                    let mut stdout = io::stdout().lock();
                    stdout.write_all(&signal).and_then(|()| stdout.flush())?;
                }
                effect => self.services.perform(effect),
            }
        }
        Ok(false)
    }

    fn draw(&mut self, app: &mut App) -> anyhow::Result<()> {
        self.screen.resize(WindowSize::of_terminal().cells).context("resize")?;
        self.screen.draw(|frame| app.draw(frame)).context("draw")?;
        for effect in app.after_draw() {
            self.services.perform(effect);
        }
        Ok(())
    }

    fn redraw(&mut self) -> anyhow::Result<()> {
        // ratatui's own `clear` queries the cursor position, and some terminals never answer.
        let size = WindowSize::of_terminal().cells;
        self.screen = BufferedTerminal::new(io::stdout(), size).context("open the terminal")?;
        terminal_guard::clear().context("clear the terminal")
    }

    fn suspend(&mut self) -> anyhow::Result<()> {
        terminal_guard::leave();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        terminal_guard::enter().context("take the terminal back")?;
        self.redraw()
    }
}
