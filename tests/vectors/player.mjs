// The player's two pure rules, in node. usage: node player.mjs STATIC_DIR; prints one JSON line.
import { pathToFileURL } from "node:url";

globalThis.HTMLElement = class {};
globalThis.customElements = { get: () => null, define() {} };
const base = pathToFileURL(`${process.argv[2]}/`);
const { frameUrl } = await import(new URL("js/player/trustcore-player.js", base));
const { parentOrigin } = await import(new URL("js/viewer/embedding.js", base));

const page = "https://shop.example/help";
const listed = "https://shop.example http://127.0.0.1:3000";
console.log(JSON.stringify({
  urls: [
    "https://trust.example/c/C1/?t=abc", "https://trust.example/c/C1/embed/?t=abc&x=1#y", "http://localhost:8000/c/C-1_x/",
    "http://trust.example/c/C1/?t=a", "https://trust.example/console/", "https://trust.example/c/C1/../../x", "javascript:alert(1)",
    "https://u:p@trust.example/c/C1/", "data:text/html,x", "", "https://",
  ].map((src) => frameUrl(src, page)?.href ?? null),
  origins: [
    parentOrigin(listed, ["https://shop.example"], ""), parentOrigin(listed, ["https://mallory.example", "https://shop.example"], ""),
    parentOrigin(listed, undefined, "http://127.0.0.1:3000/"), parentOrigin(listed, undefined, ""),
    parentOrigin(listed, ["null"], ""), parentOrigin("", ["https://shop.example"], ""),
  ],
}));
