//! Computes explanation maps of a model.

use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_imaging::map_zoom::bilinear_zoom;
use mammoscope_imaging::network_input::NetworkInput;
use mammoscope_imaging::random_map::random_map;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_storage::models::model_file::Model;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::class_activation::{grad_cam, grad_cam_plus_plus, head_gradient, hires_cam, keras_vis_scaled, layer_cam};
use super::occlusion::occlusion;
use super::perturbation::perturbation_curves;
use super::principal_component::eigen_cam;
use super::smooth_grad::smooth_grad;
use crate::learning::folded_resnet::FoldedResNet;
use crate::learning::inference::{batch_size, batch_tensor};
use crate::learning::resnet::ResNet;
use mammoscope_domain::cancellation::{Cancellation, Completion};

/// Logits of the classes A to D.
type Logits = [f32; DensityClass::COUNT];

/// The kind of map to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapRequest {
    pub method: ExplanationMethod,
    pub layer: ExplainedLayer,
    /// Scales Grad-CAM's gradients as keras-vis does.
    pub keras_vis: bool,
    /// Measures insertion and deletion curves as well.
    pub curves: bool,
    pub gradient: GradientSource,
}

/// The source of the gradient at the last layer. At earlier layers it always comes from a backward pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GradientSource {
    /// In closed form, without a backward pass.
    #[default]
    ClosedForm,
    /// By a backward pass, as a check of the closed form.
    Autograd,
}

/// An image and the class to explain.
#[derive(Clone, Copy, Debug)]
pub struct ExplanationInput<'a> {
    /// The seed of SmoothGrad's noise and of a random map.
    pub seed: u64,
    pub input: &'a NetworkInput,
    /// `None` for the predicted class.
    pub class: Option<DensityClass>,
}

/// A network on a device, in f32 or bf16, with the methods that explain it. Maps are always computed in f32.
#[derive(Debug)]
pub struct Explainer {
    network: FoldedResNet,
    device: Device,
}

impl Explainer {
    /// Loads a model onto a device; `kind` is [`Kind::Float`] or [`Kind::BFloat16`].
    pub fn new(model: &Model, device: Device, kind: Kind) -> Result<Self, TchError> {
        let network = no_grad(|| FoldedResNet::new(&ResNet::from_model(model, device)?, kind))?;
        Ok(Self { network, device })
    }

    #[must_use]
    pub fn network(&self) -> &FoldedResNet {
        &self.network
    }

