//! Timings of one kind of work over sizes, batch sizes and precisions.

use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine::learning::device::{cpu_has_bf16, device_name, select_device, select_precision};
use mammoscope_engine::learning::libtorch_ext::channels_last;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use serde::Serialize;
use tch::{Device, Kind, TchError, Tensor};

use super::timing::{Timing, time};

/// The cases to time.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Cases {
    /// Input sizes
    #[arg(long, value_name = "PX", value_delimiter = ',', default_values_t = [650, 128])]
    sizes: Vec<i64>,
    /// Batch sizes
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [4, 1])]
    batches: Vec<i64>,
    /// Device: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
    /// Precisions: f32 (TF32 on a GPU), f32-strict, bf16
    #[arg(long, value_name = "PRECISION", value_delimiter = ',', default_values_t = [Precision::F32, Precision::Bf16])]
    precisions: Vec<Precision>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The timings of all cases.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) device: String,
    /// CPU threads.
    pub(crate) threads: i32,
    /// One entry per size, batch size and precision.
    pub(crate) results: Vec<CaseTiming>,
}

/// The time of one case.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CaseTiming {
    pub(crate) name: &'static str,
    /// Input height and width in pixels.
    pub(crate) size: i64,
    /// Images per run.
    pub(crate) batch: i64,
    /// f32 or bf16.
    pub(crate) precision: Precision,
    /// Median over the runs, in seconds.
    pub(crate) median_s: f64,
    /// The fastest run, in seconds.
    pub(crate) min_s: f64,
    /// Images per second, by the median.
    pub(crate) img_per_s: f64,
}

/// A kind of work: `prepare` makes the network for a device and a precision, `run` is what is timed.
pub(crate) struct Work<P, R> {
    /// The name of a case of this batch size.
    pub(crate) name: fn(i64) -> &'static str,
    pub(crate) prepare: P,
    pub(crate) run: R,
}

impl Cases {
    /// Times all cases on random inputs that are already on the device. bf16 is skipped on a CPU without instructions
    /// for it.
    pub(crate) fn time<N>(
        &self,
        cuda: &CudaFacts,
        work: &Work<impl Fn(Device, Kind) -> anyhow::Result<N>, impl Fn(&N, &Tensor) -> Result<(), TchError>>,
    ) -> anyhow::Result<Report> {
        let device = select_device(self.device, cuda)?;
        let has_bf16 = device.is_cuda() || cpu_has_bf16();
        let mut report = Report { device: device_name(device), threads: tch::get_num_threads(), results: Vec::new() };
        for &precision in &self.precisions {
            if precision == Precision::Bf16 && !has_bf16 {
                eprintln!("skipped: bf16, since this CPU has no instructions for it");
                continue;
            }
            let (_, kind) = select_precision(precision, device)?;
            let network = (work.prepare)(device, kind)?;
            for &size in &self.sizes {
                for &batch in &self.batches {
                    let input = Tensor::f_randn([batch, 3, size, size], (Kind::Float, device))? * 0.25;
                    let input = channels_last(&input)?;
                    let Timing { median_s, min_s } = time(size, || (work.run)(&network, &input))?;
                    let (name, img_per_s) = ((work.name)(batch), batch as f64 / median_s);
                    report.results.push(CaseTiming { name, size, batch, precision, median_s, min_s, img_per_s });
                }
            }
        }
        Ok(report)
    }
}

impl Report {
    /// Prints the report as JSON, or as a table under a title.
    pub(crate) fn print(&self, json: bool, title: &str, unit: &str) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!("{title} on {}, {} CPU threads", self.device, self.threads);
        for CaseTiming { size, batch, precision, img_per_s, .. } in &self.results {
            println!("{size:>5} px  batch {batch:>3}  {precision:<5} {img_per_s:>9.2} {unit}/s");
        }
        Ok(())
    }
}
