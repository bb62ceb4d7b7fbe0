// libtorch's fused optimizer steps, which tch 0.24 lacks. Every function returns a message on failure (guarded.h). Tensors
// are the `at::Tensor *` that tch holds.

#include <ATen/core/Tensor.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <vector>

#include "guarded.h"

extern "C" {

// One step of gradient descent; `velocity` may be null if momentum is zero. Nothing changes if `skip` is 1.
char *mammoscope_sgd_step(at::Tensor *values, at::Tensor *gradients, at::Tensor *velocity, at::Tensor *skip,
                          at::Tensor *rate, double momentum, double decay, int nesterov, int first) {
  return guarded([&] {
    std::vector<at::Tensor> buffers;
    if (velocity != nullptr) buffers.push_back(*velocity);
    at::_fused_sgd_({*values}, {*gradients}, buffers, decay, momentum, *rate, 0.0, nesterov != 0, false, first != 0,
                    std::nullopt, *skip);
  });
}

// One step of AdamW. `step` is the number of this step, from 1, as an f32 tensor. Nothing changes if `skip` is 1.
char *mammoscope_adamw_step(at::Tensor *values, at::Tensor *gradients, at::Tensor *mean, at::Tensor *square,
                            at::Tensor *step, at::Tensor *skip, at::Tensor *rate, double beta1, double beta2, double decay,
                            double epsilon) {
  return guarded([&] {
    at::_fused_adamw_({*values}, {*gradients}, {*mean}, {*square}, {}, {*step}, *rate, beta1, beta2, decay, epsilon,
                      false, false, std::nullopt, *skip);
  });
}
}
