"""Reference pixels for tests/data/image_decoders.rs.

    image_references.py decode FOLDER     Pillow's pixels of every image in a folder, each as .raw beside it
    image_references.py tiff FOLDER       TIFF files of every kind, written by tifffile, each with its pixels as .raw

A .raw file is a line of JSON (width, height, channels, bits, or the error), then the samples, little-endian.
"""

import json
import os
import sys

import numpy as np


def write_raw(path, pixels):
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    bits = pixels.dtype.itemsize * 8
    facts = {"width": width, "height": height, "channels": channels, "bits": bits}
    little = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<"))
    with open(path + ".raw", "wb") as file:
        file.write(json.dumps(facts).encode() + b"\n" + little.tobytes())


def write_refusal(path, error):
    with open(path + ".raw", "wb") as file:
        file.write(json.dumps({"error": str(error)}).encode() + b"\n")


def pillow_pixels(path):
    from PIL import Image

    with Image.open(path) as image:
        image.load()
        if image.mode == "1":
            image = image.convert("L")
        return np.asarray(image if image.mode in ("L", "I;16") else image.convert("RGB"))


def decode(folder):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            write_raw(path, pillow_pixels(path))
        except Exception as error:  # whatever the error, Pillow does not read the file
            write_refusal(path, error)


def turned(pixels, orientation):
    """Returns the picture as it should be displayed (TIFF 6.0, tag 274)."""
    transposed = np.swapaxes(pixels, 0, 1)
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: transposed,
        6: transposed[:, ::-1],
        7: transposed[::-1, ::-1],
        8: transposed[::-1],
    }[orientation]


