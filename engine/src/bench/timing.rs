//! How often a case is run, and what counts of it.

use std::time::Instant;

use tch::TchError;

/// Seconds a run: the median, and the fastest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Timing {
    pub(super) median_s: f64,
    pub(super) min_s: f64,
}

/// Times `work` after two runs that do not count. As in the peers' scripts it is run five times at large sizes, four
/// times as often at small ones.
pub(super) fn time(size: i64, mut work: impl FnMut() -> Result<(), TchError>) -> Result<Timing, TchError> {
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
