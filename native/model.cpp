#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "dispatch.h"

namespace recurra {
namespace {

constexpr i64 BLOCK = 16;  // scores that are weighed together
constexpr float NEVER = -std::numeric_limits<float>::infinity();
constexpr std::size_t MOST_MET = std::size_t(64) << 20;  // bytes, of which only what is used is taken

i64 whole_blocks(i64 n) { return (n + BLOCK - 1) / BLOCK * BLOCK; }

struct Ranked {
    double score;
    i64 id;
    bool operator<(const Ranked &other) const { return score != other.score ? score < other.score : id > other.id; }
};

// Room for a choice, used again by the next one.
struct Chooser {
    const Choice &how;
    i64 n;
    std::vector<float> logits;
    std::vector<double> scaled, weights, sums;
    std::vector<Ranked> ranked;
    std::vector<i64> kept;

    Chooser(const Choice &given, i64 outputs)
        : how(given), n(outputs), logits(std::size_t(whole_blocks(outputs)), NEVER), scaled(filters() ? logits.size() : 0),
          weights(logits.size()), sums(logits.size() / BLOCK) {}

    bool filters() const { return how.top_p < 1 || (how.top_k > 0 && how.top_k < n); }

    // The id, or -1 or -2 as `generate` says.
    i64 choose(double uniform) {
        for (i64 id : how.forbidden) logits[id] = NEVER;
        const float peak = engine().peak(i64(logits.size()), logits.data());
        if (peak == NEVER) return -2;
        if (!std::isfinite(peak)) return -1;
        if (how.temperature == 0) return std::find(logits.begin(), logits.end(), peak) - logits.begin();
        engine().weigh(i64(logits.size()), logits.data(), peak, how.temperature, filters() ? scaled.data() : nullptr,
                       weights.data(), sums.data());
        return filters() ? draw_filtered(uniform) : draw(uniform);
    }

    // The first id whose running sum is above the point, which is below the total even after rounding: above it, not at it,
    // so the id has some probability. First the block, then the id in it.
    i64 draw(double uniform) const {
        double total = 0, before = 0;
        for (double sum : sums) total += sum;
        const double point = uniform * total;
        std::size_t block = 0;
        while (block + 1 < sums.size() && before + sums[block] <= point) before += sums[block++];
        i64 last = 0;
        for (i64 id = i64(block) * BLOCK; id < i64(block + 1) * BLOCK; ++id) {
            if (weights[id] > 0) last = id;
            if ((before += weights[id]) > point) return id;
        }
        return last;  // the block's sum was above the point, and the same sum in another order is not
    }

    i64 draw_filtered(double uniform) {
        keep();
        double total = 0;
        for (i64 id : kept) total += weights[id];
        const double point = uniform * total;
        double before = 0;
        for (i64 id : kept)
            if ((before += weights[id]) > point) return id;
        return kept.back();
    }

