// Compresses what vite built, checks the weight of the first load, and puts all into `dist`, where the server takes it.

import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Bytes of everything that the first page loads, as sent to a browser that takes gzip only. */
const FIRST_LOAD_BYTES_MAX = 300 * 1024;

const root = fileURLToPath(new URL('..', import.meta.url));
const built = join(root, '.build');
const dist = join(root, 'dist');

const manifest = JSON.parse(await readFile(join(built, '.vite/manifest.json'), 'utf8'));

/** The files that a chunk needs before it can run, itself included. */
function needs(name, found = new Set()) {
  const { file, css = [], imports = [] } = manifest[name];
  if (found.has(file)) return found;
  found.add(file);
  css.forEach((path) => found.add(path));
  imports.forEach((other) => needs(other, found));
  return found;
}

async function* files(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name === '.vite') continue;
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

for (const name of await readdir(dist)) if (name !== '.gitignore') await rm(join(dist, name), { recursive: true });
const first = needs('index.html').add('index.html');
let weight = 0;
for await (const path of files(built)) {
  const name = relative(built, path);
  const target = join(dist, name);
  const text = await readFile(path);
  const gzip = gzipSync(text, { level: 9 });
  await mkdir(dirname(target), { recursive: true });
  await cp(path, target);
  await writeFile(`${target}.gz`, gzip);
  await writeFile(`${target}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  if (first.has(name)) weight += gzip.length;
}
const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
console.log(`first load: ${kib(weight)} of at most ${kib(FIRST_LOAD_BYTES_MAX)}, compressed`);
if (weight > FIRST_LOAD_BYTES_MAX) {
  console.error('The first load is too heavy: load a screen or a library only where it is shown.');
  process.exit(1);
}
