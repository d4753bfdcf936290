// All products of a perceptron are one: C[i, j] = sum over pairs p of A[i, p] . B[p, j], where A and B
// hold words of two bfloat16 numbers each, neighbours along what is summed over, and `.` multiplies and adds
// both to a float32 sum (VDPBF16PS). What is summed over are a layer's inputs going forward, its outputs going
// back, and the rows of the batch for the gradient of the weights.
//
// A is read word by word, each broadcast to a vector, so that it may lie in any way. B is read in vectors
// of 16 columns; it is kept in `Panels`: stripes of three vectors, pair after pair, which a block of 8 rows and
// three vectors (24 sums in registers) reads from one end to the other. Columns are padded to 16 and rows to 8.
#include "perceptron.h"

#include <immintrin.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace mbgen {
namespace {

constexpr int64_t kRows = 8, kColumns = 16, kStripe = 3;
constexpr int64_t kAhead = 512;  // numbers by which a step of Adam fetches its four streams ahead of itself

int64_t blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }
int64_t padded(int64_t size, int64_t block) { return blocks(size, block) * block; }

// Where the words of a matrix of `pairs` x (16 `vectors`) lie.
struct Panels {
  int64_t pairs, vectors;
  int64_t stripe(int64_t vector) const { return std::min(kStripe, vectors - vector / kStripe * kStripe); }
  int64_t step(int64_t vector) const { return stripe(vector) * kColumns; }  // from a pair to the next
  int64_t at(int64_t pair, int64_t vector) const {
    int64_t first = vector / kStripe * kStripe;
    return first * pairs * kColumns + pair * step(vector) + (vector - first) * kColumns;
  }
  int64_t words() const { return pairs * vectors * kColumns; }
};

Panels panels(int64_t summed, int64_t columns) { return {blocks(summed, 2), blocks(columns, kColumns)}; }
Panels kept_panels(int64_t rows, int64_t columns) { return panels(padded(rows, kRows), columns); }

// Words of a matrix that is kept row by row: what is summed over lies along the row.
int64_t row_words(int64_t columns) { return padded(columns, kColumns) / 2; }
int64_t row_major_words(int64_t rows, int64_t columns) { return padded(rows, kRows) * row_words(columns); }

__mmask16 first_columns(int64_t count) { return count >= kColumns ? 0xffff : (1u << std::max<int64_t>(count, 0)) - 1; }

// 16 numbers rounded to bfloat16 each; two rows of 16 as 16 words, `low` in the lower half.
__m256i rounded(__m512 x) { return (__m256i)_mm512_cvtneps_pbh(x); }
__m512i paired(__m256i low, __m256i high) {
  return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
}

// The slope of ELU where it gave this activation.
__m512 slope(__m512i activation) {
  __m512 x = _mm512_castsi512_ps(activation);
  return _mm512_add_ps(_mm512_set1_ps(1.f), _mm512_min_ps(_mm512_setzero_ps(), x));
}

// Where an argument is no number, minimum and maximum give the second: written so, it stays none.

// e^x for x <= 0, with a relative error of about 1e-5, a hundredth of what rounding to bfloat16 leaves: 2^n times
// a polynomial of the rest, 1 + r + r^2 (...), so that e^x - 1 is near x where x is small.
__m512 exponential(__m512 x) {
  x = _mm512_max_ps(_mm512_set1_ps(-87.f), x);
  __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.69314718f), x);
  __m512 p = _mm512_fmadd_ps(r, _mm512_set1_ps(0.04127767f), _mm512_set1_ps(0.16753532f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.50005118f));
  p = _mm512_fmadd_ps(p, _mm512_mul_ps(r, r), _mm512_add_ps(r, _mm512_set1_ps(1.f)));
  return _mm512_scalef_ps(p, n);
}

// Words of A: (i, p) is at words[i * row + p * pair].
struct Words {
  const uint32_t* words;
  int64_t row, pair;
};

