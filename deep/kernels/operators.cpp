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

// What `forward` keeps, for as long as a lane needs it.
uint32_t* kept_words(const Shape& shape, int64_t rows) {
  thread_local std::vector<uint32_t> kept;
  kept.resize(std::max<size_t>(kept.size(), shape.kept_words(rows)));
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
  Tensor outputs = at::empty({lanes, rows, shape.outputs}, from.options());
  Tensor of_parameters = at::empty({lanes, shape.parameters()}, from.options());
  Tensor back = at::empty({lanes, of_inputs ? rows : 0, shape.inputs}, from.options());
  each_lane(lanes, [&](int64_t lane) {
    uint32_t* kept = kept_words(shape, rows);
    forward(shape, lane_of<float>(own, lane), (uint32_t*)lane_of<int>(packed, lane), lane_of<float>(from, lane), rows,
            lane_of<float>(outputs, lane), kept);
    backward(shape, (uint32_t*)lane_of<int>(packed, lane), kept, lane_of<float>(given, lane), rows,
             lane_of<float>(of_parameters, lane), of_inputs ? lane_of<float>(back, lane) : nullptr);
  });
  return {of_parameters, back};
}

// `td_target`, `td_loss` and its gradient, one lane after the other.
std::tuple<Tensor, Tensor> td_gradient(const Tensor& parameters, const Tensor& packed, const Tensor& target_parameters,
                                       const Tensor& target_packed, at::IntArrayRef sizes, const Tensor& features,
                                       const Tensor& action, const Tensor& reward, const Tensor& continuation,
                                       const Tensor& next_features, const Tensor& weight, double discount) {
  Shape shape = shape_of(sizes);
  Tensor own = dense(parameters), target = dense(target_parameters), now = dense(features), then = dense(next_features);
  Tensor taken = dense(action), gained = dense(reward), goes_on = dense(continuation), weighs = dense(weight);
  int64_t lanes = now.size(0), rows = now.size(1), actions = shape.outputs;
  Tensor gradient = at::empty({lanes, shape.parameters()}, now.options());
  Tensor loss = at::empty({lanes}, now.options());
  each_lane(lanes, [&](int64_t lane) {
    std::vector<float> next(rows * actions), values(rows * actions), slopes(rows * actions);
    forward(shape, lane_of<float>(target, lane), (uint32_t*)lane_of<int>(target_packed, lane),
            lane_of<float>(then, lane), rows, next.data(), nullptr);
    uint32_t* kept = kept_words(shape, rows);
    forward(shape, lane_of<float>(own, lane), (uint32_t*)lane_of<int>(packed, lane), lane_of<float>(now, lane), rows,
            values.data(), kept);
    double sum = 0;
    for (int64_t row = 0; row < rows; row++) {
      float best = next[row * actions];
      for (int64_t i = 1; i < actions; i++) {
        float value = next[row * actions + i];
        if (value > best || value != value) best = value;
      }
      int64_t chosen = row * actions + lane_of<int64_t>(taken, lane)[row];
      float aim = lane_of<float>(gained, lane)[row] + (float)discount * lane_of<float>(goes_on, lane)[row] * best;
      float error = values[chosen] - aim, scale = lane_of<float>(weighs, lane)[row];
      sum += scale * error * error;
      slopes[chosen] = 2 * scale * error / rows;
    }
    lane_of<float>(loss, lane)[0] = sum / rows;
    backward(shape, (uint32_t*)lane_of<int>(packed, lane), kept, slopes.data(), rows, lane_of<float>(gradient, lane), nullptr);
  });
  return {gradient, loss};
}

}  // namespace

TORCH_LIBRARY(mbgen, library) {
  library.def("pack(Tensor parameters, int[] sizes) -> Tensor");
  library.def("perceptron(Tensor inputs, Tensor parameters, Tensor packed, int[] sizes) -> Tensor");
  library.def(
      "perceptron_backward(Tensor gradient, Tensor inputs, Tensor parameters, Tensor packed, int[] sizes,"
      " bool of_inputs) -> (Tensor, Tensor)");
  library.def(
      "td_gradient(Tensor parameters, Tensor packed, Tensor target_parameters, Tensor target_packed, int[] sizes,"
      " Tensor features, Tensor action, Tensor reward, Tensor continuation, Tensor next_features, Tensor weight,"
      " float discount) -> (Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(mbgen, CPU, library) {
  library.impl("pack", pack_lanes);
  library.impl("perceptron", perceptron);
  library.impl("perceptron_backward", perceptron_backward);
  library.impl("td_gradient", td_gradient);
}

}  // namespace mbgen
