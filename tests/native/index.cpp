// Index arithmetic past 2^31, without the memory: sizes and places are counted with no block beneath, against 128 bits; and
// the engines run over arrays of many gigabytes of addresses, of which they touch a few pages.
#include <sys/mman.h>

#include "dispatch.h"
#include "problem.h"

#define RECURRA_TARGET counted
#include "backward.h"
#include "cells/gru.h"
#include "cells/lstm.h"

// To be out of memory is a result here, and no error.
#if defined(__SANITIZE_ADDRESS__)
extern "C" __attribute__((visibility("default"))) const char *__asan_default_options() { return "allocator_may_return_null=1"; }
#elif defined(__SANITIZE_THREAD__)
extern "C" __attribute__((visibility("default"))) const char *__tsan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace recurra::test {
namespace {

using Wide = __int128;
constexpr i64 ONE = 1;

int failures = 0;
void expect(bool holds, const char *what) {
    if (!holds) std::printf("wrong: %s\n", what), ++failures;
}

void places() {
    Random random{3};
    char *const base = reinterpret_cast<char *>(ONE << 12);
    for (int n = 0; n < 20000; ++n) {
        const i64 k = random.below(ONE << 52), to = ONE << random.below(8);
        expect(Wide(counted::panel_size<float>(k)) == Wide(k) * 16, "panel_size of float");
        expect(Wide(counted::panel_size<counted::bf16>(k)) == (Wide(k) + k % 2) * 16, "panel_size of bfloat16");
        expect(Wide(counted::panels(k)) == (Wide(k) + 15) / 16, "panels");
        expect(Wide(counted::round_up(k, to)) == (Wide(k) + to - 1) / to * to, "round_up");
        const i64 step = random.below(ONE << 34), row = random.below(ONE << 34), time = random.below(ONE << 10), b = random.below(ONE << 10);
        const Sequence s{base, Type::float32, step, row};
        const Wide place = Wide(ONE << 12) + (Wide(time) * step + Wide(b) * row) * 4;
        expect(Wide(reinterpret_cast<std::uintptr_t>(counted::at<const float>(s, time, b))) == place, "at");
        const i64 rows = random.below(ONE << 40), T = random.below(ONE << 40);
        const int parts = 1 + int(random.below(200));
        Wide all = 0;
        for (int part = 0; part < parts; ++part) all += counted::rows_of_part(rows, part, parts);
        expect(all == rows, "rows_of_part");
        const i64 some = counted::chunk_steps(T, rows);
        expect(some >= 1 && (some <= T || T == 0) && Wide(some - 1) * rows <= 256, "chunk_steps");
    }
}

// What grows with one size grows by so many bytes for each: the same far from any limit and far past 2^31.
template <class Count>
void in_proportion(Count count, i64 size, i64 factor, const char *what) {
    const Wide small = Wide(count(2 * size)) - Wide(count(size));
    const Wide large = Wide(count(2 * size * factor)) - Wide(count(size * factor));
    const Wide off = large - small * factor;
    expect(small >= size && off < size * factor && off > -size * factor, what);  // less than a byte for each
}

template <class Cell, class E>
void counts() {
    Layer l{};
    l.T = ONE << 30, l.B = 1, l.I = 64, l.H = 64;
    Gradients g{};
    float wanted = 0.0f;
    g.weight_ih = g.weight_hh = &wanted, g.dx.data = &wanted;
    const auto weights = [&](i64 inputs) {
        Layer wide = l;
        wide.I = inputs;
        counted::Bump bump;
        counted::ForwardWeights<Cell, E> forward;
        forward.place(wide, bump);
        counted::BackwardWeights<Cell, E> backward;
        backward.place(wide, true, bump);
        return bump.used;
    };
    const auto rows_forward = [&](i64 rows) {
        counted::Bump bump;
        counted::ForwardWeights<Cell, E> w;
        w.place(l, bump);
        counted::ForwardRows<Cell, E>(l, w).place(rows, bump);
        return bump.used;
    };
    const auto rows_backward = [&](i64 rows) {
        counted::Bump bump;
        counted::BackwardWeights<Cell, E> w;
        w.place(l, true, bump);
        counted::BackwardRows<Cell, E>(l, g, w).place(rows, bump);
        return bump.used;
    };
    in_proportion(weights, ONE << 16, ONE << 28, "bytes of the weights");
    in_proportion(rows_forward, ONE << 12, ONE << 26, "bytes of the rows, forward");
    in_proportion(rows_backward, ONE << 12, ONE << 26, "bytes of the rows, backward");
}

// Addresses without memory behind them until they are touched.
struct Vast {
    std::size_t bytes;
    void *data;
    explicit Vast(i64 elements) : bytes(std::size_t(elements) * sizeof(float)) {
        data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED) std::perror("mmap of addresses alone"), std::exit(1);
    }
    Vast(const Vast &) = delete;
    ~Vast() { munmap(data, bytes); }
    float *floats() const { return static_cast<float *>(data); }
};

// One row of numbers at row `b` of B, over vast arrays, and the same row alone.
void one_row(const Engine &engine, CellKind cell, i64 T, i64 B, i64 b, i64 step, i64 row, const char *what) {
    constexpr i64 I = 3, H = 16, G = 4;
    const i64 S = 4, saved = T * B * S * H;
    const auto end = [&](i64 features) { return (T - 1) * step + (B - 1) * row + features; };
    Random random{5};
    const auto numbers = [&](i64 n) {
        std::vector<float> r(std::size_t(n), 0.0f);
        for (float &one : r) one = random.number(0.5);
        return r;
    };
    const std::vector<float> w_ih = numbers(G * H * I), w_hh = numbers(G * H * H), x = numbers(T * I), dy = numbers(T * H);
    std::vector<i64> lengths(std::size_t(B), 0);
    lengths[std::size_t(b)] = T;
    const Vast vast_x(end(I)), vast_y(end(H)), vast_dx(end(I)), vast_dy(end(H)), vast_kept(saved), vast_memory(T * B * H);
    std::vector<float> h(std::size_t(B * H)), c(h), w(std::size_t(G * H * I)), r(std::size_t(G * H * H));
    std::vector<float> y1(std::size_t(T * H)), dx1(std::size_t(T * I)), kept1(std::size_t(T * S * H)), memory1(y1), h1(H), c1(H), w1(w), r1(r);
    for (i64 t = 0; t < T; ++t) {
        std::memcpy(vast_x.floats() + t * step + b * row, &x[std::size_t(t * I)], I * sizeof(float));
        std::memcpy(vast_dy.floats() + t * step + b * row, &dy[std::size_t(t * H)], H * sizeof(float));
    }
    const auto at = [&](const void *data, i64 t_step, i64 b_row) { return Sequence{const_cast<void *>(data), Type::float32, t_step, b_row}; };
    Layer l{};
    l.cell = cell, l.T = T, l.B = B, l.I = I, l.H = H, l.threads = 1, l.lengths = lengths.data();
    l.weight_ih = w_ih.data(), l.weight_hh = w_hh.data();
    l.x = at(vast_x.data, step, row), l.y = at(vast_y.data, step, row), l.hT = h.data(), l.cT = c.data();
    l.kept = vast_kept.data, l.memory = vast_memory.floats();
    Gradients g{};
    g.dy = at(vast_dy.data, step, row), g.dx = at(vast_dx.data, step, row), g.weight_ih = w.data(), g.weight_hh = r.data();
    Layer alone = l;
    alone.B = 1, alone.lengths = nullptr, alone.x = at(x.data(), I, I), alone.y = at(y1.data(), H, H);
    alone.hT = h1.data(), alone.cT = c1.data(), alone.kept = kept1.data(), alone.memory = memory1.data();
    Gradients g1{};
    g1.dy = at(dy.data(), H, H), g1.dx = at(dx1.data(), I, I), g1.weight_ih = w1.data(), g1.weight_hh = r1.data();
    expect(engine.forward(l) && engine.backward(l, g) && engine.forward(alone) && engine.backward(alone, g1), "out of memory");
    bool same = std::memcmp(&h[std::size_t(b * H)], h1.data(), H * sizeof(float)) == 0;
    for (i64 t = 0; t < T; ++t) {
        const i64 place = t * step + b * row;
        same = same && std::memcmp(vast_y.floats() + place, &y1[std::size_t(t * H)], H * sizeof(float)) == 0;
        same = same && std::memcmp(vast_dx.floats() + place, &dx1[std::size_t(t * I)], I * sizeof(float)) == 0;
        same = same && std::memcmp(vast_kept.floats() + (t * B + b) * S * H, &kept1[std::size_t(t * S * H)], S * H * sizeof(float)) == 0;
    }
    for (std::size_t n = 0; n < w.size(); ++n) same = same && std::fabs(w[n] - w1[n]) < 1e-4f;
    for (std::size_t n = 0; n < r.size(); ++n) same = same && std::fabs(r[n] - r1[n]) < 1e-4f;
    if (!same) std::printf("%s, cell %d: ", engine.isa, int(cell)), expect(false, what);
}

void impossible(const Engine &engine) {
    Layer l{};
    l.cell = CellKind::lstm, l.T = 1, l.B = 1, l.I = ONE << 28, l.H = ONE << 28, l.threads = 1;
    expect(!engine.forward(l), "forward of an exabyte of weights");
    expect(!engine.backward(l, {}), "backward of an exabyte of weights");
}

int run() {
    places();
    counts<counted::Lstm, float>();
    counts<counted::Lstm, counted::bf16>();
    counts<counted::Gru, counted::bf16>();
    std::size_t count = 0;
    const Isa *isas = recurra::isas(&count);
    for (std::size_t n = 0; n < count; ++n) {
        if (!isas[n].usable) continue;
        for (const CellKind cell : {CellKind::lstm, CellKind::gru}) {
            one_row(*isas[n].engine, cell, 3, 2, 1, (ONE << 32) + 40, (ONE << 31) + 16, "steps and rows 2^32 elements apart");
            one_row(*isas[n].engine, cell, 1024, ONE << 16, (ONE << 16) - 1, ONE << 20, 16, "2^32 values kept");
        }
        impossible(*isas[n].engine);
    }
    std::printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace recurra::test

int main() { return recurra::test::run(); }
