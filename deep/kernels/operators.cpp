// What torch sees of the kernels. A lane is computed by one thread from beginning to end, so that how many there
// are changes no bit.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "perceptron.h"

namespace mbgen {
namespace {

using at::Tensor;

Shape shape_of(at::IntArrayRef sizes) { return {sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]}; }

// Where a lane of a tensor begins; what belongs to a lane lies densely.
template <class T>
T* lane_of(const Tensor& tensor, int64_t lane) {
  return tensor.data_ptr<T>() + lane * tensor.stride(0);
}

Tensor dense(const Tensor& tensor) { return tensor[0].is_contiguous() ? tensor : tensor.contiguous(); }

template <class Work>
void each_lane(int64_t lanes, const Work& work) {
  at::parallel_for(0, lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; lane++) work(lane);
  });
}

// Memory for as long as a lane needs it; a thread keeps one of each type for its next lane.
template <class T>
T* scratch(int64_t size) {
  thread_local std::vector<T> kept;
  kept.resize(std::max<size_t>(kept.size(), size));
  return kept.data();
}

Tensor pack_lanes(const Tensor& parameters, at::IntArrayRef sizes) {
  Shape shape = shape_of(sizes);
  Tensor from = dense(parameters);
  Tensor packed = at::empty({from.size(0), shape.packed_words()}, from.options().dtype(at::kInt));
  each_lane(from.size(0), [&](int64_t lane) {
    pack(shape, lane_of<float>(from, lane), (uint32_t*)lane_of<int>(packed, lane));
  });
  return packed;
}

Tensor perceptron(const Tensor& inputs, const Tensor& parameters, const Tensor& packed, at::IntArrayRef sizes) {
  Shape shape = shape_of(sizes);
  Tensor from = dense(inputs), own = dense(parameters);
  int64_t lanes = from.size(0), rows = from.size(1);
  Tensor outputs = at::empty({lanes, rows, shape.outputs}, from.options());
  each_lane(lanes, [&](int64_t lane) {
    forward(shape, lane_of<float>(own, lane), (uint32_t*)lane_of<int>(packed, lane), lane_of<float>(from, lane), rows,
            lane_of<float>(outputs, lane), nullptr);
  });
  return outputs;
}

// Computes again what it needs of the way forward: that stays in the cache.
std::tuple<Tensor, Tensor> perceptron_backward(const Tensor& gradient, const Tensor& inputs, const Tensor& parameters,
                                               const Tensor& packed, at::IntArrayRef sizes, bool of_inputs) {
  Shape shape = shape_of(sizes);
  Tensor from = dense(inputs), own = dense(parameters), given = dense(gradient);
  int64_t lanes = from.size(0), rows = from.size(1);
  Tensor of_parameters = at::empty({lanes, shape.parameters()}, from.options());
  Tensor back = at::empty({lanes, of_inputs ? rows : 0, shape.inputs}, from.options());
  each_lane(lanes, [&](int64_t lane) {
    uint32_t* kept = scratch<uint32_t>(shape.kept_words(rows));
    forward(shape, lane_of<float>(own, lane), (uint32_t*)lane_of<int>(packed, lane), lane_of<float>(from, lane), rows,
            nullptr, kept);
    backward(shape, (uint32_t*)lane_of<int>(packed, lane), kept, lane_of<float>(given, lane), rows,
             lane_of<float>(of_parameters, lane), of_inputs ? lane_of<float>(back, lane) : nullptr);
  });
  return {of_parameters, back};
}

// `constants` are both betas, epsilon and the decay.
AdamStep adam_step_of(at::ArrayRef<double> constants, float scale, float second_correction) {
  return {(float)constants[0], (float)constants[1], (float)constants[2], (float)constants[3], scale, second_correction};
}

// A network of several perceptrons: `sizes` of each, one after the other.
void adam(Tensor parameters, Tensor first, Tensor second, at::TensorList packed, at::TensorList gradients,
          const Tensor& scale, const Tensor& correction, at::ArrayRef<double> constants, at::IntArrayRef sizes) {
  float second_correction = correction.item<float>();
  each_lane(parameters.size(0), [&](int64_t lane) {
    AdamStep step = adam_step_of(constants, lane_of<float>(scale, lane)[0], second_correction);
    for (size_t head = 0; head < gradients.size(); head++) {
      Shape shape = shape_of(sizes.slice(5 * head, 5));
      int64_t begin = head * shape.parameters();
      adam_step(shape, step, lane_of<float>(gradients[head], lane), lane_of<float>(parameters, lane) + begin,
                lane_of<float>(first, lane) + begin, lane_of<float>(second, lane) + begin,
                (uint32_t*)lane_of<int>(packed[head], lane));
    }
  });
}

