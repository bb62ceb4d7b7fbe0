//! Random rotation, shift and zoom of training images, a batch at a time, on the device of the images.
//!
//! This reproduces the reference's Keras `ImageDataGenerator`: bilinear interpolation, edge pixels repeated outwards,
//! no rounding, on grey levels before they are standardised.

use mammoscope_domain::random_stream::RandomStream;
use mammoscope_domain::training::training_config::TrainingConfig;
use tch::{Device, Kind, TchError, Tensor};

use super::learning_stream::LearningStream;
use super::libtorch_ext::upload;

/// The distribution of random transforms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    pub seed: u64,
    /// Height and width of the images in pixels.
    pub size: usize,
    /// Largest rotation, in degrees.
    pub rotation: f64,
    /// Largest shift, as a fraction of height and width.
    pub shift: f64,
    /// Largest zoom: factors are within 1 ± zoom.
    pub zoom: f64,
}

impl Augmentation {
    /// The transforms of a configuration; `None` if it disables augmentation.
    #[must_use]
    pub fn new(config: &TrainingConfig) -> Option<Self> {
        let TrainingConfig { seed, size, rotation, shift, zoom, .. } = *config;
        config.augment.then_some(Self { seed, size, rotation, shift, zoom })
    }

    /// Draws the transform of the image at a position (from 0) in an epoch's order: a pure function.
    #[must_use]
    pub fn draw(&self, epoch: u32, position: usize) -> AffineParameters {
        let mut stream = RandomStream::new(self.seed, LearningStream::Augmentation { epoch, position });
        let mut within = |limit: f64| stream.uniform(-limit, limit);
        let shift = self.shift * self.size as f64;
        AffineParameters {
            theta: within(self.rotation),
            tx: within(shift),
            ty: within(shift),
            zx: 1.0 + within(self.zoom),
            zy: 1.0 + within(self.zoom),
        }
    }
}

/// One transform, with the parameter names of Keras, whose x is the row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AffineParameters {
    /// Rotation in degrees.
    pub theta: f64,
    /// Rows by which the image moves up.
    pub tx: f64,
    /// Columns by which the image moves left.
    pub ty: f64,
    /// Factor on the rows; above 1 the image shrinks.
    pub zx: f64,
    /// Factor on the columns.
    pub zy: f64,
}

impl AffineParameters {
    /// The 2×3 matrix that maps an output position (row, column) to the input position, in pixels:
    /// `R(θ)·T(tx, ty)·Z(zx, zy)` around Keras' centre `size/2 + 0.5`, which is one pixel off the true one.
    #[must_use]
    pub fn matrix(&self, size: usize) -> [[f64; 3]; 2] {
        let (sine, cosine) = self.theta.to_radians().sin_cos();
        let centre = size as f64 / 2.0 + 0.5;
        let row = |along: f64, across: f64| {
            let (from_row, from_column) = (along * self.zx, across * self.zy);
            let shift = along * self.tx + across * self.ty;
            [from_row, from_column, shift + centre - (from_row + from_column) * centre]
        };
        [row(cosine, -sine), row(sine, cosine)]
    }
}

/// Transforms each image of a batch N×C×S×S of f32 by its own parameters into a new batch.
///
/// At 650 × 650 pixels, sampling positions in f32 are accurate to 3e-5 of a pixel.
pub fn transform(batch: &Tensor, parameters: &[AffineParameters]) -> Result<Tensor, TchError> {
    let (_, _, height, width) = batch.size4()?;
    if height != width {
        return Err(TchError::Shape(format!("images of {height} × {width} are not square")));
    }
    SamplingTerms::new(parameters, height as usize, batch.device())?.transform(batch)
}

/// The input position (column, row) of each output pixel of N images, where −1 and 1 are the centres of the edge pixels,
/// as the sum of a row term and a column term.
///
/// Both are computed in f64, so that the device only adds them: `affine_grid` is a matrix product, whose positions are
/// off by whole pixels in TF32 or bf16.
#[derive(Debug)]
pub struct SamplingTerms {
    /// N×2×S×1, f32.
    by_row: Tensor,
    /// N×2×1×S, f32.
    by_column: Tensor,
}

