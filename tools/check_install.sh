#!/bin/sh
# What one does who installs the package: a wheel, in an empty environment outside the checkout, and every verb there.
# Usage: sh tools/check_install.sh FOLDER, which is made and afterwards can be deleted; PYTHON and TORCH_INDEX as of make.
set -eu

checkout=$(cd "$(dirname "$0")/.." && pwd)
mkdir "${1:?usage: sh tools/check_install.sh FOLDER}"
cd "$1"
step() { sh "$checkout/tools/step.sh" "$@"; }
install="env/bin/python -m pip install --only-binary :all: -c $checkout/constraints.txt"

step "making an empty environment" "${PYTHON:-python3}" -m venv env
# In pip's isolation, with the build system's newest versions, as people get them; the checkout's own build stays as it is.
step "building a wheel" env/bin/python -m pip wheel --no-deps --only-binary :all: \
    --config-settings build-dir="$PWD/build" --wheel-dir dist "$checkout"
step "installing torch" $install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
step "installing the wheel, with [all]" $install "$(echo dist/recurra-*.whl)[all]"
env/bin/python -m pip check
env/bin/recurra info
env/bin/recurra train classify digits -o digits --within 20s
env/bin/python "$checkout/tools/check_help.py" env/bin/recurra
env/bin/recurra predict digits --help > /dev/null