// `td_target`, `td_loss`, the loss's gradient and the step of Adam, one lane after the other.
Tensor td_step(Tensor parameters, Tensor first, Tensor second, Tensor packed, const Tensor& target_parameters,
               const Tensor& target_packed, const Tensor& features, const Tensor& action, const Tensor& reward,
               const Tensor& continuation, const Tensor& next_features, const Tensor& weight, const Tensor& scale,
               const Tensor& correction, at::ArrayRef<double> constants, double discount, at::IntArrayRef sizes) {
  Shape shape = shape_of(sizes);
  Tensor now = dense(features), then = dense(next_features), taken = dense(action), gained = dense(reward);
  Tensor goes_on = dense(continuation), weighs = dense(weight);
  int64_t lanes = now.size(0), rows = now.size(1), actions = shape.outputs;
  float second_correction = correction.item<float>();
  Tensor loss = at::empty({lanes}, now.options());
  each_lane(lanes, [&](int64_t lane) {
    std::vector<float> next(rows * actions), values(rows * actions), slopes(rows * actions);
    float* gradient = scratch<float>(shape.parameters());
    float* own = lane_of<float>(parameters, lane);
    uint32_t* own_packed = (uint32_t*)lane_of<int>(packed, lane);
    uint32_t* kept = scratch<uint32_t>(shape.kept_words(rows));
    forward(shape, lane_of<float>(target_parameters, lane), (uint32_t*)lane_of<int>(target_packed, lane),
            lane_of<float>(then, lane), rows, next.data(), nullptr);
    forward(shape, own, own_packed, lane_of<float>(now, lane), rows, values.data(), kept);
    double sum = 0;
    for (int64_t row = 0; row < rows; row++) {
      float best = next[row * actions];
      for (int64_t i = 1; i < actions; i++) {
        float value = next[row * actions + i];
        if (value > best || value != value) best = value;
      }
      int64_t chosen = row * actions + lane_of<int64_t>(taken, lane)[row];
      float aim = lane_of<float>(gained, lane)[row] + (float)discount * lane_of<float>(goes_on, lane)[row] * best;
      float error = values[chosen] - aim, share = lane_of<float>(weighs, lane)[row];
      sum += share * error * error;
      slopes[chosen] = 2 * share * error / rows;
    }
    lane_of<float>(loss, lane)[0] = sum / rows;
    backward(shape, own_packed, kept, slopes.data(), rows, gradient, nullptr);
    AdamStep step = adam_step_of(constants, lane_of<float>(scale, lane)[0], second_correction);
    adam_step(shape, step, gradient, own, lane_of<float>(first, lane), lane_of<float>(second, lane), own_packed);
  });
  return loss;
}

}  // namespace

TORCH_LIBRARY(mbgen, library) {
  library.def("pack(Tensor parameters, int[] sizes) -> Tensor");
  library.def("perceptron(Tensor inputs, Tensor parameters, Tensor packed, int[] sizes) -> Tensor");
  library.def(
      "perceptron_backward(Tensor gradient, Tensor inputs, Tensor parameters, Tensor packed, int[] sizes,"
      " bool of_inputs) -> (Tensor, Tensor)");
  library.def(
      "adam(Tensor(a!) parameters, Tensor(b!) first, Tensor(c!) second, Tensor(d!)[] packed, Tensor[] gradients,"
      " Tensor scale, Tensor correction, float[] constants, int[] sizes) -> ()");
  library.def(
      "td_step(Tensor(a!) parameters, Tensor(b!) first, Tensor(c!) second, Tensor(d!) packed,"
      " Tensor target_parameters, Tensor target_packed, Tensor features, Tensor action, Tensor reward,"
      " Tensor continuation, Tensor next_features, Tensor weight, Tensor scale, Tensor correction,"
      " float[] constants, float discount, int[] sizes) -> Tensor");
}

TORCH_LIBRARY_IMPL(mbgen, CPU, library) {
  library.impl("pack", pack_lanes);
  library.impl("perceptron", perceptron);
  library.impl("perceptron_backward", perceptron_backward);
  library.impl("adam", adam);
  library.impl("td_step", td_step);
}

}  // namespace mbgen
