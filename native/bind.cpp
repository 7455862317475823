// The module recurra._native. It checks nothing and decides nothing: that is done in src/recurra/kernels/.
#include <nanobind/nanobind.h>

#include "dispatch.h"

namespace nb = nanobind;

namespace {

// Gives (name, whether this machine runs it) of each instruction set compiled in, the best last.
nb::list isas() {
  std::size_t count = 0;
  const recurra::Isa* all = recurra::isas(&count);
  nb::list given;
  for (std::size_t i = 0; i < count; ++i) given.append(nb::make_tuple(all[i].name, all[i].usable));
  return given;
}

}  // namespace

NB_MODULE(_native, module) {
  module.def("isas", &isas);
  module.def("select", &recurra::select_isa, nb::arg("name"));
  module.def("selected", [] { return recurra::kernels().isa; });
  module.def("vendor", &recurra::vendor);
}
