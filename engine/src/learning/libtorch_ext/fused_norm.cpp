// Batch normalisation together with the activation behind it and the sum between the two, on the CPU: libtorch has an
// operation for each, and on large feature maps each waits for memory. Every function returns a message on failure
// (guarded.h). Tensors are the `at::Tensor *` that tch holds; feature maps are N×C×H×W, channels-last, f32 or bf16, and all
// others f32.
//
// Sums are taken of 16 rows in f32 and of those in f64, in an order that depends on the size alone: results do not depend on
// the number of threads. Statistics are those of small parts, taken twice while they are in the cache, and combined (Chan,
// Golub and LeVeque 1983), so that a feature map is read once, and its mean may be large.

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <cmath>
#include <stdexcept>

#include "fused_norm_kernels.h"
#include "guarded.h"

namespace {

// Calls `body` with 0, 1, … count - 1, by libtorch's threads.
template <typename Body> void in_parallel(int64_t count, const Body &body) {
  if (count == 1 || at::get_num_threads() == 1) {
    for (int64_t number = 0; number < count; ++number) body(number);
    return;
  }
  const at::Tensor places = at::empty({count}, at::kByte);
  const char *first = static_cast<const char *>(places.const_data_ptr());
  auto iterator = at::TensorIterator::borrowing_nullary_op(places);
  iterator.for_each(
      [&](char **data, const int64_t *strides, int64_t size) {
        for (int64_t step = 0; step < size; ++step) body(data[0] + step * strides[0] - first);
      },
      1);
}

// The rows of a feature map, divided into blocks by its size alone.
struct Rows {
  int64_t channels, count, blocks;

  explicit Rows(const at::Tensor &x)
      : channels(x.size(1)), count(x.numel() / x.size(1)), blocks(std::clamp<int64_t>(x.numel() / BLOCK, 1, BLOCKS)) {
    if (count < 2) throw std::invalid_argument("a single value per channel has no variance");
  }
  int64_t begin(int64_t block) const { return count * block / blocks; }
  int64_t size(int64_t block) const { return begin(block + 1) - begin(block); }
};

void check(const at::Tensor &map, const at::Tensor &like) {
  const bool fits = map.sizes() == like.sizes() && map.scalar_type() == like.scalar_type() && map.device().is_cpu() &&
                    map.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (!fits) throw std::invalid_argument("feature maps of one shape and kind, channels-last, on the CPU");
}

template <typename T> T *data(const at::Tensor *tensor) {
  return tensor == nullptr ? nullptr : static_cast<T *>(tensor->data_ptr());
}

// Calls `body` with a null pointer to the type of a map's values.
template <typename Body> void of_kind(const at::Tensor &map, const Body &body) {
  if (map.scalar_type() == at::kFloat) return body(static_cast<float *>(nullptr));
  if (map.scalar_type() == at::kBFloat16) return body(static_cast<Half *>(nullptr));
  throw std::invalid_argument("feature maps of f32 or bf16");
}

// Scale and shift of each channel.
void affine(int64_t channels, const float *gamma, const float *beta, const float *mean, const float *deviation,
            std::vector<float> &scale, std::vector<float> &shift) {
  for (int64_t c = 0; c < channels; ++c) {
    const double factor = static_cast<double>(gamma[c]) * deviation[c];
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(beta[c] - mean[c] * factor);
  }
}

}  // namespace

