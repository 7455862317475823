// Long short-term memory, with or without peepholes (src/recurra/cells/lstm.py, graves_lstm.py).
#pragma once

#include "../vec.h"

namespace recurra::RECURRA_TARGET {

template <bool Peepholes>
struct AnyLstm {
    static constexpr int gates = 4, saved = 4, slots = 4, peepholes = Peepholes ? 3 : 0;  // input, forget, candidate, output
    static constexpr bool memory = true, direct = false;
    static constexpr bool bounded(int) { return true; }
    static constexpr int hidden_gate[slots] = {0, 1, 2, 3}, input_gate[slots] = {0, 1, 2, 3};

    // p: peephole weights of input, forget, output.
    static RECURRA_INLINE vec forward(const vec *sum, vec &c, vec, const vec *p, vec *kept) {
        vec i = sum[0], f = sum[1], g = sum[2], o = sum[3];
        if constexpr (Peepholes) i = fma(p[0], c, i), f = fma(p[1], c, f);
        i = sigmoid(i), f = sigmoid(f), g = tanh(g);
        c = fma(f, c, i * g);
        if constexpr (Peepholes) o = fma(p[2], c, o);
        o = sigmoid(o);
        kept[0] = i, kept[1] = f, kept[2] = g, kept[3] = o;
        return o * tanh(c);
    }

    static RECURRA_INLINE void backward(const vec *kept, vec, vec c_before, vec c, vec dh, vec &dc, vec &, const vec *p,
                                        vec *d, vec *dp) {
        const vec one = splat(1.0f);
        vec i = kept[0], f = kept[1], g = kept[2], o = kept[3];
        vec squashed = tanh(c);
        d[3] = dh * squashed * o * (one - o);
        vec all = fma(dh * o, one - squashed * squashed, dc);
        if constexpr (Peepholes) all = fma(d[3], p[2], all), dp[2] = d[3] * c;
        d[0] = all * g * i * (one - i);
        d[1] = all * c_before * f * (one - f);
        d[2] = all * i * (one - g * g);
        dc = all * f;
        if constexpr (Peepholes) {
            dp[0] = d[0] * c_before, dp[1] = d[1] * c_before;
            dc = fma(d[0], p[0], fma(d[1], p[1], dc));
        }
    }
};

using Lstm = AnyLstm<false>;
using GravesLstm = AnyLstm<true>;

}  // namespace recurra::RECURRA_TARGET
