//! Measures the peers: the same network in PyTorch, and the reference's training in Keras.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::{Conditions, Figure, Work};
use crate::checkout::run_to_end;

/// The peers that are installed.
#[derive(Debug, Default)]
pub(super) struct Peers {
    torch: Option<Peer>,
    keras: Option<Peer>,
}

/// A Python with a library, and the script that measures it.
#[derive(Debug)]
struct Peer {
    name: &'static str,
    python: PathBuf,
    script: PathBuf,
}

/// The output of the scripts.
#[derive(Debug, Deserialize)]
struct PeerReport {
    results: Vec<PeerResult>,
}

#[derive(Debug, Deserialize)]
struct PeerResult {
    name: String,
    size: u32,
    /// Images per pass, or in the whole timed epoch of Keras' training.
    images: u32,
    /// The memory layout in PyTorch: `contiguous` or `channels_last`.
    layout: Option<String>,
    img_per_s: f64,
}

impl Peers {
    /// Finds the peers with an environment in `environments` and a script in `scripts`, and reports missing ones.
    pub(super) fn find(environments: &Path, scripts: &Path) -> anyhow::Result<Self> {
        if !environments.is_dir() {
            bail!("--peers: {} is not a folder", environments.display());
        }
        let find = |name, environment: &str, script: &str| {
            let python = std::path::absolute(environments.join(environment).join("bin/python3"));
            let peer = Peer { name, python: python.ok()?, script: scripts.join(script) };
            if let Some(absent) = [&peer.python, &peer.script].into_iter().find(|path| !path.is_file()) {
                eprintln!("skipped: {name} ({} is missing)", absent.display());
                return None;
            }
            Some(peer)
        };
        Ok(Self { torch: find("PyTorch", "torch", "bench_torch.py"), keras: find("Keras", "keras", "bench_keras.py") })
    }

    /// Measures all cases of a kind of work once.
    pub(super) fn measure(&self, work: Work, conditions: &Conditions) -> anyhow::Result<Vec<Figure>> {
        let (peer, part) = match work {
            Work::Forward => (&self.torch, "forward"),
            Work::GradCam => (&self.torch, "gradcam"),
            Work::Train => (&self.torch, "train"),
            Work::Pipeline => (&self.keras, "generator"),
            Work::FirstEpoch | Work::GradCamByHand => return Ok(Vec::new()),
        };
        match peer {
            Some(peer) => {
                Ok(peer.measure(part, conditions)?.into_iter().map(|result| peer.figure(work, result)).collect())
            }
            None => Ok(Vec::new()),
        }
    }
}

impl Peer {
    fn measure(&self, part: &str, conditions: &Conditions) -> anyhow::Result<Vec<PeerResult>> {
        let folder = tempfile::tempdir().context("make a temporary folder")?;
        let report = folder.path().join("figures.json");
        let mut command = Command::new(&self.python);
        command.arg(&self.script).args(["--only", part, "--threads", &conditions.threads]);
        // Our rounds replace the script's own retries.
        command.args(["--retries", "0"]).arg("--json").arg(&report);
        command.arg("--sizes").args(conditions.sizes.iter().map(u32::to_string));
        command.arg("--images").arg(conditions.images.path());
        if part == "generator" {
            command.args(["--copies", "1"]);
        }
        let status = run_to_end(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        if !status.success() {
            bail!("{} failed ({status})", self.script.display());
        }
        let text = fs::read(&report).with_context(|| format!("read {}", report.display()))?;
        let report: PeerReport =
            serde_json::from_slice(&text).with_context(|| format!("read the output of {}", self.script.display()))?;
        Ok(report.results)
    }

    fn figure(&self, work: Work, result: PeerResult) -> Figure {
        let PeerResult { name, size, images, layout, img_per_s } = result;
        let batch = if name == "train_seed_pipeline" { super::BATCH } else { images };
        let work = if name == "gradcam_head_only_manual" { Work::GradCamByHand } else { work };
        let variant = [Some(self.name.to_owned()), layout].into_iter().flatten().collect::<Vec<_>>().join(", ");
        Figure { work, size, batch, variant, img_per_s, peak_bytes: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_reports_are_read() {
        let report = r#"{"framework": "pytorch", "results": [
            {"name": "forward", "size": 650, "images": 4, "img_per_s": 4.0, "layout": "channels_last", "reps": 5},
            {"name": "train_seed_pipeline", "size": 650, "images": 32, "img_per_s": 1.5, "note": "…"}
        ]}"#;
        let report: PeerReport = serde_json::from_str(report).expect("their format");
        let peer = Peer { name: "Keras", python: PathBuf::new(), script: PathBuf::new() };
        let figures: Vec<Figure> =
            report.results.into_iter().map(|result| peer.figure(Work::Pipeline, result)).collect();
        assert_eq!(figures.iter().map(|figure| figure.batch).collect::<Vec<_>>(), [4, 4]);
        assert_eq!(figures[0].variant, "Keras, channels_last");
        assert_eq!(figures[1].variant, "Keras");
        let by_hand = r#"{"name": "gradcam_head_only_manual", "size": 650, "images": 1, "img_per_s": 6.0}"#;
        let figure = peer.figure(Work::GradCam, serde_json::from_str(by_hand).expect("their format"));
        assert_eq!(figure.work, Work::GradCamByHand);
    }
}