// The sums of 8 rows and `kVectors` vectors, to sums[vector][row]. Not inlined: the sums then stay in registers.
template <int kVectors>
__attribute__((noinline)) void sum_block(Words a, const uint32_t* b, int64_t pairs, __m512 (*sums)[kRows]) {
  __m512 sum[kVectors][kRows] = {};
  for (int64_t p = 0; p < pairs; p++) {
    __m512bh columns[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; v++) columns[v] = (__m512bh)_mm512_loadu_si512(b + v * kColumns);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; i++) {
      __m512bh word = (__m512bh)_mm512_set1_epi32(a.words[i * a.row]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; v++) sum[v][i] = _mm512_dpbf16_ps(sum[v][i], word, columns[v]);
    }
    a.words += a.pair;
    b += kVectors * kColumns;
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; v++)
#pragma GCC unroll 8
    for (int i = 0; i < kRows; i++) sums[v][i] = sum[v][i];
}

// The same of one row, from the words of it that are not zero.
template <int kVectors>
__attribute__((noinline)) void sum_listed(Words a, const int32_t* listed, int64_t count, const uint32_t* b,
                                          __m512 (*sums)[kRows]) {
  __m512 sum[kVectors] = {};
  for (int64_t n = 0; n < count; n++) {
    const uint32_t* columns = b + listed[n] * kVectors * kColumns;
    __m512bh word = (__m512bh)_mm512_set1_epi32(a.words[listed[n] * a.pair]);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; v++)
      sum[v] = _mm512_dpbf16_ps(sum[v], word, (__m512bh)_mm512_loadu_si512(columns + v * kColumns));
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; v++) *sums[v] = sum[v];
}

// Where the words of A that are not zero are: for each row so many pairs. Few, where what a layer reads is one-hot.
struct Listed {
  std::vector<int32_t> pairs, count;
  int64_t most;  // of a row
  const int32_t* row(int64_t row) const { return &pairs[row * most]; }
};

template <class A>
const Listed& list_words(const A& words, int64_t rows, int64_t pairs) {
  thread_local Listed listed;
  listed.most = padded(pairs, kColumns);
  listed.pairs.resize(std::max<size_t>(listed.pairs.size(), rows * listed.most));
  listed.count.assign(rows, 0);
  const __m512i first = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  for (int64_t block = 0; block < rows; block += kRows) {
    const Words a = words(block);
    int32_t* count = &listed.count[block];
    int32_t* into = &listed.pairs[block * listed.most];
    if (a.pair == 1) {  // 16 words of a row at a time
      for (int64_t i = 0; i < kRows; i++)
        for (int64_t p = 0; p < pairs; p += kColumns) {
          __mmask16 there = first_columns(pairs - p);
          __m512i word = _mm512_maskz_loadu_epi32(there, a.words + i * a.row + p);
          there = _mm512_test_epi32_mask(word, word);
          if (!there) continue;
          __m512i place = _mm512_add_epi32(_mm512_set1_epi32(p), first);
          _mm512_storeu_si512(into + i * listed.most + count[i], _mm512_maskz_compress_epi32(there, place));
          count[i] += __builtin_popcount(there);
        }
    } else {  // rows lie beside each other: those of a pair at a time
      for (int64_t p = 0; p < pairs; p++) {
        __m256i word = _mm256_loadu_si256((const __m256i*)(a.words + p * a.pair));
        for (uint32_t there = _mm256_test_epi32_mask(word, word); there; there &= there - 1) {
          int64_t i = __builtin_ctz(there);
          into[i * listed.most + count[i]++] = p;
        }
      }
    }
  }
  return listed;
}

