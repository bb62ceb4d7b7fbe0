//! Dropout of the last feature map. Its factors are drawn before a pass, which only multiplies by them, and by a generator
//! of their own: a recorded pass therefore draws nothing.

use mammoscope_domain::random_stream::RandomStream;
use tch::{Kind, TchError, Tensor, no_grad};

use super::learning_stream::LearningStream;
use super::libtorch_ext::channels_last;
use super::libtorch_ext::random_generator::RandomGenerator;
use super::resnet::ResNet;

/// The factors of dropout for the batches of a training.
#[derive(Debug)]
pub struct Dropout {
    /// The fraction of values that are set to zero, while the others are scaled up.
    share: f64,
    /// The kind of the last feature map.
    kind: Kind,
    generator: RandomGenerator,
    /// N×K×H×W, channels-last, for the largest batch so far. Smaller ones use those of its first images.
    factors: Option<Tensor>,
}

impl Dropout {
    /// Dropout of feature maps on a device; `None` if nothing is to be dropped.
    pub fn new(share: f64, kind: Kind, device: tch::Device) -> Result<Option<Self>, TchError> {
        let dropout = |generator| Self { share, kind, generator, factors: None };
        (share > 0.0).then(|| RandomGenerator::new(device).map(dropout)).transpose()
    }

    /// Makes the factors drawn from here on a function of the seed.
    pub fn seed(&mut self, seed: u64) -> Result<(), TchError> {
        self.generator.seed(seed)
    }

    /// Draws the factors for a batch of `count` images of `side` × `side` pixels.
    pub fn draw(&mut self, network: &ResNet, count: usize, side: usize) -> Result<(), TchError> {
        no_grad(|| {
            let shape = [vec![count as i64], network.last_map(side).to_vec()].concat();
            let fits = |factors: &Tensor| {
                let size = factors.size();
                size[0] >= shape[0] && size[1..] == shape[1..]
            };
            let factors = match self.factors.take().filter(fits) {
                Some(factors) => factors,
                None => channels_last(&Tensor::f_empty(shape.as_slice(), (self.kind, network.dense_kernel.device()))?)?,
            };
            self.generator.draw_dropout(&mut factors.f_narrow(0, 0, shape[0])?, self.share)?;
            self.factors = Some(factors);
            Ok(())
        })
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> Option<&Tensor> {
        self.factors.as_ref()
    }

    /// The factors that were drawn last, for a batch of `count` images.
    pub fn factors(&self, count: i64) -> Result<Option<Tensor>, TchError> {
        self.factors.as_ref().map(|factors| factors.f_narrow(0, 0, count)).transpose()
    }
}

/// The seed of dropout in one step, so that it is a pure function of the run's seed and the step.
#[must_use]
pub fn dropout_seed(seed: u64, step: u64) -> u64 {
    RandomStream::new(seed, LearningStream::Dropout { step }).below(1 << 62) as u64
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
    use tch::Device;

    use super::*;
    use crate::learning::flat_parameters::FlatParameters;
    use crate::learning::initial_weights::initial_model;

    fn network() -> ResNet {
        let width = WidthFactor::of_stem(8).unwrap();
        let plan = NetworkPlan::new(width);
        let values = initial_model(width, 64, None, 5).tensors;
        let parameters = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
        ResNet::from_tensors(&plan, &parameters.tensors().unwrap()).unwrap()
    }

    fn drawn(dropout: &mut Dropout, network: &ResNet, count: usize, seed: u64) -> Vec<f32> {
        dropout.seed(seed).unwrap();
        dropout.draw(network, count, 650).unwrap();
        let factors = dropout.factors(count as i64).unwrap().unwrap();
        assert_eq!(factors.size(), [count as i64, 32, 21, 21]);
        Vec::try_from(factors.contiguous().flatten(0, -1)).unwrap()
    }

    #[test]
    fn factors_keep_the_mean_and_depend_on_the_seed_alone() {
        let network = network();
        let mut dropout = Dropout::new(0.25, Kind::Float, Device::Cpu).unwrap().unwrap();
        let first = drawn(&mut dropout, &network, 4, 7);
        let address = dropout.factors(4).unwrap().unwrap().data_ptr();
        assert!(first.iter().all(|&factor| factor == 0.0 || (factor - 1.0 / 0.75).abs() < 1e-6));
        // Four standard deviations of a binomial share.
        let dropped = first.iter().filter(|&&factor| factor == 0.0).count() as f64 / first.len() as f64;
        assert!((dropped - 0.25).abs() < 4.0 * (0.25 * 0.75 / first.len() as f64).sqrt(), "{dropped}");
        // Numbers that others draw change nothing.
        let _ = Tensor::rand([9], (Kind::Float, Device::Cpu));
        assert_ne!(drawn(&mut dropout, &network, 4, 8), first);
        assert_eq!(drawn(&mut dropout, &network, 3, 7).len(), first.len() / 4 * 3);
        assert_eq!(drawn(&mut dropout, &network, 4, 7), first);
        assert_eq!(dropout.factors(4).unwrap().unwrap().data_ptr(), address, "the memory stays the same");
        assert!(Dropout::new(0.0, Kind::Float, Device::Cpu).unwrap().is_none());
    }
}
