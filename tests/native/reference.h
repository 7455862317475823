// The layers and their derivatives once more, in double precision: plain loops over rows, steps, units and inputs.
#pragma once

#include "problem.h"

namespace recurra::test {

struct Reference {
    const Problem &p;
    const Shape &s;
    i64 G, H, I;
    std::vector<double> y, hT, cT, gates, memory;                        // laid out (T, B, …) and (B, H)
    std::vector<double> dx, dh0, dc0, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, d_peephole;
    double nearest_kink = 1e300;  // the smallest |argument| of a rectifier

    explicit Reference(const Problem &problem) : p(problem), s(p.shape), G(s.gates()), H(s.H), I(s.I) {
        const auto zeros = [](i64 n) { return std::vector<double>(std::size_t(n), 0.0); };
        y = zeros(s.T * s.B * H), hT = zeros(s.B * H), cT = zeros(s.B * H), gates = zeros(s.T * s.B * s.saved() * H);
        memory = zeros(s.T * s.B * H), dx = zeros(s.T * s.B * I), dh0 = zeros(s.B * H), dc0 = zeros(s.B * H);
        d_weight_ih = zeros(G * H * I), d_weight_hh = zeros(G * H * H), d_bias_ih = zeros(G * H), d_bias_hh = zeros(G * H);
        d_peephole = zeros(3 * H);
        for (i64 b = 0; b < s.B; ++b) run_row(b);
    }

   private:
    static double squash(double a) { return 1.0 / (1.0 + std::exp(-a)); }
    static double given(const Array &a, i64 j) { return a.data == nullptr ? 0.0 : a.get(j); }
    i64 time(i64 b, i64 step) const { return s.reverse ? p.lengths[b] - 1 - step : step; }
    double hole(i64 which, i64 u) const { return s.peepholes() > 0 ? p.peephole.get(which * H + u) : 0.0; }

    void run_row(i64 b) {
        const i64 length = p.lengths[b];
        std::vector<std::vector<double>> h(length + 1), c(length + 1), v(length);  // v: gates, and R_n h + c_n of a GRU
        for (i64 u = 0; u < H; ++u) h[0].push_back(given(p.h0, b * H + u)), c[0].push_back(given(p.c0, b * H + u));
        for (i64 n = 0; n < length; ++n) {
            const i64 t = time(b, n), place = t * s.B + b;
            forward_step(b, t, h[n], c[n], v[n], h[n + 1], c[n + 1]);
            for (i64 u = 0; u < H; ++u) y[place * H + u] = h[n + 1][u], memory[place * H + u] = c[n + 1][u];
            for (i64 k = 0; k < s.saved() * H; ++k) gates[place * s.saved() * H + k] = v[n][k];
        }
        std::vector<double> dh(H), dc(H);
        for (i64 u = 0; u < H; ++u) {
            hT[b * H + u] = h[length][u], cT[b * H + u] = c[length][u];
            dh[u] = given(p.dhT, b * H + u), dc[u] = given(p.dcT, b * H + u);
        }
        for (i64 n = length - 1; n >= 0; --n) backward_step(b, time(b, n), h[n], c[n], c[n + 1], v[n], h[n + 1], dh, dc);
        for (i64 u = 0; u < H; ++u) dh0[b * H + u] = dh[u], dc0[b * H + u] = dc[u];
    }