    // The top_k likeliest, and of those the fewest whose share of their probability reaches top_p; in the order of the ids.
    void keep() {
        ranked.clear();
        for (i64 id = 0; id < n; ++id) ranked.push_back({scaled[id], id});
        std::make_heap(ranked.begin(), ranked.end());
        const i64 most = how.top_k > 0 ? std::min(how.top_k, n) : n;
        kept.clear();
        double mass = 0, total = 0;
        if (most == n)  // then it is known without taking them in order
            for (double sum : sums) total += sum;
        auto end = ranked.end();
        while (i64(kept.size()) < most && !(most == n && mass >= how.top_p * total)) {
            std::pop_heap(ranked.begin(), end);
            kept.push_back((--end)->id);
            mass += weights[kept.back()];
        }
        if (most < n && how.top_p < 1) {
            std::size_t some = 0;
            double share = 0;
            while (some < kept.size() && share < how.top_p) share += weights[kept[some++]] / mass;
            kept.resize(some);
        }
        std::sort(kept.begin(), kept.end());
    }
};

// A bijection of the lane for each word, and of the word for each lane, so that no single change is lost.
std::uint64_t mix(std::uint64_t lane, std::uint64_t word) {
    lane ^= word;
    __asm__("" : "+r"(lane));  // in a register of its own: products of 64 bits are slow in vectors that have none
    return (lane << 27 | lane >> 37) * 0x9e3779b97f4a7c15u;
}

// So many bytes aligned to 64, the thread's own until it asks again.
char *thread_scratch(std::size_t bytes) {
    static thread_local std::vector<char> held;
    if (held.size() < bytes + 64) held.resize(bytes + 64);
    return held.data() + (64 - reinterpret_cast<std::uintptr_t>(held.data()) % 64) % 64;
}

}  // namespace

void Checksum::add(const void *memory, std::size_t bytes) {
    const char *at = static_cast<const char *>(memory), *const end = at + bytes;
    std::uint64_t words[LANES], lanes[LANES];
    std::memcpy(lanes, lanes_, sizeof lanes);
    for (; end - at >= std::ptrdiff_t(sizeof words); at += sizeof words)
        for (int j = 0; j < LANES; ++j) {
            std::memcpy(words, at + j * sizeof *words, sizeof *words);
            lanes[j] = mix(lanes[j], words[0]);
        }
    std::memset(words, 0, sizeof words);
    if (at != end) std::memcpy(words, at, std::size_t(end - at));
    for (int j = 0; j < LANES; ++j) lanes_[j] = mix(lanes[j], words[j]);
    lanes_[0] = mix(lanes_[0], bytes);
}

std::uint64_t Checksum::value() const {
    std::uint64_t all = lanes_[0];
    for (int j = 1; j < LANES; ++j) all = mix(all, lanes_[j]);
    return mix(all ^ all >> 32, 0);
}

Model::Memory::Memory(std::size_t bytes) : owned(new char[bytes + 64]) {
    const auto address = reinterpret_cast<std::uintptr_t>(owned.get());
    aligned = owned.get() + (64 - address % 64) % 64;
}

Model::Model(i64 inputs, int threads) : engine_(engine()), inputs_(inputs), width_(inputs), threads_(threads) {}

void Model::add_layer(const Layer &l, Weights type, const float *norm_weight, const float *norm_bias, float eps, bool residual) {
    auto stage = std::unique_ptr<Stage>(new Stage{{l.cell, l.I, l.H, type, nullptr, threads_},
                                                  Memory(engine_.stream_bytes(l.cell, l.I, l.H, type)),
                                                  {}, {}, eps, residual && l.I == l.H,
                                                  l.cell == CellKind::lstm || l.cell == CellKind::graves_lstm});
    stage->layer.memory = stage->memory.aligned;
    engine_.stream_pack(l, type, stage->memory.aligned);
    weight_bytes_ += engine_.stream_bytes(l.cell, l.I, l.H, type);
    scratch_bytes_ = std::max(scratch_bytes_, engine_.scratch_bytes(l.I, l.H, type));
    if (norm_weight != nullptr) {
        stage->norm_weight.assign(norm_weight, norm_weight + l.H);
        stage->norm_bias.assign(norm_bias, norm_bias + l.H);
    }
    width_ = l.H;
    state_size_ += l.H * (stage->has_memory ? 2 : 1);
    stages_.push_back(std::move(stage));
}

void Model::set_embedding(i64 V, const float *weight) {
    embedding_.assign(weight, weight + V * inputs_);
    const i64 sums = engine_.stream_sums(stages_[0]->layer.cell, stages_[0]->layer.H);
    if (std::size_t(V * sums) * sizeof(float) <= MOST_MET) met_.reset(new Met(V, sums));
}

void Model::set_output(i64 N, const float *weight, const float *bias, Weights type) {
    const std::size_t bytes = engine_.linear_bytes(N, width_, type);
    output_.reset(new Output{N, width_, type, Memory(bytes)});
    weight_bytes_ += bytes;
    scratch_bytes_ = std::max(scratch_bytes_, engine_.scratch_bytes(width_, 0, type));
    engine_.linear_pack(N, width_, weight, bias, type, output_->memory.aligned);
}

Model::Met::Met(i64 ids, i64 sums) : stride(sums), known(std::size_t(ids)) {
    // Cleared by the system, page by page when it is first written to: of a large vocabulary most is never met.
    memory.reset(static_cast<float *>(std::calloc(std::size_t(ids * sums), sizeof(float))));
    if (memory == nullptr) throw std::bad_alloc();
}

void Model::Met::Free::operator()(float *given) const { std::free(given); }

const float *Model::sums_of(i64 id) const {
    if (met_ == nullptr) return nullptr;
    if (const float *found = met_->find(id)) return found;
    std::lock_guard<std::mutex> lock(met_->writing);
    if (met_->find(id) == nullptr) {
        engine_.stream_input(stages_[0]->layer, embedding_.data() + id * inputs_, met_->row(id),
                              thread_scratch(scratch_bytes_));
        met_->known[std::size_t(id)].store(true, std::memory_order_release);
    }
    return met_->row(id);
}

void Model::step(float *state, const float *x, float *y) const { run(state, x, nullptr, y); }

void Model::step_id(float *state, i64 id, float *y) const { run(state, embedding_.data() + id * inputs_, sums_of(id), y); }

void Model::run(float *state, const float *x, const float *sums, float *y) const {
    i64 widest = inputs_;
    for (const auto &stage : stages_) widest = std::max(widest, stage->layer.H);
    const std::size_t rows = (std::size_t(2 * widest) * sizeof(float) + 63) / 64 * 64;
    char *scratch = thread_scratch(rows + scratch_bytes_), *rest = scratch + rows;
    const float *in = x;
    float *after = reinterpret_cast<float *>(scratch), *other = after + widest;
    for (const auto &stage : stages_) {
        const i64 H = stage->layer.H;
        float *h = state, *c = stage->has_memory ? state + H : nullptr;
        engine_.stream_step(stage->layer, in, sums, h, after, c, rest);
        sums = nullptr;
        std::memcpy(h, after, std::size_t(H) * sizeof(float));
        state += H * (stage->has_memory ? 2 : 1);
        if (!stage->norm_weight.empty())
            engine_.normalise(1, H, after, stage->norm_weight.data(), stage->norm_bias.data(), stage->eps, after);
        for (i64 j = 0; stage->residual && j < H; ++j) after[j] = in[j] + after[j];
        in = after;
        std::swap(after, other);
    }
    if (output_)
        engine_.linear_step(output_->N, output_->K, output_->type, output_->memory.aligned, in, y, threads_, rest);
    else
        std::memcpy(y, in, std::size_t(width_) * sizeof(float));
}

i64 Model::generate(float *state, i64 id, i64 count, i64 end, const Choice &how, const double *uniforms, i64 *ids) const {
    Chooser chooser(how, outputs());
    for (i64 n = 0; n < count; ++n) {
        step_id(state, id, chooser.logits.data());
        id = chooser.choose(how.temperature == 0 ? 0.0 : uniforms[n]);
        if (id < 0) return id;
        ids[n] = id;
        if (id == end) return n + 1;
    }
    return count;
}

}  // namespace recurra
