// Random layers for the engine: every array a piece of the heap of just its own size, so that AddressSanitizer sees a step
// past its end, and whatever the engine must neither read nor write is filled with a canary, which is a not-a-number.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine.h"

namespace recurra::test {

constexpr std::uint32_t CANARY = 0x7fa5a5a5;
constexpr std::uint16_t SMALL_CANARY = 0x7fa5;

struct Random {  // splitmix64
    std::uint64_t state;

    std::uint64_t bits() {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    i64 below(i64 n) { return i64(bits() % std::uint64_t(n)); }
    bool one_in(i64 n) { return below(n) == 0; }
    float number(double bound = 1.0) { return float(bound * (double(bits() >> 11) / double(1ull << 52) - 1.0)); }
};

inline float wide(std::uint16_t half) {
    const std::uint32_t bits = std::uint32_t(half) << 16;
    float r;
    std::memcpy(&r, &bits, sizeof r);
    return r;
}
inline std::uint16_t narrow(float value) {  // a value that a bfloat16 holds, or the one next to it towards zero
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return std::uint16_t(bits >> 16);
}
inline i64 size_of(Type type) { return type == Type::float32 ? 4 : 2; }

// An array on the heap, filled with canaries.
struct Array {
    Type type = Type::float32;
    i64 count = 0;
    void *data = nullptr;

    Array() = default;
    Array(Type type, i64 count) : type(type), count(count), data(std::malloc(std::size_t(count * size_of(type)))) {
        for (i64 j = 0; j < count; ++j) erase(j);
    }
    Array(Array &&other) noexcept : type(other.type), count(other.count), data(other.data) { other.data = nullptr; }
    Array &operator=(Array &&other) noexcept {
        std::swap(type, other.type), std::swap(count, other.count), std::swap(data, other.data);
        return *this;
    }
    ~Array() { std::free(data); }

    float *floats() const { return static_cast<float *>(data); }
    void erase(i64 j) {
        if (type == Type::float32)
            std::memcpy(floats() + j, &CANARY, sizeof CANARY);
        else
            static_cast<std::uint16_t *>(data)[j] = SMALL_CANARY;
    }
    void set(i64 j, float value) {
        if (type == Type::float32)
            floats()[j] = value;
        else
            static_cast<std::uint16_t *>(data)[j] = narrow(value);
    }
    double get(i64 j) const { return double(type == Type::float32 ? floats()[j] : wide(static_cast<std::uint16_t *>(data)[j])); }
    bool same(i64 j, const Array &other, i64 k) const {
        const i64 size = size_of(type);
        return std::memcmp(static_cast<char *>(data) + j * size, static_cast<char *>(other.data) + k * size, std::size_t(size)) == 0;
    }
    bool untouched(i64 j) const {
        return type == Type::float32 ? std::memcmp(floats() + j, &CANARY, sizeof CANARY) == 0
                                     : static_cast<std::uint16_t *>(data)[j] == SMALL_CANARY;
    }
};

// (T, B, features) somewhere in an array, time or batch first, with gaps between steps and rows.
struct Cube {
    Array array;
    i64 T = 0, B = 0, features = 0, step = 0, row = 0;

    Cube() = default;
    Cube(Random &random, Type type, i64 T, i64 B, i64 features) : T(T), B(B), features(features) {
        const auto gap = [&] { return random.one_in(2) ? 0 : random.below(20); };
        if (random.one_in(2)) {
            row = features + gap();
            step = B * row + gap();
        } else {
            step = features + gap();
            row = T * step + gap();
        }
        array = Array(type, T > 0 && B > 0 ? at(T - 1, B - 1) + features : 0);
    }
    i64 at(i64 t, i64 b) const { return t * step + b * row; }
    Sequence sequence() const { return {array.data, array.type, step, row}; }
};

struct Shape {
    CellKind cell;
    i64 T, B, I, H;
    bool mixed, reverse, ragged;
    int threads;

    bool memory() const { return cell == CellKind::lstm || cell == CellKind::graves_lstm; }
    i64 gates() const { return memory() ? 4 : cell == CellKind::gru ? 3 : 1; }
    i64 saved() const { return cell == CellKind::gru ? 4 : gates(); }
    i64 peepholes() const { return cell == CellKind::graves_lstm ? 3 : 0; }
    Type element() const { return mixed ? Type::bfloat16 : Type::float32; }
};

inline Shape draw_shape(Random &random) {
    const auto size = [&]() -> i64 {
        const i64 kind = random.below(20);
        return kind == 0 ? 0 : kind < 12 ? 1 + random.below(5) : kind < 18 ? 1 + random.below(18) : 1 + random.below(70);
    };
    Shape s{};
    s.cell = CellKind(random.below(5));
    s.T = random.one_in(40) ? 0 : 1 + random.below(random.one_in(10) ? 40 : 6);
    s.B = random.one_in(40) ? 0 : 1 + random.below(random.one_in(10) ? 40 : 6);
    s.I = size(), s.H = size();
    if (s.T * s.B > 300) s.I %= 20, s.H %= 20;
    s.mixed = random.one_in(2), s.reverse = random.one_in(2), s.ragged = random.one_in(2);
    s.threads = 1 + int(random.below(3));
    return s;
}

// Large enough for the engine to take several threads.
inline Shape draw_large_shape(Random &random) {
    Shape s = draw_shape(random);
    s.T = 6 + random.below(6), s.B = 12 + random.below(20), s.I = 40 + random.below(40), s.H = 50 + random.below(30);
    s.threads = 2 + int(random.below(2));
    return s;
}

// Large enough for a row alone to make the input's product for many steps at once, and a batch with each step.
inline Shape draw_wide_shape(Random &random) {
    Shape s = draw_shape(random);
    s.T = 1 + random.below(3), s.B = 18 + random.below(10), s.I = 100 + random.below(150), s.H = 120 + random.below(60);
    if (s.gates() == 1) s.I *= 3, s.H *= 2;
    return s;
}

// A layer with all its arrays, and the derivatives' as far as they are wanted.
struct Problem {
    Shape shape;
    std::vector<i64> lengths;  // of every row, ragged or not
    i64 *lengths_given = nullptr;
    Array weight_ih, weight_hh, bias_ih, bias_hh, peephole, h0, c0, hT, cT, kept, memory;
    Cube x, y, dy, dx;
    Array dhT, dcT, dh0, dc0, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, d_peephole;
    bool keeps = true, wants_dx = false;

