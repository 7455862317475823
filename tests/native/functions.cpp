// The error of exp, sigmoid and tanh, in units of the last place, over float32 from end to end: sigmoid and tanh by the
// engines of this machine as they run, through a layer of one unit whose sum is its input; exp as this program is compiled.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "dispatch.h"

#define RECURRA_TARGET plain
#include "vec.h"

namespace {

using recurra::i64;

// Found over the numbers below (1.22, 2.48, 2.44), and rounded up.
constexpr double EXP_ULP = 1.5, SIGMOID_ULP = 2.6, TANH_ULP = 2.6;

float number(std::uint32_t bits) {
    float r;
    std::memcpy(&r, &bits, sizeof r);
    return r;
}

// Numbers of either sign: every 4093rd of all bit patterns to 104, which is past the range of every function, and all
// about the places where the computation changes.
std::vector<float> numbers() {
    std::vector<float> all;
    for (std::uint32_t bits = 0; number(bits) <= 104.0f; bits += 4093) all.push_back(number(bits));
    for (const float place : {0.34657359f, 0.17328680f, 1.0397208f, 1.0f, 0.5f, 8.0f, 9.0f, 10.0f, 87.0f, 88.0f}) {
        float value = place;
        for (int n = 0; n < 500; ++n) value = std::nextafter(value, 0.0f);
        for (int n = 0; n < 1000; ++n) all.push_back(value = std::nextafter(value, 200.0f));
    }
    const std::size_t positive = all.size();
    for (std::size_t n = 0; n < positive; ++n) all.push_back(-all[n]);
    return all;
}

double ulps(float got, double exact) {
    const float near = std::fabs(float(exact));
    return std::fabs(double(got) - exact) / double(std::nextafter(near, 2 * near + 1) - near);
}

// One unit, one step, a row for each number: the first gate of the cell.
std::vector<float> through(const recurra::Engine &engine, recurra::CellKind cell, i64 gates, std::vector<float> x) {
    const i64 B = i64(x.size());
    std::vector<float> weight(std::size_t(gates), 0.0f), none(std::size_t(gates), 0.0f), y(x.size()), h(x.size()), c(x.size());
    std::vector<float> kept(x.size() * std::size_t(gates)), memory(x.size()), first(x.size());
    weight[0] = 1.0f;
    recurra::Layer l{};
    l.cell = cell, l.T = 1, l.B = B, l.I = 1, l.H = 1, l.threads = 1;
    l.weight_ih = weight.data(), l.weight_hh = none.data();
    l.x = {x.data(), recurra::Type::float32, B, 1}, l.y = {y.data(), recurra::Type::float32, B, 1};
    l.hT = h.data(), l.cT = c.data(), l.kept = kept.data(), l.memory = memory.data();
    if (!engine.forward(l)) return {};
    for (std::size_t n = 0; n < x.size(); ++n) first[n] = kept[n * std::size_t(gates)];
    return first;
}

bool specials(const char *name, const std::vector<float> &got, float low, float high, float zero) {
    const bool right = got[0] == high && std::fabs(got[1] - low) < 2e-38f && got[2] == zero && got[3] == zero && std::isnan(got[4]);
    if (!right) std::printf("%s of +inf, -inf, 0, -0 or not-a-number is wrong\n", name);
    return right;
}

bool accurate(const char *isa, const char *name, const std::vector<float> &x, const std::vector<float> &got, double (*exact)(double),
              double limit, float from) {
    double worst = 0.0, past = 0.0;
    float where = 0.0f;
    if (got.size() != x.size()) return false;
    for (std::size_t n = 0; n < x.size(); ++n) {
        const double wanted = exact(double(x[n]));
        if (x[n] < from) {  // the result is next to the smallest numbers there are
            past = std::fmax(past, std::fabs(double(got[n]) - wanted));
            continue;
        }
        const double error = ulps(got[n], wanted);
        if (!(error <= worst)) worst = error, where = x[n];
    }
    std::printf("%-10s %-8s %.3f ulp at %.9g\n", isa, name, worst, double(where));
    return worst <= limit && past < 2e-38;
}

double exact_exp(double x) { return std::exp(x); }
double exact_sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double exact_tanh(double x) { return std::tanh(x); }

bool check_exp(const std::vector<float> &x) {
    std::vector<float> some, got;
    for (const float value : x)
        if (value <= 88.0f) some.push_back(value);
    some.resize(some.size() / 16 * 16);
    got.resize(some.size());
    for (std::size_t n = 0; n < some.size(); n += 16) {
        using namespace recurra::plain;
        store(&got[n], recurra::plain::exp(load(&some[n])));
    }
    return accurate("as built", "exp", some, got, exact_exp, EXP_ULP, -87.0f);
}

}  // namespace

int main() {
    const std::vector<float> x = numbers();
    const float infinity = std::numeric_limits<float>::infinity(), none = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> odd{infinity, -infinity, 0.0f, -0.0f, none};
    bool right = check_exp(x);
    std::size_t count = 0;
    const recurra::Isa *isas = recurra::isas(&count);
    for (std::size_t n = 0; n < count; ++n) {
        if (!isas[n].usable) continue;
        const recurra::Engine &engine = *isas[n].engine;
        const auto squash = [&](const std::vector<float> &of) { return through(engine, recurra::CellKind::lstm, 4, of); };
        const auto tanh = [&](const std::vector<float> &of) { return through(engine, recurra::CellKind::rnn, 1, of); };
        right = accurate(isas[n].name, "sigmoid", x, squash(x), exact_sigmoid, SIGMOID_ULP, -87.0f) && right;
        right = accurate(isas[n].name, "tanh", x, tanh(x), exact_tanh, TANH_ULP, -infinity) && right;
        right = specials("sigmoid", squash(odd), 0.0f, 1.0f, 0.5f) && specials("tanh", tanh(odd), -1.0f, 1.0f, 0.0f) && right;
    }
    return right ? 0 : 1;
}
