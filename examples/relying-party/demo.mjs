// Starts the relying parties that `vestibule serve --demo` has registered: node demo.mjs DATA_FOLDER
// with NODE_EXTRA_CA_CERTS=DATA_FOLDER/ca.pem.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { start } from './server.mjs';

const folder = process.argv[2] ?? 'data';
const load = async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'));
const [{ issuer }, demo] = await Promise.all([load('admin.json'), load('demo.json')]);

for (const { name, port, client_id, client_secret } of demo.relying_parties) {
  await start({ issuer, clientId: client_id, clientSecret: client_secret, port, name, management: demo.management });
}
console.log(`Sign in as ${demo.user.email} with the password ${demo.user.password}`);
