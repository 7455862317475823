// The simple recurrent network (src/recurra/cells/elman.py).
#pragma once

#include "../vec.h"

namespace recurra::RECURRA_TARGET {

struct Tanh {
    static constexpr bool bounded = true;
    static RECURRA_INLINE vec of(vec x) { return tanh(x); }
    static RECURRA_INLINE vec gradient(vec h, vec dh) { return dh * (splat(1.0f) - h * h); }
};

struct Relu {
    static constexpr bool bounded = false;
    static RECURRA_INLINE vec of(vec x) { return rectify(x); }
    static RECURRA_INLINE vec gradient(vec h, vec dh) { return where_positive(h, dh); }
};

template <class Activation>
struct Elman {
    static constexpr int gates = 1, saved = 1, slots = 1, peepholes = 0;
    static constexpr bool memory = false, direct = false;
    static constexpr bool bounded(int) { return Activation::bounded; }
    static constexpr int hidden_gate[slots] = {0}, input_gate[slots] = {0};

    static RECURRA_INLINE vec forward(const vec *sum, vec &, vec, const vec *, vec *kept) {
        return kept[0] = Activation::of(sum[0]);
    }

    static RECURRA_INLINE void backward(const vec *kept, vec, vec, vec, vec dh, vec &, vec &, const vec *, vec *d, vec *) {
        d[0] = Activation::gradient(kept[0], dh);
    }
};

}  // namespace recurra::RECURRA_TARGET
