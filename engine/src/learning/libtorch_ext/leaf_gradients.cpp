// The gradients of leaves, moved into a flat tensor. Every function returns a message on failure (guarded.h). Tensors are
// the `at::Tensor *` that tch holds.

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <stdexcept>
#include <vector>

#include "guarded.h"

extern "C" {

// Fills `flat` with the gradients one after another, those of kernels O×I×H×W as O×H×W×I, or adds them to it.
char *mammoscope_take_gradients(at::Tensor *const *leaves, size_t count, at::Tensor *flat, int replace) {
  return guarded([&] {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    parts.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      at::Tensor &gradient = leaves[i]->mutable_grad();
      if (!gradient.defined()) throw std::runtime_error("a weight has no gradient after the backward pass");
      parts.push_back((gradient.dim() == 4 ? gradient.permute({0, 2, 3, 1}) : gradient).reshape({-1}));
      gradient = at::Tensor();
    }
    if (replace != 0) {
      at::cat_out(*flat, parts);
    } else {
      flat->add_(at::cat(parts));
    }
  });
}

char *mammoscope_clear_gradients(at::Tensor *const *leaves, size_t count) {
  return guarded([&] {
    for (size_t i = 0; i < count; ++i) leaves[i]->mutable_grad() = at::Tensor();
  });
}
}
