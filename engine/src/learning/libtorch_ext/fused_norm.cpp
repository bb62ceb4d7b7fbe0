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
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "guarded.h"

namespace {

// Compiled for several processors, of which the best is chosen at the start.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE inline __attribute__((always_inline))

// Channels that are computed together: they stay in registers.
constexpr int64_t TILE = 32;
// Rows whose sums are f32.
constexpr int64_t ROWS = 16;
// Values of a part that is read twice: they fit into the first cache.
constexpr int64_t PART = 8192;
// Values for which another block of rows is worth while, and the most blocks.
constexpr int64_t BLOCK = 16384, BLOCKS = 64;

// The bits of a bf16.
using Half = uint16_t;

INLINE float load(const float *place) { return *place; }
INLINE float load(const Half *place) {
  const uint32_t bits = static_cast<uint32_t>(*place) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
INLINE void store(float *place, float value) { *place = value; }
INLINE void store(Half *place, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  *place = static_cast<Half>(value != value ? 0x7fc0 : rounded);
}

// What a gradient is multiplied by first.
enum Mask {
  // Nothing: there is no activation.
  NONE,
  // The slope of the activation at the normalised value, which is computed again.
  COMPUTED,
  // The slope of the activation that has the result given; the product replaces the gradient.
  OF_RESULT,
};

// Channel by channel: a normalised value is `scale` · x + `shift`.
struct Channels {
  int64_t count;
  const float *scale, *shift, *mean;
  float slope;
};

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

// Calls `body` with the first channel and the number of each tile, which is a constant for all but the last one.
template <typename Body> INLINE void tiles(int64_t channels, const Body &body) {
  int64_t first = 0;
  for (; first + TILE <= channels; first += TILE) body(first, std::integral_constant<int64_t, TILE>());
  if (first < channels) body(first, channels - first);
}

// Adds the sums of x - offset and, if wanted, of its square over rows.
template <bool SQUARES, typename T>
INLINE void add_sums(const T *__restrict x, int64_t rows, int64_t channels, const float *__restrict offset,
                     double *__restrict sum, double *__restrict squares) {
  for (int64_t begin = 0; begin < rows; begin += ROWS) {
    const int64_t end = std::min(rows, begin + ROWS);
    tiles(channels, [&](int64_t first, auto count) {
      float part[TILE] = {}, square[TILE] = {};
      for (int64_t row = begin; row < end; ++row) {
        const T *__restrict values = x + row * channels + first;
        for (int64_t k = 0; k < count; ++k) {
          const float value = load(values + k) - offset[first + k];
          part[k] += value;
          if (SQUARES) square[k] += value * value;
        }
      }
      for (int64_t k = 0; k < count; ++k) {
        sum[first + k] += part[k];
        if (SQUARES) squares[first + k] += square[k];
      }
    });
  }
}

// The mean over rows and the sum of the squared distances from it.
template <typename T>
INLINE void block_statistics(const T *x, int64_t rows, int64_t channels, double *mean, double *squares) {
  std::vector<double> sum(channels), part(channels);
  std::vector<float> offset(channels);
  const int64_t step = std::max<int64_t>(ROWS, PART / channels / ROWS * ROWS);
  for (int64_t done = 0; done < rows; done += step) {
    const T *values = x + done * channels;
    const int64_t count = std::min(step, rows - done);
    // About the first row, then about the mean.
    for (int64_t c = 0; c < channels; ++c) offset[c] = load(values + c);
    std::fill(sum.begin(), sum.end(), 0.0);
    add_sums<false>(values, count, channels, offset.data(), sum.data(), part.data());
    for (int64_t c = 0; c < channels; ++c) offset[c] += static_cast<float>(sum[c] / count);
    std::fill(sum.begin(), sum.end(), 0.0);
    std::fill(part.begin(), part.end(), 0.0);
    add_sums<true>(values, count, channels, offset.data(), sum.data(), part.data());
    const double all = done + count, share = count / all;
    for (int64_t c = 0; c < channels; ++c) {
      const double from_offset = sum[c] / count, part_mean = offset[c] + from_offset;
      const double distance = part_mean - mean[c];
      mean[c] += distance * share;
      squares[c] += part[c] - sum[c] * from_offset + distance * distance * done * share;
    }
  }
}

// y = activation(scale · x + shift + added).
template <typename T, bool ADDS>
INLINE void block_outputs(const T *__restrict x, const T *__restrict added, T *__restrict y, int64_t rows,
                          const Channels &channels) {
  const float *__restrict scale = channels.scale, *__restrict shift = channels.shift;
  const float slope = channels.slope;
  const int64_t count = channels.count;
  for (int64_t row = 0; row < rows; ++row, x += count, y += count) {
    for (int64_t k = 0; k < count; ++k) {
      float value = load(x + k) * scale[k] + shift[k];
      if (ADDS) value += load(added + row * count + k);
      store(y + k, value * (value > 0 ? 1.0f : slope));
    }
  }
}

// What a gradient is multiplied by, given the sign of the output.
INLINE float factor_at(float sign, float slope) { return sign > 0 ? 1.0f : slope; }

// Adds the sums of the gradient and of its product with x - mean.
template <typename T, Mask MASK>
INLINE void block_sums(T *__restrict gradient, const T *__restrict x, const T *__restrict y, int64_t rows,
                       const Channels &channels, double *__restrict sum, double *__restrict product) {
  const float slope = channels.slope;
  for (int64_t begin = 0; begin < rows; begin += ROWS) {
    const int64_t end = std::min(rows, begin + ROWS);
    tiles(channels.count, [&](int64_t first, auto count) {
      const float *__restrict scale = channels.scale + first, *__restrict shift = channels.shift + first,
                  *__restrict mean = channels.mean + first;
      float part[TILE] = {}, products[TILE] = {};
      for (int64_t row = begin; row < end; ++row) {
        const int64_t place = row * channels.count + first;
        T *__restrict values = gradient + place;
        const T *__restrict inputs = x + place;
        for (int64_t k = 0; k < count; ++k) {
          const float input = load(inputs + k);
          float value = load(values + k);
          if (MASK == COMPUTED) value *= factor_at(input * scale[k] + shift[k], slope);
          if (MASK == OF_RESULT) {
            value *= factor_at(load(y + place + k), slope);
            store(values + k, value);
          }
          part[k] += value;
          products[k] += value * (input - mean[k]);
        }
      }
      for (int64_t k = 0; k < count; ++k) {
        sum[first + k] += part[k];
        product[first + k] += products[k];
      }
    });
  }
}

// The gradient of x: `scale` · (gradient - `constant` - `factor` · (x - mean)).
template <typename T, Mask MASK>
INLINE void block_gradients(const T *__restrict gradient, const T *__restrict x, T *__restrict of_x, int64_t rows,
                            const Channels &channels, const float *__restrict constant, const float *__restrict factor) {
  const float *__restrict scale = channels.scale, *__restrict shift = channels.shift, *__restrict mean = channels.mean;
  const float slope = channels.slope;
  const int64_t count = channels.count;
  for (int64_t row = 0; row < rows; ++row, x += count, gradient += count, of_x += count) {
    for (int64_t k = 0; k < count; ++k) {
      const float input = load(x + k);
      float value = load(gradient + k);
      if (MASK == COMPUTED) value *= factor_at(input * scale[k] + shift[k], slope);
      store(of_x + k, scale[k] * (value - constant[k] - factor[k] * (input - mean[k])));
    }
  }
}

// A function for each kind: templates cannot be compiled for several processors.
#define FUNCTIONS(T, NAME)                                                                                             \
  FOR_EACH_PROCESSOR void statistics_##NAME(const T *x, int64_t rows, int64_t channels, double *mean,                  \
                                            double *squares) {                                                         \
    block_statistics(x, rows, channels, mean, squares);                                                                \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void outputs_##NAME(const T *x, const T *added, T *y, int64_t rows, const Channels &channels) {   \
    if (added == nullptr) block_outputs<T, false>(x, added, y, rows, channels);                                        \
    else block_outputs<T, true>(x, added, y, rows, channels);                                                          \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void sums_##NAME(Mask mask, T *gradient, const T *x, const T *y, int64_t rows,                    \
                                      const Channels &channels, double *sum, double *product) {                        \
    if (mask == NONE) block_sums<T, NONE>(gradient, x, y, rows, channels, sum, product);                               \
    else if (mask == COMPUTED) block_sums<T, COMPUTED>(gradient, x, y, rows, channels, sum, product);                  \
    else block_sums<T, OF_RESULT>(gradient, x, y, rows, channels, sum, product);                                       \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void gradients_##NAME(Mask mask, const T *gradient, const T *x, T *of_x, int64_t rows,            \
                                           const Channels &channels, const float *constant, const float *factor) {     \
    if (mask == COMPUTED) block_gradients<T, COMPUTED>(gradient, x, of_x, rows, channels, constant, factor);           \
    else block_gradients<T, NONE>(gradient, x, of_x, rows, channels, constant, factor);                                \
  }
FUNCTIONS(float, f32)
FUNCTIONS(Half, bf16)

// One name for both kinds.
template <typename T> struct Kernels;
template <> struct Kernels<float> {
  static constexpr auto statistics = statistics_f32;
  static constexpr auto outputs = outputs_f32;
  static constexpr auto sums = sums_f32;
  static constexpr auto gradients = gradients_f32;
};
template <> struct Kernels<Half> {
  static constexpr auto statistics = statistics_bf16;
  static constexpr auto outputs = outputs_bf16;
  static constexpr auto sums = sums_bf16;
  static constexpr auto gradients = gradients_bf16;
};

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
