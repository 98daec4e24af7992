#!/bin/sh
# Install the pinned browser packages into trustcore/static/vendor/. Quick when nothing has changed.
# NPM names the npm to use (default: npm). The lock holds integrity hashes and no registry address.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
vendor="$here/../../trustcore/static/vendor"
stamp=$(cat "$here/package-lock.json" "$0" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$vendor/.installed" 2>/dev/null || true)" = "$stamp" ]; then
    exit 0
fi
echo "Installing browser packages (10 MB)..."
(cd "$here" && "${NPM:-npm}" ci --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error)
rm -rf "$vendor/c2pa"
mkdir -p "$vendor/c2pa"
# c2pa-wasm is the engine inside @contentauth/c2pa-web; the verifier loads it in a worker of its own.
cp "$here/node_modules/@contentauth/c2pa-wasm/pkg/c2pa.js" \
   "$here/node_modules/@contentauth/c2pa-wasm/pkg/c2pa_bg.wasm" \
   "$here/node_modules/@contentauth/c2pa-wasm/LICENSE" "$vendor/c2pa/"
rm -rf "$here/node_modules"
echo "$stamp" > "$vendor/.installed"
