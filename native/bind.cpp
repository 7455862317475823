// The module recurra._native. It checks nothing and decides nothing: that is done in src/recurra/kernels/.
// Memory comes as addresses (0: null); a sequence as (address, type, elements to the next step, elements to the next row).
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <cstring>
#include <tuple>

#include "dispatch.h"
#include "model.h"

namespace nb = nanobind;

namespace {

using recurra::i64;
using Address = std::uintptr_t;
template <class T>
using Array = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Floats = Array<float>;
using Place = std::tuple<Address, int, i64, i64>;

template <class T>
T *pointer(Address address) {
    return reinterpret_cast<T *>(address);
}

recurra::Sequence sequence(const Place &place) {
    const auto [address, type, step, row] = place;
    return {pointer<void>(address), recurra::Type(type), step, row};
}

// Gives (name, whether this machine runs it) of each instruction set compiled in, the best last.
nb::list isas() {
    std::size_t count = 0;
    const recurra::Isa *all = recurra::isas(&count);
    nb::list given;
    for (std::size_t i = 0; i < count; ++i) given.append(nb::make_tuple(all[i].name, all[i].usable));
    return given;
}

// sizes: T, B, I, H.  flags: mixed, reverse.  weights: ih, hh, bias ih, bias hh, peephole.
recurra::Layer layer(int cell, std::tuple<i64, i64, i64, i64> sizes, std::tuple<bool, bool> flags, Address lengths,
                     std::tuple<Address, Address, Address, Address, Address> weights, const Place &x, const Place &y,
                     std::tuple<Address, Address> state, std::tuple<Address, Address> kept, int threads) {
    recurra::Layer l{};
    l.cell = recurra::CellKind(cell);
    std::tie(l.T, l.B, l.I, l.H) = sizes;
    std::tie(l.mixed, l.reverse) = flags;
    l.lengths = pointer<const i64>(lengths);
    l.weight_ih = pointer<const float>(std::get<0>(weights));
    l.weight_hh = pointer<const float>(std::get<1>(weights));
    l.bias_ih = pointer<const float>(std::get<2>(weights));
    l.bias_hh = pointer<const float>(std::get<3>(weights));
    l.peephole = pointer<const float>(std::get<4>(weights));
    l.x = sequence(x);
    l.y = sequence(y);
    l.h0 = pointer<const float>(std::get<0>(state));
    l.c0 = pointer<const float>(std::get<1>(state));
    l.kept = pointer<void>(std::get<0>(kept));
    l.memory = pointer<float>(std::get<1>(kept));
    l.threads = threads;
    return l;
}

void pack(const recurra::Layer &l, Address memory) {
    nb::gil_scoped_release released;
    recurra::engine().forward_pack(l, pointer<void>(memory));
}

// state_after: h, c.  packed: by `pack`; 0: not yet.
bool forward(const recurra::Layer &given, std::tuple<Address, Address> state_after, Address packed) {
    recurra::Layer l = given;
    l.hT = pointer<float>(std::get<0>(state_after));
    l.cT = pointer<float>(std::get<1>(state_after));
    l.packed = pointer<void>(packed);
    nb::gil_scoped_release released;
    return recurra::engine().forward(l);
}

// d_state_after, d_state: h, c.  d_weights: as the layer's.
bool backward(const recurra::Layer &l, const Place &dy, std::tuple<Address, Address> d_state_after, const Place &dx,
              std::tuple<Address, Address> d_state, std::tuple<Address, Address, Address, Address, Address> d_weights) {
    recurra::Gradients g{};
    g.dy = sequence(dy);
    g.dhT = pointer<const float>(std::get<0>(d_state_after));
    g.dcT = pointer<const float>(std::get<1>(d_state_after));
    g.dx = sequence(dx);
    g.dh0 = pointer<float>(std::get<0>(d_state));
    g.dc0 = pointer<float>(std::get<1>(d_state));
    g.weight_ih = pointer<float>(std::get<0>(d_weights));
    g.weight_hh = pointer<float>(std::get<1>(d_weights));
    g.bias_ih = pointer<float>(std::get<2>(d_weights));
    g.bias_hh = pointer<float>(std::get<3>(d_weights));
    g.peephole = pointer<float>(std::get<4>(d_weights));
    nb::gil_scoped_release released;
    return recurra::engine().backward(l, g);
}

void pack_linear(i64 N, i64 K, Address weight, Address memory) {
    nb::gil_scoped_release released;
    recurra::engine().panels_pack(N, K, pointer<const float>(weight), pointer<float>(memory));
}

// packed: by `pack_linear`; 0: not yet.
bool linear(i64 rows, i64 N, i64 K, Address x, std::tuple<Address, Address> weight_and_packed, Address bias, Address y, int threads) {
    const auto [weight, packed] = weight_and_packed;
    nb::gil_scoped_release released;
    return recurra::engine().linear(rows, N, K, pointer<const float>(x), pointer<const float>(weight), pointer<const float>(packed),
                                    pointer<const float>(bias), pointer<float>(y), threads);
}

void normalise(i64 rows, i64 n, Address x, Address weight, Address bias, float eps, Address y) {
    nb::gil_scoped_release released;
    recurra::engine().normalise(rows, n, pointer<const float>(x), pointer<const float>(weight), pointer<const float>(bias), eps,
                                pointer<float>(y));
}

void add_layer(recurra::Model &model, const recurra::Layer &layer, int weights, Address norm_weight, Address norm_bias, float eps,
               bool residual) {
    model.add_layer(layer, recurra::Weights(weights), pointer<const float>(norm_weight), pointer<const float>(norm_bias), eps,
                    residual);
}

i64 generate(const recurra::Model &model, Floats state, i64 id, i64 end, std::tuple<double, i64, double> choice,
             const std::vector<i64> &forbidden, Array<double> uniforms, Array<i64> ids) {
    const recurra::Choice how{std::get<0>(choice), std::get<1>(choice), std::get<2>(choice), forbidden};
    nb::gil_scoped_release released;
    return model.generate(state.data(), id, i64(ids.size()), end, how, uniforms.data(), ids.data());
}

// Of places one after another, each an address and so many bytes.
std::uint64_t checksum(const std::vector<std::tuple<Address, std::size_t>> &places) {
    nb::gil_scoped_release released;
    recurra::Checksum sum;
    for (const auto &[address, bytes] : places) sum.add(pointer<const void>(address), bytes);
    return sum.value();
}

// A model and a state that one stream steps through: with as little around a step as there can be, since that of a small model
// takes half a microsecond.
class Feed {
   public:
    // make: gives an array for the outputs.
    Feed(nb::object model, Floats state, nb::object make)
        : owner_(model), model_(nb::cast<const recurra::Model *>(model)), state_(state), make_(make) {}

