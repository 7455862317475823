// Random layers through every instruction set of this machine, and through AMX's tiles emulated: fuzz [SHAPES [SEED]].
//
// Of each: nothing is read or written but what the engine's face says (the sanitizer, canaries), all results are numbers,
// a row alone and other threads give the same bits. Of some: the values are those of the reference, in double precision.
#include "dispatch.h"
#include "reference.h"

#define RECURRA_TARGET emulated
#define RECURRA_EMULATE_AMX
#include "engine.inc"

namespace recurra::test {
namespace {

struct Failure {
    const char *what;
    double error = 0.0;  // relative to the largest value
};

void expect(bool holds, const char *what) {
    if (!holds) throw Failure{what};
}

// Only the steps that exist are written, and what is there is a number.
void check_written(const Problem &p, const Array &array, i64 T, const Cube *cube, i64 features, const char *what) {
    std::vector<char> exists(std::size_t(array.count), 0);
    for (i64 b = 0; b < p.shape.B; ++b)
        for (i64 t = 0; t < p.lengths[b] && t < T; ++t)
            for (i64 f = 0; f < features; ++f) {
                const i64 j = (cube == nullptr ? (t * p.shape.B + b) * features : cube->at(t, b)) + f;
                exists[std::size_t(j)] = 1;
                expect(std::isfinite(&array == &p.kept ? p.kept_value(j) : array.get(j)), what);
            }
    for (i64 j = 0; j < array.count; ++j) expect(exists[std::size_t(j)] || array.untouched(j), what);
}
void check_numbers(const Array &array, const char *what) {
    for (i64 j = 0; j < array.count; ++j) expect(std::isfinite(array.get(j)), what);
}

// Everything that forward writes, for comparisons.
struct Forward {
    Cube y;
    Array hT, cT, kept, memory;

