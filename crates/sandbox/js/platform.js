// What a script finds around it that the language doesn't bring: console, timers, structuredClone, require, process.
//
// Evaluates to a function (host, realm) that fills the global object and answers the safe copies of built-ins that
// the rest of our script uses. Invariant: after a tenant's code has run, nothing here looks a method up on a built-in
// object: scripts may patch those as they like and must find only themselves misled.
(function (host, realm) {
  'use strict';

  const { apply, ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const uncurry = (method) => (self, ...parts) => apply(method, self, parts);
  const parse = JSON.parse;
  const stringify = JSON.stringify;
  const Text = String;
  const Failure = Error;
  const WrongType = TypeError;
  const isArray = Array.isArray;
  const isFinite = Number.isFinite;
  const max = Math.max;
  const resolved = Promise.resolve();
  const then = uncurry(Promise.prototype.then);
  const slice = uncurry(String.prototype.slice);
  const charAt = uncurry(String.prototype.charAt);
  const wellFormed = uncurry(String.prototype.toWellFormed);
  const symbolText = uncurry(Symbol.prototype.toString);
  const dateTime = uncurry(Date.prototype.getTime);
  const dateText = uncurry(Date.prototype.toISOString);
  const regexpText = uncurry(RegExp.prototype.toString);
  const mapEach = uncurry(Map.prototype.forEach);
  const mapGet = uncurry(Map.prototype.get);
  const mapHas = uncurry(Map.prototype.has);
  const mapSet = uncurry(Map.prototype.set);
  const mapDelete = uncurry(Map.prototype.delete);
  const setEach = uncurry(Set.prototype.forEach);
  const setAdd = uncurry(Set.prototype.add);
  const setHas = uncurry(Set.prototype.has);
  const setDelete = uncurry(Set.prototype.delete);
  const bufferSlice = uncurry(ArrayBuffer.prototype.slice);
  const [MapOf, SetOf, DateOf, RegExpOf] = [Map, Set, Date, RegExp];
  const tagOf = uncurry(Object.prototype.toString);
  const { console: writeLine, elapsedMs } = host;

  const define = (name, value) =>
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });

  /** Whether a method of a built-in works on a value: the only test that can't be faked. */
  const is = (method, value) => {
    try {
      method(value);
      return true;
    } catch {
      return false;
    }
  };
  const nothing = () => {};
  const isDate = (value) => is(dateTime, value);
  const isMap = (value) => is((map) => mapHas(map, 0), value);
  const isSet = (value) => is((set) => setHas(set, 0), value);
  const isRegExp = (value) => typeof value === 'object' && value instanceof RegExpOf;
  const isError = (value) => typeof value === 'object' && value instanceof Failure;

  // ---- text of any value, for the console and for thrown values that are no errors

  const NODES_MAX = 2000;
  const DEPTH_MAX = 5;

  const quoted = (text) => stringify(text);

  const inspect = (value, budget, depth, inside) => {
    switch (typeof value) {
      case 'string':
        return depth === 0 ? value : quoted(slice(value, 0, 65536));
      case 'symbol':
        return symbolText(value);
      case 'bigint':
        return `${Text(value)}n`;
      case 'function': {
        const name = value.name;
        return typeof name === 'string' && name !== '' ? `[Function: ${name}]` : '[Function (anonymous)]';
      }
      case 'object':
        return value === null ? 'null' : inspectObject(value, budget, depth, inside);
      default:
        return Text(value);
    }
  };

  const inspectObject = (value, budget, depth, inside) => {
    if (setHas(inside, value)) return '[Circular]';
    if (isDate(value)) return is(dateText, value) ? dateText(value) : 'Invalid Date';
    if (isError(value)) return errorText(value);
    if (isRegExp(value)) return regexpText(value);
    if (depth >= DEPTH_MAX) return isArray(value) ? '[Array]' : '[Object]';
    setAdd(inside, value);
    const text = isArray(value)
      ? inspectArray(value, budget, depth, inside)
      : isMap(value) || isSet(value)
        ? inspectCollection(value, budget, depth, inside)
        : inspectPlain(value, budget, depth, inside);
    setDelete(inside, value);
    return text;
  };

  const inspectArray = (value, budget, depth, inside) => {
    let text = '';
    for (let index = 0; index < value.length; index++) {
      if (text !== '') text += ', ';
      if (--budget.nodes < 0) return `[ ${text}… ]`;
      text += inspect(value[index], budget, depth + 1, inside);
    }
    return text === '' ? '[]' : `[ ${text} ]`;
  };

  const inspectCollection = (value, budget, depth, inside) => {
    let text = '';
    const add = (part, key) => {
      if (--budget.nodes < 0) return;
      if (text !== '') text += ', ';
      if (isMap(value)) text += `${inspect(key, budget, depth + 1, inside)} => `;
      text += inspect(part, budget, depth + 1, inside);
    };
    if (isMap(value)) mapEach(value, add);
    else setEach(value, add);
    return `${isMap(value) ? 'Map' : 'Set'} { ${text} }`;
  };

  const inspectPlain = (value, budget, depth, inside) => {
    const keys = ownKeys(value);
    let text = '';
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      const property = getOwnPropertyDescriptor(value, key);
      if (property === undefined || !property.enumerable) continue;
      if (text !== '') text += ', ';
      if (--budget.nodes < 0) return `{ ${text}… }`;
      text += typeof key === 'symbol' ? `[${symbolText(key)}]: ` : `${key}: `;
      text += 'value' in property ? inspect(property.value, budget, depth + 1, inside) : '[Getter]';
    }
    return text === '' ? '{}' : `{ ${text} }`;
  };

  const errorText = (error) => {
    const { name, message, stack } = error;
    const head = message === undefined || message === '' ? Text(name) : `${Text(name)}: ${Text(message)}`;
    return typeof stack === 'string' && stack !== '' ? `${head}\n${stack}` : head;
  };

  const textOf = (value) => inspect(value, { __proto__: null, nodes: NODES_MAX }, 0, new SetOf());

  // ---- console

  const formatDirective = (letter, value) => {
    switch (letter) {
      case 's':
        return typeof value === 'object' || typeof value === 'function' ? textOf(value) : Text(value);
      case 'd':
      case 'i':
      case 'f':
        return typeof value === 'bigint' ? `${Text(value)}n` : Text(typeof value === 'symbol' ? NaN : +value);
      case 'j':
        return Text(stringify(value));
      case 'c':
        return '';
      default:
        return textOf(value);
    }
  };

  /** What `console.log` makes of its arguments: printf directives in a leading string, then the rest. */
  const format = (parts) => {
    let text = '';
    let used = 0;
    if (parts.length > 0 && typeof parts[0] === 'string') {
      const pattern = parts[0];
      used = 1;
      for (let index = 0; index < pattern.length; index++) {
        const letter = pattern[index] === '%' ? charAt(pattern, index + 1) : '';
        if (letter === '%') {
          text += '%';
          index++;
        } else if (
          used < parts.length &&
          (letter === 's' || letter === 'd' || letter === 'i' || letter === 'f' || letter === 'j' ||
            letter === 'o' || letter === 'O' || letter === 'c')
        ) {
          text += formatDirective(letter, parts[used++]);
          index++;
        } else {
          text += pattern[index];
        }
      }
    }
    for (; used < parts.length; used++) {
      if (used > 0) text += ' ';
      text += textOf(parts[used]);
    }
    return text;
  };

  const LINE_UNITS_MAX = 65536;
  const shortest = (parts) => (parts.length === 1 && typeof parts[0] === 'string' ? parts[0] : format(parts));
  let hasRoom = true;
  const writer = (level) => (...parts) => {
    if (hasRoom) hasRoom = writeLine(level, wellFormed(slice(shortest(parts), 0, LINE_UNITS_MAX)));
  };
  define('console', {
    log: writer('log'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    debug: writer('debug'),
    trace: writer('trace'),
  });

  // ---- timers: a list linked by due time; the host sleeps until the first is due, then fires it

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

  define('setTimeout', function setTimeout(callback, delay, ...parts) {
    return addTimer(callback, delay, parts, false);
  });
  define('setInterval', function setInterval(callback, delay, ...parts) {
    return addTimer(callback, delay, parts, true);
  });
  define('setImmediate', function setImmediate(callback, ...parts) {
    return addTimer(callback, 0, parts, false);
  });
  define('clearTimeout', function clearTimeout(id) {
    clear(id);
  });
  define('clearInterval', function clearInterval(id) {
    clear(id);
  });
  define('clearImmediate', function clearImmediate(id) {
    clear(id);
  });
  define('queueMicrotask', function queueMicrotask(callback) {
    if (typeof callback !== 'function') {
      throw new WrongType('The "callback" argument must be of type function.');
    }
    then(resolved, () => {
      apply(callback, undefined, []);
    });
  });

  /** Milliseconds until the first timer is due; below zero if there is none. */
  const nextTimerMs = () => (first === null ? -1 : max(0, first.due - elapsedMs()));

  /** Runs the first timer, if it is due. */
  const fireTimer = () => {
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

  // ---- structuredClone, for the values that JSON events and their like are made of

  const refuseClone = (value) => {
    const error = new Failure(`${slice(textOf(value), 0, 200)} could not be cloned.`);
    defineProperty(error, 'name', { value: 'DataCloneError', configurable: true, writable: true });
    throw error;
  };

  const clone = (value, copies) => {
    if (typeof value === 'symbol' || typeof value === 'function') refuseClone(value);
    if (typeof value !== 'object' || value === null) return value;
    if (mapHas(copies, value)) return mapGet(copies, value);
    const remember = (copy) => {
      mapSet(copies, value, copy);
      return copy;
    };
    if (isDate(value)) return remember(new DateOf(dateTime(value)));
    if (isMap(value)) {
      const copy = remember(new MapOf());
      mapEach(value, (part, key) => mapSet(copy, clone(key, copies), clone(part, copies)));
      return copy;
    }
    if (isSet(value)) {
      const copy = remember(new SetOf());
      setEach(value, (part) => setAdd(copy, clone(part, copies)));
      return copy;
    }
    if (is((buffer) => bufferSlice(buffer, 0, 0), value)) return remember(bufferSlice(value, 0));
    if (isRegExp(value)) return remember(new RegExpOf(value.source, value.flags));
    if (isError(value)) {
      const copy = remember(new Failure(Text(value.message)));
      defineProperty(copy, 'name', { value: Text(value.name), configurable: true, writable: true });
      return copy;
    }
    if (!isArray(value) && tagOf(value) !== '[object Object]') refuseClone(value);
    const copy = remember(isArray(value) ? [] : {});
    const keys = ownKeys(value);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      const property = getOwnPropertyDescriptor(value, key);
      if (typeof key === 'symbol' || property === undefined || !property.enumerable) continue;
      const part = { __proto__: null, value: clone(value[key], copies), writable: true, enumerable: true, configurable: true };
      defineProperty(copy, key, part);
    }
    return copy;
  };
  define('structuredClone', function structuredClone(value) {
    return clone(value, new MapOf());
  });

  // ---- the CommonJS surroundings

  // ---- what is made when first used; the scripts in platform/ run after a tenant's code and promise less than we do

  const { load } = host;
  const modules = new MapOf();
  const use = (name) => {
    if (mapHas(modules, name)) return mapGet(modules, name);
    const parts = load(name);
    const made = apply(parts[0], undefined, [parts[1], kit]);
    mapSet(modules, name, made);
    return made;
  };
  const kit = {
    __proto__: null, use, inspect: textOf, format, defineProperty, setTimeout: addTimer, clearTimeout: clear, realm,
  };

  /** A global of a module, which any script may overwrite. */
  const later = (name, module) => {
    const property = {
      get: () => {
        const value = use(module)[name];
        define(name, value);
        return value;
      },
      set: (value) => define(name, value),
      configurable: true,
      enumerable: false,
    };
    defineProperty(globalThis, name, property);
  };
  const globals = [
    'encoding', 'TextEncoder', 'TextDecoder', 'atob', 'btoa', '',
    'events', 'Event', 'EventTarget', 'AbortController', 'AbortSignal', 'DOMException', '',
    'url', 'URL', 'URLSearchParams', '',
    'fetch', 'fetch', 'Headers', 'Request', 'Response', '',
    'webcrypto', 'crypto', '',
    'node:buffer', 'Buffer', '',
    'intl', 'Intl', '',
  ];
  for (let index = 0; index < globals.length; index++) {
    const module = globals[index];
    while (globals[++index] !== '') later(globals[index], module);
  }
  const laterDate = (name) => {
    const value = { [name](...parts) { return apply(use('intl')[name], this, parts); } }[name];
    defineProperty(DateOf.prototype, name, { value, writable: true, configurable: true, enumerable: false });
  };
  laterDate('toLocaleDateString');
  laterDate('toLocaleString');
  laterDate('toLocaleTimeString');

  define('process', { env: {} });
  define('global', globalThis);
  const nodeModules = new SetOf(['assert', 'buffer', 'crypto', 'events', 'querystring', 'url', 'util']);
  const require = (name) => {
    if (typeof name === 'string') {
      const bare = slice(name, 0, 5) === 'node:' ? slice(name, 5) : name;
      if (setHas(nodeModules, bare)) return use(`node:${bare}`);
    }
    const error = new Failure(`Cannot find module '${Text(name)}'`);
    defineProperty(error, 'code', { value: 'MODULE_NOT_FOUND', enumerable: true, configurable: true, writable: true });
    throw error;
  };

  // ---- what a thrown value says about itself

  const NAME_UNITS_MAX = 128;
  const cut = (text, length) => wellFormed(slice(text, 0, length));
  const property = (value, name) => {
    try {
      const part = value[name];
      return part === undefined || part === null ? '' : typeof part === 'symbol' ? symbolText(part) : Text(part);
    } catch {
      return '';
    }
  };

  /** Name, message and stack of whatever was thrown, each at most `length` units long. */
  const describe = (thrown, length) => {
    let parts = ['', '', ''];
    if ((typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function') {
      parts = [property(thrown, 'name'), property(thrown, 'message'), property(thrown, 'stack')];
      if (!isError(thrown) && parts[1] === '') {
        try {
          parts[1] = textOf(thrown);
        } catch {
          parts[1] = 'An object was thrown that cannot be shown.';
        }
      }
    } else {
      parts[1] = typeof thrown === 'symbol' ? symbolText(thrown) : Text(thrown);
    }
    return [cut(parts[0], NAME_UNITS_MAX), cut(parts[1], length), cut(parts[2], length)];
  };

  // ---- a clock that stands, for runs whose outcome must not depend on when they happen

  const construct = Reflect.construct;
  const dateString = uncurry(Date.prototype.toString);
  const ProxyOf = Proxy;

  const goingNow = Date.now;
  let standsAt;
  const now = () => standsAt ?? goingNow();

  /** From here on it is this time, in milliseconds since 1970. Timers go on by the real clock. */
  realm.stopClock = (atMs) => {
    standsAt = atMs;
    const handler = {
      __proto__: null,
      construct: (target, parts, made) => construct(target, parts.length === 0 ? [atMs] : parts, made),
      apply: () => dateString(new DateOf(atMs)),
    };
    const Standing = new ProxyOf(DateOf, handler);
    const hidden = (value) => ({ __proto__: null, value, writable: true, configurable: true, enumerable: false });
    defineProperty(DateOf, 'now', hidden(function now() { return atMs; }));
    defineProperty(DateOf.prototype, 'constructor', hidden(Standing));
    define('Date', Standing);
  };

  realm.nextTimerMs = nextTimerMs;
  realm.fireTimer = fireTimer;
  realm.describe = describe;
  realm.safe = {
    __proto__: null,
    apply,
    defineProperty,
    getPrototypeOf,
    isFinite,
    now,
    parse,
    require,
    slice,
    stringify,
    wellFormed,
    symbolText,
    Text,
    Failure,
    WrongType,
  };
  return realm;
})