    Problem(const Problem &) = delete;
    ~Problem() { std::free(lengths_given); }

    Problem(Random &random, const Shape &s) : shape(s) {
        const auto type = [&] { return random.one_in(2) ? Type::float32 : Type::bfloat16; };
        const auto some = [&](i64 count) {
            Array r(Type::float32, count);
            for (i64 j = 0; j < count; ++j) r.set(j, random.number());
            return r;
        };
        const auto maybe = [&](i64 count) { return random.one_in(3) ? Array() : some(count); };
        const auto filled = [&](Cube cube) {
            for (i64 b = 0; b < s.B; ++b)
                for (i64 t = 0; t < lengths[b]; ++t)
                    for (i64 f = 0; f < cube.features; ++f) cube.array.set(cube.at(t, b) + f, random.number());
            return cube;
        };
        const auto wanted = [&](i64 count) { return random.one_in(3) ? Array() : Array(Type::float32, count); };
        const i64 G = s.gates(), P = s.peepholes();
        lengths.assign(std::size_t(s.B), s.T);
        if (s.ragged) {
            for (i64 &length : lengths) length = random.one_in(4) ? s.T : random.below(s.T + 1);
            lengths_given = static_cast<i64 *>(std::malloc(std::size_t(s.B) * sizeof(i64)));
            for (i64 b = 0; b < s.B; ++b) lengths_given[b] = lengths[b];
        }
        weight_ih = some(G * s.H * s.I), weight_hh = some(G * s.H * s.H);
        for (Array *one : {&weight_ih, &weight_hh})  // as wide as weights begin, lest a long layer blow up
            for (i64 j = 0; j < one->count; ++j) one->floats()[j] /= std::sqrt(float(one == &weight_ih ? s.I : s.H));
        bias_ih = maybe(G * s.H), bias_hh = maybe(G * s.H), h0 = maybe(s.B * s.H);
        if (P > 0) peephole = some(P * s.H), d_peephole = wanted(P * s.H);
        x = filled(Cube(random, type(), s.T, s.B, s.I));
        y = Cube(random, s.element(), s.T, s.B, s.H);
        hT = Array(Type::float32, s.B * s.H);
        keeps = !random.one_in(10);
        if (keeps) kept = Array(s.element(), s.T * s.B * s.saved() * s.H);
        if (s.memory()) {
            c0 = maybe(s.B * s.H), dcT = maybe(s.B * s.H), dc0 = wanted(s.B * s.H), cT = Array(Type::float32, s.B * s.H);
            if (keeps) memory = Array(Type::float32, s.T * s.B * s.H);
        }
        dy = filled(Cube(random, type(), s.T, s.B, s.H));
        dhT = maybe(s.B * s.H);
        wants_dx = !random.one_in(3);
        if (wants_dx) dx = Cube(random, type(), s.T, s.B, s.I);
        dh0 = wanted(s.B * s.H), d_weight_ih = wanted(G * s.H * s.I), d_weight_hh = wanted(G * s.H * s.H);
        d_bias_ih = wanted(G * s.H), d_bias_hh = wanted(G * s.H);
    }

    // A kept value: in the lower precision those of [-1, 1], which are all but a rectifier's and a GRU's R_n h + c_n, are
    // 16 bits of that range.
    double kept_value(i64 j) const {
        const bool bounded = shape.cell != CellKind::rnn_relu && (shape.cell != CellKind::gru || j / shape.H % 4 < 3);
        if (!shape.mixed || !bounded) return kept.get(j);
        return double(static_cast<std::int16_t *>(kept.data)[j]) / 32767;
    }

    Layer layer() const {
        Layer l{};
        l.cell = shape.cell, l.T = shape.T, l.B = shape.B, l.I = shape.I, l.H = shape.H;
        l.mixed = shape.mixed, l.reverse = shape.reverse, l.lengths = lengths_given, l.threads = shape.threads;
        l.weight_ih = weight_ih.floats(), l.weight_hh = weight_hh.floats(), l.bias_ih = bias_ih.floats();
        l.bias_hh = bias_hh.floats(), l.peephole = peephole.floats();
        l.x = x.sequence(), l.y = y.sequence(), l.h0 = h0.floats(), l.c0 = c0.floats();
        l.hT = hT.floats(), l.cT = cT.floats(), l.kept = kept.data, l.memory = memory.floats();
        return l;
    }
    Gradients gradients() const {
        Gradients g{};
        g.dy = dy.sequence(), g.dx = dx.sequence(), g.dhT = dhT.floats(), g.dcT = dcT.floats();
        g.dh0 = dh0.floats(), g.dc0 = dc0.floats(), g.weight_ih = d_weight_ih.floats(), g.weight_hh = d_weight_hh.floats();
        g.bias_ih = d_bias_ih.floats(), g.bias_hh = d_bias_hh.floats(), g.peephole = d_peephole.floats();
        return g;
    }
};

}  // namespace recurra::test
