#!/bin/sh
# A step of a set-up: one line says what it does, and what its command says is shown only where it fails.
# Usage: sh tools/step.sh LINE COMMAND [ARGUMENT...]
set -eu

echo "$1"
shift
said=$("$@" 2>&1) || { code=$?; printf '%s\n' "$said" >&2; exit "$code"; }
