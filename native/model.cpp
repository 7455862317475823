#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "dispatch.h"

namespace recurra {
namespace {

constexpr double NEVER = -std::numeric_limits<double>::infinity();

// The `count` ids of the highest scores, the best first; of equals the lower id first.
void rank(const std::vector<double> &scores, i64 count, std::vector<i64> &order) {
    order.resize(scores.size());
    std::iota(order.begin(), order.end(), i64(0));
    const auto middle = order.begin() + std::min<i64>(count, i64(order.size()));
    std::partial_sort(order.begin(), middle, order.end(), [&](i64 a, i64 b) {
        return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
    });
    order.erase(middle, order.end());
}

void keep_only(std::vector<double> &scores, const std::vector<i64> &kept) {
    std::vector<double> only(scores.size(), NEVER);
    for (i64 id : kept) only[id] = scores[id];
    scores.swap(only);
}

// The fewest of the ranked ids whose share of their probability reaches top_p.
void keep_nucleus(const std::vector<double> &scores, double top_p, std::vector<i64> &ranked) {
    double total = 0, mass = 0;
    for (i64 id : ranked) total += std::exp(scores[id] - scores[ranked[0]]);
    std::size_t kept = 0;
    while (kept < ranked.size() && mass < top_p) mass += std::exp(scores[ranked[kept++]] - scores[ranked[0]]) / total;
    ranked.resize(std::max<std::size_t>(kept, 1));
}

// The id, or -1 or -2 as `generate` says.
i64 choose(const float *logits, i64 n, const Choice &how, double uniform, std::vector<double> &scores, std::vector<i64> &order) {
    scores.assign(logits, logits + n);
    for (i64 id : how.forbidden) scores[id] = NEVER;
    i64 likeliest = 0;
    for (i64 id = 0; id < n; ++id) {
        if (std::isnan(scores[id])) return -1;
        if (scores[id] > scores[likeliest]) likeliest = id;
    }
    const double peak = scores[likeliest];
    if (peak == NEVER) return -2;
    if (!std::isfinite(peak)) return -1;
    if (how.temperature == 0) return likeliest;
    if (how.temperature != 1)
        for (double &score : scores) score = (score - peak) / how.temperature;
    if (how.top_p < 1 || (how.top_k > 0 && how.top_k < n)) {
        rank(scores, how.top_k > 0 ? how.top_k : n, order);
        if (how.top_p < 1) keep_nucleus(scores, how.top_p, order);
        keep_only(scores, order);
    }
    const double most = scores[likeliest];
    double total = 0;
    for (double &score : scores) score = total += std::exp(score - most);
    // Below the total even after rounding, and the first sum above it, not at it, is that of an id with some probability.
    const double point = uniform * total;
    return i64(std::upper_bound(scores.begin(), scores.end(), point) - scores.begin());
}

}  // namespace

Model::Memory::Memory(std::size_t bytes) : owned(new char[bytes + 64]) {
    const auto address = reinterpret_cast<std::uintptr_t>(owned.get());
    aligned = owned.get() + (64 - address % 64) % 64;
}

void Model::add_layer(const Layer &l, Weights type, const float *norm_weight, const float *norm_bias, float eps, bool residual) {
    auto stage = std::unique_ptr<Stage>(new Stage{{l.cell, l.I, l.H, type, nullptr, threads_},
                                                  Memory(engine().stream_bytes(l.cell, l.I, l.H, type)),
                                                  {}, {}, eps, residual && l.I == l.H,
                                                  l.cell == CellKind::lstm || l.cell == CellKind::graves_lstm});
    stage->layer.memory = stage->memory.aligned;
    engine().stream_pack(l, type, stage->memory.aligned);
    if (norm_weight != nullptr) {
        stage->norm_weight.assign(norm_weight, norm_weight + l.H);
        stage->norm_bias.assign(norm_bias, norm_bias + l.H);
    }
    width_ = l.H;
    state_size_ += l.H * (stage->has_memory ? 2 : 1);
    stages_.push_back(std::move(stage));
}

void Model::set_embedding(i64 V, const float *weight) { embedding_.assign(weight, weight + V * inputs_); }

void Model::set_output(i64 N, const float *weight, const float *bias, Weights type) {
    output_.reset(new Output{N, width_, type, Memory(engine().linear_bytes(N, width_, type))});
    engine().linear_pack(N, width_, weight, bias, type, output_->memory.aligned);
}

void Model::step(float *state, const float *x, float *y) const {
    static thread_local std::vector<float> scratch;
    i64 widest = inputs_;
    for (const auto &stage : stages_) widest = std::max(widest, stage->layer.H);
    scratch.resize(std::size_t(2 * widest));
    float *in = scratch.data(), *after = in + widest;
    std::memcpy(in, x, std::size_t(inputs_) * sizeof(float));
    for (const auto &stage : stages_) {
        const i64 H = stage->layer.H;
        float *h = state, *c = stage->has_memory ? state + H : nullptr;
        engine().stream_step(stage->layer, in, h, after, c);
        std::memcpy(h, after, std::size_t(H) * sizeof(float));
        state += H * (stage->has_memory ? 2 : 1);
        if (!stage->norm_weight.empty())
            engine().normalise(1, H, after, stage->norm_weight.data(), stage->norm_bias.data(), stage->eps, after);
        for (i64 j = 0; stage->residual && j < H; ++j) after[j] = in[j] + after[j];
        std::swap(in, after);
    }
    if (output_)
        engine().linear_step(output_->N, output_->K, output_->type, output_->memory.aligned, in, y, threads_);
    else
        std::memcpy(y, in, std::size_t(width_) * sizeof(float));
}

void Model::step_id(float *state, i64 id, float *y) const { step(state, embedding_.data() + id * inputs_, y); }

i64 Model::generate(float *state, i64 id, i64 count, i64 end, const Choice &how, const double *uniforms, i64 *ids) const {
    std::vector<float> logits(static_cast<std::size_t>(outputs()));
    std::vector<double> scores;
    std::vector<i64> order;
    for (i64 n = 0; n < count; ++n) {
        step_id(state, id, logits.data());
        id = choose(logits.data(), i64(logits.size()), how, how.temperature == 0 ? 0.0 : uniforms[n], scores, order);
        if (id < 0) return id;
        ids[n] = id;
        if (id == end) return n + 1;
    }
    return count;
}

}  // namespace recurra