impl SamplingTerms {
    /// The terms of transforms of images of `size` × `size` pixels, on a device.
    pub fn new(parameters: &[AffineParameters], size: usize, device: Device) -> Result<Self, TchError> {
        let middle = (size as f64 - 1.0) / 2.0;
        let mut by_row = Vec::with_capacity(parameters.len() * 2 * size);
        let mut by_column = Vec::with_capacity(parameters.len() * 2 * size);
        for parameters in parameters {
            let [row, column] = parameters.matrix(size);
            for [from_row, from_column, shift] in [column, row] {
                // Relative to the middle both terms are small, and so are their rounding errors.
                let at_middle = (from_row + from_column - 1.0) * middle + shift;
                let from_middle = |index: usize| index as f64 - middle;
                by_row.extend((0..size).map(|index| ((from_row * from_middle(index) + at_middle) / middle) as f32));
                by_column.extend((0..size).map(|index| (from_column * from_middle(index) / middle) as f32));
            }
        }
        let (count, size) = (parameters.len() as i64, size as i64);
        Ok(Self {
            by_row: Tensor::f_from_slice(&by_row)?.f_reshape([count, 2, size, 1])?.f_to(device)?,
            by_column: Tensor::f_from_slice(&by_column)?.f_reshape([count, 2, 1, size])?.f_to(device)?,
        })
    }

    /// Memory for the terms of `count` images of `size` × `size` pixels.
    pub fn zeros(count: usize, size: usize, device: Device) -> Result<Self, TchError> {
        let (count, size) = (count as i64, size as i64);
        let zeros = |shape: [i64; 4]| Tensor::f_zeros(shape, (Kind::Float, device));
        Ok(Self { by_row: zeros([count, 2, size, 1])?, by_column: zeros([count, 2, 1, size])? })
    }

    /// Overwrites those of the first images by terms on the host, without a wait for the device.
    pub fn upload(&mut self, terms: &Self) -> Result<(), TchError> {
        for (source, target) in [(&terms.by_row, &self.by_row), (&terms.by_column, &self.by_column)] {
            upload(source, &mut target.f_narrow(0, 0, source.size()[0])?)?;
        }
        Ok(())
    }

    /// Those of the images with the given indices, i64.
    pub fn select(&self, images: &Tensor) -> Result<Self, TchError> {
        let chosen = |tensor: &Tensor| tensor.f_index_select(0, images);
        Ok(Self { by_row: chosen(&self.by_row)?, by_column: chosen(&self.by_column)? })
    }

    /// The tensors that hold them.
    #[cfg(test)]
    pub(super) fn memory(&self) -> [&Tensor; 2] {
        [&self.by_row, &self.by_column]
    }

