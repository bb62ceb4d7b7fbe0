//! Images decoded ahead on other threads while the network computes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_imaging::network_input::{NetworkInput, load_input};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::progress::Progress;

/// An image and what was found in it, or why there is none.
pub(super) type DecodedImage = Result<(NetworkInput, ImageFindings), String>;

/// The images of a job.
pub(super) struct ImageSource<'a> {
    /// The files, in the order of the answers.
    pub(super) samples: &'a [PathBuf],
    /// Height and width of the network's input.
    pub(super) size: usize,
    /// How they become that.
    pub(super) route: InputRoute,
    /// What is white in images of 16 bits.
    pub(super) grey_range: GreyRange,
    /// Who decodes.
    pub(super) decoders: &'a ThreadPool,
    /// Where every decoded image is counted.
    pub(super) progress: &'a Progress,
}

impl ImageSource<'_> {
    /// Decodes batch after batch, the images of a batch side by side, until all are done or nobody wants them.
    pub(super) fn decode_batches(&self, batch_size: usize, sender: &SyncSender<Vec<DecodedImage>>) {
        for batch in self.samples.chunks(batch_size) {
            let decoded = self.decoders.install(|| batch.par_iter().map(|path| self.decode(path)).collect());
            if sender.send(decoded).is_err() {
                return;
            }
        }
    }

    fn decode(&self, path: &Path) -> DecodedImage {
        let decoded = load_input(path, self.size, self.route, self.grey_range).map_err(|error| error.to_string());
        self.progress.step();
        decoded
    }
}
