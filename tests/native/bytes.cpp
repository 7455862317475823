// Steps with int8 weights, through every instruction set of this machine and through VNNI's instruction emulated: bytes [SHAPES [SEED]].
//
// Whole numbers, whose scales are 1, have results that are equal to a plain sum in 64 bits, chunk after chunk; others are as
// near to it as float32 is. Every array is of just its own size, so that the sanitizer sees a step past its end.
#include <algorithm>

#include "dispatch.h"
#include "problem.h"

#define RECURRA_TARGET emulated
#define RECURRA_EMULATE_VNNI
#define RECURRA_STREAMS_ONLY
#include "engine.inc"

namespace recurra::test {
namespace {

constexpr i64 CHUNK = 512;
constexpr int MOST = 32639, MOST_WEIGHT = 127;
constexpr double UNIT = 1.2e-7;  // a rounding of float32

struct Aligned {
    char *data;
    explicit Aligned(std::size_t bytes) : data(static_cast<char *>(std::aligned_alloc(64, (bytes + 63) / 64 * 64))) {}
    Aligned(const Aligned &) = delete;
    ~Aligned() { std::free(data); }
};

void expect(bool holds, const char *what) {
    if (!holds) throw what;
}

Array floats(i64 count) { return Array(Type::float32, count); }

i64 draw_size(Random &random) {
    constexpr i64 odd[] = {1, 3, 4, 5, 15, 16, 17, 127, 128, 129, 511, 512, 513, 516, 1023, 1024, 1025, 1540};
    return random.one_in(3) ? odd[random.below(i64(sizeof odd / sizeof *odd))] : 1 + random.below(200);
}

// Whole numbers of at most `most`, one of which is of that size, so that their scale is 1; or zeros.
void draw_whole(Random &random, float *to, i64 count, int most) {
    const i64 kind = random.below(8);  // all greatest, of one sign or of both; zeros; small; any
    for (i64 j = 0; j < count; ++j) {
        int value = int(random.below(2 * most + 1)) - most;
        if (kind == 0) value = most;
        if (kind == 1) value = -most;
        if (kind == 2) value = j % 2 ? most : -most;
        if (kind == 3) value = 0;
        if (kind == 4) value = int(random.below(3)) - 1;
        to[j] = float(value);
    }
    if (kind != 3 && count > 0) to[random.below(count)] = float(random.one_in(2) ? most : -most);
}

void draw_real(Random &random, float *to, i64 count) {
    const double size = std::pow(2.0, double(random.below(60)) - 30.0);
    for (i64 j = 0; j < count; ++j) to[j] = random.one_in(9) ? 0.0f : random.number(size);
}

float greatest(const float *of, i64 count) {
    float most = 0.0f;
    for (i64 j = 0; j < count; ++j) most = std::fmax(most, std::fabs(of[j]));
    return most;
}
// As native/bytes.h says; halves of a row go to the even number, of a weight away from zero.
float scale_of(const float *of, i64 count, int most) {
    const float size = greatest(of, count);
    return size >= 1e-30f ? size / float(most) : 1.0f;
}
std::int64_t whole(float value, float scale, int most) {
    const float q = value / scale;
    return std::int64_t(most == MOST ? std::nearbyint(q) : std::round(q));
}

struct Linear {
    i64 N, K;
    Array weight, bias, x;

    Linear(Random &random, bool real) : N(draw_size(random)), K(draw_size(random)), weight(floats(N * K)), x(floats(K)) {
        if (random.one_in(40)) K = 0;
        if (random.one_in(2)) bias = floats(N);
        for (i64 n = 0; n < N; ++n) {
            real ? draw_real(random, weight.floats() + n * K, K) : draw_whole(random, weight.floats() + n * K, K, MOST_WEIGHT);
            if (bias.data != nullptr) bias.set(n, float(random.below(100)));
        }
        real ? draw_real(random, x.floats(), K) : draw_whole(random, x.floats(), K, MOST);
    }

    Array run(const Engine &engine, int threads) const {
        Array y = floats(N);
        const Aligned memory(engine.linear_bytes(N, K, Weights::int8)), scratch(engine.scratch_bytes(K, 0, Weights::int8));
        engine.linear_pack(N, K, weight.floats(), bias.floats(), Weights::int8, memory.data);
        engine.linear_step(N, K, Weights::int8, memory.data, x.floats(), y.floats(), threads, scratch.data);
        return y;
    }

