#define RECURRA_TARGET avx512bf16
#include "../engine.inc"
