// Scratch memory that is kept from call to call: asking the system for megabytes at every layer costs more than small layers do.
#pragma once

#include <cstddef>

namespace recurra {

// At least `bytes`, aligned to 64, or null where there is none. Its content is undefined.
void *take_workspace(std::size_t bytes);
void give_workspace(void *block);

}  // namespace recurra
