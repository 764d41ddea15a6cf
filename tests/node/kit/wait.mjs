// Waiting with a limit, and names and ports that nobody else has.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

const LOOK_AGAIN_MS = 25;

/** Asks again until the answer is neither undefined, null nor false; fails after `limit_ms`. */
export async function eventually(what, ask, limit_ms = 15_000) {
  const deadline = Date.now() + limit_ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${limit_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** A name that no other test uses. */
export const randomName = (prefix) => `${prefix}_${randomBytes(6).toString('hex')}`;

/** A loopback port that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