    Forward(const Problem &p, i64 T, i64 B) {
        Random layout{1};
        const Shape &s = p.shape;
        y = Cube(layout, s.element(), T, B, s.H);
        hT = Array(Type::float32, B * s.H);
        if (s.memory()) cT = Array(Type::float32, B * s.H);
        if (!p.keeps) return;
        kept = Array(s.element(), T * B * s.saved() * s.H);
        if (s.memory()) memory = Array(Type::float32, T * B * s.H);
    }
    void into(Layer &l) const {
        l.y = y.sequence(), l.hT = hT.floats(), l.cT = cT.floats(), l.kept = kept.data, l.memory = memory.floats();
    }
};

// Row `from` of what was computed here, bit for bit as row `row` of the problem.
void check_same(const Problem &p, i64 row, const Forward &other, i64 from, i64 B) {
    const i64 H = p.shape.H, S = p.shape.saved() * H;
    for (i64 u = 0; u < H; ++u) {
        expect(p.hT.same(row * H + u, other.hT, from * H + u), "hT is not that of the row alone, or of other threads");
        if (p.shape.memory())
            expect(p.cT.same(row * H + u, other.cT, from * H + u), "cT is not that of the row alone, or of other threads");
    }
    for (i64 t = 0; t < p.lengths[row]; ++t) {
        const i64 here = t * p.shape.B + row, there = t * B + from;
        for (i64 u = 0; u < H; ++u)
            expect(p.y.array.same(p.y.at(t, row) + u, other.y.array, other.y.at(t, from) + u),
                   "y is not that of the row alone, or of other threads");
        for (i64 k = 0; k < S && p.keeps; ++k)
            expect(p.kept.same(here * S + k, other.kept, there * S + k), "kept is not that of the row alone, or of other threads");
        for (i64 u = 0; u < H && p.keeps && p.shape.memory(); ++u)
            expect(p.memory.same(here * H + u, other.memory, there * H + u), "memory is not that of the row alone, or of other threads");
    }
}

void check_row_alone(const Engine &engine, const Problem &p, i64 row) {
    const Forward alone(p, p.lengths[row], 1);
    Layer l = p.layer();
    l.T = p.lengths[row], l.B = 1, l.lengths = nullptr, l.threads = 1;
    const i64 skip = p.x.at(0, row) * size_of(p.x.array.type);
    l.x.data = l.T == 0 ? nullptr : static_cast<char *>(p.x.array.data) + skip;
    if (l.h0 != nullptr) l.h0 += row * l.H;
    if (l.c0 != nullptr) l.c0 += row * l.H;
    alone.into(l);
    expect(engine.forward(l), "forward found no memory");
    check_same(p, row, alone, 0, 1);
}

void check_other_threads(const Engine &engine, const Problem &p) {
    const Forward other(p, p.shape.T, p.shape.B);
    Layer l = p.layer();
    l.threads = p.shape.threads % 3 + 1;
    other.into(l);
    expect(engine.forward(l), "forward found no memory");
    for (i64 b = 0; b < p.shape.B; ++b) check_same(p, b, other, b, p.shape.B);
}

// The products of bfloat16 have 8 bits, and errors of early steps grow on; a wrong sum is off by far more.
double tolerance(const Problem &p) { return !p.shape.mixed ? 3e-5 : p.shape.T <= 8 ? 0.08 : 0.2; }

void check_close(const Problem &p, const Array &got, const std::vector<double> &wanted, const char *what) {
    double scale = 1.0, worst = 0.0;
    for (i64 j = 0; j < got.count; ++j) {
        scale = std::fmax(scale, std::fabs(wanted[std::size_t(j)]));
        worst = std::fmax(worst, std::fabs(got.get(j) - wanted[std::size_t(j)]));
    }
    if (worst > tolerance(p) * scale) throw Failure{what, worst / scale};
}
void check_steps(const Problem &p, const Array &got, const Cube *cube, i64 features, const std::vector<double> &wanted, const char *what) {
    double scale = 1.0, worst = 0.0;
    for (i64 b = 0; b < p.shape.B; ++b)
        for (i64 t = 0; t < p.lengths[b]; ++t)
            for (i64 f = 0; f < features; ++f) {
                const i64 place = (t * p.shape.B + b) * features + f;
                const double value = wanted[std::size_t(place)];
                scale = std::fmax(scale, std::fabs(value));
                const i64 j = cube == nullptr ? place : cube->at(t, b) + f;
                worst = std::fmax(worst, std::fabs((&got == &p.kept ? p.kept_value(j) : got.get(j)) - value));
            }
    // What is stored in bfloat16 is rounded once more.
    const double limit = tolerance(p) + (got.type == Type::bfloat16 ? 0.004 : 0.0);
    if (worst > limit * scale) throw Failure{what, worst / scale};
}

void check_values(const Problem &p, bool gradients) {
    const Reference r(p);
    const i64 H = p.shape.H;
    check_steps(p, p.y.array, &p.y, H, r.y, "y is wrong");
    check_close(p, p.hT, r.hT, "hT is wrong");
    if (p.shape.memory()) check_close(p, p.cT, r.cT, "cT is wrong");
    if (!p.keeps) return;
    check_steps(p, p.kept, nullptr, p.shape.saved() * H, r.gates, "kept is wrong");
    if (p.shape.memory()) check_steps(p, p.memory, nullptr, H, r.memory, "memory is wrong");
    // On the other side of the kink a derivative is another number altogether.
    if (!gradients || r.nearest_kink < tolerance(p)) return;
    if (p.wants_dx) check_steps(p, p.dx.array, &p.dx, p.shape.I, r.dx, "dx is wrong");
    check_close(p, p.dh0, r.dh0, "dh0 is wrong");
    check_close(p, p.dc0, r.dc0, "dc0 is wrong");
    check_close(p, p.d_weight_ih, r.d_weight_ih, "the gradient of weight_ih is wrong");
    check_close(p, p.d_weight_hh, r.d_weight_hh, "the gradient of weight_hh is wrong");
    check_close(p, p.d_bias_ih, r.d_bias_ih, "the gradient of bias_ih is wrong");
    check_close(p, p.d_bias_hh, r.d_bias_hh, "the gradient of bias_hh is wrong");
    check_close(p, p.d_peephole, r.d_peephole, "the gradient of peephole is wrong");
}

void check(const Engine &engine, const Shape &s, Random random, bool compare) {
    Problem p(random, s);
    expect(engine.forward(p.layer()), "forward found no memory");
    check_written(p, p.y.array, s.T, &p.y, s.H, "y: a canary");
    check_numbers(p.hT, "hT: not a number");
    check_numbers(p.cT, "cT: not a number");
    if (p.keeps) check_written(p, p.kept, s.T, nullptr, s.saved() * s.H, "kept: a canary");
    if (p.keeps && s.memory()) check_written(p, p.memory, s.T, nullptr, s.H, "memory: a canary");
    if (s.B > 0) check_row_alone(engine, p, random.below(s.B));
    if (s.threads > 1) check_other_threads(engine, p);
    if (p.keeps) {
        expect(engine.backward(p.layer(), p.gradients()), "backward found no memory");
        if (p.wants_dx) check_written(p, p.dx.array, s.T, &p.dx, s.I, "dx: a canary");
        for (const Array *one : {&p.dh0, &p.dc0, &p.d_weight_ih, &p.d_weight_hh, &p.d_bias_ih, &p.d_bias_hh, &p.d_peephole})
            check_numbers(*one, "a gradient that is not a number");
    }
    if (compare) check_values(p, p.keeps);
}

int run(i64 shapes, std::uint64_t seed) {
    std::vector<const Engine *> engines{&emulated::engine};
    std::size_t count = 0;
    const Isa *isas = recurra::isas(&count);
    for (std::size_t n = 0; n < count; ++n)
        if (isas[n].usable && select_isa(isas[n].name)) engines.push_back(&engine());
    Random random{seed};
    for (i64 n = 0; n < shapes; ++n) {
        const i64 kind = random.below(2000);
        const Shape s = kind == 0 ? draw_wide_shape(random) : kind < 5 ? draw_large_shape(random) : draw_shape(random);
        const bool compare = random.one_in(4);
        const Random start{random.bits()};
        const Engine &one = *engines[std::size_t(n) % engines.size()];
        try {
            check(one, s, start, compare);
        } catch (const Failure &failure) {
            std::printf("%s, shape %lld of seed %llu: %s (off by %.3g)\n  cell %d, T %lld, B %lld, I %lld, H %lld%s%s%s, %d threads\n", one.isa,
                        static_cast<long long>(n), static_cast<unsigned long long>(seed), failure.what, failure.error, int(s.cell),
                        static_cast<long long>(s.T), static_cast<long long>(s.B), static_cast<long long>(s.I),
                        static_cast<long long>(s.H), s.mixed ? ", mixed" : "", s.reverse ? ", reverse" : "",
                        s.ragged ? ", ragged" : "", s.threads);
            return 1;
        }
    }
    std::printf("%lld shapes, each through one of", static_cast<long long>(shapes));
    for (const Engine *one : engines) std::printf(" %s", one->isa);
    std::printf("\n");
    return 0;
}

#if defined(__SANITIZE_THREAD__)
constexpr i64 SHAPES = 5000;
#else
constexpr i64 SHAPES = 100000;
#endif

}  // namespace
}  // namespace recurra::test

int main(int count, char **arguments) {
    const long long shapes = count > 1 ? std::atoll(arguments[1]) : recurra::test::SHAPES;
    return recurra::test::run(shapes, count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
}
