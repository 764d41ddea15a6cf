// Timers: a list linked by due time. The host sleeps until the first is due, then fires it.
// They may be made after a script patched the built-ins, so they use those of before.
(function (native, kit) {
  'use strict';

  const { apply, WrongType } = kit.safe;
  const { pristine, elapsedMs } = kit;
  const { max, resolved, MapOf } = pristine;
  const uncurry = (method) => (self, ...parts) => apply(method, self, parts);
  const then = uncurry(pristine.then);
  const mapGet = uncurry(pristine.mapGet);
  const mapSet = uncurry(pristine.mapSet);
  const mapDelete = uncurry(pristine.mapDelete);
  const nothing = () => {};

  const timers = new MapOf();
  let first = null;
  let lastId = 0;

  const insert = (timer) => {
    if (first === null || timer.due < first.due) {
      timer.next = first;
      first = timer;
      return;
    }
    let before = first;
    while (before.next !== null && before.next.due <= timer.due) before = before.next;
    timer.next = before.next;
    before.next = timer;
  };

  const addTimer = (callback, delay, parts, repeats) => {
    if (typeof callback !== 'function') {
      throw new WrongType('The "callback" argument must be of type function.');
    }
    const wanted = +delay;
    const every = wanted >= 1 && wanted <= 2147483647 ? wanted : 1;
    const timer = { __proto__: null, id: ++lastId, due: elapsedMs() + every, every, repeats, callback, parts, next: null };
    mapSet(timers, timer.id, timer);
    insert(timer);
    return timer.id;
  };

  const clear = (id) => {
    const timer = mapGet(timers, id);
    if (timer === undefined) return;
    mapDelete(timers, id);
    timer.callback = nothing;
    if (first === timer) {
      first = timer.next;
      return;
    }
    let before = first;
    while (before !== null && before.next !== timer) before = before.next;
    if (before !== null) before.next = timer.next;
  };

  /** Milliseconds until the first timer is due; below zero if there is none. */
  kit.realm.nextTimerMs = () => (first === null ? -1 : max(0, first.due - elapsedMs()));

  /** Runs the first timer, if it is due. */
  kit.realm.fireTimer = () => {
    const timer = first;
    if (timer === null || timer.due > elapsedMs()) return;
    first = timer.next;
    const { callback, parts } = timer;
    if (timer.repeats) {
      timer.due = elapsedMs() + timer.every;
      insert(timer);
    } else {
      mapDelete(timers, timer.id);
    }
    apply(callback, undefined, parts);
  };

  return {
    addTimer,
    setTimeout(callback, delay, ...parts) {
      return addTimer(callback, delay, parts, false);
    },
    setInterval(callback, delay, ...parts) {
      return addTimer(callback, delay, parts, true);
    },
    setImmediate(callback, ...parts) {
      return addTimer(callback, 0, parts, false);
    },
    clearTimeout(id) {
      clear(id);
    },
    clearInterval(id) {
      clear(id);
    },
    clearImmediate(id) {
      clear(id);
    },
    queueMicrotask(callback) {
      if (typeof callback !== 'function') {
        throw new WrongType('The "callback" argument must be of type function.');
      }
      then(resolved, () => {
        apply(callback, undefined, []);
      });
    },
  };
})
