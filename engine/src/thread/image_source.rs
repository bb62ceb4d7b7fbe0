//! Decodes images ahead on other threads while the network computes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

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

impl ImageSource<'_> {
    /// Decodes batch after batch, the images of a batch in parallel, until all are done or the receiver is dropped.
    pub(super) fn decode_batches(&self, batch_size: usize, sender: &SyncSender<Vec<DecodedImage>>) {
        for batch in self.samples.chunks(batch_size) {
            let decoded = self.decoders.install(|| batch.par_iter().map(|path| self.decode(path)).collect());
            if sender.send(decoded).is_err() {
                return;
            }
        }
    }

    fn decode(&self, path: &Path) -> DecodedImage {
        let decoded = load_input(path, self.size, self.route, self.grey_range);
        self.progress.step();
        decoded
    }
}