class TiffMaker:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        self.random = np.random.default_rng(7)

    def picture(self, bits, channels, height=75, width=101):
        """Returns a ramp with noise, a different one per channel."""
        y, x = np.mgrid[0:height, 0:width]
        largest = (1 << bits) - 1
        planes = []
        for channel in range(channels):
            ramp = (x * (channel + 1) * 0.6 / width + y * 0.4 / height) % 1.0
            planes.append(ramp * largest * 0.9 + self.random.integers(0, max(2, largest // 20), (height, width)))
        pixels = np.clip(np.stack(planes, -1), 0, largest).astype(np.uint8 if bits <= 8 else np.uint16)
        return pixels[..., 0] if channels == 1 else pixels

    def write(self, name, stored, seen, **options):
        """Writes a file; byte order, BigTIFF and orientation alternate from file to file."""
        import tifffile

        orientation = self.count % 8 + 1
        byteorder = "<" if self.count % 3 else ">"
        bigtiff = self.count % 5 == 0
        tags = options.pop("extratags", []) + [(274, "H", 1, orientation, True)]
        path = os.path.join(self.folder, f"{name}_turned{orientation}.tif")
        with tifffile.TiffWriter(path, byteorder=byteorder, bigtiff=bigtiff) as file:
            file.write(stored, extratags=tags, metadata=None, **options)
        read = tifffile.imread(path).squeeze()
        if options.get("compression") == "jpeg":
            seen = read
        else:
            assert np.array_equal(read, stored.squeeze()), name
        if seen is None:
            seen = pillow_pixels(path)
        else:
            seen = turned(seen, orientation)
        write_raw(path, seen)
        self.count += 1

    def refused(self, word, stored, **options):
        """A file of a kind that is refused by this name."""
        import tifffile

        path = os.path.join(self.folder, f"refused_{self.count}.tif")
        tifffile.imwrite(path, stored, metadata=None, **options)
        write_refusal(path, word)
        self.count += 1


LAYOUTS = {"strips": {"rowsperstrip": 16}, "one_strip": {"rowsperstrip": 75}, "tiles": {"tile": (32, 48)}}


def tiff(folder):
    maker = TiffMaker(folder)
    compressions = ["none", "lzw", "adobe_deflate", "deflate", "packbits", "zstd"]
    kinds = {
        "grey": (1, {"photometric": "minisblack"}),
        "white_is_zero": (1, {"photometric": "miniswhite"}),
        "grey_alpha": (2, {"photometric": "minisblack", "extrasamples": ["unassalpha"], "planarconfig": "contig"}),
        "rgb": (3, {"photometric": "rgb", "planarconfig": "contig"}),
        "rgb_planes": (3, {"photometric": "rgb", "planarconfig": "separate"}),
        "rgb_extra": (4, {"photometric": "rgb", "extrasamples": ["unspecified"], "planarconfig": "contig"}),
        "rgb_extra_planes": (4, {"photometric": "rgb", "extrasamples": ["unspecified"], "planarconfig": "separate"}),
    }
    for layout_name, layout in LAYOUTS.items():
        for compression in compressions:
            for bits in (8, 16):
                for kind, (channels, options) in kinds.items():
                    for predictor in (False, True):
                        if predictor and compression in ("none", "packbits"):
                            continue
                        pixels = maker.picture(bits, channels)
                        seen = pixels
                        if kind == "white_is_zero":
                            seen = (1 << bits) - 1 - pixels
                        if kind == "grey_alpha":
                            seen = pixels[..., 0]
                        if channels == 4:
                            seen = pixels[..., :3]
                        stored = np.moveaxis(pixels, -1, 0) if "planes" in kind else pixels
                        name = f"{layout_name}_{compression}_{bits}_{kind}{'_predictor' if predictor else ''}"
                        maker.write(
                            name,
                            stored,
                            seen,
                            compression=None if compression == "none" else compression,
                            predictor=predictor or None,
                            **layout,
                            **options,
                        )
        colors = maker.random.integers(0, 65536, (3, 256)).astype(np.uint16)
        index = maker.picture(8, 1)
        seen = np.moveaxis(colors[:, index] >> 8, 0, -1).astype(np.uint8)
        maker.write(f"{layout_name}_palette", index, seen, photometric="palette", colormap=colors, **layout)
        for bits in (1, 2, 4):
            for photometric in ("minisblack", "miniswhite"):
                stored = maker.picture(8, 1) >> (8 - bits)
                seen = (stored.astype(int) * 255 // ((1 << bits) - 1)).astype(np.uint8)
                seen = 255 - seen if photometric == "miniswhite" else seen
                stored = stored.astype(bool) if bits == 1 else stored
                name = f"{layout_name}_{bits}_bits_{photometric}"
                maker.write(name, stored, seen, photometric=photometric, bitspersample=bits, **layout)
                if bits == 1:
                    maker.write(name + "_lzw", stored, seen, photometric=photometric, compression="lzw", **layout)
        smooth = np.add.outer(np.arange(75), np.arange(101)).astype(np.uint8)
        maker.write(f"{layout_name}_jpeg_grey", smooth, smooth, photometric="minisblack", compression="jpeg", **layout)
        colour = np.stack([smooth, smooth // 2, 255 - smooth], -1)
        maker.write(f"{layout_name}_jpeg_colour", colour, colour, photometric="rgb", compression="jpeg", **layout)


    inks = maker.picture(8, 4)
    for name, planes in (("inks", "contig"), ("inks_planes", "separate")):
        stored = np.moveaxis(inks, -1, 0) if planes == "separate" else inks
        # Compressed, since Pillow 13 does not rotate uncompressed files of one strip.
        maker.write(name, stored, None, photometric="separated", planarconfig=planes, compression="lzw")
    group4(maker)
    grey = maker.picture(8, 1)
    for kind, word in (
        ("int16", "16-bit signed integers"),
        ("int8", "8-bit signed integers"),
        ("uint32", "32-bit samples"),
        ("float32", "32-bit floating-point numbers"),
        ("float64", "64-bit floating-point numbers"),
        ("complex64", "64-bit complex floating-point numbers"),
    ):
        maker.refused(word, grey.astype(kind), photometric="minisblack")
    for bits in (10, 12, 14):
        maker.refused(f"packed {bits}-bit samples", maker.picture(bits, 1), photometric="minisblack", bitspersample=bits)
    maker.refused("LZMA compression", grey, photometric="minisblack", compression="lzma")
    maker.refused("LERC compression", grey, photometric="minisblack", compression="lerc")
    maker.refused("WebP compression", maker.picture(8, 3), photometric="rgb", compression="webp")
    maker.refused("JPEG 2000 compression", grey, photometric="minisblack", compression="jpeg2000")
    maker.refused("CIELab", maker.picture(8, 3), photometric="cielab")


def group4(maker):
    """Writes bilevel pictures in CCITT Group 4, with Pillow and libtiff."""
    from PIL import Image

    for height in (75, 300):
        y, x = np.mgrid[0:height, 0:101]
        black = ((x - 50) ** 2 + (y - 40) ** 2 < 900) ^ (x % 7 == 0)
        path = os.path.join(maker.folder, f"group4_{height}.tif")
        Image.fromarray(np.where(black, 0, 255).astype(np.uint8)).convert("1").save(path, compression="group4")
        write_raw(path, np.where(black, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    {"decode": decode, "tiff": tiff}[sys.argv[1]](sys.argv[2])
