// The layers of the network with their gradients, without libtorch's graph. Every function returns a message on failure
// (guarded.h). Tensors are the `at::Tensor *` that tch holds.

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_batch_norm_impl_index.h>
#include <ATen/ops/_batch_norm_impl_index_backward.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/leaky_relu_backward.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <array>
#include <tuple>
#include <vector>

#include "guarded.h"

namespace {

// The same without recording a graph, which also saves a dispatch per operation.
template <typename Body> char *without_graph(Body body) {
  return guarded([&] {
    const at::AutoDispatchBelowAutograd guard;
    body();
  });
}

at::Tensor *owned(at::Tensor tensor) { return new at::Tensor(std::move(tensor)); }

constexpr std::array<int64_t, 2> POOL{3, 3}, POOL_STRIDE{2, 2}, ONES{1, 1}, NO_PADDING{0, 0};

}  // namespace

extern "C" {

// A convolution without bias; `padding` rows above and below, and columns left and right.
char *mammoscope_convolve(at::Tensor *input, at::Tensor *kernel, int64_t stride, int64_t padding, at::Tensor **output) {
  return without_graph([&] {
    *output = owned(at::convolution(*input, *kernel, std::nullopt, {stride, stride}, {padding, padding}, ONES, false,
                                    NO_PADDING, 1));
  });
}

// The gradients of its input and kernel, given that of its output; `of_input` may be null.
char *mammoscope_convolution_gradients(at::Tensor *gradient, at::Tensor *input, at::Tensor *kernel, int64_t stride,
                                       int64_t padding, at::Tensor **of_input, at::Tensor **of_kernel) {
  return without_graph([&] {
    auto [input_gradient, kernel_gradient, bias_gradient] =
        at::convolution_backward(*gradient, *input, *kernel, std::nullopt, {stride, stride}, {padding, padding}, ONES,
                                 false, NO_PADDING, 1, {of_input != nullptr, true, false});
    if (of_input != nullptr) *of_input = owned(std::move(input_gradient));
    *of_kernel = owned(std::move(kernel_gradient));
  });
}

// A batch normalisation with the statistics of the batch, which updates the moving ones with weight `share`. `saved`
// gets three tensors that the gradients need, and `backend` the implementation that was chosen.
char *mammoscope_normalise(at::Tensor *input, at::Tensor *gamma, at::Tensor *beta, at::Tensor *mean,
                           at::Tensor *variance, double share, double epsilon, at::Tensor **output, at::Tensor **saved,
                           int64_t *backend) {
  return without_graph([&] {
    auto [normalised, save_mean, save_deviation, reserve, index] =
        at::_batch_norm_impl_index(*input, *gamma, *beta, *mean, *variance, true, share, epsilon, true);
    *output = owned(std::move(normalised));
    saved[0] = owned(std::move(save_mean));
    saved[1] = owned(std::move(save_deviation));
    saved[2] = owned(std::move(reserve));
    *backend = index;
  });
}

// The gradients of its input, gamma and beta.
char *mammoscope_normalisation_gradients(at::Tensor *gradient, at::Tensor *input, at::Tensor *gamma, at::Tensor *mean,
                                         at::Tensor *variance, double epsilon, at::Tensor *const *saved,
                                         int64_t backend, at::Tensor **gradients) {
  return without_graph([&] {
    auto [input_gradient, gamma_gradient, beta_gradient] =
        at::_batch_norm_impl_index_backward(backend, *input, *gradient, *gamma, *mean, *variance, *saved[0], *saved[1],
                                            true, epsilon, {true, true, true}, *saved[2]);
    gradients[0] = owned(std::move(input_gradient));
    gradients[1] = owned(std::move(gamma_gradient));
    gradients[2] = owned(std::move(beta_gradient));
  });
}

// Multiplies a gradient, in place, by the slope of the leaky ReLU whose result is given.
char *mammoscope_leaky_relu_gradient(at::Tensor *gradient, at::Tensor *result, double slope) {
  return without_graph([&] { at::leaky_relu_backward_outf(*gradient, *result, slope, true, *gradient); });
}

// 3×3 max-pooling with stride 2, and the places of the maxima.
char *mammoscope_max_pool(at::Tensor *input, int64_t padding, at::Tensor **output, at::Tensor **places) {
  return without_graph([&] {
    auto [pooled, indices] = at::max_pool2d_with_indices(*input, POOL, POOL_STRIDE, {padding, padding}, ONES, false);
    *output = owned(std::move(pooled));
    *places = owned(std::move(indices));
  });
}

// The gradient of its input.
char *mammoscope_max_pool_gradient(at::Tensor *gradient, at::Tensor *input, int64_t padding, at::Tensor *places,
                                   at::Tensor **output) {
  return without_graph([&] {
    *output = owned(at::max_pool2d_with_indices_backward(*gradient, *input, POOL, POOL_STRIDE, {padding, padding}, ONES,
                                                         false, *places));
  });
}

// Fills `flat` with tensors one after another, kernels O×I×H×W as O×H×W×I, or adds them to it.
char *mammoscope_gather(at::Tensor *const *tensors, size_t count, at::Tensor *flat, int replace) {
  return without_graph([&] {
    std::vector<at::Tensor> parts;
    parts.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const at::Tensor &tensor = *tensors[i];
      parts.push_back((tensor.dim() == 4 ? tensor.permute({0, 2, 3, 1}) : tensor).reshape({-1}));
    }
    if (replace == 0) {
      flat->add_(at::cat(parts));
    } else if (parts[0].scalar_type() == flat->scalar_type()) {
      at::cat_out(*flat, parts);
    } else {
      flat->copy_(at::cat(parts));
    }
  });
}
}