// `words(row)` gives A from a row on; `finish` takes the sums of 8 rows and 16 columns. Sums over listed words are the
// same bits, since a zero adds nothing; a block of rows takes them where they are few enough to be faster.
template <class A, class Finish>
void product(const A& words, int64_t rows, const uint32_t* b, const Panels& layout, Finish finish,
             const Listed* listed = nullptr) {
  __m512 sums[kStripe][kRows];
  for (int64_t vector = 0; vector < layout.vectors; vector += kStripe) {
    const int64_t stripe = layout.stripe(vector);
    const auto sum = stripe == 1 ? sum_block<1> : stripe == 2 ? sum_block<2> : sum_block<3>;
    const auto sum_few = stripe == 1 ? sum_listed<1> : stripe == 2 ? sum_listed<2> : sum_listed<3>;
    const uint32_t* panel = b + layout.at(0, vector);
    for (int64_t row = 0; row < rows; row += kRows) {
      Words a = words(row);
      const int32_t* count = listed ? &listed->count[row] : nullptr;
      if (count && 3 * std::accumulate(count, count + kRows, int64_t(0)) < kRows * layout.pairs)
        for (int64_t i = 0; i < kRows; i++)
          sum_few({a.words + i * a.row, 0, a.pair}, listed->row(row + i), count[i], panel,
                  (__m512(*)[kRows])&sums[0][i]);
      else
        sum(a, panel, layout.pairs, sums);
      for (int64_t v = 0; v < stripe; v++) finish(row, vector + v, sums[v]);
    }
  }
}

// Rows as words along the row, 8 at a time.
auto along_rows(const uint32_t* words, int64_t columns) {
  return [=](int64_t row) { return Words{words + row * row_words(columns), row_words(columns), 1}; };
}

// The transpose of a matrix in panels: its columns as rows.
auto along_columns(const uint32_t* words, Panels layout) {
  return [=](int64_t row) {
    return Words{words + layout.at(0, row / kColumns) + row % kColumns, 1, layout.step(row / kColumns)};
  };
}

// Write 8 rows of 16 numbers, rounded, into a matrix kept row by row, and into panels of pairs of rows.
struct Store {
  uint32_t *by_row, *by_pair;  // either may be null
  int64_t words;
  Panels layout;
  void operator()(int64_t row, int64_t vector, const __m256i* values) const {
    if (by_row)
      for (int i = 0; i < kRows; i++)
        _mm256_storeu_si256((__m256i*)(by_row + (row + i) * words + vector * kColumns / 2), values[i]);
    if (by_pair)
      for (int i = 0; i < kRows; i += 2)
        _mm512_storeu_si512(by_pair + layout.at((row + i) / 2, vector), paired(values[i], values[i + 1]));
  }
};

Store store(uint32_t* by_row, uint32_t* by_pair, int64_t rows, int64_t columns) {
  return {by_row, by_pair, row_words(columns), kept_panels(rows, columns)};
}

// Round a matrix of float32 numbers.
void round_rows(const float* values, int64_t rows, int64_t columns, const Store& store, float* column_sums = nullptr) {
  for (int64_t row = 0; row < padded(rows, kRows); row += kRows)
    for (int64_t v = 0; v < blocks(columns, kColumns); v++) {
      __m256i block[kRows];
      __mmask16 mask = first_columns(columns - v * kColumns);
      __m512 total = column_sums ? _mm512_loadu_ps(column_sums + v * kColumns) : _mm512_setzero_ps();
      for (int i = 0; i < kRows; i++) {
        __mmask16 there = row + i < rows ? mask : 0;
        __m512 x = _mm512_maskz_loadu_ps(there, values + (row + i) * columns + v * kColumns);
        total = _mm512_add_ps(total, x);
        block[i] = rounded(x);
      }
      if (column_sums) _mm512_storeu_ps(column_sums + v * kColumns, total);
      store(row, v, block);
    }
}

// Pairs of rows of a layer's weights: B going forward.
void pack_layer(const float* weights, int64_t in, int64_t out, uint32_t* packed) {
  Panels layout = panels(in, out);
  for (int64_t p = 0; p < layout.pairs; p++)
    for (int64_t v = 0; v < layout.vectors; v++) {
      __mmask16 mask = first_columns(out - v * kColumns);
      const float* row = weights + 2 * p * out + v * kColumns;
      __m512 low = _mm512_maskz_loadu_ps(mask, row);
      __m512 high = _mm512_maskz_loadu_ps(2 * p + 1 < in ? mask : 0, row + out);
      _mm512_storeu_si512(packed + layout.at(p, v), paired(rounded(low), rounded(high)));
    }
}

