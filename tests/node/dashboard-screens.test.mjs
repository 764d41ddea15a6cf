// The dashboard's screens in a real headless Chromium, light and dark: axe objects to none, and each fits a small screen.
//
// Screenshots go to artifacts/screens.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { accessible, heading, startDashboard } from './kit/dashboard.mjs';
import { ARTIFACTS } from './kit/vestibule.mjs';

const SCREENS = join(ARTIFACTS, 'screens');

let dashboard;

before(async () => {
  dashboard = await startDashboard();
  await mkdir(SCREENS, { recursive: true });
});

after(() => dashboard?.stop());

for (const colorScheme of ['light', 'dark']) {
  test(`each screen is accessible, fits a small screen, and is kept as a picture (${colorScheme})`, async () => {
    const { context, page, complaints } = await dashboard.visitor({ colorScheme });
    const { person, app, session } = await dashboard.someone({ device: 'laptop', last_app: 'Till' });
    const action = await dashboard.vestibule.api('POST', 'actions/actions', {
      name: `Look ${colorScheme}`,
      supported_triggers: [{ id: 'post-login', version: 'v3' }],
      code: 'exports.onExecutePostLogin = async (event, api) => {\n  // Remembers the device.\n  api.session.setMetadata("device", "laptop");\n};\n',
    });
    const [event] = await dashboard.vestibule.api('GET', `logs?${new URLSearchParams({ q: `type:s AND user_id:"${person.user_id}"` })}`);
    await dashboard.open(page);
    for (const [name, path, title] of [
      ['start', '', 'Getting started'],
      ['applications', 'applications', 'Applications'],
      ['application', `applications/${app.client_id}`, app.name],
      ['users', 'users', 'Users'],
      ['user', `users/${encodeURIComponent(person.user_id)}`, person.email],
      ['sessions', 'sessions', 'Sessions'],
      ['session', `sessions/${session}`, 'Session'],
      ['actions', 'actions', 'Actions'],
      ['action', `actions/${action.id}`, action.name],
      ['logs', 'logs', 'Logs'],
      ['log', `logs/${event.log_id}`, 'Signed in'],
      ['deliveries', 'deliveries', 'Logout deliveries'],
      ['tenant', 'tenant', 'Tenant settings'],
    ]) {
      await page.goto(`${dashboard.manage}${path}`);
      await heading(page, title);
      if (name === 'action') await page.waitForSelector('.cm-content');
      await accessible(page, `${name}, ${colorScheme}`);
      await page.screenshot({ path: join(SCREENS, `dashboard-${name}-${colorScheme}.png`), fullPage: true });
      await page.setViewportSize({ width: 360, height: 740 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${name} is ${overflow} px too wide for a small screen`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
    assert.deepEqual(complaints, []);
    await context.close();
  });
}
