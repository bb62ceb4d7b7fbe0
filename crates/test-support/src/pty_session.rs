//! A program in a pseudo-terminal: a test types keys and reads the screen. It waits for conditions, never for a fixed
//! time.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use vt100::Parser;
pub use vt100::{Color, Screen};

/// Longer than anything takes on any machine.
const TIMEOUT: Duration = Duration::from_secs(90);

struct Shown {
    parser: Parser,
    bytes: Vec<u8>,
    ended: bool,
    closing: bool,
}

/// A program in a terminal of its own.
pub struct PtySession {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    reading: Option<JoinHandle<()>>,
}

impl PtySession {
    /// Starts `mammoscope` in a terminal of `(columns, rows)` that answers no queries.
    pub fn start(arguments: &[&str], folder: &Path, (columns, rows): (u16, u16)) -> Self {
        Self::start_with(arguments, &[], folder, (columns, rows))
    }

    /// [`Self::start`] with environment variables.
    pub fn start_with(arguments: &[&str], variables: &[(&str, &str)], folder: &Path, size: (u16, u16)) -> Self {
        Self::start_program(&crate::program(), arguments, variables, folder, size)
    }

    /// Starts any program with environment variables.
    pub fn start_program(
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
        folder: &Path,
        (columns, rows): (u16, u16),
    ) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env("XDG_DATA_HOME", folder);
        // A user without settings who has seen the tour.
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("home");
        command.env("XDG_CONFIG_HOME", home.join("config"));
        command.env("XDG_STATE_HOME", home.join("state"));
        command.env_remove("MAMMOSCOPE_CONFIG");
        command.env("OMP_WAIT_POLICY", "PASSIVE");
        for variable in [
            "TMUX",
            "STY",
            "NO_COLOR",
            "COLORTERM",
            "COLORFGBG",
            "COLUMNS",
            "LINES",
            "TERM_PROGRAM",
            "LC_TERMINAL",
            "KITTY_WINDOW_ID",
        ] {
            command.env_remove(variable);
        }
        for (variable, value) in variables {
            command.env(variable, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        // A terminal that does not know its size is as large as terminals usually are.
        let parser = Parser::new(if rows == 0 { 24 } else { rows }, if columns == 0 { 80 } else { columns }, 0);
        let shown =
            Arc::new((Mutex::new(Shown { parser, bytes: Vec::new(), ended: false, closing: false }), Condvar::new()));
        let filled = Arc::clone(&shown);
        let reading = std::thread::spawn(move || {
            let mut buffer = [0; 1 << 14];
            loop {
                let length = reader.read(&mut buffer).unwrap_or(0);
                let mut shown = filled.0.lock().unwrap();
                shown.parser.process(&buffer[..length]);
                shown.bytes.extend_from_slice(&buffer[..length]);
                shown.ended |= length == 0;
                filled.1.notify_all();
                if length == 0 || shown.closing {
                    return;
                }
            }
        });
        Self { child, master: Some(pair.master), writer: Some(writer), shown, reading: Some(reading) }
    }

    /// Sends bytes to the program as typed input.
    pub fn send(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(bytes).unwrap();
        writer.flush().unwrap();
    }

    /// Waits until the screen is as wanted. The message of a failure shows the screen.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Screen) -> bool) {
        let end = Instant::now() + TIMEOUT;
        let mut shown = self.shown.0.lock().unwrap();
        while !wanted(shown.parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "{what} did not appear:\n{}", shown.parser.screen().contents());
            shown = self.shown.1.wait_timeout(shown, left.min(Duration::from_millis(200))).unwrap().0;
        }
    }

    /// Waits until the screen shows this text.
    pub fn wait_for_text(&self, text: &str) {
        self.wait_for(text, |screen| screen.contents().contains(text));
    }

    /// Reads something off the current screen.
    pub fn read<T>(&self, reader: impl FnOnce(&Screen) -> T) -> T {
        reader(self.shown.0.lock().unwrap().parser.screen())
    }

    /// The text of the current screen.
    pub fn contents(&self) -> String {
        self.read(Screen::contents)
    }

    /// Waits until the program has written these bytes.
    pub fn wait_for_bytes(&self, wanted: &[u8]) {
        let end = Instant::now() + TIMEOUT;
        let mut shown = self.shown.0.lock().unwrap();
        while !shown.bytes.windows(wanted.len()).any(|part| part == wanted) {
            let text = String::from_utf8_lossy(wanted).into_owned();
            assert!(Instant::now() < end && !shown.ended, "{text:?} was not sent");
            shown = self.shown.1.wait_timeout(shown, Duration::from_millis(200)).unwrap().0;
        }
    }

    /// Everything that the program has written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.shown.0.lock().unwrap().bytes.clone()
    }

    /// Resizes the terminal to `(columns, rows)`.
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        self.shown.0.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    pub fn pid(&self) -> i32 {
        self.child.process_id().unwrap() as i32
    }

    /// Closes the terminal, as a closed window or a lost connection does.
    pub fn close_terminal(&mut self) {
        self.stop_reading();
        self.writer = None;
        self.master = None;
    }

    /// Stops reading the program's output, as a stalled connection does.
    pub fn stop_reading(&mut self) {
        // The reader thread holds the terminal open as well. The program's output for another size wakes it.
        self.shown.0.lock().unwrap().closing = true;
        self.resize((90, 30));
        self.reading.take().unwrap().join().unwrap();
    }

    /// Waits until the program has ended and all that it wrote was read. Returns its status and the time that took.
    pub fn wait_for_end(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let elapsed = start.elapsed();
                self.wait_for_last_output();
                return (status, elapsed);
            }
            assert!(start.elapsed() < TIMEOUT, "the program does not end:\n{}", self.contents());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The terminal is at its end when the last program with it has ended; a reader that was stopped sees no end.
    fn wait_for_last_output(&self) {
        let end = Instant::now() + TIMEOUT;
        let mut shown = self.shown.0.lock().unwrap();
        while !shown.ended && !shown.closing {
            assert!(Instant::now() < end, "another program holds the terminal");
            shown = self.shown.1.wait_timeout(shown, Duration::from_millis(200)).unwrap().0;
        }
    }

    /// Waits until the terminal is as a program should leave it: normal screen, cursor shown, no mouse reports, no
    /// bracketed paste.
    pub fn wait_until_restored(&self) {
        let end = Instant::now() + TIMEOUT;
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            let screen = shown.parser.screen();
            let no_mouse = screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
            if !screen.alternate_screen() && !screen.hide_cursor() && no_mouse && !screen.bracketed_paste() {
                return;
            }
            assert!(Instant::now() < end, "the terminal was not restored");
            shown = self.shown.1.wait_timeout(shown, Duration::from_millis(200)).unwrap().0;
        }
    }
}

impl Drop for PtySession {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
