#define RECURRA_TARGET avx512vnni
#define RECURRA_STREAMS_ONLY
#include "../engine.inc"
