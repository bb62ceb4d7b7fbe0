//! The hints of a status about its trainer's process: host, boot and process ID.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};

use mammoscope_domain::run::run_status::RunStatus;

/// The tolerance for a process that seems to have started after its own first message: start times have a resolution of
/// hundredths of a second, and clocks are adjusted.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// Returns the name of this machine.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns an id that changes with every boot of this machine; `None` if the system does not provide one.
#[must_use]
pub fn boot_id() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

/// What can be seen of the process that a status names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessHint {
    /// A process with this ID exists, and it started before the status was written.
    Exists,
    /// None can be seen: it ended, or it is of another container or user.
    NotSeen,
    /// The host was restarted since.
    HostRestarted,
    /// The process is on another host, or not known.
    Unknown,
}

/// Looks for the process that last wrote a status: on this host, since the same boot, and started before the status was
/// written (a later process merely reuses its ID).
#[must_use]
pub fn process_hint(status: &RunStatus) -> ProcessHint {
    let (Some(pid), Some(host)) = (status.pid, &status.host) else { return ProcessHint::Unknown };
    if *host != host_name() {
        return ProcessHint::Unknown;
    }
    if let (Some(then), Some(now)) = (&status.boot_id, boot_id())
        && *then != now
    {
        return ProcessHint::HostRestarted;
    }
    match process_start(pid) {
        ProcessStart::At(time) if time > status.heartbeat + CLOCK_TOLERANCE => ProcessHint::NotSeen,
        ProcessStart::At(_) | ProcessStart::Unknown => ProcessHint::Exists,
        ProcessStart::NoProcess => ProcessHint::NotSeen,
    }
}

enum ProcessStart {
    At(DateTime<Utc>),
    /// The process exists; the system does not report its start time.
    Unknown,
    NoProcess,
}

#[cfg(target_os = "linux")]
fn process_start(pid: u32) -> ProcessStart {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return ProcessStart::NoProcess };
    // The name in parentheses may contain anything. After it: state (field 3) …, start time (22), in ticks since boot;
    // see proc_pid_stat(5).
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace().collect()).unwrap_or_default();
    if matches!(fields.first(), Some(&("Z" | "X"))) {
        // A zombie: it has exited, but its parent has not waited for it.
        return ProcessStart::NoProcess;
    }
    let started = fields.get(19).and_then(|ticks| ticks.parse::<f64>().ok());
    let uptime = fs::read_to_string("/proc/uptime").ok();
    let uptime = uptime.as_deref().and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    let (Some(ticks), Some(uptime)) = (started, uptime) else { return ProcessStart::Unknown };
    let age_s = uptime - ticks / rustix::param::clock_ticks_per_second() as f64;
    ProcessStart::At(Utc::now() - TimeDelta::milliseconds((age_s * 1e3) as i64))
}

#[cfg(not(target_os = "linux"))]
fn process_start(pid: u32) -> ProcessStart {
    let exists = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        // Another user's process exists too.
        .is_some_and(|pid| !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)));
    if exists { ProcessStart::Unknown } else { ProcessStart::NoProcess }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use mammoscope_domain::run::run_status::{RunPhase, STATUS_SCHEMA};
    use mammoscope_domain::subject::view::View;

    fn status(pid: u32) -> RunStatus {
        RunStatus {
            schema: STATUS_SCHEMA,
            state: RunPhase::Running,
            reason: None,
            pid: Some(pid),
            host: Some(host_name()),
            boot_id: boot_id(),
            group: String::new(),
            view: View::CcR,
            step: 0,
            steps_per_epoch: 1,
            epoch: 0,
            epochs: 1,
            best: None,
            images_per_s: None,
            eta_s: None,
            heartbeat: Utc::now(),
            updated: Utc::now(),
        }
    }

    #[test]
    fn a_child_exists_until_it_is_killed_even_as_a_zombie() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let status = status(child.id());
        assert_eq!(process_hint(&status), ProcessHint::Exists);
        let other_host = RunStatus { host: Some("another host".to_owned()), ..status.clone() };
        assert_eq!(process_hint(&other_host), ProcessHint::Unknown);
        let earlier_boot = RunStatus { boot_id: Some("another boot".to_owned()), ..status.clone() };
        assert_eq!(process_hint(&earlier_boot), ProcessHint::HostRestarted);
        let number_reused = RunStatus { heartbeat: Utc::now() - TimeDelta::hours(1), ..status.clone() };
        assert_eq!(process_hint(&number_reused), ProcessHint::NotSeen);
        assert_eq!(process_hint(&RunStatus { pid: None, ..status.clone() }), ProcessHint::Unknown);

        child.kill().unwrap();
        // Killed but not yet waited for, its entry remains as a zombie's.
        while process_hint(&status) != ProcessHint::NotSeen {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(process_hint(&status), ProcessHint::NotSeen);
    }
}