extern "C" {

// y = activation(BN(x) + added) with the statistics of the batch, where `added` may be null and a `slope` of 1 is no
// activation. The moving statistics get those of the batch with weight `share`. `saved` gets the mean and the inverse
// deviation of each channel.
char *mammoscope_fused_norm(at::Tensor *x, at::Tensor *gamma, at::Tensor *beta, at::Tensor *moving_mean,
                            at::Tensor *moving_variance, double share, double epsilon, at::Tensor *added, double slope,
                            at::Tensor **y, at::Tensor **saved) {
  return guarded([&] {
    check(*x, *x);
    if (added != nullptr) check(*added, *x);
    const Rows rows(*x);
    const int64_t channels = rows.channels;
    at::Tensor output = at::empty_like(*x);
    at::Tensor mean = at::empty({channels}, at::kFloat), deviation = at::empty({channels}, at::kFloat);
    of_kind(*x, [&](auto *kind) {
      using T = std::remove_pointer_t<decltype(kind)>;
      const T *values = data<T>(x);
      std::vector<double> means(rows.blocks * channels), squares(rows.blocks * channels);
      in_parallel(rows.blocks, [&](int64_t block) {
        Kernels<T>::statistics(values + rows.begin(block) * channels, rows.size(block), channels,
                               &means[block * channels], &squares[block * channels]);
      });
      float *moving_means = data<float>(moving_mean), *moving_variances = data<float>(moving_variance);
      for (int64_t c = 0; c < channels; ++c) {
        double all = 0, whole = 0, sum = 0;
        for (int64_t block = 0; block < rows.blocks; ++block) {
          const double count = rows.size(block), distance = means[block * channels + c] - whole;
          sum += squares[block * channels + c] + distance * distance * all * count / (all + count);
          all += count;
          whole += distance * count / all;
        }
        mean.mutable_data_ptr<float>()[c] = static_cast<float>(whole);
        deviation.mutable_data_ptr<float>()[c] = static_cast<float>(1.0 / std::sqrt(sum / rows.count + epsilon));
        moving_means[c] = static_cast<float>((1.0 - share) * moving_means[c] + share * whole);
        moving_variances[c] =
            static_cast<float>((1.0 - share) * moving_variances[c] + share * sum / (rows.count - 1));
      }
      std::vector<float> scale(channels), shift(channels);
      affine(channels, data<float>(gamma), data<float>(beta), data<float>(&mean), data<float>(&deviation), scale, shift);
      const Channels all{channels, scale.data(), shift.data(), nullptr, static_cast<float>(slope)};
      in_parallel(rows.blocks, [&](int64_t block) {
        const int64_t place = rows.begin(block) * channels;
        const T *other = data<T>(added);
        Kernels<T>::outputs(values + place, other == nullptr ? nullptr : other + place, data<T>(&output) + place,
                            rows.size(block), all);
      });
    });
    *y = new at::Tensor(std::move(output));
    saved[0] = new at::Tensor(std::move(mean));
    saved[1] = new at::Tensor(std::move(deviation));
  });
}

// The gradients of x, gamma and beta, given that of y. If there was something added, `y` is not null, and the gradient is
// replaced by that of the sum before the activation.
char *mammoscope_fused_norm_gradients(at::Tensor *gradient, at::Tensor *x, at::Tensor *gamma, at::Tensor *beta,
                                      at::Tensor *const *saved, at::Tensor *y, double slope, at::Tensor **gradients) {
  return guarded([&] {
    check(*x, *x);
    check(*gradient, *x);
    if (y != nullptr) check(*y, *x);
    const Rows rows(*x);
    const int64_t channels = rows.channels;
    const Mask mask = y != nullptr ? OF_RESULT : slope == 1.0 ? NONE : COMPUTED;
    at::Tensor of_x = at::empty_like(*x);
    at::Tensor of_gamma = at::empty({channels}, at::kFloat), of_beta = at::empty({channels}, at::kFloat);
    const float *mean = data<float>(saved[0]), *deviation = data<float>(saved[1]);
    std::vector<float> scale(channels), shift(channels), constant(channels), factor(channels);
    affine(channels, data<float>(gamma), data<float>(beta), mean, deviation, scale, shift);
    const Channels all{channels, scale.data(), shift.data(), mean, static_cast<float>(slope)};
    of_kind(*x, [&](auto *kind) {
      using T = std::remove_pointer_t<decltype(kind)>;
      std::vector<double> sums(rows.blocks * channels), products(rows.blocks * channels);
      in_parallel(rows.blocks, [&](int64_t block) {
        const int64_t place = rows.begin(block) * channels;
        const T *result = data<T>(y);
        Kernels<T>::sums(mask, data<T>(gradient) + place, data<T>(x) + place,
                         result == nullptr ? nullptr : result + place, rows.size(block), all,
                         &sums[block * channels], &products[block * channels]);
      });
      for (int64_t c = 0; c < channels; ++c) {
        double sum = 0, product = 0;
        for (int64_t block = 0; block < rows.blocks; ++block) {
          sum += sums[block * channels + c];
          product += products[block * channels + c];
        }
        of_beta.mutable_data_ptr<float>()[c] = static_cast<float>(sum);
        of_gamma.mutable_data_ptr<float>()[c] = static_cast<float>(product * deviation[c]);
        constant[c] = static_cast<float>(sum / rows.count);
        factor[c] = static_cast<float>(product * deviation[c] * deviation[c] / rows.count);
      }
      in_parallel(rows.blocks, [&](int64_t block) {
        const int64_t place = rows.begin(block) * channels;
        Kernels<T>::gradients(mask, data<T>(gradient) + place, data<T>(x) + place, data<T>(&of_x) + place,
                              rows.size(block), all, constant.data(), factor.data());
      });
    });
    gradients[0] = new at::Tensor(std::move(of_x));
    gradients[1] = new at::Tensor(std::move(of_gamma));
    gradients[2] = new at::Tensor(std::move(of_beta));
  });
}
}