    /// The maps and logits of a batch of images, in their order. An image whose logits are not finite gets an error
    /// of its own.
    pub fn explain(
        &self,
        images: &[ExplanationInput<'_>],
        request: MapRequest,
        cancellation: Cancellation<'_>,
    ) -> Result<Completion<Vec<Result<ExplainedSample, NonfiniteOutput>>>, TchError> {
        if images.is_empty() {
            return Ok(Completion::Done(Vec::new()));
        }
        let inputs: Vec<&NetworkInput> = images.iter().map(|image| image.input).collect();
        let batch = batch_tensor(&inputs)?.f_to(self.device)?;
        let choose = |logits: &[Logits]| -> Vec<DensityClass> {
            images.iter().zip(logits).map(|(image, logits)| image.class.unwrap_or_else(|| predicted(logits))).collect()
        };
        let seeds: Vec<u64> = images.iter().map(|image| image.seed).collect();
        let Completion::Done(maps) = self.maps(&batch, &seeds, request, &choose, cancellation)? else {
            return Ok(Completion::Cancelled);
        };
        let mut samples = maps.into_samples()?;
        if request.curves {
            for (position, sample) in samples.iter_mut().enumerate() {
                let Ok(sample) = sample else { continue };
                let image = batch.f_narrow(0, position as i64, 1)?;
                if self.measure_curves(&image, sample, cancellation)? == Completion::Cancelled {
                    return Ok(Completion::Cancelled);
                }
            }
        }
        Ok(Completion::Done(samples))
    }

    /// Adds the curves of an image's map, unless the map is constant or not finite.
    fn measure_curves(
        &self,
        image: &Tensor,
        sample: &mut ExplainedSample,
        cancellation: Cancellation<'_>,
    ) -> Result<Completion<()>, TchError> {
        if !sample.map.status().is_sound() {
            return Ok(Completion::Done(()));
        }
        let (_, _, rows, columns) = image.size4()?;
        let map = &sample.map;
        let native = Raster::new(map.columns(), map.rows(), Channels::Grey, map.values().to_vec());
        let enlarged = bilinear_zoom(&native, columns as usize, rows as usize);
        let (class, copies) = (sample.class.index() as i64, batch_size(self.device, columns as usize));
        match perturbation_curves(&self.network, image, class, enlarged.samples(), copies, cancellation)? {
            Completion::Done(curves) => {
                sample.curves = Some(curves);
                Ok(Completion::Done(()))
            }
            Completion::Cancelled => Ok(Completion::Cancelled),
        }
    }

    /// The maps of a batch N×3×S×S; `seeds` has one seed per image, and `choose` picks the classes once the logits are
    /// known.
    pub fn maps(
        &self,
        batch: &Tensor,
        seeds: &[u64],
        request: MapRequest,
        choose: &dyn Fn(&[Logits]) -> Vec<DensityClass>,
        cancellation: Cancellation<'_>,
    ) -> Result<Completion<MapBatch>, TchError> {
        let MapRequest { method, layer, .. } = request;
        match method {
            ExplanationMethod::GradCam
            | ExplanationMethod::GradCamPlusPlus
            | ExplanationMethod::HiResCam
            | ExplanationMethod::LayerCam => self.class_activation(batch, request, choose).map(Completion::Done),
            ExplanationMethod::EigenCam => no_grad(|| {
                let sum = self.network.sum_of(batch, layer)?;
                let logits = on_host(&self.network.logits_of(&sum, layer)?)?;
                let maps = eigen_cam(&sum.f_to_kind(Kind::Float)?)?;
                Ok(Completion::Done(MapBatch::new(choose(&logits), logits, maps)))
            }),
            ExplanationMethod::Random => {
                let logits = no_grad(|| on_host(&self.network.forward(batch)?))?;
                let side = layer.side(batch.size4()?.2 as usize);
                let values: Vec<f32> = seeds.iter().flat_map(|&seed| random_map(side, seed).into_samples()).collect();
                let maps = Tensor::f_from_slice(&values)?.f_reshape([-1, side as i64, side as i64])?;
                Ok(Completion::Done(MapBatch::new(choose(&logits), logits, maps)))
            }
            ExplanationMethod::SmoothGrad | ExplanationMethod::Occlusion => {
                self.image_by_image(batch, seeds, request, choose, cancellation)
            }
        }
    }

    /// The methods that combine feature maps and gradients.
    fn class_activation(
        &self,
        batch: &Tensor,
        request: MapRequest,
        choose: &dyn Fn(&[Logits]) -> Vec<DensityClass>,
    ) -> Result<MapBatch, TchError> {
        let layer = request.layer;
        let sum = no_grad(|| self.network.sum_of(batch, layer))?;
        let (logits, classes, gradients);
        if layer.is_last() && request.gradient == GradientSource::ClosedForm {
            logits = no_grad(|| on_host(&self.network.logits_of(&sum, layer)?))?;
            classes = choose(&logits);
            let rows = self.network.dense_kernel().f_index_select(0, &self.indices(&classes)?)?;
            gradients = no_grad(|| head_gradient(&sum, &rows))?;
        } else {
            let leaf = sum.f_detach()?.f_set_requires_grad(true)?;
            let of_leaf = self.network.logits_of(&leaf, layer)?;
            logits = on_host(&of_leaf.f_detach()?)?;
            classes = choose(&logits);
            // An image's logit depends on that image alone, so the gradient of the sum is each image's own.
            let index = self.indices(&classes)?.f_unsqueeze(1)?;
            let chosen = of_leaf.f_gather(1, &index, false)?.f_sum(Kind::Float)?;
            gradients = Tensor::f_run_backward(&[&chosen], &[&leaf], false, false)?.swap_remove(0);
        }
        no_grad(|| {
            let (sum, gradients) = (sum.f_to_kind(Kind::Float)?, gradients.f_to_kind(Kind::Float)?);
            let mut maps = MapBatch::new(classes, logits, Tensor::new());
            maps.maps = match request.method {
                ExplanationMethod::GradCamPlusPlus => grad_cam_plus_plus(&sum, &gradients)?,
                ExplanationMethod::HiResCam => hires_cam(&sum, &gradients)?,
                ExplanationMethod::LayerCam => layer_cam(&sum, &gradients)?,
                _ if request.keras_vis => {
                    let (scaled, all_negative) = keras_vis_scaled(&gradients)?;
                    maps.all_gradients_negative = Vec::try_from(all_negative.f_to(Device::Cpu)?)?;
                    grad_cam(&sum, &scaled)?
                }
                _ => grad_cam(&sum, &gradients)?,
            };
            Ok(maps)
        })
    }

    fn image_by_image(
        &self,
        batch: &Tensor,
        seeds: &[u64],
        request: MapRequest,
        choose: &dyn Fn(&[Logits]) -> Vec<DensityClass>,
        cancellation: Cancellation<'_>,
    ) -> Result<Completion<MapBatch>, TchError> {
        let logits = no_grad(|| on_host(&self.network.forward(batch)?))?;
        let classes = choose(&logits);
        let mut maps = Vec::with_capacity(seeds.len());
        for ((position, &seed), class) in seeds.iter().enumerate().zip(&classes) {
            let image = batch.f_narrow(0, position as i64, 1)?;
            let class = class.index() as i64;
            let map = if request.method == ExplanationMethod::Occlusion {
                let copies = batch_size(self.device, image.size4()?.3 as usize);
                occlusion(&self.network, &image, class, copies, cancellation)?
            } else {
                smooth_grad(&self.network, &image, class, seed, cancellation)?
            };
            let Completion::Done(map) = map else { return Ok(Completion::Cancelled) };
            maps.push(map);
        }
        Ok(Completion::Done(MapBatch::new(classes, logits, Tensor::f_stack(&maps, 0)?)))
    }

    fn indices(&self, classes: &[DensityClass]) -> Result<Tensor, TchError> {
        let indices: Vec<i64> = classes.iter().map(|class| class.index() as i64).collect();
        Tensor::f_from_slice(&indices)?.f_to(self.device)
    }
}

/// The maps of a batch, with the logits they explain.
#[derive(Debug)]
pub struct MapBatch {
    /// N×H×W of f32, signed.
    pub maps: Tensor,
    pub logits: Vec<Logits>,
    /// The class that each map explains.
    pub classes: Vec<DensityClass>,
    all_gradients_negative: Vec<bool>,
}

impl MapBatch {
    fn new(classes: Vec<DensityClass>, logits: Vec<Logits>, maps: Tensor) -> Self {
        Self { maps, all_gradients_negative: vec![false; classes.len()], logits, classes }
    }

