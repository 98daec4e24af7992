// Worker: find n such that SHA-256(puzzle + "." + n) begins with as many zero bits as the puzzle asks for
// (provenance/oracle/puzzles.py). Many hashes are under way at once, because each is a call into the browser.
const AT_ONCE = 256;
const encoder = new TextEncoder();

self.addEventListener("message", async ({ data: puzzle }) => self.postMessage(String(await solve(puzzle))));

async function solve(puzzle) {
  const bits = Number(puzzle.split(".")[2]);
  for (let first = 0; ; first += AT_ONCE) {
    const tries = Array.from({ length: AT_ONCE }, (_, index) => first + index);
    const digests = await Promise.all(tries.map((n) => crypto.subtle.digest("SHA-256", encoder.encode(`${puzzle}.${n}`))));
    const found = digests.findIndex((digest) => zeroBits(new DataView(digest)) >= bits);
    if (found >= 0) return first + found;
  }
}

/** Leading zero bits, as far as 32: a puzzle never asks for more. */
function zeroBits(view) {
  return Math.clz32(view.getUint32(0));
}
