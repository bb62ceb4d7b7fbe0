//! Encodes JPEG files of kinds that ordinary encoders do not write, with libjpeg.

use mozjpeg_sys::{
    J_COLOR_SPACE, J_INT_PARAM, JINT_COMPRESS_PROFILE_VALUE, jpeg_CreateCompress, jpeg_c_set_int_param,
    jpeg_component_info, jpeg_compress_struct, jpeg_destroy_compress, jpeg_error_mgr, jpeg_finish_compress,
    jpeg_mem_dest, jpeg_scan_info, jpeg_set_defaults, jpeg_set_quality, jpeg_simple_progression, jpeg_start_compress,
    jpeg_std_error, jpeg_write_scanlines,
};

/// The division of a file's coefficients into scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scans {
    /// All components in one scan.
    Together,
    /// One scan per component.
    Separate,
    /// libjpeg's simple progression.
    Progressive,
}

/// The properties of a file to encode.
#[derive(Clone, Copy, Debug)]
pub struct JpegKind {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Horizontal and vertical sampling factors of luma.
    pub luma: (i32, i32),
    /// Those of both chroma components; `None` for a grey image.
    pub chroma: Option<(i32, i32)>,
    pub scans: Scans,
    /// Blocks (MCUs) between restart markers; 0 for none.
    pub restart: u32,
}

impl JpegKind {
    /// True if libjpeg can write this kind: an MCU has at most ten blocks of 8 × 8 pixels (T.81, B.2.3), and every
    /// sampling factor divides the largest one.
    pub fn can_be_encoded(self) -> bool {
        let Self { luma, chroma, scans, .. } = self;
        let chroma = chroma.unwrap_or(luma);
        let blocks = luma.0 * luma.1 + if self.chroma.is_some() { 2 * chroma.0 * chroma.1 } else { 0 };
        let largest = (luma.0.max(chroma.0), luma.1.max(chroma.1));
        let is_whole = |factors: (i32, i32)| largest.0 % factors.0 == 0 && largest.1 % factors.1 == 0;
        (blocks <= 10 || scans == Scans::Separate) && is_whole(luma) && is_whole(chroma)
    }

    /// Encodes a picture of smooth ramps and a sharp disc.
    pub fn encode(self) -> Vec<u8> {
        let (width, height) = self.size;
        let components = if self.chroma.is_some() { 3 } else { 1 };
        let mut picture = Vec::with_capacity((width * height) as usize * components);
        for y in 0..height {
            for x in 0..width {
                let disc = (i64::from(x) - 40).pow(2) + (i64::from(y) - 30).pow(2) < 400;
                let pixel = [(x * 200 / width) as u8, (y * 220 / height) as u8, if disc { 230 } else { 30 }];
                if components == 1 { picture.push(pixel[0] / 2 + pixel[2] / 2) } else { picture.extend(pixel) }
            }
        }
        // SAFETY: the calls are in libjpeg's order, the structs outlive them, the scan script lives until the end of
        // this function, and each row holds `width` pixels.
        unsafe { self.write(&picture, components) }
    }

    unsafe fn write(self, picture: &[u8], components: usize) -> Vec<u8> {
        let (width, height) = self.size;
        let mut errors: jpeg_error_mgr = unsafe { std::mem::zeroed() };
        let mut encoder: jpeg_compress_struct = unsafe { std::mem::zeroed() };
        unsafe {
            encoder.common.err = jpeg_std_error(&mut errors);
            jpeg_CreateCompress(&raw mut encoder, mozjpeg_sys::JPEG_LIB_VERSION, size_of::<jpeg_compress_struct>());
            let (mut bytes, mut length) = (std::ptr::null_mut(), 0);
            jpeg_mem_dest(&mut encoder, &raw mut bytes, &raw mut length);
            (encoder.image_width, encoder.image_height) = (width, height);
            encoder.input_components = components as i32;
            encoder.in_color_space =
                if components == 1 { J_COLOR_SPACE::JCS_GRAYSCALE } else { J_COLOR_SPACE::JCS_RGB };
            jpeg_c_set_int_param(
                &mut encoder,
                J_INT_PARAM::JINT_COMPRESS_PROFILE,
                JINT_COMPRESS_PROFILE_VALUE::JCP_FASTEST as i32,
            );
            jpeg_set_defaults(&mut encoder);
            jpeg_set_quality(&mut encoder, 90, 1);
            let all: &mut [jpeg_component_info] = std::slice::from_raw_parts_mut(encoder.comp_info, components);
            for (number, component) in all.iter_mut().enumerate() {
                let (h, v) = if number == 0 { self.luma } else { self.chroma.unwrap_or(self.luma) };
                (component.h_samp_factor, component.v_samp_factor) = (h, v);
            }
            encoder.restart_interval = self.restart;
            let separate: Vec<jpeg_scan_info> = (0..components as i32)
                .map(|component| {
                    let mut scan: jpeg_scan_info = std::mem::zeroed();
                    scan.comps_in_scan = 1;
                    scan.component_index[0] = component;
                    scan.Se = 63;
                    scan
                })
                .collect();
            match self.scans {
                Scans::Together => {}
                Scans::Separate => {
                    (encoder.scan_info, encoder.num_scans) = (separate.as_ptr(), separate.len() as i32);
                }
                Scans::Progressive => jpeg_simple_progression(&mut encoder),
            }
            jpeg_start_compress(&mut encoder, 1);
            for row in picture.chunks_exact(width as usize * components) {
                jpeg_write_scanlines(&mut encoder, [row.as_ptr()].as_mut_ptr(), 1);
            }
            jpeg_finish_compress(&mut encoder);
            let file = std::slice::from_raw_parts(bytes, length as usize).to_vec();
            jpeg_destroy_compress(&mut encoder);
            libc::free(bytes.cast());
            file
        }
    }
}
