//! The signals that interrupt a trainer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};

/// The exit status after a second signal, which is the shell's for SIGINT.
const SECOND_SIGNAL_STATUS: i32 = 130;
/// Stands for no signal.
const NONE: i32 = 0;

/// A signal that interrupts a trainer: it finishes its step, writes a checkpoint and exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InterruptSignal {
    Hangup,
    Interrupt,
    Terminate,
    /// The warning before a job's time limit.
    User1,
    User2,
    CpuTime,
    /// A file would have grown beyond the limit for files.
    FileSize,
}

impl InterruptSignal {
    const ALL: [Self; 7] =
        [Self::Hangup, Self::Interrupt, Self::Terminate, Self::User1, Self::User2, Self::CpuTime, Self::FileSize];

    const fn number(self) -> i32 {
        match self {
            Self::Hangup => SIGHUP,
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
            Self::User1 => SIGUSR1,
            Self::User2 => SIGUSR2,
            Self::CpuTime => SIGXCPU,
            Self::FileSize => SIGXFSZ,
        }
    }

    /// The name by which users know it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::User1 => "SIGUSR1",
            Self::User2 => "SIGUSR2",
            Self::CpuTime => "SIGXCPU",
            Self::FileSize => "SIGXFSZ",
        }
    }

    /// True for a signal of a user, who may insist.
    const fn is_by_user(self) -> bool {
        matches!(self, Self::Interrupt | Self::Terminate)
    }
}

/// The first signal that this process received.
pub(super) struct Signals(Arc<AtomicI32>);

impl Signals {
    /// Installs the signal handlers. A second SIGINT or SIGTERM ends the process at once, except in a Slurm job: there
    /// SIGTERM follows every warning, and Slurm itself ends a process that takes too long.
    pub(super) fn listen(in_foreground: bool, in_slurm: bool) -> io::Result<Self> {
        let (first, insisted) = (Arc::new(AtomicI32::new(NONE)), Arc::new(AtomicBool::new(in_slurm)));
        for signal in InterruptSignal::ALL {
            // A detached trainer ignores the end of its terminal, and so does one that was started by nohup.
            if signal == InterruptSignal::Hangup && (!in_foreground || is_ignored(SIGHUP)) {
                continue;
            }
            let (first, insisted, number) = (Arc::clone(&first), Arc::clone(&insisted), signal.number());
            let on_signal = move || {
                let _ = first.compare_exchange(NONE, number, Ordering::AcqRel, Ordering::Acquire);
                // A single swap, since two threads may handle two signals at the same moment: one is the second.
                if signal.is_by_user() && !in_slurm && insisted.swap(true, Ordering::AcqRel) {
                    signal_hook::low_level::exit(SECOND_SIGNAL_STATUS);
                }
            };
            // SAFETY: the handler changes atomics and calls `_exit`, all allowed in a signal handler.
            unsafe { signal_hook::low_level::register(number, on_signal)? };
        }
        unblock();
        Ok(Self(first))
    }

    /// The first signal so far.
    pub(super) fn received(&self) -> Option<InterruptSignal> {
        let number = self.0.load(Ordering::Acquire);
        InterruptSignal::ALL.into_iter().find(|signal| signal.number() == number)
    }
}

fn is_ignored(signal: i32) -> bool {
    // SAFETY: only reads the disposition of a signal into a struct of this function.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Lets through the signals that were held back since before this program was executed.
fn unblock() {
    // SAFETY: changes the mask of this thread only; the set is initialised before it is used.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in InterruptSignal::ALL {
            libc::sigaddset(&raw mut set, signal.number());
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
}
