#include "kernels/adam.h"

#include <cmath>

namespace ptl {
namespace {

template <class T>
struct AdamRule {
  T beta1, beta2, epsilon;

  explicit AdamRule(const AdamSettings& settings)
      : beta1(static_cast<T>(settings.beta1)), beta2(static_cast<T>(settings.beta2)),
        epsilon(static_cast<T>(settings.epsilon)) {}

  PTL_HD void operator()(T& value, T& mean, T& square, T gradient, T scaled_rate, T inverse_root_correction) const {
    mean = beta1 * mean + (1 - beta1) * gradient;
    square = beta2 * square + (1 - beta2) * gradient * gradient;
    value -= scaled_rate * mean / (std::sqrt(square) * inverse_root_correction + epsilon);
  }
};

template <class T>
struct AdamElement {
  AdamRule<T> rule;
  T scaled_rate, inverse_root;
  const T* gradient;
  T *value, *mean, *square;

  PTL_HD void operator()(int64_t i) const {
    rule(value[i], mean[i], square[i], gradient[i], scaled_rate, inverse_root);
  }
};

template <class T>
struct SparseAdamElement {
  AdamRule<T> rule;
  BiasCorrections corrections;
  double rate;
  T *value, *mean, *square;
  int32_t* steps;

  PTL_HD void operator()(int64_t i, T gradient) const {
    if (gradient == T(0)) return;
    steps[i] = (steps[i] < 0x7ffffffe ? steps[i] : 0x7ffffffe) + 1;
    const int32_t t = steps[i] < corrections.last ? steps[i] : corrections.last;
    rule(value[i], mean[i], square[i], gradient, static_cast<T>(rate * corrections.inverse_mean[t]),
         static_cast<T>(corrections.inverse_root[t]));
  }
};

template <class T>
struct SparseAdamOfRows {
  SparseAdamElement<T> element;
  const T* gradient;
  const int64_t* row;  ///< null: in order
  int64_t row_elements;

  PTL_HD void operator()(int64_t i) const {
    element(row ? row[i / row_elements] * row_elements + i % row_elements : i, gradient[i]);
  }
};

template <class T>
struct SgdElement {
  T rate;
  const T* gradient;
  T* value;

  PTL_HD void operator()(int64_t i) const { value[i] -= rate * gradient[i]; }
};

}  // namespace

template <class T>
void adam_step(const Device& device, const AdamSettings& settings, double rate, int64_t count, const T* gradient, int64_t n,
               T* value, T* mean, T* square) {
  const auto t = static_cast<double>(count);
  parallel_for(device, "adam", n, n,
               AdamElement<T>{AdamRule<T>(settings), static_cast<T>(rate / (1 - std::pow(settings.beta1, t))),
                              static_cast<T>(1 / std::sqrt(1 - std::pow(settings.beta2, t))), gradient, value, mean,
                              square});
}

template <class T>
void sparse_adam_step(const Device& device, const AdamSettings& settings, const BiasCorrections& corrections, double rate,
                      const T* gradient, const int64_t* row, int64_t rows, int64_t row_elements, T* value, T* mean,
                      T* square, int32_t* steps) {
  const SparseAdamElement<T> element{AdamRule<T>(settings), corrections, rate, value, mean, square, steps};
  if (device.type != DeviceType::cpu || !row)
    return parallel_for(device, "sparse_adam", rows * row_elements, rows * row_elements,
                        SparseAdamOfRows<T>{element, gradient, row, row_elements});
#pragma omp parallel for schedule(static) if (rows * row_elements >= worth_threads)
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t e = 0; e < row_elements; ++e)
      element(row[r] * row_elements + e, gradient[r * row_elements + e]);
}

template <class T>
void sgd_step(const Device& device, double rate, const T* gradient, int64_t n, T* value) {
  parallel_for(device, "sgd", n, n, SgdElement<T>{static_cast<T>(rate), gradient, value});
}

#define PTL_INSTANTIATE(T)                                                                                               \
  template void adam_step<T>(const Device&, const AdamSettings&, double, int64_t, const T*, int64_t, T*, T*, T*);        \
  template void sparse_adam_step<T>(const Device&, const AdamSettings&, const BiasCorrections&, double, const T*,        \
                                    const int64_t*, int64_t, int64_t, T*, T*, T*, int32_t*);                             \
  template void sgd_step<T>(const Device&, double, const T*, int64_t, T*);
PTL_INSTANTIATE(float)
PTL_INSTANTIATE(double)
#undef PTL_INSTANTIATE

}  // namespace ptl
