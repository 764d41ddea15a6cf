// The real binary in a data folder of its own, on SQLite or on a fresh schema of a PostgreSQL.
//
// VESTIBULE_BIN names the binary; VESTIBULE_TEST_STORE is sqlite (the default) or postgres, whose address is in
// VESTIBULE_TEST_POSTGRES. `cargo xtask test` sets all three.

import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startChild } from './child.mjs';
import { trust } from './trust.mjs';
import { eventually, randomName } from './wait.mjs';

const READY_MS_MAX = 60_000;
const CALL_MS_MAX = 15_000;

/** Where screenshots and logs of a run are put; no part of the repository. */
export const ARTIFACTS = fileURLToPath(new URL('../../../artifacts/', import.meta.url));

function storeSettings() {
  const store = process.env.VESTIBULE_TEST_STORE ?? 'sqlite';
  if (store === 'sqlite') return [];
  const url = process.env.VESTIBULE_TEST_POSTGRES;
  if (store !== 'postgres' || !url) throw new Error('VESTIBULE_TEST_STORE=postgres needs VESTIBULE_TEST_POSTGRES');
  return [`store.url=${url}`, `store.schema=${randomName('t')}`];
}

async function logFile() {
  const folder = join(ARTIFACTS, 'logs');
  await mkdir(folder, { recursive: true });
  const suite = basename(process.argv[1] ?? 'server', '.test.mjs');
  return createWriteStream(join(folder, `${suite}-${process.env.VESTIBULE_TEST_STORE ?? 'sqlite'}.log`), { flags: 'a' });
}

/** The server reads every VESTIBULE_… variable as a key of its own, so those of the tests are kept from it. */
function surroundings() {
  const ours = ([name]) => name === 'VESTIBULE_BIN' || name.startsWith('VESTIBULE_TEST_');
  return Object.fromEntries(Object.entries(process.env).filter((entry) => !ours(entry)));
}

const readJson = async (path) => JSON.parse(await readFile(path, 'utf8'));

/** Starts a server and waits until it listens. `args` go to it as they are, `settings` as `--set` each. */
export async function startVestibule({ args = [], settings = [] } = {}) {
  const binary = process.env.VESTIBULE_BIN;
  if (!binary) throw new Error('VESTIBULE_BIN must name the server; `cargo xtask test` builds it and sets this');
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-node-'));
  const data = join(folder, 'data');
  const readyFile = join(folder, 'ready.json');
  const all = [...storeSettings(), 'logout.allow_insecure_urls=true', ...settings].flatMap((setting) => ['--set', setting]);
  const log = await logFile();
  const child = startChild(
    binary,
    ['serve', '--data', data, '--listen', '127.0.0.1:0', '--ready-file', readyFile, ...all, ...args],
    { env: surroundings(), log },
  );

  async function stop() {
    const how = await child.stop();
    log.end();
    await rm(folder, { recursive: true, force: true });
    return how;
  }

  try {
    await eventually('the server listens', async () => {
      if (child.end()) throw new Error(`the server ended at its start: ${JSON.stringify(child.end())}`);
      return readJson(readyFile).catch(() => undefined);
    }, READY_MS_MAX);
  } catch (error) {
    child.kill();
    await stop();
    throw new Error(`${error.message}\n${child.printed()}`);
  }
  const onSqlite = (await readdir(data)).some((name) => name.endsWith('.sqlite'));
  if (onSqlite !== (storeSettings().length === 0)) throw new Error('the server is not on the store that was asked for');
  const admin = await readJson(join(data, 'admin.json'));
  const authority = join(data, 'ca.pem');
  trust(await readFile(authority, 'utf8'));
  const api = managementApi(admin);
  return {
    admin,
    api,
    authority,
    data,
    demo: await readJson(join(data, 'demo.json')).catch(() => undefined),
    domain: admin.domain,
    issuer: admin.issuer,
    printed: child.printed,
    stop,
  };
}

/** `api(method, path, body)` as the first administrator; answers of 400 and above throw, with `status` and `body`. */
function managementApi({ issuer, audience, client_id, client_secret }) {
  let token;
  const request = async (url, options) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(CALL_MS_MAX), ...options });
    const text = await answer.text();
    const body = text === '' ? undefined : JSON.parse(text);
    if (answer.ok) return body;
    throw Object.assign(new Error(`${answer.status} from ${url}: ${text}`), { status: answer.status, body });
  };
  return async (method, path, body) => {
    token ??= (
      await request(new URL('oauth/token', issuer), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ grant_type: 'client_credentials', client_id, client_secret, audience }),
      })
    ).access_token;
    return request(new URL(`api/v2/${path}`, issuer), {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  };
}
