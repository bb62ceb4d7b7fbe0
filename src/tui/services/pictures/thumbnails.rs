//! The service that makes thumbnails on threads of its own, those on screen first.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage};

use super::encoding::encoded;
use super::library::FileKey;
use crate::terminal::graphics::PictureLook;
use crate::terminal::sizes::{Cells, Pixels};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::pictures::Drawing;
use crate::tui::protocol::thumbnails::{ThumbnailMessage, ThumbnailRequest};
use mammoscope_imaging::decode::read_file;
use mammoscope_imaging::thumbnail::thumbnail;

/// The most threads; each holds one decoded image.
const MAX_THREADS: usize = 4;
/// The largest number of bytes of small pictures that are kept.
const MAX_BYTES: usize = 8 << 20;
/// The first id of a kitty thumbnail, beyond those of other pictures, and the number of ids.
const FIRST_ID: u32 = 0x6d_70_00;
const IDS: u32 = 0x1000;

/// The service of thumbnails.
pub(in crate::tui) struct ThumbnailService {
    inbox: Sender<UiMessage>,
    shared: Option<Arc<Shared>>,
}

/// What the threads share.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    cache: Mutex<SmallPictures>,
}

/// The latest request, without the images that were taken.
#[derive(Default)]
struct Queue {
    look: Option<(PictureLook, Cells)>,
    paths: VecDeque<PathBuf>,
    is_closed: bool,
}

/// The latest small pictures, by their files and the box that they were made for.
#[derive(Default)]
struct SmallPictures {
    pictures: VecDeque<(FileKey, Pixels, Arc<GrayImage>)>,
    bytes: usize,
    last_id: u32,
}

impl ThumbnailService {
    pub(in crate::tui) fn new(inbox: Sender<UiMessage>) -> Self {
        Self { inbox, shared: None }
    }

    pub(in crate::tui) fn perform(&mut self, request: ThumbnailRequest) {
        let shared = self.shared.get_or_insert_with(|| {
            let shared = Arc::<Shared>::default();
            let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_THREADS);
            for _ in 0..threads {
                let (theirs, inbox) = (Arc::clone(&shared), self.inbox.clone());
                thread::spawn(move || work(&theirs, &inbox));
            }
            shared
        });
        let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.look = Some((request.look, request.room));
        queue.paths = request.paths.into();
        shared.changed.notify_all();
    }
}

impl Drop for ThumbnailService {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.queue.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
            shared.changed.notify_all();
        }
    }
}

/// Makes thumbnails until the service is dropped.
fn work(shared: &Shared, inbox: &Sender<UiMessage>) {
    while let Some((path, look, room)) = shared.next() {
        let outcome = drawn(&path, look, room, shared);
        let message = ThumbnailMessage { path, look, room, outcome };
        if inbox.send(UiMessage::Thumbnail(message)).is_err() {
            return;
        }
    }
}

