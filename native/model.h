// A whole model as a stream: embedding, layers with their norms, output, and the choice of the next unit.
//
// A model is packed once and never changes; what a stream remembers is an array that its owner holds, so that any number of
// streams, in any number of threads, share one model.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine.h"

namespace recurra {

// How the next unit is chosen from its scores: as src/recurra/decoding/sampling.py says, in the same order.
struct Choice {
    double temperature;          // 0: always the likeliest
    i64 top_k;                   // 0: all
    double top_p;                // 1: all
    std::vector<i64> forbidden;  // ids that are never chosen
};

// A number made of every bit of what is added; of other bytes it is another, but for one chance in 2^64.
class Checksum {
   public:
    void add(const void *memory, std::size_t bytes);
    std::uint64_t value() const;

   private:
    static constexpr int LANES = 8;  // side by side, since a multiplication takes three cycles
    std::uint64_t lanes_[LANES] = {1, 2, 3, 4, 5, 6, 7, 8};
};

class Model {
   public:
    explicit Model(i64 inputs, int threads);

    // A layer that reads what the one before gives. Addresses as in Layer; norm weight and bias (H) may be null: no norm.
    void add_layer(const Layer &, Weights, const float *norm_weight, const float *norm_bias, float eps, bool residual);
    // Ids 0 … V - 1 are read as rows of weight (V, inputs).
    void set_embedding(i64 V, const float *weight);
    // What is given is weight (N, H) y + bias (N; null: none).
    void set_output(i64 N, const float *weight, const float *bias, Weights);

    i64 inputs() const { return inputs_; }
    i64 outputs() const { return output_ ? output_->N : width_; }
    i64 state_size() const { return state_size_; }  // layer after layer: h, then c where there is a memory
    std::size_t weight_bytes() const { return weight_bytes_; }

    void step(float *state, const float *x, float *y) const;
    void step_id(float *state, i64 id, float *y) const;

    // Reads `id`, chooses, reads what it chose, …, at most `count` times, stopping after `end` (negative: never). uniforms:
    // a number in [0, 1) for each choice; unused at temperature 0. Gives how many ids it wrote, or -1 where the scores are
    // not numbers, or -2 where every id is forbidden.
    i64 generate(float *state, i64 id, i64 count, i64 end, const Choice &, const double *uniforms, i64 *ids) const;

   private:
    struct Memory {
        explicit Memory(std::size_t bytes);
        std::unique_ptr<char[]> owned;
        char *aligned;
    };
    struct Stage {
        StreamLayer layer;
        Memory memory;
        std::vector<float> norm_weight, norm_bias;
        float eps;
        bool residual, has_memory;
    };
    struct Output {
        i64 N, K;
        Weights type;
        Memory memory;
    };
    // What the first layer's sums are after an id's row of the embedding, for each id that was met.
    struct Met {
        Met(i64 ids, i64 sums);
        const float *find(i64 id) const { return known[std::size_t(id)].load(std::memory_order_acquire) ? row(id) : nullptr; }
        float *row(i64 id) const { return memory.get() + id * stride; }
        struct Free {
            void operator()(float *given) const;
        };
        i64 stride;
        std::unique_ptr<float[], Free> memory;
        std::vector<std::atomic<bool>> known;
        std::mutex writing;
    };
    // The first layer's input is x, or where they are given, sums that were made of it.
    void run(float *state, const float *x, const float *sums, float *y) const;
    const float *sums_of(i64 id) const;

    const Engine &engine_;  // which packed the weights in its own way
    i64 inputs_, width_, state_size_ = 0;
    std::size_t weight_bytes_ = 0;
    std::size_t scratch_bytes_ = 0;  // for the call that needs most
    int threads_;
    std::vector<std::unique_ptr<Stage>> stages_;
    std::vector<float> embedding_;
    std::unique_ptr<Met> met_;
    std::unique_ptr<Output> output_;
};

}  // namespace recurra
