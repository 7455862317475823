#define RECURRA_TARGET avxvnni
#define RECURRA_STREAMS_ONLY
#include "../engine.inc"