impl Shared {
    /// Waits for the next image; `None` once the service is dropped.
    fn next(&self) -> Option<(PathBuf, PictureLook, Cells)> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some((look, room)) = queue.look
                && let Some(path) = queue.paths.pop_front()
            {
                return Some((path, look, room));
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn drawn(path: &Path, look: PictureLook, room: Cells, shared: &Shared) -> Result<Drawing, Failure> {
    let cache = || shared.cache.lock().unwrap_or_else(PoisonError::into_inner);
    let (key, size) = (FileKey::of(path), look.dots(room));
    let known = cache().get(&key, size);
    let small = if let Some(small) = known {
        small
    } else {
        let small = Arc::new(small_picture(path, look, room)?);
        cache().keep(key, size, &small);
        small
    };
    let picture = Pixels { width: small.width(), height: small.height() };
    let (_, cells) = look.whole_cells(picture);
    let next_id = || {
        let mut cache = cache();
        cache.last_id = (cache.last_id + 1) % IDS;
        FIRST_ID + cache.last_id
    };
    encoded(look, &DynamicImage::ImageLuma8((*small).clone()), cells, next_id)
}

/// A picture that fills the room as far as its proportions allow.
fn small_picture(path: &Path, look: PictureLook, room: Cells) -> Result<GrayImage, Failure> {
    let bytes = read_file(path).map_err(Failure::new)?;
    let box_size = room.pixels(look.cell);
    let made = thumbnail(bytes, box_size.width as usize, box_size.height as usize).map_err(Failure::new)?;
    let image = Pixels { width: made.facts.width, height: made.facts.height };
    let (Pixels { width, height }, _) = look.fit(image, room);
    let small = made.picture;
    let (columns, rows) = (small.width() as u32, small.height() as u32);
    let small = GrayImage::from_raw(columns, rows, small.into_samples()).expect("one sample per pixel");
    Ok(if (columns, rows) == (width, height) { small } else { resize(&small, width, height, FilterType::Triangle) })
}

impl SmallPictures {
    fn get(&mut self, key: &FileKey, size: Pixels) -> Option<Arc<GrayImage>> {
        let at = self.pictures.iter().position(|(known, pixels, _)| known == key && *pixels == size)?;
        let found = self.pictures.remove(at)?;
        let picture = Arc::clone(&found.2);
        self.pictures.push_back(found);
        Some(picture)
    }

    fn keep(&mut self, key: FileKey, size: Pixels, picture: &Arc<GrayImage>) {
        self.bytes += picture.as_raw().len();
        self.pictures.push_back((key, size, Arc::clone(picture)));
        while self.bytes > MAX_BYTES
            && let Some((_, _, oldest)) = self.pictures.pop_front()
        {
            self.bytes -= oldest.as_raw().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use image::Luma;

    use super::*;
    use crate::terminal::color_depth::ColorDepth;
    use crate::terminal::graphics::PictureWay;

    const LOOK: PictureLook =
        PictureLook { way: PictureWay::Halfblocks(ColorDepth::True), cell: Pixels { width: 10, height: 20 } };

    #[test]
    fn thumbnails_are_made_and_a_file_that_is_no_image_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.png", "b.png", "c.png"].map(|name| folder.path().join(name));
        GrayImage::from_pixel(100, 200, Luma([90])).save(&paths[0]).unwrap();
        GrayImage::from_pixel(300, 200, Luma([90])).save(&paths[1]).unwrap();
        std::fs::write(&paths[2], "notes").unwrap();
        let (inbox, messages) = channel();
        let mut service = ThumbnailService::new(inbox);
        let room = Cells { columns: 12, rows: 8 };
        service.perform(ThumbnailRequest { look: LOOK, room, paths: paths.to_vec() });
        let mut found: Vec<ThumbnailMessage> = (0..3)
            .map(|_| match messages.recv_timeout(Duration::from_secs(20)).unwrap() {
                UiMessage::Thumbnail(message) => message,
                other => panic!("{other:?}"),
            })
            .collect();
        found.sort_by(|one, other| one.path.cmp(&other.path));
        let size = |at: usize| found[at].outcome.as_ref().map(Drawing::size).ok();
        assert_eq!(size(0), Some(Cells { columns: 8, rows: 8 }));
        assert_eq!(size(1), Some(Cells { columns: 12, rows: 4 }));
        assert_eq!(size(2), None);
    }

    #[test]
    fn the_cache_keeps_the_latest_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = SmallPictures::default();
        let picture = Arc::new(GrayImage::new(1024, 1024));
        let size = Pixels { width: 1024, height: 1024 };
        let key = |name: &str| FileKey::of(&folder.path().join(name));
        for number in 0..12 {
            cache.keep(key(&number.to_string()), size, &picture);
        }
        assert!(cache.bytes <= MAX_BYTES);
        assert!(cache.get(&key("11"), size).is_some() && cache.get(&key("0"), size).is_none());
        assert!(cache.get(&key("11"), Pixels { width: 8, height: 8 }).is_none(), "made for another room");
    }
}