    void forward_step(i64 b, i64 t, const std::vector<double> &h, const std::vector<double> &c, std::vector<double> &v,
                      std::vector<double> &h_new, std::vector<double> &c_new) {
        std::vector<double> a(G * H), r(G * H);
        for (i64 k = 0; k < G * H; ++k) {
            a[k] = given(p.bias_ih, k), r[k] = given(p.bias_hh, k);
            for (i64 i = 0; i < I; ++i) a[k] += p.weight_ih.get(k * I + i) * p.x.array.get(p.x.at(t, b) + i);
            for (i64 j = 0; j < H; ++j) r[k] += p.weight_hh.get(k * H + j) * h[j];
        }
        v.resize(s.saved() * H), h_new.resize(H), c_new.resize(H);
        for (i64 u = 0; u < H; ++u) {
            const auto both = [&](i64 g) { return a[g * H + u] + r[g * H + u]; };
            if (s.cell == CellKind::rnn) {
                h_new[u] = v[u] = std::tanh(both(0));
            } else if (s.cell == CellKind::rnn_relu) {
                h_new[u] = v[u] = std::fmax(0.0, both(0));
                nearest_kink = std::fmin(nearest_kink, std::fabs(both(0)));
            } else if (s.cell == CellKind::gru) {
                const double reset = squash(both(0)), update = squash(both(1)), n = std::tanh(a[2 * H + u] + reset * r[2 * H + u]);
                v[u] = reset, v[H + u] = update, v[2 * H + u] = n, v[3 * H + u] = r[2 * H + u];
                h_new[u] = (1 - update) * n + update * h[u];
            } else {
                const double in = squash(both(0) + hole(0, u) * c[u]), forget = squash(both(1) + hole(1, u) * c[u]);
                const double candidate = std::tanh(both(2));
                c_new[u] = forget * c[u] + in * candidate;
                const double out = squash(both(3) + hole(2, u) * c_new[u]);
                v[u] = in, v[H + u] = forget, v[2 * H + u] = candidate, v[3 * H + u] = out;
                h_new[u] = out * std::tanh(c_new[u]);
            }
        }
    }

    // dh, dc: in, of the state after the step; out, of the one before.
    void backward_step(i64 b, i64 t, const std::vector<double> &h, const std::vector<double> &c, const std::vector<double> &c_new,
                       const std::vector<double> &v, const std::vector<double> &h_new, std::vector<double> &dh,
                       std::vector<double> &dc) {
        std::vector<double> da(G * H), dr(G * H), straight(H, 0.0);  // of a and r above; of h beside the products
        for (i64 u = 0; u < H; ++u) {
            const double d = dh[u] + p.dy.array.get(p.dy.at(t, b) + u);
            if (s.cell == CellKind::rnn) {
                da[u] = d * (1 - h_new[u] * h_new[u]);
            } else if (s.cell == CellKind::rnn_relu) {
                da[u] = h_new[u] > 0 ? d : 0.0;
            } else if (s.cell == CellKind::gru) {
                const double reset = v[u], update = v[H + u], n = v[2 * H + u];
                const double dn = d * (1 - update) * (1 - n * n);
                da[u] = dn * v[3 * H + u] * reset * (1 - reset);
                da[H + u] = d * (h[u] - n) * update * (1 - update);
                da[2 * H + u] = dn;
                dr[2 * H + u] = dn * reset;
                straight[u] = d * update;
            } else {
                const double in = v[u], forget = v[H + u], candidate = v[2 * H + u], out = v[3 * H + u], q = std::tanh(c_new[u]);
                const double d_out = d * q * out * (1 - out);
                const double all = dc[u] + d * out * (1 - q * q) + d_out * hole(2, u);
                const double d_in = all * candidate * in * (1 - in), d_forget = all * c[u] * forget * (1 - forget);
                da[u] = d_in, da[H + u] = d_forget, da[2 * H + u] = all * in * (1 - candidate * candidate), da[3 * H + u] = d_out;
                dc[u] = all * forget + d_in * hole(0, u) + d_forget * hole(1, u);
                d_peephole[u] += d_in * c[u], d_peephole[H + u] += d_forget * c[u], d_peephole[2 * H + u] += d_out * c_new[u];
            }
        }
        for (i64 k = 0; k < G * H; ++k)
            if (s.cell != CellKind::gru || k < 2 * H) dr[k] = da[k];
        dh = straight;
        for (i64 k = 0; k < G * H; ++k) {
            d_bias_ih[k] += da[k], d_bias_hh[k] += dr[k];
            for (i64 j = 0; j < H; ++j) d_weight_hh[k * H + j] += dr[k] * h[j], dh[j] += dr[k] * p.weight_hh.get(k * H + j);
            for (i64 i = 0; i < I; ++i) {
                d_weight_ih[k * I + i] += da[k] * p.x.array.get(p.x.at(t, b) + i);
                dx[(t * s.B + b) * I + i] += da[k] * p.weight_ih.get(k * I + i);
            }
        }
    }
};

}  // namespace recurra::test
