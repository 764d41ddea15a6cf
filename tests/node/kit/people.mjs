// Users, applications, and signing in through the pages.

import { randomName } from './wait.mjs';

const PASSWORD = 'Correct-horse-7-battery';

/** A new user with a password. */
export async function user(vestibule, more = {}) {
  const email = `${randomName('user')}@example.com`;
  const made = await vestibule.api('POST', 'users', {
    connection: 'Username-Password-Authentication',
    email,
    password: PASSWORD,
    ...more,
  });
  return { ...made, email, password: PASSWORD };
}

/** A new application that signs people in; `more` adds to its registration. */
export async function application(vestibule, more = {}) {
  const callback = `http://localhost:9/${randomName('callback')}`;
  const made = await vestibule.api('POST', 'clients', {
    name: randomName('app'),
    app_type: 'regular_web',
    callbacks: [callback],
    grant_types: ['authorization_code', 'refresh_token'],
    ...more,
  });
  return { ...made, callback: more.callbacks?.[0] ?? callback };
}

/** Goes through the sign-in page when there is one; the result is the callback with its parameters. */
export async function signIn(browser, url, { email, password }, until) {
  const page = await browser.open(url, { until });
  if (page.reached) return page;
  return browser.submit(page, { username: email, password }, { until });
}
