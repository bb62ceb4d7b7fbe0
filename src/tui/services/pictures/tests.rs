use ratatui_image::protocol::Protocol;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use image::{GrayImage, Luma};

use super::*;
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::graphics::PictureLook;
use crate::terminal::graphics::PictureWay;
use crate::terminal::sizes::Cells;
use crate::terminal::sizes::Pixels;
use crate::tui::protocol::framing::Framing;
use crate::tui::protocol::pictures::Drawing;
use mammoscope_imaging::intensity_window::WindowChoice;

fn request(way: PictureWay, room: Cells) -> PictureRequest {
    PictureRequest {
        place: PicturePlace::Preview,
        path: PathBuf::from("x.png"),
        room,
        window: WindowChoice::default(),
        framing: Framing::default(),
        painted: None,
        look: PictureLook { way, cell: Pixels { width: 10, height: 20 } },
    }
}

fn drawing(way: PictureWay, picture: GrayImage) -> Drawing {
    let request = request(way, Cells { columns: 4, rows: 2 });
    let (pixels, cells) = request.look.fit(picture.dimensions().into(), request.room);
    assert_eq!(pixels, picture.dimensions().into(), "the picture fits exactly");
    Encoder::default().encode(&request, &picture.into(), cells).unwrap()
}

#[test]
fn iterm2_gets_a_png_of_the_exact_size() {
    let drawing = drawing(PictureWay::Iterm2, GrayImage::from_pixel(40, 20, Luma([128])));
    let Drawing::Protocol(protocol) = drawing else { panic!("a protocol") };
    let Protocol::ITerm2(iterm) = *protocol else { panic!("iTerm2's") };
    let (head, tail) = iterm.data.split_once("]1337;File=inline=1;").expect("an inline image");
    assert_eq!(head, "\x1b[4X\x1b", "its one row is erased first");
    let (facts, data) = tail.split_once(':').expect("arguments, then the file");
    assert!(facts.contains(";width=40px;height=20px;doNotMoveCursor=1"), "{facts}");
    let data = data.strip_suffix('\x07').expect("ended by BEL");
    // The signature of a PNG in base64.
    assert!(data.starts_with("iVBORw0KGgo"), "{data}");
    let size: usize = facts.strip_prefix("size=").unwrap().split(';').next().unwrap().parse().unwrap();
    assert_eq!(data.len(), size.div_ceil(3) * 4, "as long as it says");
}

#[test]
fn grey_sixel_pictures_are_not_dithered() {
    let drawing = drawing(PictureWay::Sixel { registers: 256 }, GrayImage::from_pixel(40, 20, Luma([128])));
    let Drawing::Protocol(protocol) = drawing else { panic!("a protocol") };
    let Protocol::Sixel(sixel) = *protocol else { panic!("sixel") };
    let data = sixel.data.strip_prefix("\x1b[4X\x1b[B\x1b[1A").expect("its one row is erased first");
    assert!(data.starts_with("\x1bPq\"1;1;40;20#50;2;50;50;50#50!40~-"), "{data}");
}

#[test]
fn kitty_gets_whole_cells_and_a_new_id_per_picture() {
    let picture = GrayImage::from_pixel(35, 20, Luma([128]));
    let request = request(PictureWay::Kitty { compress: true }, Cells { columns: 4, rows: 1 });
    let mut encoder = Encoder::default();
    let mut transmissions = Vec::new();
    for _ in 0..2 {
        let drawing = encoder.encode(&request, &picture.clone().into(), request.room).unwrap();
        let Drawing::Protocol(protocol) = drawing else { panic!("a protocol") };
        let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 4, 1));
        ratatui::widgets::Widget::render(ratatui_image::Image::new(&protocol), buffer.area, &mut buffer);
        transmissions.push(buffer[(0, 0)].symbol().to_owned());
    }
    for transmission in &transmissions {
        assert!(transmission.contains("o=z") && transmission.contains("s=40,v=20"), "{transmission}");
    }
    assert_ne!(transmissions[0], transmissions[1], "another id");
}

#[test]
fn the_latest_request_of_a_place_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, grey| {
        let path = folder.path().join(name);
        GrayImage::from_pixel(30, 40, Luma([grey])).save(&path).unwrap();
        path
    };
    let (first, second) = (file("1.png", 10), file("2.png", 20));
    let (inbox, messages) = channel();
    let mut service = PictureService::new(inbox);
    let way = PictureWay::Halfblocks(ColorDepth::True);
    let show = |path: &PathBuf| PictureEffect::Show {
        request: PictureRequest { path: path.clone(), ..request(way, Cells { columns: 8, rows: 8 }) },
        neighbours: vec![first.clone()],
    };
    service.perform(show(&first));
    service.perform(show(&second));
    service.perform(show(&folder.path().join("none.png")));
    service.perform(show(&second));
    let Ok(UiMessage::Picture(message)) = messages.recv_timeout(Duration::from_secs(20)) else { panic!("an answer") };
    assert_eq!(message.request.path, second);
    let picture = message.outcome.unwrap();
    assert_eq!(
        picture.drawing.size(),
        Cells { columns: 8, rows: 5 },
        "three quarters as wide as high, in cells twice as high as wide"
    );
    let facts = picture.facts.unwrap();
    assert_eq!(facts.statistics.low, 20);
    assert_eq!(facts.window_text(), "window 0–255 · as stored");
    service.perform(show(&folder.path().join("none.png")));
    let Ok(UiMessage::Picture(message)) = messages.recv_timeout(Duration::from_secs(20)) else { panic!("an answer") };
    assert!(message.outcome.unwrap_err().text().contains("cannot be read"));
}
