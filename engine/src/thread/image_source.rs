//! Decodes images ahead on other threads while the network computes.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_imaging::image_error::ImageError;
use mammoscope_imaging::network_input::{NetworkInput, load_input};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::progress::Progress;

/// An image and the findings of its decoding.
pub(super) type DecodedImage = Result<(NetworkInput, ImageFindings), ImageError>;

/// The images of a job.
pub(super) struct ImageSource<'a> {
    /// The files, in the order of the job's results.
    pub(super) samples: &'a [PathBuf],
    /// Height and width of the network's input in pixels.
    pub(super) size: usize,
    pub(super) route: InputRoute,
    /// The white level of 16-bit images.
    pub(super) grey_range: GreyRange,
    pub(super) decoders: &'a ThreadPool,
    /// Counts every decoded image.
    pub(super) progress: &'a Progress,
}

/// The fewest images that are decoded in parallel, also if a batch has fewer.
const DECODED_TOGETHER: usize = 4;

/// A channel for batches: some being explained or predicted, some ready, some being decoded, so that memory does not grow
/// with the number of images.
pub(super) fn batch_channel(batch_size: usize) -> (SyncSender<Vec<DecodedImage>>, Receiver<Vec<DecodedImage>>) {
    sync_channel((DECODED_TOGETHER / batch_size).max(1))
}

impl ImageSource<'_> {
    /// Decodes images in parallel and sends them batch by batch, until all are done or the receiver is dropped.
    pub(super) fn decode_batches(&self, batch_size: usize, sender: &SyncSender<Vec<DecodedImage>>) {
        for together in self.samples.chunks(batch_size * (DECODED_TOGETHER / batch_size).max(1)) {
            let mut decoded: Vec<DecodedImage> =
                self.decoders.install(|| together.par_iter().map(|path| self.decode(path)).collect());
            while !decoded.is_empty() {
                let rest = decoded.split_off(batch_size.min(decoded.len()));
                if sender.send(mem::replace(&mut decoded, rest)).is_err() {
                    return;
                }
            }
        }
    }

    fn decode(&self, path: &Path) -> DecodedImage {
        let decoded = load_input(path, self.size, self.route, self.grey_range);
        self.progress.step();
        decoded
    }
}
