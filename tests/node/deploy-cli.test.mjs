// The npm package `auth0-deploy-cli`: a whole tenant goes into an empty server and comes out again, and putting in what came
// out changes nothing.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { startVestibule } from './kit.mjs';

const RUN_MS_MAX = 120_000;
const PROGRAM = fileURLToPath(new URL('node_modules/auth0-deploy-cli/lib/index.js', import.meta.url));
const TENANT = fileURLToPath(new URL('tenant/tenant.yaml', import.meta.url));
/** What is secret does not come out; a deploy tool is told it beside the folder. */
const SECRETS = { SMTP_USER: 'shop', SMTP_PASS: 'not-a-real-one', LOGSTREAMS_HTTP_SECRET: 'Bearer not-a-real-one' };

let vestibule;
let folder;

before(async () => {
  vestibule = await startVestibule();
  folder = await mkdtemp(join(tmpdir(), 'vestibule-deploy-'));
  const { domain, client_id: id, client_secret: secret } = vestibule.admin;
  const config = {
    AUTH0_DOMAIN: domain,
    AUTH0_CLIENT_ID: id,
    AUTH0_CLIENT_SECRET: secret,
    AUTH0_ALLOW_DELETE: true,
    AUTH0_KEYWORD_REPLACE_MAPPINGS: SECRETS,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
});

after(async () => {
  await vestibule?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the tool, and answers what it said. */
async function deploy(...args) {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: vestibule.authority };
  const options = { cwd: folder, env, timeout: RUN_MS_MAX, maxBuffer: 16 * 1024 * 1024 };
  const told = await promisify(execFile)(process.execPath, [PROGRAM, ...args, '--config_file', 'config.json'], options);
  const text = told.stdout + told.stderr;
  assert.doesNotMatch(text, /Problem|Insufficient scope/, text);
  return text;
}

const put = (file) => deploy('import', '--input_file', file);
const take = async (name) => {
  await deploy('export', '--format', 'yaml', '--output_folder', name);
  return contents(join(folder, name));
};

/** Every file below a folder with its text. */
async function contents(root) {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (file) => [file.slice(root.length + 1), await readFile(file, 'utf8')];
  return Object.fromEntries(await Promise.all(files.sort().map(read)));
}

test('an empty server gives itself out whole: every kind of resource has an answer', async () => {
  const empty = await take('empty');
  assert.match(empty['tenant.yaml'], /name: Administrator/);
});

test('a whole tenant goes in, comes out as it was, and goes in again without a difference', async () => {
  await put(TENANT);
  const first = await take('first');
  const told = first['tenant.yaml'];
  for (const part of [
    'name: Orders',
    'signing_alg: ES256',
    'organization_usage: allow',
    'backchannel_logout_session_metadata',
    'client_id: Warehouse',
    'name: partner',
    'action_name: Remember the device',
    'name: first-branch',
    'smtp_host: mail.shop.example',
    'title: Come in',
    'mode: count_per_identifier',
    'httpEndpoint: https://logs.shop.example/events',
    'session_lifetime: 72',
    'idle_session_lifetime: 24',
  ]) {
    assert.ok(told.includes(part), `${part} is not in what came out:\n${told}`);
  }
  assert.ok(first['actions/Remember the device/code.js'].includes("setMetadata('device'"));
  assert.ok(!told.includes('not-a-real-one'), 'no secret comes out');

  await put(join(folder, 'first', 'tenant.yaml'));
  assert.deepEqual(await take('second'), first);
});
