// `vestibule actions`: its types under the npm package `typescript`, and its way to a server with a certificate of its own.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import ts from 'typescript';

import { startVestibule } from './kit.mjs';

let folder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestibule-types-'));
  execFileSync(process.env.VESTIBULE_BIN, ['actions', 'types', join(folder, 'types')]);
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** What the compiler objects to in one Action. */
function complaints(name, text) {
  const file = join(folder, name);
  writeFileSync(file, text);
  const options = {
    strict: true,
    noEmit: true,
    allowJs: true,
    checkJs: true,
    lib: ['lib.es2023.d.ts'],
    types: [],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.CommonJS,
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
  return found.map((one) => `${one.code} ${ts.flattenDiagnosticMessageText(one.messageText, ' ')}`);
}

test('a TypeScript Action that uses what there is compiles', () => {
  const action = `/// <reference path="./types/post-login.d.ts" />
import { createHash } from 'node:crypto';
export const onExecutePostLogin = async (event: PostLoginEvent, api: PostLoginApi): Promise<void> => {
  const desk = event.user.app_metadata.desk as string | undefined;
  api.session.setMetadata('desk', desk ?? createHash('sha256').update('x').digest('hex'));
  const answer = await fetch('https://example.com/', { signal: AbortSignal.timeout(1000) });
  const day = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin' }).format(new Date());
  console.log(answer.status, new URL('https://a.test/').host, Buffer.from('a').toString('hex'), day);
};`;
  assert.deepEqual(complaints('good.ts', action), []);
});

test('JavaScript handlers, async or not, are known by their comment', () => {
  for (const [file, type, name] of [
    ['post-login', 'PostLoginHandler', 'onExecutePostLogin'],
    ['credentials-exchange', 'CredentialsExchangeHandler', 'onExecuteCredentialsExchange'],
    ['pre-user-registration', 'PreUserRegistrationHandler', 'onExecutePreUserRegistration'],
  ]) {
    for (const start of ['async ', '']) {
      const action = `/// <reference path="./types/${file}.d.ts" />
/** @type {${type}} */
exports.${name} = ${start}(event, api) => { console.log(event.tenant.id, Object.keys(api)); };`;
      assert.deepEqual(complaints(`${file}${start.trim()}.js`, action), []);
    }
  }
});

test('a wrong argument and a property that there is not are told', () => {
  const action = `/// <reference path="./types/post-login.d.ts" />
export const onExecutePostLogin: PostLoginHandler = async (event, api) => { api.session.setMetadata(1, event.nope); };`;
  const found = complaints('wrong.ts', action).map((text) => text.slice(0, 4));
  assert.deepEqual(found, ['2345', '2339']);
});

test('a server with a certificate of its own is reached through its data folder', async () => {
  const vestibule = await startVestibule();
  try {
    const draft = join(folder, 'draft.js');
    writeFileSync(draft, '');
    const data = vestibule.data;
    const run = spawnSync(process.env.VESTIBULE_BIN, ['actions', 'replay', 'e1', '--with', draft, '--data', data], { encoding: 'utf8' });
    assert.equal(run.status, 64, run.stderr);
    assert.match(run.stderr, /https:.* has no execution e1/);
  } finally {
    await vestibule.stop();
  }
});
