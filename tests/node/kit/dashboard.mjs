// The dashboard in Chromium: a server of its own, visitors who sign in to it, and people whose sessions its screens show.

import assert from 'node:assert/strict';

import { AxeBuilder } from '@axe-core/playwright';

import { Browser } from './browser.mjs';
import { startChromium } from './chromium.mjs';
import { application, signIn, user } from './people.mjs';
import { startReceiver } from './receiver.mjs';
import { startVestibule } from './vestibule.mjs';

const STEP_MS_MAX = 15_000;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export const heading = (page, name) => page.getByRole('heading', { name, exact: true, level: 1 }).waitFor();

/** No violation of WCAG 2.2 A and AA, as far as a program can tell. */
export async function accessible(page, name) {
  await page.waitForFunction(() => document.querySelector('[role=status][aria-label=Loading]') === null);
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 200)} ${any[0]?.message ?? ''}`).join('\n')}`);
  assert.deepEqual(found, [], name);
}

/** A server, a browser, and an application's ear for logout tokens. */
export async function startDashboard() {
  const vestibule = await startVestibule();
  try {
    return new Dashboard(vestibule, await startChromium(), await startReceiver(vestibule.issuer));
  } catch (error) {
    await vestibule.stop();
    throw error;
  }
}

class Dashboard {
  constructor(vestibule, browser, receiver) {
    Object.assign(this, { vestibule, browser, receiver, manage: `${vestibule.issuer}manage/` });
  }

  async stop() {
    await this.browser.close();
    await this.receiver.stop();
    await this.vestibule.stop();
  }

  /** A window of its own, and what goes wrong in it. */
  async visitor(options = {}) {
    const viewport = { width: 1280, height: 900 };
    const context = await this.browser.newContext({ ignoreHTTPSErrors: true, viewport, ...options });
    context.setDefaultTimeout(STEP_MS_MAX);
    const page = await context.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
    page.on('console', (message) => {
      const expected = /the server responded with a status of 40[0-9]/.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(`console: ${message.text()}`);
    });
    return { context, page, complaints };
  }

  /** Opens a page of the dashboard and signs in on the way, as the administrator unless somebody else is named. */
  async open(page, path = '', person = undefined) {
    await page.goto(`${this.manage}${path}`);
    await this.signIn(page, person);
    await page.waitForURL(`${this.manage}**`);
  }

  /** Fills in the sign-in page. */
  async signIn(page, person = undefined) {
    const { admin_email, admin_password } = this.vestibule.admin;
    await page.fill('input[name=username]', person?.email ?? admin_email);
    await page.fill('input[name=password]', person?.password ?? admin_password);
    await page.click('form[method=post] [type=submit]');
  }

  /** A person who is signed in to an application that hears of it: what the screens show. */
  async someone(metadata = {}) {
    const { vestibule, receiver } = this;
    const person = await user(vestibule);
    const app = await application(vestibule, {
      oidc_logout: { backchannel_logout_urls: [receiver.url], backchannel_logout_initiators: { mode: 'all' } },
    });
    const query = new URLSearchParams({ response_type: 'code', client_id: app.client_id, redirect_uri: app.callback, scope: 'openid', state: 's' });
    await signIn(new Browser(), `${vestibule.issuer}authorize?${query}`, person, app.callback);
    const { sessions } = await vestibule.api('GET', `users/${encodeURIComponent(person.user_id)}/sessions`);
    if (Object.keys(metadata).length > 0) await vestibule.api('PATCH', `sessions/${sessions[0].id}`, { session_metadata: metadata });
    return { person, app, session: sessions[0].id };
  }
}
