// The dashboard in a real headless Chromium: each screen does what it says, by keyboard too.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { eventually, user } from './kit.mjs';
import { accessible, heading, startDashboard } from './kit/dashboard.mjs';

let dashboard;

before(async () => {
  dashboard = await startDashboard();
});

after(() => dashboard?.stop());

test('an administrator signs in and comes back to the page that was asked for; a reload asks for nothing', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  await dashboard.open(page, 'users?q=name:a*');
  await heading(page, 'Users');
  assert.equal(new URL(page.url()).searchParams.get('q'), 'name:a*');
  await page.reload();
  await heading(page, 'Users');
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.doesNotMatch(stored, /eyJ/, 'no token is stored');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('input[name=password]');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('getting started tells what is done, and the sign-in to the dashboard itself does not count', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  await dashboard.open(page);
  const step = page.getByRole('region', { name: 'Your first sign-in' });
  await step.getByText('waiting for it').waitFor();
  await dashboard.someone();
  await step.getByText('done').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('somebody else is told that they are no administrator', async () => {
  const { context, page } = await dashboard.visitor();
  const person = await user(dashboard.vestibule);
  await dashboard.open(page, '', person);
  await page.getByText('You are not an administrator').waitFor();
  await page.getByText(person.user_id).waitFor();
  await accessible(page, 'not an administrator');
  await context.close();
});

test('a session is found, its metadata is changed within the limits, and it is revoked', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  const { person, session } = await dashboard.someone({ device: 'laptop' });
  await dashboard.open(page, 'sessions');
  await page.getByLabel('Find a person').fill(person.email);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Sessions of ${person.email}` }).click();
  await page.getByRole('link', { name: session }).click();
  await heading(page, 'Session');
  await page.getByText('1 of 25 entries').waitFor();
  await page.getByRole('link', { name: 'Signed in', exact: true }).waitFor();

  await page.getByRole('button', { name: 'Add an entry' }).click();
  const save = page.getByRole('button', { name: 'Save metadata' });
  await page.getByLabel('Key 2').fill('not a key');
  await page.getByText('Only letters, digits, _ and - are allowed.').waitFor();
  assert.ok(await save.isDisabled());
  await page.getByLabel('Key 2').fill('theme');
  await page.getByLabel('Value 2').fill('x'.repeat(256));
  await page.getByText('At most 255 characters.').waitFor();
  assert.ok(await save.isDisabled());
  await page.getByLabel('Value 2').fill('dark');
  await save.click();
  await page.getByText('Saved. Every application').waitFor();
  assert.deepEqual((await dashboard.vestibule.api('GET', `sessions/${session}`)).session_metadata, { device: 'laptop', theme: 'dark' });

  await page.getByLabel('Key 2').fill('password');
  await page.getByText('This looks like a secret').waitFor();
  assert.ok(await save.isDisabled(), 'not without a word');
  await page.getByLabel('It is no secret').check();
  assert.ok(await save.isEnabled());
  await page.getByRole('button', { name: 'Undo' }).click();

  await page.getByRole('button', { name: 'Revoke session' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke session' }).click();
  await heading(page, person.email);
  await page.getByText('Not signed in anywhere').waitFor();
  await assert.rejects(dashboard.vestibule.api('GET', `sessions/${session}`), (error) => error.status === 404);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('an application is created, told of logouts with metadata, and what was said is saved', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  await dashboard.open(page, 'applications');
  await page.getByRole('button', { name: 'Create application' }).first().click();
  await page.getByLabel('Name').fill('Till');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await heading(page, 'Till');
  await page.getByLabel('Allowed Callback URLs').fill('https://till.example/callback');
  const block = page.getByRole('region', { name: 'OpenID Connect Back-Channel Logout' });
  await block.getByLabel('Back-Channel Logout URI').fill('not a URL');
  const save = page.getByRole('button', { name: 'Save Changes' });
  await save.click();
  await page.getByText('Nothing was changed.').waitFor();
  await block.getByLabel('Back-Channel Logout URI').fill('https://till.example/logout');
  await block.getByLabel('All supported initiators').check();
  await block.getByLabel('Selected initiators only').check();
  await block.getByLabel('Password Changed').check();
  await block.getByLabel('Include Session Metadata').check({ force: true });
  await save.click();
  await page.getByText('Saved.').waitFor();
  const id = decodeURIComponent(new URL(page.url()).pathname.split('/').pop());
  const client = await dashboard.vestibule.api('GET', `clients/${id}`);
  assert.deepEqual(client.callbacks, ['https://till.example/callback']);
  assert.deepEqual(client.oidc_logout, {
    backchannel_logout_urls: ['https://till.example/logout'],
    backchannel_logout_initiators: { mode: 'custom', selected_initiators: ['rp-logout', 'idp-logout', 'password-changed'] },
    backchannel_logout_session_metadata: { include: true },
  });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a user is created, found, blocked, unblocked and deleted', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  const email = `made-${Date.now()}@example.com`;
  await dashboard.open(page, 'users');
  await page.getByRole('button', { name: 'Create user' }).first().click();
  await page.getByRole('dialog').getByLabel('Email').fill(email);
  await page.getByRole('dialog').getByRole('textbox', { name: /^Password/ }).fill('short');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByText(/PasswordStrengthError/).waitFor();
  await page.getByRole('dialog').getByRole('textbox', { name: /^Password/ }).fill('Correct-horse-7-battery');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await heading(page, email);
  await page.getByRole('button', { name: 'Block' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await page.getByRole('button', { name: 'Unblock' }).click();
  await page.getByRole('button', { name: 'Block', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await heading(page, 'Users');
  await page.getByLabel('Find a person').fill(email);
  await page.keyboard.press('Enter');
  await page.getByText('Nobody found').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('an Action is written, tested, deployed and put into the flow; a failing one says why', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  await dashboard.open(page, 'actions');
  await page.getByRole('button', { name: 'Create Action' }).first().click();
  await page.getByLabel('Name').fill('Remember');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await heading(page, 'Remember');
  const code = page.getByRole('textbox', { name: 'Code of the Action' });
  await code.fill("exports.onExecutePostLogin = async (event, api) => { console.log('hello'); throw new Error('no'); };");
  await page.getByRole('button', { name: 'Save draft' }).click();
  await page.getByText('Draft saved.').waitFor();
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText('Error: no').first().waitFor();
  await code.fill("exports.onExecutePostLogin = async (event, api) => { api.session.setMetadata('by', 'dashboard'); };");
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByText('Deployed as version 1.').waitFor();
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText('It ran to its end.').waitFor();
  await page.getByRole('link', { name: 'Actions', exact: true }).click();
  await page.getByLabel('Add a deployed Action').selectOption({ label: 'Remember' });
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('button', { name: 'Save order' }).click();
  await page.getByText('Saved. The next sign-in').waitFor();
  const { session } = await dashboard.someone();
  assert.deepEqual((await dashboard.vestibule.api('GET', `sessions/${session}`)).session_metadata, { by: 'dashboard' });
  await dashboard.vestibule.api('PATCH', 'actions/triggers/post-login/bindings', { bindings: [] });
  assert.deepEqual(complaints, []);
  await context.close();
});

test('the log is searched, an event leads on, and a delivery is sent again', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  const { person, app, session } = await dashboard.someone();
  await dashboard.vestibule.api('DELETE', `sessions/${session}`);
  await dashboard.receiver.tokenOf(session, app.client_id);
  await dashboard.open(page, 'logs');
  await page.getByLabel('Search the log').fill(`type:s AND user_id:"${person.user_id}"`);
  await page.keyboard.press('Enter');
  await page.getByText('1–1 of 1').waitFor();
  await page.getByRole('link', { name: 'Signed in', exact: true }).click();
  await page.getByRole('region', { name: 'The whole event', exact: true }).first().waitFor();
  await page.getByRole('link', { name: person.email }).first().click();
  await heading(page, person.email);
  await page.goto(`${dashboard.manage}logs?q=nonsense:1`);
  await page.getByRole('alert').waitFor();
  await page.getByText('Change what the message names').waitFor();

  await page.goto(`${dashboard.manage}deliveries`);
  const before = dashboard.receiver.received.filter(({ claims }) => claims.sid === session).length;
  await page.getByRole('row').filter({ hasText: session }).getByRole('button', { name: /Redeliver/ }).click();
  await eventually('it is sent again', () => dashboard.receiver.received.filter(({ claims }) => claims.sid === session).length > before);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('tenant settings are saved', async () => {
  const { context, page, complaints } = await dashboard.visitor();
  await dashboard.open(page, 'tenant');
  await page.getByLabel('Friendly name').fill('Corner shop');
  await page.getByLabel('Ends when idle, after hours').fill('12');
  await page.getByRole('button', { name: 'Save Changes' }).click();
  await page.getByText('Saved.').waitFor();
  const settings = await dashboard.vestibule.api('GET', 'tenants/settings');
  assert.deepEqual([settings.friendly_name, settings.idle_session_lifetime], ['Corner shop', 12]);
  await page.getByLabel('Friendly name').fill('');
  await page.getByRole('button', { name: 'Save Changes' }).click();
  await page.getByText('Saved.').waitFor();
  assert.equal((await dashboard.vestibule.api('GET', 'tenants/settings')).friendly_name, '');
  assert.deepEqual(complaints, []);
  await context.close();
});

test('when the session has ended, the next step leads to the sign-in page and back', async () => {
  const { context, page } = await dashboard.visitor();
  await dashboard.open(page, 'users');
  await heading(page, 'Users');
  const path = `users/${encodeURIComponent(dashboard.vestibule.admin.admin_user_id)}/sessions`;
  await dashboard.vestibule.api('DELETE', path);
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.waitForSelector('input[name=password]');
  await dashboard.signIn(page);
  await heading(page, 'Logs');
  await context.close();
});

test('the menu is reached and used with the keyboard alone', async () => {
  const { context, page } = await dashboard.visitor();
  await dashboard.open(page);
  await heading(page, 'Getting started');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  for (let steps = 0; steps < 20; steps += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement.textContent)) === 'Applications') break;
  }
  await page.keyboard.press('Enter');
  await heading(page, 'Applications');
  await context.close();
});
