#!/usr/bin/env bash
# Build the C code with the address and undefined-behaviour sanitizers, and fuzz it: run.sh PYTHON [ROUNDS [SEED]]
set -euo pipefail
python=$1 rounds=${2:-100000} seed=${3:-1}
here=$(cd "$(dirname "$0")" && pwd)
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$python" "$here/files.py" "$made"
sources=$(ls "$here"/../native/*.c | grep -v -e /bind_ -e /module.c)
# shellcheck disable=SC2086  # one argument for each
gcc -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -o "$made/fuzz" "$here/fuzz.c" $sources \
  -ljpeg -lm
half=$((rounds / 2))
"$made/fuzz" "$half" "$seed" "$made"/*.jpg &
"$made/fuzz" $((rounds - half)) $((seed + 1)) "$made"/*.jpg
wait %1
