#!/usr/bin/env bash
# Takes what is missing and nothing else: Debian packages (as root, otherwise it names them), three environments from
# pinned lists, browser packages. Quick when nothing is missing. usage: deploy/setup.sh [--browser]
#   --browser   also Chromium and coturn, for the end-to-end tests and `make demo CHECK=1`
set -euo pipefail
cd "$(dirname "$0")/.."
want_browser=; [ "${1:-}" = --browser ] && want_browser=1
locks=deploy/locks
say() { printf '  %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

python=${PYTHON:-}
[ -n "$python" ] || for candidate in python3.11 python3; do
  if have "$candidate" && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then python=$candidate; break; fi
done
[ -n "$python" ] || { echo "Trustcore needs Python 3.11. Install it, or name it: PYTHON=/path/to/python3.11 make setup" >&2; exit 1; }

# --- Debian packages -------------------------------------------------------------------------------------------------
packages=()
"$python" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
have flite || packages+=(flite)
fc-list :lang=hi 2>/dev/null | grep -q . && fc-list :lang=bn 2>/dev/null | grep -q . || packages+=(fontconfig fonts-noto-core)
[ -z "$want_browser" ] || have chromium || packages+=(chromium)
[ -z "$want_browser" ] || have turnserver || packages+=(coturn)
if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && have apt-get; then
    say "Debian packages: ${packages[*]}"
    log=$(mktemp)
    # a machine that only reads its package lists now and then has to be told to read them first
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 \
      || { tail -5 "$log" >&2; echo "Could not install ${packages[*]}. Install them by hand and run this again." >&2; exit 1; }
    rm -f "$log"
  else
    say "These Debian packages are missing: ${packages[*]}"
    say "Install them:  sudo apt-get install ${packages[*]}"
    for package in "${packages[@]}"; do
      case $package in
        python3-venv|chromium) exit 1;;
        coturn) say "Going on without coturn: the test of a conversation through a TURN server is left out.";;
        flite) say "Going on without flite: replicas will speak with espeak-ng, which sounds more like a machine.";;
        *) say "Going on without $package: Hindi, Bengali and Assamese may not be drawn.";;
      esac
    done
  fi
fi

# --- Python environments ---------------------------------------------------------------------------------------------
# stamp FOLDER FILES...: true when FOLDER was made from exactly these files
sum_of() { cat "$@" | sha256sum | cut -d' ' -f1; }
is_current() { local folder=$1; shift; [ -f "$folder/.made-from" ] && [ "$(cat "$folder/.made-from")" = "$(sum_of "$@")" ]; }
mark_current() { local folder=$1; shift; sum_of "$@" > "$folder/.made-from"; }
pip_quiet() { "$@" 2>&1 | { grep -v -e '^WARNING: Location' -e 'notice' || true; }; }

if ! is_current .venv "$locks"/main.txt "$locks"/invisible-watermark.txt "$locks"/models.txt "$locks"/torch-cpu.txt; then
  say "Main environment (a few minutes the first time)"
  "$python" -m venv .venv
  pip_quiet .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r "$locks/main.txt"
  pip_quiet .venv/bin/pip install -q --disable-pip-version-check --no-deps --require-hashes -r "$locks/invisible-watermark.txt" -r "$locks/models.txt"
  if .venv/bin/pip install -q --disable-pip-version-check --no-deps --require-hashes -r "$locks/torch-cpu.txt" >/dev/null 2>&1; then
    say "torch 2.13.0, CPU build"
  else
    say "torch 2.13.0: pip offers no CPU build here, so the full build is coming (about 2.7 GB)"
    pip_quiet .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r "$locks/torch-stock.txt"
  fi
  .venv/bin/python -c 'import torch, django, aiortc, c2pa' || { echo "The main environment does not import. Delete .venv and run this again." >&2; exit 1; }
  mark_current .venv "$locks"/main.txt "$locks"/invisible-watermark.txt "$locks"/models.txt "$locks"/torch-cpu.txt
fi
if ! is_current .venv-tracker "$locks"/tracker.txt; then
  say "Tracker environment"
  "$python" -m venv .venv-tracker
  pip_quiet .venv-tracker/bin/pip install -q --disable-pip-version-check --no-deps --require-hashes -r "$locks/tracker.txt"
  .venv-tracker/bin/python -c 'import mediapipe' 2>/dev/null || { echo "The tracker environment does not import. Delete .venv-tracker and run this again." >&2; exit 1; }
  mark_current .venv-tracker "$locks"/tracker.txt
fi

# --- Browser packages ------------------------------------------------------------------------------------------------
vendor=trustcore/static/vendor
if [ -f deploy/npm/package-lock.json ] && ! is_current "$vendor" deploy/npm/package-lock.json; then
  say "Browser packages"
  npm=npm
  if ! have npm; then
    "$python" -m venv .venv-node
    pip_quiet .venv-node/bin/pip install -q --disable-pip-version-check --require-hashes -r "$locks/nodejs.txt"
    npm="$PWD/.venv-node/bin/npm"; export PATH="$PWD/.venv-node/bin:$PATH"
  fi
  (cd deploy/npm && "$npm" ci --ignore-scripts --no-audit --no-fund --silent)
  rm -rf "$vendor"; mkdir -p "$vendor"
  # only what pages load: each package names its files in deploy/npm/vendor.txt
  while read -r source target; do
    [ -n "$source" ] || continue
    mkdir -p "$vendor/$(dirname "$target")"; cp -r "deploy/npm/node_modules/$source" "$vendor/$target"
  done < deploy/npm/vendor.txt
  mark_current "$vendor" deploy/npm/package-lock.json
fi
# --- Kernels -----------------------------------------------------------------------------------------------------------
# The drawing kernels are compiled now, so that the first worker need not; the cache is quick to load when it is current.
say "Drawing kernels (a minute the first time)"
.venv/bin/python -m rendering.engine | sed 's/^/    /'

say "Set-up is complete."
