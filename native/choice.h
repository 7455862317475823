// What the choice of the next unit needs of its scores: their greatest, and e to the power of each.
//
// The scores are float32 and what becomes of them double, as in src/recurra/decoding/sampling.py: both then choose the same.
#pragma once

#include "vec.h"

namespace recurra::RECURRA_TARGET {

typedef double part_d __attribute__((vector_size(RECURRA_VEC_BYTES)));
typedef std::int64_t part_l __attribute__((vector_size(RECURRA_VEC_BYTES)));
constexpr int DOUBLES = RECURRA_VEC_BYTES / 8, DOUBLE_PARTS = WIDTH / DOUBLES;

// To a rounding or two, for x <= 0; 0 below -708, where it would be no normal number, and at minus infinity.
RECURRA_INLINE part_d exp_double(part_d x) {
    const double magic = 6755399441055744.0;  // 1.5 · 2^52: adding it leaves the nearest integer in the low bits
    const part_d least = -708.0 - part_d{};
    const part_d clamped = x < least ? least : x;
    const part_d shifted = clamped * 1.4426950408889634 + magic, n = shifted - magic;
    // ln 2 in two pieces; the first has few bits, so n times it is exact.
    const part_d r = (clamped - n * 0.69314718036912382) - n * 1.9082149292705877e-10;
    part_d p = 1.0 / 6227020800 - part_d{};
    constexpr double inverse[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                                  1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0};  // of 12! … 0!
    for (double each : inverse) p = p * r + each;
    part_l bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 52) + (std::int64_t(1023) << 52);
    part_d scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return x < least ? part_d{} : p * scale;
}

inline float peak_of(i64 n, const float *scores) {
    vec most = load(scores);
    part_i odd = part_i{};
    for (i64 j = 0; j < n; j += WIDTH) {
        const vec some = load(scores + j);
        RECURRA_EACH {
            odd |= some.part[q] != some.part[q];
            most.part[q] = some.part[q] > most.part[q] ? some.part[q] : most.part[q];
        }
    }
    float all[WIDTH], greatest;
    store(all, most);
    greatest = all[0];
    for (float each : all) greatest = each > greatest ? each : greatest;
    for (int q = 0; q < PART; ++q)
        if (odd[q] != 0) return __builtin_nanf("");
    return greatest;
}

inline void weigh_scores(i64 n, const float *scores, float peak, double temperature, double *scaled, double *weights, double *block_sums) {
    for (i64 j = 0; j < n; j += WIDTH) {
        double wide[WIDTH];
        for (int q = 0; q < WIDTH; ++q) wide[q] = scores[j + q];
        part_d total = part_d{};
        for (int q = 0; q < DOUBLE_PARTS; ++q) {
            part_d x;
            std::memcpy(&x, wide + q * DOUBLES, sizeof x);
            x -= double(peak) - part_d{};
            if (temperature != 1) x /= temperature - part_d{};
            if (scaled != nullptr) std::memcpy(scaled + j + q * DOUBLES, &x, sizeof x);
            x = exp_double(x);
            total += x;
            std::memcpy(weights + j + q * DOUBLES, &x, sizeof x);
        }
        double sum = 0;
        for (int q = 0; q < DOUBLES; ++q) sum += total[q];
        block_sums[j / WIDTH] = sum;
    }
}

}  // namespace recurra::RECURRA_TARGET
