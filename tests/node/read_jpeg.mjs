// Judges signed JPEGs with @trustnxt/c2pa-ts, which shares no code with the reader that signed them.
// usage: node read_jpeg.mjs FOLDER_OF_NODE_MODULES FILE...   prints one JSON object: file -> {isValid, codes, softBindings}
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const take = (name) => import(pathToFileURL(`${modules}/@trustnxt/c2pa-ts/dist/${name}/index.js`));
await import(pathToFileURL(require.resolve("reflect-metadata")));
const [{ JPEG }, { SuperBox }, { ManifestStore, ValidationResult }] = await Promise.all(
  ["asset", "jumbf", "manifest"].map(take),
);

async function judge(file) {
  const asset = new JPEG(readFileSync(file));
  const store = asset.getManifestJUMBF();
  if (!store) return { isValid: false, codes: ["none"] };
  try {
    const manifests = ManifestStore.read(SuperBox.fromBuffer(store));
    const result = await manifests.validate(asset);
    return { isValid: result.isValid, codes: result.statusEntries.filter((e) => !e.success).map((e) => e.code) };
  } catch (error) {
    const result = ValidationResult.fromError(error);
    return { isValid: false, codes: result.statusEntries.map((e) => e.code) };
  }
}

const told = {};
for (const file of files) told[file] = await judge(file);
console.log(JSON.stringify(told));
