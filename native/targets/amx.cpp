#define RECURRA_TARGET amx
#include "../engine.inc"