    // What y's n-th number is, and how far roundings may lead from it. `rounded`: as float32 sums it up.
    float rounded(i64 n) const {
        float sum = 0.0f;
        for (i64 from = 0; from < K; from += CHUNK) {
            std::int64_t part = 0;
            for (i64 k = from; k < std::min(from + CHUNK, K); ++k)
                part += std::int64_t(weight.floats()[n * K + k]) * std::int64_t(x.floats()[k]);
            expect(std::abs(part) <= 0x7fffffff, "a sum of a chunk is more than 32 bits hold");
            sum = float(part) + sum;
        }
        return bias.data == nullptr ? sum : sum + bias.floats()[n];
    }
    double exact(i64 n, double &apart, double &from_floats) const {
        const float *w = weight.floats() + n * K;
        const float ws = scale_of(w, K, MOST_WEIGHT), xs = scale_of(x.floats(), K, MOST);
        double sum = 0.0, size = 0.0, unrounded = 0.0;
        for (i64 k = 0; k < K; ++k) {
            const double q = double(whole(w[k], ws, MOST_WEIGHT)) * ws;
            const double term = q * double(whole(x.floats()[k], xs, MOST)) * xs;
            sum += term, size += std::fabs(term);
            unrounded += q * double(x.floats()[k]);
            from_floats += std::fabs(q) * xs * 0.501;  // half a step of x, and the rounding of its scale
        }
        const double b = bias.data == nullptr ? 0.0 : double(bias.floats()[n]);
        apart = UNIT * (double(K / CHUNK) + 4.0) * (size + std::fabs(b)) + 1e-37;
        from_floats = std::fabs(sum - unrounded) - from_floats - apart;
        return sum + b;
    }
};

void check_linear(const Engine &engine, Random random) {
    const bool real = random.one_in(2);
    const Linear problem(random, real);
    const Array y = problem.run(engine, 1), other = problem.run(engine, 2);
    for (i64 n = 0; n < problem.N; ++n) {
        expect(y.same(n, other, n), "linear: two threads give another result");
        if (!real) {
            expect(y.floats()[n] == problem.rounded(n), "linear: whole numbers are not summed up exactly");
            continue;
        }
        double apart = 0.0, past = 0.0;
        const double exact = problem.exact(n, apart, past);
        expect(std::fabs(y.get(n) - exact) <= apart, "linear: the result is not that of the rounded numbers");
        expect(past <= 0.0, "linear: a row is rounded by more than half of a step");
    }
}

// What is no number makes nothing but not-a-number: of the row all results, of the weights those of their own row.
void check_damage(const Engine &engine, Random random) {
    const float odd[] = {INFINITY, -INFINITY, NAN};
    Linear problem(random, random.one_in(2));
    if (problem.K == 0) return;
    const Array before = problem.run(engine, 1);
    const i64 place = random.below(problem.N * problem.K);
    problem.weight.floats()[place] = odd[random.below(3)];
    const Array after = problem.run(engine, 1);
    for (i64 n = 0; n < problem.N; ++n)
        expect(n == place / problem.K ? std::isnan(after.get(n)) : after.same(n, before, n), "damaged weights: wrong");
    problem.x.floats()[random.below(problem.K)] = odd[random.below(3)];
    const Array none = problem.run(engine, 1);
    for (i64 n = 0; n < problem.N; ++n) expect(std::isnan(none.get(n)), "a damaged row: a number comes out");
}

// One step of a layer whose weights are as int8 holds them, against the same step in float32 by another instruction set.
void check_cell(const Engine &engine, const Engine &plain, Random random) {
    const CellKind cell = CellKind(random.below(5));
    const bool wide = random.one_in(150);  // enough weights for two threads
    const i64 I = wide ? 300 : draw_size(random) % 700 + 1, H = wide ? 310 : draw_size(random) % 140 + 1;
    const i64 gates = cell == CellKind::gru ? 3 : cell == CellKind::lstm || cell == CellKind::graves_lstm ? 4 : 1;
    Array w_ih = floats(gates * H * I), w_hh = floats(gates * H * H), bias = floats(gates * H), peephole = floats(3 * H);
    Array x = floats(I), h0 = floats(H), c0 = floats(H), hT = floats(H), cT = floats(H), y = floats(H);
    double reach = 0.0;  // what rounding x and h may change a sum by, at most
    for (i64 n = 0; n < gates * H; ++n) {
        for (Array *w : {&w_ih, &w_hh}) {
            const i64 columns = w == &w_ih ? I : H;
            float *row = w->floats() + n * columns;
            draw_whole(random, row, columns, MOST_WEIGHT);
            for (i64 k = 0; k < columns; ++k) row[k] *= 1.0f / 1024 / float(std::sqrt(double(columns)));
        }
        double sum = 0.0;
        for (i64 k = 0; k < I; ++k) sum += std::fabs(w_ih.get(n * I + k)) * 2.0;
        for (i64 k = 0; k < H; ++k) sum += std::fabs(w_hh.get(n * H + k));
        reach = std::fmax(reach, sum * (0.51 / MOST + 64 * UNIT));
        bias.set(n, random.number());
    }
    for (i64 j = 0; j < I; ++j) x.set(j, random.number(2.0));
    for (i64 j = 0; j < 3 * H; ++j) peephole.set(j, random.number());
    for (i64 j = 0; j < H; ++j) h0.set(j, random.number()), c0.set(j, random.number());
    Layer l{};
    l.cell = cell, l.T = 1, l.B = 1, l.I = I, l.H = H, l.threads = 1;
    l.weight_ih = w_ih.floats(), l.weight_hh = w_hh.floats(), l.bias_ih = bias.floats(), l.peephole = peephole.floats();
    l.x = {x.data, Type::float32, I, I}, l.y = {y.data, Type::float32, H, H};
    l.h0 = h0.floats(), l.c0 = c0.floats(), l.hT = hT.floats(), l.cT = cT.floats();
    expect(plain.forward(l), "forward found no memory");

    const Aligned memory(engine.stream_bytes(cell, I, H, Weights::int8)), scratch(engine.scratch_bytes(I, H, Weights::int8));
    const Aligned sums(std::size_t(engine.stream_sums(cell, H)) * sizeof(float));
    engine.stream_pack(l, Weights::int8, memory.data);
    const StreamLayer one{cell, I, H, Weights::int8, memory.data, 1}, two{cell, I, H, Weights::int8, memory.data, 2};
    engine.stream_input(one, x.floats(), reinterpret_cast<float *>(sums.data), scratch.data);
    Array first, c_first;
    for (int way = 0; way < 3; ++way) {
        Array after = floats(H), c = floats(H);
        for (i64 j = 0; j < H; ++j) c.set(j, c0.floats()[j]);
        const float *made = way == 2 ? reinterpret_cast<float *>(sums.data) : nullptr;
        engine.stream_step(way == 1 ? two : one, made == nullptr ? x.floats() : nullptr, made, h0.floats(), after.floats(), c.floats(),
                           scratch.data);
        for (i64 j = 0; j < H; ++j) {
            expect(std::fabs(after.get(j) - hT.get(j)) <= 4.0 * reach + 1e-5, "a step is not the layer's");
            if (gates == 4) expect(std::fabs(c.get(j) - cT.get(j)) <= 4.0 * reach + 1e-5, "a step's memory is not the layer's");
            expect(way == 0 || (after.same(j, first, j) && c.same(j, c_first, j)),
                   way == 1 ? "two threads: another step" : "from sums: another step");
        }
        if (way == 0) first = std::move(after), c_first = std::move(c);
    }
}

int run(i64 shapes, std::uint64_t seed) {
    std::vector<const Engine *> engines{&emulated::engine};
    std::size_t count = 0;
    const Isa *isas = recurra::isas(&count);
    for (std::size_t n = 0; n < count; ++n)
        if (isas[n].usable) engines.push_back(isas[n].engine);
    Random random{seed};
    for (i64 n = 0; n < shapes; ++n) {
        const Random start{random.bits()};
        const Engine &one = *engines[std::size_t(n) % engines.size()];
        try {
            check_linear(one, start);
            check_cell(one, *isas[0].engine, start);
            if (n % 4 == 0) check_damage(one, start);
        } catch (const char *what) {
            std::printf("%s, shape %lld of seed %llu: %s\n", one.isa, static_cast<long long>(n), static_cast<unsigned long long>(seed),
                        what);
            return 1;
        }
    }
    std::printf("%lld shapes, each through one of", static_cast<long long>(shapes));
    for (const Engine *one : engines) std::printf(" %s", one->isa);
    std::printf("\n");
    return 0;
}

}  // namespace
}  // namespace recurra::test

int main(int count, char **arguments) {
    const long long shapes = count > 1 ? std::atoll(arguments[1]) : 4000;
    return recurra::test::run(shapes, count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
}
