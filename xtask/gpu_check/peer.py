"""Benchmarks the same network in PyTorch, for gpu_check.py: eager, and training steps as fast as PyTorch can make them,
compiled by Inductor and captured as a CUDA graph.

usage: peer.py DEVICE SIZE BATCH[,BATCH…] WARM_UP [eager|fast]      prints JSON

`eager` measures all precisions and memory layouts; `fast` measures eager, captured, and compiled and captured training
steps in TF32 and bf16, channels-last. `fast` on a CPU compiles but captures nothing: a trial run without a GPU.
"""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

DEVICE, SIZE, WARM_UP = torch.device(sys.argv[1]), int(sys.argv[2]), int(sys.argv[4])
BATCHES = [int(number) for number in sys.argv[3].split(",")]
WHAT = sys.argv[5] if len(sys.argv) > 5 else "eager"
PASSES = 10


def same_padding(length, kernel, stride):
    """The padding of TensorFlow's `same` before and after; an odd pixel goes after."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


class Convolution(nn.Conv2d):
    def forward(self, x):
        if self.kernel_size[0] == 1:
            return super().forward(x)
        (top, bottom), (left, right) = (same_padding(n, self.kernel_size[0], self.stride[0]) for n in x.shape[2:])
        if top == bottom and left == right:
            return F.conv2d(x, self.weight, self.bias, self.stride, (top, left))
        return super().forward(F.pad(x, (left, right, top, bottom)))


class ConvNorm(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(Convolution(inputs, outputs, kernel, stride), nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01))


class Block(nn.Module):
    def __init__(self, inputs, inner, outputs, stride, projected):
        super().__init__()
        self.first, self.second = ConvNorm(inputs, inner, 1), ConvNorm(inner, inner, 3, stride)
        self.third = ConvNorm(inner, outputs, 1)
        self.shortcut = ConvNorm(inputs, outputs, 1, stride) if projected else nn.Identity()
        self.activation = nn.LeakyReLU(0.3)

    def forward(self, x):
        y = self.activation(self.second(self.activation(self.first(x))))
        return self.activation(self.shortcut(x) + self.third(y))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.activation = ConvNorm(3, 64, 3, 2), nn.LeakyReLU(0.3)
        blocks, channels = [], 64
        for inner, outer, stride in [(64, 128, 1), (128, 256, 2), (128, 256, 2), (128, 256, 2)]:
            for position in range(3):
                blocks.append(Block(channels, inner, outer, stride if position == 0 else 1, position == 0))
                channels = outer
        self.blocks, self.dropout, self.dense = nn.Sequential(*blocks), nn.Dropout(0.2), nn.Linear(256, 4)

    def forward(self, x):
        x = self.activation(self.stem(x))
        (top, bottom), (left, right) = (same_padding(n, 3, 2) for n in x.shape[2:])
        x = F.max_pool2d(F.pad(x, (left, right, top, bottom), value=float("-inf")), 3, 2)
        return self.dense(self.dropout(self.blocks(x)).float().mean((2, 3)))


def seconds_of(body):
    seconds = []
    for _ in range(WARM_UP + PASSES):
        start = time.perf_counter()
        body()
        seconds.append(time.perf_counter() - start)
    return seconds[WARM_UP:]


def measure(batch, precision, layout, benchmark):
    """Images a second of training steps and forward passes, and the peak of the memory in tensors."""
    on_gpu = DEVICE.type == "cuda"
    torch.backends.cudnn.benchmark = benchmark
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "f32"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    network = Network().to(DEVICE, memory_format=memory_format)
    images = (torch.randn(batch, 3, SIZE, SIZE, device=DEVICE) * 0.25).contiguous(memory_format=memory_format)
    labels = torch.arange(batch, device=DEVICE) % 4
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    autocast = torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bf16")

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast:
            loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def infer():
        with torch.inference_mode(), autocast:
            return network(images).float().cpu()

    case = {"batch": batch, "precision": precision, "layout": layout, "cudnn_benchmark": benchmark, "passes": []}
    for name, body in [("train_step", step), ("forward", infer)]:
        network.train(name == "train_step")
        seconds = seconds_of(body)
        median = statistics.median(seconds)
        peak = torch.cuda.max_memory_allocated() if on_gpu else None
        timing = {"name": name, "median_s": median, "min_s": min(seconds), "img_per_s": batch / median}
        case["passes"].append({**timing, "peak_allocated": peak})
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
    return case


def replayed(step):
    """A step as a CUDA graph, and the loss that a replay leaves. All is used on the captured stream before the capture."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(5):
            step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        loss = step()
    return graph.replay, loss


def measure_fast(batch, precision, mode):
    """Images a second of training steps in a mode, reading the loss after each step as in `measure`."""
    on_gpu = DEVICE.type == "cuda"
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    torch._dynamo.reset()
    torch.manual_seed(0)
    network = Network().to(DEVICE, memory_format=torch.channels_last).train()
    images = torch.randn(batch, 3, SIZE, SIZE, device=DEVICE) * 0.25
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch, device=DEVICE) % 4
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001, fused=True)

    def loss_of(images, labels):
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bf16"):
            return F.cross_entropy(network(images), labels)

    if mode == "compiled":
        loss_of = torch.compile(loss_of, mode="max-autotune-no-cudagraphs" if on_gpu else None)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(images, labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    start = time.perf_counter()
    if mode == "eager" or not on_gpu:
        body = lambda: step().item()
    else:
        replay, loss = replayed(step)
        body = lambda: (replay(), loss.item())
    seconds = seconds_of(body)
    last = body()
    ready = time.perf_counter() - start - sum(seconds)
    median = statistics.median(seconds)
    case = {"batch": batch, "precision": precision, "mode": mode, "captured": on_gpu and mode != "eager"}
    case.update(median_s=median, min_s=min(seconds), img_per_s=batch / median, preparation_s=ready)
    # A network that has stopped learning anything finite has been measured on something else than training.
    case["loss"] = last[1] if isinstance(last, tuple) else last
    case["peak_allocated"] = torch.cuda.max_memory_allocated() if on_gpu else None
    return case


def attempts():
    """What is measured: a function, and the keys of its case."""
    for batch in BATCHES:
        if WHAT == "fast":
            for precision in ["f32", "bf16"]:
                for mode in ["eager", "captured", "compiled"]:
                    yield measure_fast, {"batch": batch, "precision": precision, "mode": mode}
            continue
        for precision in ["f32-strict", "f32", "bf16"]:
            for layout, benchmark in [("contiguous", False), ("channels_last", False), ("channels_last", True)]:
                case = {"batch": batch, "precision": precision, "layout": layout, "cudnn_benchmark": benchmark}
                yield measure, case


torch.manual_seed(0)
results = []
for body, case in attempts():
    try:
        results.append(body(*case.values()))
    except Exception as error:  # out of memory, or a compiler that is missing
        results.append({**case, "error": (str(error).splitlines() or [type(error).__name__])[0]})
parameters = sum(parameter.numel() for parameter in Network().parameters())
gpu = torch.cuda.get_device_name(DEVICE) if DEVICE.type == "cuda" else None
print(json.dumps({"torch": torch.__version__, "gpu": gpu, "parameters": parameters, "results": results}))