// The same of the transposed weights: B going back. From blocks of 16 inputs and 16 outputs.
void transpose_layer(const uint32_t* packed, int64_t in, int64_t out, uint32_t* transposed) {
  Panels from = panels(in, out), to = panels(out, in);
  alignas(64) uint32_t block[kColumns][kColumns / 2];
  for (int64_t v = 0; v < to.vectors; v++)
    for (int64_t u = 0; u < from.vectors; u++) {
      for (int64_t i = 0; i < kColumns; i += 2) {
        int64_t pair = (v * kColumns + i) / 2;
        __m512i words = pair < from.pairs ? _mm512_loadu_si512(packed + from.at(pair, u)) : _mm512_setzero_si512();
        _mm256_store_si256((__m256i*)block[i], _mm512_cvtepi32_epi16(words));
        _mm256_store_si256((__m256i*)block[i + 1], _mm512_cvtepi32_epi16(_mm512_srli_epi32(words, 16)));
      }
      for (int64_t p = 0; p < std::min(kColumns / 2, to.pairs - u * kColumns / 2); p++) {
        uint32_t* row = transposed + to.at(u * kColumns / 2 + p, v);
        for (int64_t i = 0; i < kColumns; i++) row[i] = block[i][p];
      }
    }
}

// Memory that a thread keeps for its next call.
uint32_t* scratch(int which, int64_t words) {
  thread_local std::vector<uint32_t> kept[4];
  if ((int64_t)kept[which].size() < words) kept[which].resize(words);
  return kept[which].data();
}

// A layer's bias, padded.
std::vector<float> padded_bias(const float* bias, int64_t size) {
  std::vector<float> result(padded(size, kColumns));
  std::copy(bias, bias + size, result.begin());
  return result;
}

}  // namespace

int64_t Shape::weights(int64_t layer) const {
  return layer ? inputs * width + (layer - 1) * width * width : 0;
}

int64_t Shape::biases(int64_t layer) const {
  return weights(depth) + width * room + layer * width;
}

int64_t Shape::parameters() const { return padded(biases(depth) + room, kColumns); }

int64_t Shape::packed_words() const {
  int64_t words = 0;
  for (int64_t layer = 0; layer <= depth; layer++) words += panels(in(layer), out(layer)).words();
  return words;
}

// The input of each layer in pairs of rows.
int64_t Shape::kept_words(int64_t rows) const {
  return kept_panels(rows, inputs).words() + depth * kept_panels(rows, width).words();
}

void pack(const Shape& shape, const float* parameters, uint32_t* packed) {
  for (int64_t layer = 0; layer <= shape.depth; layer++) {
    pack_layer(parameters + shape.weights(layer), shape.in(layer), shape.out(layer), packed);
    packed += panels(shape.in(layer), shape.out(layer)).words();
  }
}

