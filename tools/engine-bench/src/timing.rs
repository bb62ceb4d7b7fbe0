//! Repeats a case and takes the median and the fastest run.

use std::time::Instant;

use tch::TchError;

/// Seconds per run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timing {
    pub(crate) median_s: f64,
    pub(crate) min_s: f64,
}

/// Times `work` after two warm-up runs. As in the scripts for the other tools, it is run five times at large sizes and
/// four times as often at small ones.
pub(crate) fn time(size: i64, mut work: impl FnMut() -> Result<(), TchError>) -> Result<Timing, TchError> {
    const WARM_UP: usize = 2;
    let runs = if size > 300 { 5 } else { 20 };
    let mut seconds = Vec::with_capacity(runs);
    for run in 0..WARM_UP + runs {
        let start = Instant::now();
        work()?;
        if run >= WARM_UP {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    Ok(Timing { median_s: seconds[runs / 2], min_s: seconds[0] })
}