    /// [`transform`] by these terms.
    pub fn transform(&self, batch: &Tensor) -> Result<Tensor, TchError> {
        const BILINEAR: i64 = 0;
        const BORDER: i64 = 1;
        let transforms = self.by_row.size4()?.0;
        if batch.size4()?.0 != transforms {
            return Err(TchError::Shape(format!("{transforms} transforms for a batch of {:?}", batch.size())));
        }
        // N×S×S×2.
        let grid = self.by_row.f_add(&self.by_column)?.f_permute([0, 2, 3, 1])?;
        batch.f_grid_sampler(&grid, BILINEAR, BORDER, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: AffineParameters = AffineParameters { theta: 0.0, tx: 0.0, ty: 0.0, zx: 1.0, zy: 1.0 };

    fn noise(channels: i64, size: i64) -> Tensor {
        tch::manual_seed(3);
        Tensor::randint(256, [2, channels, size, size], (Kind::Float, Device::Cpu))
    }

    fn largest_difference(one: &Tensor, other: &Tensor) -> f64 {
        (one - other).abs().max().double_value(&[])
    }

    /// Parameters and matrices of the reference at 128 pixels.
    #[test]
    fn matrices_match_the_reference() {
        let cases = [
            (
                AffineParameters { theta: 7.5, tx: 12.8, ty: -19.2, zx: 0.9, zy: 1.15 },
                [
                    [0.892_300_375_236_429_4, -0.150_105_121_053_062_9, 31.825_003_221_382_39],
                    [0.117_473_572_998_046_42, 1.140_161_590_579_881_9, -33.982_474_128_736_88],
                ],
            ),
            (
                AffineParameters { theta: -10.0, tx: -25.6, ty: 25.6, zx: 1.2, zy: 0.8 },
                [
                    [1.181_769_303_614_649_5, 0.138_918_542_134_135_44, -41.450_051_179_597_61],
                    [-0.208_377_813_200_316_4, 0.787_846_202_409_766_4, 56.780_760_721_376_424],
                ],
            ),
        ];
        for (parameters, expected) in cases {
            for (ours, theirs) in parameters.matrix(128).into_iter().flatten().zip(expected.into_iter().flatten()) {
                assert!((ours - theirs).abs() < 1e-12, "{parameters:?}: {ours}, not {theirs}");
            }
        }
    }

    #[test]
    fn the_identity_changes_nothing() {
        for channels in [1, 3] {
            let batch = noise(channels, 64);
            let difference = largest_difference(&transform(&batch, &[IDENTITY; 2]).expect("a batch"), &batch);
            assert!(difference < 1e-3, "{channels} channels differ by {difference:.1e}");
        }
    }

    /// Compares every pixel with the definition in f64; the transforms sample beyond all four edges.
    #[test]
    fn pixels_are_interpolated_and_edges_are_repeated() {
        let size = 40_usize;
        let batch = noise(3, size as i64);
        let parameters = [
            AffineParameters { theta: 8.0, tx: 9.5, ty: -7.25, zx: 1.2, zy: 1.15 },
            AffineParameters { theta: -9.0, tx: -6.0, ty: 5.0, zx: 0.8, zy: 1.2 },
        ];
        let transformed = transform(&batch, &parameters).expect("a batch");
        let edge = size as f64 - 1.0;
        for (image, parameters) in parameters.iter().enumerate() {
            let matrix = parameters.matrix(size);
            for (row, column) in (0..size).flat_map(|row| (0..size).map(move |column| (row, column))) {
                let [above, left] =
                    matrix.map(|[a, b, shift]| (a * row as f64 + b * column as f64 + shift).clamp(0.0, edge));
                let pixel = |channel: i64, row: f64, column: f64| {
                    batch.double_value(&[image as i64, channel, row.min(edge) as i64, column.min(edge) as i64])
                };
                for channel in 0..3 {
                    let (down, right) = (above.fract(), left.fract());
                    let line = |row: f64| {
                        (1.0 - right) * pixel(channel, row, left.floor())
                            + right * pixel(channel, row, left.floor() + 1.0)
                    };
                    let expected = (1.0 - down) * line(above.floor()) + down * line(above.floor() + 1.0);
                    let found = transformed.double_value(&[image as i64, channel, row as i64, column as i64]);
                    assert!((found - expected).abs() < 2e-3, "image {image} at {row}, {column}: {found}, {expected}");
                }
            }
        }
    }

    #[test]
    fn draws_fill_their_limits_and_depend_only_on_seed_epoch_and_position() {
        let augmentation = Augmentation { seed: 5, size: 650, rotation: 10.0, shift: 0.2, zoom: 0.2 };
        assert_eq!(augmentation.draw(3, 8), augmentation.draw(3, 8));
        assert_ne!(augmentation.draw(3, 8), augmentation.draw(3, 9));
        assert_ne!(augmentation.draw(3, 8), augmentation.draw(4, 8));
        assert_ne!(augmentation.draw(3, 8), Augmentation { seed: 6, ..augmentation }.draw(3, 8));
        let draws: Vec<_> = (0..2000).map(|position| augmentation.draw(1, position)).collect();
        let check = |name: &str, part: fn(&AffineParameters) -> f64, middle: f64, limit: f64| {
            let offsets: Vec<f64> = draws.iter().map(|draw| part(draw) - middle).collect();
            let extent = offsets.iter().fold(0.0_f64, |largest, offset| largest.max(offset.abs()));
            let mean = offsets.iter().sum::<f64>() / offsets.len() as f64;
            assert!(extent <= limit && extent > 0.99 * limit, "{name} reaches {extent} of {limit}");
            assert!(mean.abs() < 0.06 * limit, "{name}: the mean is {mean}");
        };
        check("theta", |draw| draw.theta, 0.0, 10.0);
        check("tx", |draw| draw.tx, 0.0, 130.0);
        check("ty", |draw| draw.ty, 0.0, 130.0);
        check("zx", |draw| draw.zx, 1.0, 0.2);
        check("zy", |draw| draw.zy, 1.0, 0.2);
    }

    #[test]
    fn a_batch_needs_one_transform_per_image() {
        let error = transform(&noise(1, 8), &[IDENTITY]).expect_err("two images").to_string();
        assert!(error.contains("1 transforms for a batch of [2, 1, 8, 8]"), "{error}");
    }
}
