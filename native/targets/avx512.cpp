#define RECURRA_TARGET avx512
#include "../engine.inc"