    // None: x is no contiguous float32 of the right size.
    nb::object step(nb::handle x) {
        Py_buffer view;
        if (PyObject_GetBuffer(x.ptr(), &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0) {
            PyErr_Clear();
            return nb::none();
        }
        const bool fits = view.ndim == 1 && view.shape[0] == model_->inputs() && std::strcmp(view.format, "f") == 0;
        if (!fits) {
            PyBuffer_Release(&view);
            return nb::none();
        }
        // An array that nobody else holds any more is used again.
        if (!y_.is_valid() || Py_REFCNT(y_.ptr()) != 1) {
            y_ = make_();
            y_data_ = nb::cast<Floats>(y_).data();
        }
        const nb::object given = y_;
        float *y = y_data_;
        if (model_->weight_bytes() < WORTH_RELEASING) {
            model_->step(state_.data(), static_cast<const float *>(view.buf), y);
        } else {
            nb::gil_scoped_release released;
            model_->step(state_.data(), static_cast<const float *>(view.buf), y);
        }
        PyBuffer_Release(&view);
        return given;
    }

   private:
    static constexpr std::size_t WORTH_RELEASING = std::size_t(1) << 20;  // bytes of weights; less is read in 10 µs
    nb::object owner_;
    const recurra::Model *model_;
    Floats state_;
    nb::object make_, y_;
    float *y_data_ = nullptr;
};

}  // namespace

NB_MODULE(_native, module) {
    module.def("isas", &isas);
    module.def("select", &recurra::select_isa, nb::arg("name"));
    module.def("selected", [] { return recurra::engine().isa; });
    module.def("vendor", &recurra::vendor);
    nb::class_<recurra::Layer>(module, "Layer");
    module.def("layer", &layer);
    module.def("pack_bytes", [](const recurra::Layer &l) { return recurra::engine().forward_bytes(l); });
    module.def("pack", &pack);
    module.def("forward", &forward);
    module.def("backward", &backward);
    module.def("pack_linear_bytes", [](i64 N, i64 K) { return recurra::engine().panels_bytes(N, K); });
    module.def("pack_linear", &pack_linear);
    module.def("linear", &linear);
    module.def("normalise", &normalise);
    nb::class_<recurra::Model>(module, "Model")
        .def(nb::init<i64, int>())
        .def("add_layer", &add_layer)
        .def("set_embedding", [](recurra::Model &m, i64 V, Address weight) { m.set_embedding(V, pointer<const float>(weight)); })
        .def("set_output",
             [](recurra::Model &m, i64 N, Address weight, Address bias, int type) {
                 m.set_output(N, pointer<const float>(weight), pointer<const float>(bias), recurra::Weights(type));
             })
        .def_prop_ro("inputs", &recurra::Model::inputs)
        .def_prop_ro("outputs", &recurra::Model::outputs)
        .def_prop_ro("state_size", &recurra::Model::state_size)
        .def("step",
             [](const recurra::Model &m, Floats state, Floats x, Floats y) {
                 nb::gil_scoped_release released;
                 m.step(state.data(), x.data(), y.data());
             })
        .def("step_id",
             [](const recurra::Model &m, Floats state, i64 id, Floats y) {
                 nb::gil_scoped_release released;
                 m.step_id(state.data(), id, y.data());
             })
        .def("generate", &generate);
    nb::class_<Feed>(module, "Feed").def(nb::init<nb::object, Floats, nb::object>()).def("step", &Feed::step, nb::arg("x").none());
    module.def("checksum", &checksum);
}
