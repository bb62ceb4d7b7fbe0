//! `cargo xtask bench`: the forward pass of the engine, in turns with the same network in Python's torch.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context as _, bail};

use crate::bench_table::{OurReport, OurResult, PeerReport, PeerResult, markdown_table};
use crate::checkout::{Checkout, exit_code, run_to_end};
use crate::setup;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArguments {
    /// A virtual environment with torch 2.11, to measure the same network there
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
    /// The script that measures in that environment
    #[arg(long, value_name = "FILE", default_value = "../shared/peers/bench_torch.py")]
    script: PathBuf,
    /// How often both are run, in turns: ours, theirs, ours, theirs …
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Threads for both [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Builds the release binaries, measures and prints a Markdown table with the median of the rounds.
pub(crate) fn run(checkout: &Checkout, arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let built = run_to_end(&mut checkout.cargo(["build", "--release"]))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = arguments.threads.unwrap_or(cores).to_string();
    let peer = Peer::find(checkout, arguments)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        ours.extend(measure_ours(checkout, &threads)?);
        if let Some(peer) = &peer {
            theirs.extend(peer.measure(&threads)?);
        }
    }
    println!("{}", markdown_table(&ours, &theirs));
    Ok(ExitCode::SUCCESS)
}

fn measure_ours(checkout: &Checkout, threads: &str) -> anyhow::Result<Vec<OurResult>> {
    let engine = checkout.release_binary("mammoscope-engine");
    let output = Command::new(&engine)
        .args(["bench", "forward", "--json"])
        .env("OMP_NUM_THREADS", threads)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {}", engine.display()))?;
    if !output.status.success() {
        bail!("mammoscope-engine bench forward failed ({})", output.status);
    }
    let report: OurReport =
        serde_json::from_slice(&output.stdout).context("read the figures of mammoscope-engine bench forward")?;
    Ok(report.results)
}

/// Python's torch, as found on this machine.
struct Peer {
    python: PathBuf,
    script: PathBuf,
    figures: PathBuf,
}

impl Peer {
    /// The peer that the arguments name; `None`, and a line that says so, where there is none to measure.
    fn find(checkout: &Checkout, arguments: &BenchArguments) -> anyhow::Result<Option<Self>> {
        let script = checkout.root.join(&arguments.script);
        let Some(environment) = &arguments.peers else {
            eprintln!("skipped: Python's torch is not measured (--peers DIR names its virtual environment)");
            return Ok(None);
        };
        if !script.is_file() {
            eprintln!("skipped: Python's torch is not measured, {} is absent", script.display());
            return Ok(None);
        }
        let python = environment.join("bin/python3");
        if !python.is_file() {
            bail!("{} is no virtual environment: it has no bin/python3", environment.display());
        }
        let figures = env::temp_dir().join(format!("mammoscope-bench-{}.json", std::process::id()));
        Ok(Some(Self { python, script, figures }))
    }

    fn measure(&self, threads: &str) -> anyhow::Result<Vec<PeerResult>> {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).args(["--only", "forward", "--threads", threads, "--json"]).arg(&self.figures);
        let status = run_to_end(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        if !status.success() {
            bail!("{} failed ({status})", self.script.display());
        }
        read_peer_report(&self.figures)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Absent where no round came to its end.
        let _ = fs::remove_file(&self.figures);
    }
}

fn read_peer_report(path: &Path) -> anyhow::Result<Vec<PeerResult>> {
    let text = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let report: PeerReport = serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    Ok(report.results)
}
