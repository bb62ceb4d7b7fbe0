//! A real Slurm cluster of one node on loopback, in a temporary folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{skipped, stderr_of, wait_for};

/// The daemons and clients without which there is no cluster.
const PROGRAMS: [&str; 6] = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol"];

/// One cluster at a time: they share the machine's cores.
static ONLY: Mutex<()> = Mutex::new(());

/// A running cluster. Its daemons end when it is dropped.
pub struct SlurmCluster {
    folder: TempDir,
    _only: MutexGuard<'static, ()>,
}

impl SlurmCluster {
    /// Starts a cluster with further lines for `slurm.conf`. Returns `None` and records a skip where that is not possible:
    /// it needs root and Debian's packages slurm-wlm and munge.
    pub fn start(lines: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skipped("a Slurm cluster needs root");
            return None;
        }
        if let Some(missing) = PROGRAMS.iter().find(|program| which(program).is_none()) {
            skipped(&format!("no {missing}: apt-get install slurm-wlm munge"));
            return None;
        }
        let only = ONLY.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = Self { folder: tempfile::tempdir().unwrap(), _only: only };
        cluster.write_configuration(lines);
        if !start_munge(&cluster.path("munged.pid")) {
            skipped("munged does not start");
            return None;
        }
        for (daemon, arguments) in [("slurmctld", [].as_slice()), ("slurmd", &["-N", "localhost"])] {
            let output = cluster.command(daemon).args(arguments).output().unwrap();
            assert!(output.status.success(), "{daemon}: {}", stderr_of(&output));
        }
        wait_for("an idle node", || cluster.output("sinfo", &["-h", "-o", "%T"]).filter(|text| text.contains("idle")));
        Some(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file that Slurm's programs find the cluster by: the value of `SLURM_CONF`.
    pub fn configuration(&self) -> PathBuf {
        self.path("slurm.conf")
    }

    fn write_configuration(&self, lines: &str) {
        for folder in ["state", "spool"] {
            fs::create_dir(self.path(folder)).unwrap();
        }
        let [controller, node] = free_ports();
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let folder = self.folder.path().display();
        let text = format!(
            "ClusterName=local\nSlurmctldHost=localhost\nSlurmctldPort={controller}\nSlurmdPort={node}\n\
             MpiDefault=none\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSwitchType=switch/none\n\
             ReturnToService=2\nSlurmUser=root\nSlurmdUser=root\n\
             SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\n\
             SlurmdSpoolDir={folder}/spool\nStateSaveLocation={folder}/state\n\
             SlurmctldLogFile={folder}/slurmctld.log\nSlurmdLogFile={folder}/slurmd.log\n\
             SchedulerType=sched/backfill\nSchedulerParameters=bf_interval=1,sched_interval=5\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none\n\
             JobRequeue=1\nKillWait=5\n{lines}\n\
             NodeName=localhost CPUs={cpus} State=UNKNOWN\n\
             PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE OverTimeLimit=0 State=UP\n"
        );
        fs::write(self.configuration(), text).unwrap();
    }

    /// A command in this cluster.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(which(program).unwrap_or_else(|| PathBuf::from(program)));
        self.enter(&mut command);
        command
    }

    /// Makes a command one in this cluster.
    pub fn enter(&self, command: &mut Command) {
        command.env("SLURM_CONF", self.configuration()).stdin(Stdio::null());
    }

    /// What a program prints, if it succeeds.
    pub fn output(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = self.command(program).args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The jobs that are pending or running, one per line: id, state, reason.
    pub fn jobs(&self) -> Vec<String> {
        let text = self.output("squeue", &["--me", "-h", "-r", "-o", "%i %T %r"]).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Lets requeued tasks start now, instead of after Slurm's two minutes, and waits until `have_started`. The time is set
    /// again until then: Slurm sets its own once more when it has cleaned up after the attempt before. What Slurm says of a
    /// task cannot tell, since meanwhile it is pending, completing, and pending again.
    ///
    /// The first time is set after two seconds: a node does not launch a job that starts in the second in which it was
    /// killed ("Job credential revoked"), and Slurm then fails it. Its two minutes are there for that.
    pub fn start_now(&self, tasks: &[String], have_started: impl Fn() -> bool) {
        std::thread::sleep(Duration::from_secs(2));
        let start = Instant::now();
        while !have_started() {
            for task in tasks {
                let update = ["update", &format!("JobId={task}"), "StartTime=now"];
                let _ = self.output("scontrol", &update);
            }
            std::thread::sleep(Duration::from_millis(500));
            // Slurm's own two minutes, and its next cycle.
            let is_late = start.elapsed() > Duration::from_secs(300);
            for task in tasks {
                let job = self.output("scontrol", &["show", "job", task]).unwrap_or_default();
                if !have_started() && (is_late || job.contains("JobState=FAILED")) {
                    let log = job.lines().find_map(|line| line.trim().strip_prefix("StdOut="));
                    let log = log.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
                    panic!("{task} has not started again:\n{job}\n{log}");
                }
            }
        }
    }
}

impl Drop for SlurmCluster {
    fn drop(&mut self) {
        let _ = self.output("scancel", &["--me"]);
        for name in ["slurmd", "slurmctld", "munged"] {
            let pid = fs::read_to_string(self.path(&format!("{name}.pid"))).ok();
            let pid = pid.and_then(|text| text.trim().parse().ok()).and_then(Pid::from_raw);
            if let Some(pid) = pid
                && kill_process(pid, Signal::TERM).is_ok()
            {
                // Before its folder is removed. A daemon that hangs does not fail a test.
                for _ in 0..500 {
                    if crate::has_ended(pid.as_raw_nonzero()) {
                        break;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
            }
        }
    }
}

/// Two ports that were free a moment ago.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// A program in PATH, or among the daemons.
fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Starts the authentication service unless it is running; its process is then recorded in `pid`.
fn start_munge(pid: &Path) -> bool {
    let works = || {
        let mut test = Command::new("munge");
        test.arg("-n").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        test.status().is_ok_and(|status| status.success())
    };
    if works() {
        return true;
    }
    let start = "mkdir -p /run/munge && chown munge: /run/munge && su -s /bin/sh munge -c /usr/sbin/munged";
    let _ = Command::new("sh").args(["-c", start]).stdin(Stdio::null()).status();
    if works() {
        let _ = fs::copy("/run/munge/munged.pid", pid);
    }
    works()
}
