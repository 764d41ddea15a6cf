// A program that a suite starts and ends: what it printed last, how it ended, and no way to outlive the suite.

import { spawn } from 'node:child_process';

const STOP_MS_MAX = 15_000;
const PRINTED_CHARACTERS_MAX = 20_000;

/**
 * Starts one. `end()` is null while it runs; `stop()` asks it to end, insists after a while, and gives how it did; `log`
 * is a stream that also gets what it prints.
 */
export function startChild(program, args, { env, log } = {}) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let end = null;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => (printed = (printed + part).slice(-PRINTED_CHARACTERS_MAX)));
    if (log) stream.pipe(log, { end: false });
  }
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  ended.then((how) => (end = how));
  const kill = () => child.kill('SIGKILL');
  // When the suite itself is ended early, its child must not stay.
  process.once('exit', kill);

  async function stop() {
    process.off('exit', kill);
    if (end === null) child.kill('SIGTERM');
    const timer = setTimeout(kill, STOP_MS_MAX);
    const how = await ended;
    clearTimeout(timer);
    return how;
  }

  return { end: () => end, kill, printed: () => printed, stop };
}
