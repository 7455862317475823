// The gated recurrent unit (src/recurra/cells/gru.py): reset, update, candidate.
#pragma once

#include "../vec.h"

namespace recurra::RECURRA_TARGET {

struct Gru {
    static constexpr int gates = 3, saved = 4, slots = 4, peepholes = 0;  // kept: r, z, n, and R_n h + c_n
    static constexpr bool memory = false, direct = true;
    // The candidate's derivative differs on the two sides of the reset gate. In this order of the slots those for the
    // recurrent product are the first three, those for the input's the last three.
    static constexpr int hidden_gate[slots] = {2, 0, 1, -1}, input_gate[slots] = {-1, 0, 1, 2};
    static constexpr bool hidden_alone(int gate) { return gate == 2; }  // its product with h stands alone until r meets it

    static RECURRA_INLINE vec forward(const vec *xw, const vec *hr, vec &, vec h, const vec *, vec *kept) {
        vec r = sigmoid(xw[0] + hr[0]), z = sigmoid(xw[1] + hr[1]);
        vec n = tanh(fma(r, hr[2], xw[2]));
        kept[0] = r, kept[1] = z, kept[2] = n, kept[3] = hr[2];
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
