"""Breast density, BI-RADS A to D, of one mammogram: view @VIEW@.

    pip install torch safetensors numpy pillow
    python model.py image.png

prints the probabilities of the four classes.

@INTENDED_USE@
Written by mammoscope @VERSION@.
"""

import io
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import safe_open
from torch import nn

MODEL_SHA256 = "@SHA256@"
CLASSES = ["A", "B", "C", "D"]
SIZE = @SIZE@  # height and width of the network's input, in pixels
WHITE = @WHITE@  # the white level of 16-bit files; None: 65535, unless the image may have fewer bits
STEM = @STEM@  # channels of the first convolution
# Three blocks each: channels within a block, channels after it, stride of the first block.
STAGES = [@STAGES@]


def read_levels(path):
    """The grey levels 0 to 255 of a PNG file: height x width, or height x width x 3 for colour."""
    data = Path(path).read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 26:
        raise ValueError("not a PNG file")
    bits, color = data[24], data[25]
    image = Image.open(io.BytesIO(data))
    if bits < 16:  # palettes are looked up, alpha is dropped
        return np.asarray(image.convert("L" if color in (0, 4) else "RGB"))
    if color != 0:
        raise ValueError("a 16-bit PNG with colour or alpha, of which Pillow reads 8 bits only; save it as grey")
    samples = np.asarray(image).astype(np.int64)
    largest = samples.max()
    if WHITE is None and largest < 1 << 15:
        raise ValueError(f"a 16-bit image with values up to {largest}: set WHITE in model.py, 4095 for 12 bits")
    white = 65535 if WHITE is None else WHITE
    if largest > white:
        raise ValueError(f"the value {largest} is above the white of {white}")
    return ((samples * 255 + white // 2) // white).astype(np.uint8)


@PREPROCESSING@


def preprocess(path):
    """The network's input: 1 x 3 x SIZE x SIZE."""
    values = centre(resize(read_levels(path)))
    if values.ndim == 2:
        values = np.stack([values] * 3, axis=-1)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def pad_same(x, kernel, stride, value=0.0):
    """Pads as Keras does for 'same': an odd row or column comes after the image."""
    padding = []
    for length in (x.shape[3], x.shape[2]):
        total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        padding += [total // 2, total - total // 2]
    return F.pad(x, padding, value=value)


def activation(x):
    return F.leaky_relu(x, 0.3)


class ConvNorm(nn.Module):
    def __init__(self, inputs, outputs, kernel=1, stride=1):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x):
        return self.norm(self.conv(pad_same(x, self.kernel, self.stride)))


class Block(nn.Module):
    def __init__(self, inputs, inner, outer, stride, projected):
        super().__init__()
        self.first = ConvNorm(inputs, inner)
        self.second = ConvNorm(inner, inner, 3, stride)
        self.third = ConvNorm(inner, outer)
        self.shortcut = ConvNorm(inputs, outer, 1, stride) if projected else nn.Identity()

    def forward(self, x):
        y = activation(self.first(x))
        y = activation(self.second(y))
        return activation(self.third(y) + self.shortcut(x))


class Network(nn.Module):
    """N x 3 x SIZE x SIZE -> N x 4 logits. The dropout of the training is left out."""

    def __init__(self):
        super().__init__()
        self.stem = ConvNorm(3, STEM, 3, 2)
        blocks, channels = [], STEM
        for inner, outer, stride in STAGES:
            for position in range(3):
                first = position == 0
                blocks.append(Block(channels, inner, outer, stride if first else 1, first))
                channels = outer
        self.blocks = nn.Sequential(*blocks)
        self.dense = nn.Linear(channels, len(CLASSES))

    def forward(self, x):
        x = activation(self.stem(x))
        x = F.max_pool2d(pad_same(x, 3, 2, float("-inf")), 3, 2)
        return self.dense(self.blocks(x).mean((2, 3)))


def load(path=Path(__file__).with_name("model.safetensors")):
    with safe_open(path, "pt") as file:
        model = (file.metadata() or {}).get("model_sha256", MODEL_SHA256)
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if model != MODEL_SHA256:
        raise ValueError("the weights of another model; use the model.py beside which they were exported")
    network = Network()
    network.load_state_dict(tensors)
    return network.eval()


def predict(network, path):
    """The probabilities of the four classes."""
    with torch.inference_mode():
        logits = network(torch.from_numpy(preprocess(path)))
    return logits.double().softmax(1)[0].tolist()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python model.py image.png")
    try:
        network = load()
    except Exception as error:
        sys.exit(f"model.safetensors: {error}")
    try:
        probabilities = predict(network, sys.argv[1])
    except (OSError, SyntaxError, ValueError) as error:  # Pillow reports damaged files as any of these
        sys.exit(f"{sys.argv[1]}: {error}")
    for name, probability in zip(CLASSES, probabilities):
        print(f"{name} {probability:.9f}")
