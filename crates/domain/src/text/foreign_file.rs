//! Kinds of files, recognised by their first bytes whatever their names say.

use std::fmt;

/// The number of bytes of a file that are enough to recognise it.
pub const BEGINNING: usize = 512;

/// A kind of file that is often found where another is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignFile {
    /// The placeholder of a file in Git LFS.
    GitLfsPointer,
    /// The placeholder of a file in git-annex.
    GitAnnexPointer,
    /// A web page, usually a login page or an error page.
    WebPage,
    /// An XML document, usually a server's error response.
    XmlDocument,
    Dicom,
    /// An AppleDouble file: the metadata that macOS writes next to a file on a foreign file system.
    AppleDouble,
    /// JPEG 2000, as a file or a bare codestream.
    Jpeg2000,
    Bitmap,
    Gif,
    WebP,
    /// HEIF or AVIF.
    Heif,
    /// PGM, PPM or a related format.
    PortableMap,
    Png,
    Jpeg,
    Tiff,
    /// HDF5, the format of Keras models.
    Hdf5,
    Numpy,
    /// A zip archive, which `.keras`, `.pt` and `.xlsx` files are too.
    Zip,
    Gzip,
    Pdf,
}

impl ForeignFile {
    /// Recognises a file by its first bytes, of which [`BEGINNING`] are enough; `None` if the kind is unknown.
    #[must_use]
    pub fn of(beginning: &[u8]) -> Option<Self> {
        let is = |prefix: &[u8]| beginning.starts_with(prefix);
        let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
        let text_is = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let brand = beginning.get(4..12).unwrap_or_default();
        Some(if text.starts_with(b"version https://git-lfs.github.com/") {
            Self::GitLfsPointer
        } else if text.starts_with(b"/annex/objects/") || text.starts_with(b"../.git/annex/objects/") {
            Self::GitAnnexPointer
        } else if text_is(b"<!doctype html") || text_is(b"<html") || text_is(b"<head") {
            Self::WebPage
        } else if text_is(b"<?xml") {
            Self::XmlDocument
        } else if beginning.get(128..132) == Some(b"DICM") {
            Self::Dicom
        } else if is(b"\0\x05\x16\x07\0\x02\0\0") {
            Self::AppleDouble
        } else if is(b"\0\0\0\x0cjP  ") || is(b"\xff\x4f\xff\x51") {
            Self::Jpeg2000
        } else if is(b"GIF8") {
            Self::Gif
        } else if is(b"RIFF") && beginning.get(8..12) == Some(b"WEBP") {
            Self::WebP
        } else if brand.starts_with(b"ftyp")
            && (brand.ends_with(b"heic") || brand.ends_with(b"mif1") || brand.ends_with(b"avif"))
        {
            Self::Heif
        } else if is(b"\x89PNG\r\n\x1a\n") {
            Self::Png
        } else if is(b"\xff\xd8\xff") {
            Self::Jpeg
        } else if is(b"II\x2a\0") || is(b"II\x2b\0") || is(b"MM\0\x2a") || is(b"MM\0\x2b") {
            Self::Tiff
        } else if is(b"\x89HDF\r\n\x1a\n") {
            Self::Hdf5
        } else if is(b"\x93NUMPY") {
            Self::Numpy
        } else if is(b"PK\x03\x04") || is(b"PK\x05\x06") {
            Self::Zip
        } else if is(b"\x1f\x8b\x08") {
            Self::Gzip
        } else if is(b"%PDF-") {
            Self::Pdf
        } else if matches!(beginning, [b'P', b'2'..=b'6', b'\n' | b' ', ..]) {
            Self::PortableMap
        } else if is(b"BM") && beginning.get(6..10) == Some(&[0; 4]) {
            Self::Bitmap
        } else {
            return None;
        })
    }

    /// True if the content is not the file itself but a placeholder or a server's response.
    #[must_use]
    pub const fn is_placeholder(self) -> bool {
        matches!(self, Self::GitLfsPointer | Self::GitAnnexPointer | Self::WebPage | Self::XmlDocument)
    }

    /// Advice on how to get a usable file.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::GitLfsPointer => "fetch the file itself with `git lfs pull`",
            Self::GitAnnexPointer => "fetch the file itself with `git annex get`",
            Self::WebPage | Self::XmlDocument => "the download failed or needs a login: download the file again",
            Self::Gzip => "unpack it with gunzip",
            Self::Zip => "unpack it",
            Self::AppleDouble => "it only holds macOS metadata and can be deleted",
            Self::Dicom
            | Self::Jpeg2000
            | Self::Bitmap
            | Self::Gif
            | Self::WebP
            | Self::Heif
            | Self::PortableMap
            | Self::Numpy
            | Self::Pdf => "save it as 8- or 16-bit grey PNG",
            Self::Png | Self::Jpeg | Self::Tiff => "name the intended file",
            Self::Hdf5 => "convert a Keras file with `mammoscope import`",
        }
    }
}

impl fmt::Display for ForeignFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitLfsPointer => "a Git LFS pointer",
            Self::GitAnnexPointer => "a git-annex pointer",
            Self::WebPage => "an HTML page",
            Self::XmlDocument => "an XML document",
            Self::Dicom => "a DICOM file",
            Self::AppleDouble => "an AppleDouble file",
            Self::Jpeg2000 => "a JPEG 2000 image",
            Self::Bitmap => "a Windows bitmap",
            Self::Gif => "a GIF image",
            Self::WebP => "a WebP image",
            Self::Heif => "a HEIF or AVIF image",
            Self::PortableMap => "a PGM or PPM image",
            Self::Png => "a PNG image",
            Self::Jpeg => "a JPEG image",
            Self::Tiff => "a TIFF image",
            Self::Hdf5 => "an HDF5 file",
            Self::Numpy => "a NumPy array",
            Self::Zip => "a zip archive",
            Self::Gzip => "a gzip-compressed file",
            Self::Pdf => "a PDF document",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_recognised_by_their_first_bytes() {
        let dicom = [&[0; 128][..], b"DICM"].concat();
        for (beginning, expected) in [
            (&b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"[..], ForeignFile::GitLfsPointer),
            (b"/annex/objects/MD5E-s1--00.png\n", ForeignFile::GitAnnexPointer),
            (b"\xef\xbb\xbf\r\n  <!DOCTYPE html><html>", ForeignFile::WebPage),
            (b"<HTML><body>Sign in", ForeignFile::WebPage),
            (b"<?xml version=\"1.0\"?><Error>AccessDenied", ForeignFile::XmlDocument),
            (&dicom, ForeignFile::Dicom),
            (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", ForeignFile::AppleDouble),
            (b"\x89PNG\r\n\x1a\n\0", ForeignFile::Png),
            (b"\x89HDF\r\n\x1a\n\0", ForeignFile::Hdf5),
            (b"PK\x03\x04\x14", ForeignFile::Zip),
            (b"\x1f\x8b\x08\0", ForeignFile::Gzip),
            (b"\0\0\0\x1cftypheic", ForeignFile::Heif),
            (b"BM\x10\0\0\0\0\0\0\0\x36", ForeignFile::Bitmap),
        ] {
            assert_eq!(ForeignFile::of(beginning), Some(expected));
        }
        for beginning in [&b""[..], b"subject,split\n1,train\n", b"BMI,subject\n21,7", b"\x08\0\0\0\0\0\0\0{}", b"P1"] {
            assert_eq!(ForeignFile::of(beginning), None, "{beginning:?}");
        }
    }
}
