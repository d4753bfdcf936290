// A multilayer perceptron (ELU) of one lane on a processor with AVX512-BF16: forward, and back.
#pragma once
#include <cstdint>

namespace mbgen {

// Sizes of a perceptron. Its parameters lie as `deep.networks` has them: the weights [in, out] of each
// layer, then the biases, where the last layer has room for `room` outputs and uses the first `outputs`.
struct Shape {
  int64_t inputs, width, depth, outputs, room;
  int64_t in(int64_t layer) const { return layer ? width : inputs; }
  int64_t out(int64_t layer) const { return layer < depth ? width : outputs; }
  int64_t weights(int64_t layer) const;  // where they begin among the parameters
  int64_t biases(int64_t layer) const;
  int64_t parameters() const;  // in all, with what pads them to a multiple of 16
  int64_t packed_words() const;                // of `pack`'s result, in 32-bit words
  int64_t kept_words(int64_t rows) const;      // of what `forward` keeps for `backward`
};

// Round the weights to bfloat16, in the order in which `forward` reads them.
void pack(const Shape&, const float* parameters, uint32_t* packed);

// outputs[rows, outputs] = the perceptron of inputs[rows, inputs]. Either of outputs and kept may be null.
void forward(const Shape&, const float* parameters, const uint32_t* packed, const float* inputs,
             int64_t rows, float* outputs, uint32_t* kept);

// From the gradient of the outputs that of all parameters, and of the inputs if it is not null.
void backward(const Shape&, const uint32_t* packed, const uint32_t* kept, const float* output_gradient,
              int64_t rows, float* gradient, float* input_gradient);

// The numbers of a step of Adam, see `deep.adam`: `scale` is the step size times the first correction.
struct AdamStep {
  float beta_1, beta_2, epsilon, decay, scale, second_correction;
};

// One step of Adam on a perceptron's parameters, but for those that no output uses, and its weights rounded anew as
// by `pack`.
void adam_step(const Shape&, const AdamStep&, const float* gradient, float* parameters, float* first, float* second,
               uint32_t* packed);

}  // namespace mbgen
