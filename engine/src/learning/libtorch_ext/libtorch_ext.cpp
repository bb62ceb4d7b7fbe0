// Functions that tch 0.24 lacks: leaky ReLU with a slope, memory formats, TF32. Every function returns a message on
// failure (guarded.h). Tensors are the `at::Tensor *` that tch holds.

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/leaky_relu.h>
#include <torch/headeronly/version.h>

#include "guarded.h"

extern "C" {

// leaky_relu with the given slope, into a new tensor.
char *mammoscope_leaky_relu(at::Tensor *input, double slope, at::Tensor **output) {
  return guarded([&] { *output = new at::Tensor(at::leaky_relu(*input, slope)); });
}

// The same in place.
char *mammoscope_leaky_relu_in_place(at::Tensor *tensor, double slope) {
  return guarded([&] { at::leaky_relu_(*tensor, slope); });
}

// The same tensor in the memory layout N×H×W×C; shared instead of copied if it already has that layout. With one channel
// both layouts are the same, and only the strides say which one is meant: without them a network would compute in the
// slower one.
char *mammoscope_channels_last(at::Tensor *input, at::Tensor **output) {
  return guarded([&] {
    at::Tensor result = input->contiguous(at::MemoryFormat::ChannelsLast);
    if (result.size(1) == 1) {
      const auto height = result.size(2), width = result.size(3);
      result = result.as_strided(result.sizes(), {height * width, 1, width, 1});
    }
    *output = new at::Tensor(result);
  });
}

char *mammoscope_is_channels_last(at::Tensor *tensor, int *output) {
  return guarded([&] { *output = tensor->is_contiguous(at::MemoryFormat::ChannelsLast); });
}

// Copies a tensor on the host into one on a device, which may be the CPU, without a wait for a GPU.
char *mammoscope_upload(at::Tensor *source, at::Tensor *target) {
  return guarded([&] {
    // The allocator of pinned memory keeps the copy until the GPU has read it.
    target->copy_(target->is_cpu() ? *source : source->pin_memory(), true);
  });
}

// Allows or forbids f32 convolutions and matrix products on the GPU to round their inputs to TF32.
char *mammoscope_allow_tf32(int allowed) {
  return guarded([&] {
    at::globalContext().setAllowTF32CuDNN(allowed != 0);
    at::globalContext().setAllowTF32CuBLAS(allowed != 0);
  });
}

// The version of libtorch that this file was compiled against, such as 2.11.0.
const char *mammoscope_libtorch_version() { return TORCH_VERSION; }

// Frees the message of a failed call.
void mammoscope_free_message(char *message) { free(message); }
}
