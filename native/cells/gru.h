// The gated recurrent unit (src/recurra/cells/gru.py): reset, update, candidate.
#pragma once

#include "../vec.h"

namespace recurra::RECURRA_TARGET {

struct Gru {
    static constexpr int gates = 3, saved = 4, slots = 4, peepholes = 0;  // kept: r, z, n, and R_n h + c_n
    static constexpr bool memory = false, direct = true;
    static constexpr bool bounded(int kept) { return kept < 3; }
    // The candidate's two products are apart until the reset gate meets them, and so are their derivatives. In this order of
    // the slots those of the recurrent product are the first three, those of the input's the last three.
    static constexpr int hidden_gate[slots] = {2, 0, 1, -1}, input_gate[slots] = {-1, 0, 1, 2};

    static RECURRA_INLINE vec forward(const vec *sum, vec &, vec h, const vec *, vec *kept) {
        vec r = sigmoid(sum[1]), z = sigmoid(sum[2]);
        vec n = tanh(fma(r, sum[0], sum[3]));
        kept[0] = r, kept[1] = z, kept[2] = n, kept[3] = sum[0];
        return fma(z, h - n, n);
    }

    static RECURRA_INLINE void backward(const vec *kept, vec h_before, vec, vec, vec dh, vec &, vec &direct_dh, const vec *,
                                        vec *d, vec *) {
        const vec one = splat(1.0f);
        vec r = kept[0], z = kept[1], n = kept[2];
        vec dn = dh * (one - z) * (one - n * n);
        d[0] = dn * r;
        d[1] = dn * kept[3] * r * (one - r);
        d[2] = dh * (h_before - n) * z * (one - z);
        d[3] = dn;
        direct_dh = dh * z;
    }
};

}  // namespace recurra::RECURRA_TARGET