void adam_step(const Shape& shape, const AdamStep& step, const float* gradient, float* parameters, float* first,
               float* second, uint32_t* packed) {
  const __m512 gain = _mm512_set1_ps(1 - step.beta_1), kept = _mm512_set1_ps(step.beta_2);
  const __m512 square_gain = _mm512_set1_ps(1 - step.beta_2), epsilon = _mm512_set1_ps(step.epsilon);
  const __m512 decay = _mm512_set1_ps(step.decay), scale = _mm512_set1_ps(step.scale);
  const __m512 correction = _mm512_set1_ps(step.second_correction);
  auto update = [&](int64_t at, __mmask16 mask) {  // 16 parameters; what they are then
    __m512 g = _mm512_maskz_loadu_ps(mask, gradient + at), p = _mm512_maskz_loadu_ps(mask, parameters + at);
    __m512 m = _mm512_maskz_loadu_ps(mask, first + at), v = _mm512_maskz_loadu_ps(mask, second + at);
    for (const float* each : {gradient, (const float*)parameters, (const float*)first, (const float*)second})
      _mm_prefetch((const char*)(each + at + kAhead), _MM_HINT_T0);
    m = _mm512_fmadd_ps(gain, _mm512_sub_ps(g, m), m);
    v = _mm512_fmadd_ps(_mm512_mul_ps(square_gain, g), g, _mm512_mul_ps(v, kept));
    __m512 deviation = _mm512_fmadd_ps(_mm512_sqrt_ps(v), correction, epsilon);
    __m512 change = _mm512_div_ps(_mm512_mul_ps(scale, m), deviation);
    p = _mm512_sub_ps(p, _mm512_fmadd_ps(p, decay, change));
    _mm512_mask_storeu_ps(first + at, mask, m);
    _mm512_mask_storeu_ps(second + at, mask, v);
    _mm512_mask_storeu_ps(parameters + at, mask, p);
    return rounded(p);
  };
  for (int64_t layer = 0; layer <= shape.depth; layer++) {
    int64_t in = shape.in(layer), out = shape.out(layer);
    Panels layout = panels(in, out);
    for (int64_t p = 0; p < layout.pairs; p++)
      for (int64_t v = 0; v < layout.vectors; v++) {
        __mmask16 mask = first_columns(out - v * kColumns);
        int64_t row = shape.weights(layer) + 2 * p * out + v * kColumns;
        __m256i low = update(row, mask), high = update(row + out, 2 * p + 1 < in ? mask : 0);
        _mm512_storeu_si512(packed + layout.at(p, v), paired(low, high));
      }
    packed += layout.words();
    for (int64_t i = 0; i < out; i += kColumns) update(shape.biases(layer) + i, first_columns(out - i));
  }
}

void forward(const Shape& shape, const float* parameters, const uint32_t* packed, const float* inputs,
             int64_t rows, float* outputs, uint32_t* kept) {
  int64_t most = row_major_words(rows, std::max(shape.inputs, shape.width));
  uint32_t* current = scratch(0, most);
  uint32_t* next = scratch(1, most);
  round_rows(inputs, rows, shape.inputs, store(current, kept, rows, shape.inputs));
  if (kept) kept += kept_panels(rows, shape.inputs).words();
  const __m512 zero = _mm512_setzero_ps(), one = _mm512_set1_ps(1.f);
  for (int64_t layer = 0; layer <= shape.depth; layer++) {
    int64_t in = shape.in(layer), out = shape.out(layer);
    Panels layout = panels(in, out);
    if (layer == shape.depth && !outputs) break;
    auto words = along_rows(current, in);
    const Listed* listed = layer ? nullptr : &list_words(words, padded(rows, kRows), layout.pairs);
    auto bias = padded_bias(parameters + shape.biases(layer), out);
    if (layer == shape.depth) {
      product(words, padded(rows, kRows), packed, layout, [&](int64_t row, int64_t vector, const __m512* sum) {
        __mmask16 mask = first_columns(out - vector * kColumns);
        __m512 b = _mm512_loadu_ps(&bias[vector * kColumns]);
        for (int i = 0; i < std::min(kRows, rows - row); i++)
          _mm512_mask_storeu_ps(outputs + (row + i) * out + vector * kColumns, mask, _mm512_add_ps(sum[i], b));
      });
      break;
    }
    Store activation = store(next, kept, rows, out);
    if (kept) kept += activation.layout.words();
    product(words, padded(rows, kRows), packed, layout, [&](int64_t row, int64_t vector, const __m512* sum) {
      __m512 b = _mm512_loadu_ps(&bias[vector * kColumns]);
      __m256i value[kRows];
#pragma GCC unroll 8
      for (int i = 0; i < kRows; i++) {
        __m512 x = _mm512_add_ps(sum[i], b), e = exponential(_mm512_min_ps(zero, x));
        value[i] = rounded(_mm512_add_ps(_mm512_max_ps(zero, x), _mm512_sub_ps(e, one)));
      }
      activation(row, vector, value);
    }, listed);
    packed += layout.words();
    std::swap(current, next);
  }
}

