//! The results of steps, on the device until they are read.

use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::device_number::DeviceNumber;

/// Reading more steps at once is not possible.
pub const LOGGED_STEPS: usize = 1024;
const VALUES: usize = 4;

/// The results of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepResult {
    /// Sum of the losses of the step's images.
    pub loss_sum: f64,
    /// Number of correctly predicted images.
    pub correct: f64,
    /// Norm of the gradient before clipping. The sum of squares is f32, so norms above 1e19 are infinite.
    pub gradient_norm: f64,
    /// True if loss, gradient or moving statistics were not finite in this step or an earlier one. Such steps leave the
    /// weights, the moving statistics, the optimizer's moments and the moving average unchanged.
    pub is_skipped: bool,
}

/// The results of the last steps.
#[derive(Debug)]
pub struct StepLog {
    /// The results of the step at work, of f64 in the order of [`StepResult`].
    current: [Tensor; VALUES],
    all: Tensor,
    /// [`LOGGED_STEPS`]×4, written in turn.
    rows: Tensor,
    /// The row of the step at work.
    row: DeviceNumber,
    /// Steps so far, without the one at work.
    steps: u64,
}

impl StepLog {
    pub fn new(device: Device) -> Result<Self, TchError> {
        let all = Tensor::f_zeros([VALUES as i64], (Kind::Double, device))?;
        let value = |place: i64| all.f_select(0, place);
        Ok(Self {
            current: [value(0)?, value(1)?, value(2)?, value(3)?],
            rows: Tensor::f_zeros([LOGGED_STEPS as i64, VALUES as i64], (Kind::Double, device))?,
            row: DeviceNumber::new(&[1], Kind::Int64, device)?,
            all,
            steps: 0,
        })
    }

    /// Counts a step. Not recorded.
    pub fn start_step(&mut self) -> Result<(), TchError> {
        self.row.set((self.steps % LOGGED_STEPS as u64) as f64)?;
        self.steps += 1;
        Ok(())
    }

    /// Sets the results to zero, before the first batch of a step.
    pub fn clear(&mut self) -> Result<(), TchError> {
        self.all.f_zero_().map(drop)
    }

    /// Adds the results of a batch: the mean loss, f32, of `count` images, and the number of correct predictions.
    pub fn add(&mut self, mean_loss: &Tensor, count: i64, correct: &Tensor) -> Result<(), TchError> {
        let [loss_sum, sum, ..] = &mut self.current;
        let _ = loss_sum.f_add_(&mean_loss.f_to_kind(Kind::Double)?.f_mul_scalar(count as f64)?)?;
        let _ = sum.f_add_(correct)?;
        Ok(())
    }

    /// The sum of the losses, one f64.
    pub fn loss_sum(&self) -> &Tensor {
        &self.current[0]
    }

    /// Keeps the results of the step, with its gradient norm and whether it was skipped.
    pub fn finish_step(&mut self, gradient_norm: &Tensor, skipped: &Tensor) -> Result<(), TchError> {
        let [.., norm, flag] = &mut self.current;
        norm.f_copy_(gradient_norm)?;
        flag.f_copy_(skipped)?;
        let _ = self.rows.f_index_copy_(0, self.row.tensor(), &self.all.f_unsqueeze(0)?)?;
        Ok(())
    }

    /// The results of the last `count` steps in order; waits for the device.
    ///
    /// # Panics
    /// If there have been fewer steps, or `count` is above [`LOGGED_STEPS`].
    pub fn last(&self, count: usize) -> Result<Vec<StepResult>, TchError> {
        assert!(count <= LOGGED_STEPS && count as u64 <= self.steps, "{count} of {} steps", self.steps);
        let first = ((self.steps - count as u64) % LOGGED_STEPS as u64) as usize;
        let before_end = count.min(LOGGED_STEPS - first);
        no_grad(|| {
            let mut values = Vec::with_capacity(count * VALUES);
            for (first, count) in [(first, before_end), (0, count - before_end)] {
                let rows = self.rows.f_narrow(0, first as i64, count as i64)?;
                values.extend(Vec::<f64>::try_from(rows.f_reshape([-1])?)?);
            }
            let (rows, _) = values.as_chunks::<VALUES>();
            Ok(rows.iter().map(StepResult::new).collect())
        })
    }

    /// The tensors that steps read and write.
    #[cfg(test)]
    pub(super) fn memory(&self) -> [&Tensor; 3] {
        [&self.all, &self.rows, self.row.tensor()]
    }
}

impl StepResult {
    fn new(&[loss_sum, correct, gradient_norm, skipped]: &[f64; VALUES]) -> Self {
        Self { loss_sum, correct, gradient_norm, is_skipped: skipped != 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64, kind: Kind) -> Tensor {
        Tensor::full([], value, (kind, Device::Cpu))
    }

    fn log_step(log: &mut StepLog, step: usize) {
        log.start_step().unwrap();
        log.clear().unwrap();
        for batch in [0, 1] {
            log.add(&number(0.5, Kind::Float), 4, &number((step % 3 + batch) as f64, Kind::Double)).unwrap();
        }
        let skipped = f64::from(u8::from(step == 2));
        log.finish_step(&number(step as f64, Kind::Float), &number(skipped, Kind::Float)).unwrap();
    }

    #[test]
    fn the_last_steps_are_read_in_order_beyond_the_end_of_the_log() {
        let mut log = StepLog::new(Device::Cpu).unwrap();
        assert_eq!(log.last(0).unwrap(), []);
        let total = LOGGED_STEPS + 10;
        for step in 0..total {
            log_step(&mut log, step);
            let [result] = log.last(1).unwrap()[..] else { panic!("one step") };
            let correct = (2 * (step % 3) + 1) as f64;
            let expected = StepResult { loss_sum: 4.0, correct, gradient_norm: step as f64, is_skipped: step == 2 };
            assert_eq!(result, expected);
        }
        let norms: Vec<f64> = log.last(LOGGED_STEPS).unwrap().iter().map(|result| result.gradient_norm).collect();
        assert_eq!(norms, (10..total).map(|step| step as f64).collect::<Vec<_>>());
        let norms: Vec<f64> = log.last(12).unwrap().iter().map(|result| result.gradient_norm).collect();
        assert_eq!(norms, (total - 12..total).map(|step| step as f64).collect::<Vec<_>>());
    }
}
