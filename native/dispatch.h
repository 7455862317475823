// The instruction sets that this binary was compiled for, those that this machine runs, and the functions of each.
//
// A target (targets/avx2.cpp and its siblings) is compiled with the flags of its instruction set and includes this
// header: nothing but declarations may stand here, for an inline function would be compiled with those flags too, and
// the linker keeps any one of its copies.
#pragma once

#include <cstddef>

#include "engine.h"

namespace recurra {

struct Isa {
  const char* name;
  const Engine* engine;
  bool usable;  // this processor has it, and the operating system saves its registers
};

// Gives the instruction sets that were compiled in, each better than those before it; the first runs anywhere.
const Isa* isas(std::size_t* count);

// Makes an instruction set the one that engine() gives. Returns false, and changes nothing, where the name is not
// among isas() or this machine cannot run it. Not to be called while it runs.
bool select_isa(const char* name);

// Gives the functions of the selected instruction set: the best usable one, until select_isa says otherwise.
const Engine& engine();

// Gives what the processor calls itself ("AuthenticAMD"), or "" where it does not say.
const char* vendor();

}  // namespace recurra