void backward(const Shape& shape, const uint32_t* packed, const uint32_t* kept, const float* output_gradient,
              int64_t rows, float* gradient, float* input_gradient) {
  int64_t most = std::max(shape.width, shape.outputs);
  uint32_t* current = scratch(0, row_major_words(rows, most));
  uint32_t* next = scratch(1, row_major_words(rows, most));
  uint32_t* by_pair = scratch(2, kept_panels(rows, most).words());
  std::vector<float> sums(padded(most, kColumns));
  round_rows(output_gradient, rows, shape.outputs, store(current, by_pair, rows, shape.outputs), sums.data());
  // What no output uses.
  std::fill(gradient + shape.weights(shape.depth) + shape.width * shape.outputs, gradient + shape.biases(0), 0.f);
  std::fill(gradient + shape.biases(shape.depth) + shape.outputs, gradient + shape.parameters(), 0.f);
  packed += shape.packed_words();
  kept += shape.kept_words(rows);
  for (int64_t layer = shape.depth; layer >= 0; layer--) {
    int64_t in = shape.in(layer), out = shape.out(layer);
    std::copy(sums.begin(), sums.begin() + out, gradient + shape.biases(layer));
    // Of the weights: the layer's input, transposed, times the gradient of what it puts out.
    Panels input_layout = kept_panels(rows, in), output_layout = kept_panels(rows, out);
    packed -= panels(in, out).words();
    kept -= input_layout.words();
    float* weights = gradient + shape.weights(layer);
    auto columns = along_columns(kept, input_layout);
    const Listed* listed = layer ? nullptr : &list_words(columns, padded(in, kRows), input_layout.pairs);
    product(columns, padded(in, kRows), by_pair, output_layout,
            [&](int64_t row, int64_t vector, const __m512* sum) {
              __mmask16 mask = first_columns(out - vector * kColumns);
              for (int i = 0; i < std::min(kRows, in - row); i++)
                _mm512_mask_storeu_ps(weights + (row + i) * out + vector * kColumns, mask, sum[i]);
            }, listed);
    if (!layer && !input_gradient) break;
    // Of the input: that gradient times the weights, transposed.
    Panels layout = panels(out, in);
    uint32_t* transposed = scratch(3, layout.words());
    transpose_layer(packed, in, out, transposed);
    auto words = along_rows(current, out);
    if (!layer) {
      product(words, padded(rows, kRows), transposed, layout, [&](int64_t row, int64_t vector, const __m512* sum) {
        __mmask16 mask = first_columns(in - vector * kColumns);
        for (int i = 0; i < std::min(kRows, rows - row); i++)
          _mm512_mask_storeu_ps(input_gradient + (row + i) * in + vector * kColumns, mask, sum[i]);
      });
      break;
    }
    Store passed = store(next, by_pair, rows, in);
    std::fill(sums.begin(), sums.end(), 0.f);
    product(words, padded(rows, kRows), transposed, layout, [&](int64_t row, int64_t vector, const __m512* sum) {
      __m256i value[kRows];
      __m512 total = _mm512_loadu_ps(&sums[vector * kColumns]);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; i += 2) {
        __m512i words = _mm512_loadu_si512(kept + input_layout.at((row + i) / 2, vector));
        __m512 low = _mm512_mul_ps(sum[i], slope(_mm512_slli_epi32(words, 16)));
        __m512 high = _mm512_mul_ps(sum[i + 1], slope(_mm512_and_si512(words, _mm512_set1_epi32(0xffff0000))));
        total = _mm512_add_ps(total, _mm512_add_ps(low, high));
        value[i] = rounded(low);
        value[i + 1] = rounded(high);
      }
      _mm512_storeu_ps(&sums[vector * kColumns], total);
      passed(row, vector, value);
    });
    std::swap(current, next);
  }
}

}  // namespace mbgen