    fn into_samples(self) -> Result<Vec<Result<ExplainedSample, NonfiniteOutput>>, TchError> {
        let (images, rows, columns) = self.maps.size3()?;
        let values = Vec::<f32>::try_from(self.maps.f_to(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?)?;
        let maps = values.chunks_exact((rows * columns) as usize).map(<[f32]>::to_vec);
        debug_assert_eq!(maps.len(), images as usize);
        let Self { logits, classes, all_gradients_negative, .. } = self;
        Ok(maps
            .zip(logits.into_iter().zip(classes).zip(all_gradients_negative))
            .map(|(values, ((logits, class), all_gradients_negative))| {
                if logits.iter().any(|logit| !logit.is_finite()) {
                    return Err(NonfiniteOutput);
                }
                let map = ExplanationMap::new(rows as usize, columns as usize, values);
                Ok(ExplainedSample { logits, findings: None, class, map, all_gradients_negative, curves: None })
            })
            .collect())
    }
}

/// The class with the largest logit; A if every logit is NaN, for which no map is made.
fn predicted(logits: &Logits) -> DensityClass {
    let largest = |a: &DensityClass, b: &DensityClass| logits[a.index()].total_cmp(&logits[b.index()]);
    DensityClass::ALL.into_iter().rev().max_by(largest).unwrap_or(DensityClass::A)
}

fn on_host(logits: &Tensor) -> Result<Vec<Logits>, TchError> {
    let flat = Vec::<f32>::try_from(logits.f_to(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?)?;
    Ok(flat.as_chunks().0.to_vec())
}
