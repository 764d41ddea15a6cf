// What a script finds around it that the language doesn't bring: require, process, and where the rest is found.
//
// Evaluates to a function (host, realm) that fills the global object and answers the safe copies of built-ins that
// the rest of our script uses. Invariant: after a tenant's code has run, nothing here looks a method up on a built-in
// object: scripts may patch those as they like and must find only themselves misled.
//
// Every run pays for the room that this takes, so it is only what every run needs; the rest is in platform/.
(function (host, realm) {
  'use strict';

  const { apply, defineProperty } = Reflect;
  const uncurry = (method) => (self, ...parts) => apply(method, self, parts);
  const stringify = JSON.stringify;
  const Text = String;
  const Failure = Error;
  const slice = uncurry(String.prototype.slice);
  const wellFormed = uncurry(String.prototype.toWellFormed);
  const symbolText = uncurry(Symbol.prototype.toString);
  const { load, natives, console: writeLine, elapsedMs } = host;

  const define = (name, value) =>
    defineProperty(globalThis, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false });

  // ---- what is made when first used; the scripts in platform/ run after a tenant's code and promise less than we do

  const modules = { __proto__: null };
  const use = (name) => {
    const known = modules[name];
    if (known !== undefined) return known;
    return (modules[name] = apply(load(name), undefined, [natives[name], kit]));
  };

  /** A global of a module, which any script may overwrite: one function reads it and sets it. */
  const accessor = { __proto__: null, get: undefined, set: undefined, configurable: true, enumerable: false };
  const later = (name, module) => {
    accessor.get = accessor.set = (...given) => {
      const value = given.length === 0 ? use(module)[name] : given[0];
      define(name, value);
      return value;
    };
    defineProperty(globalThis, name, accessor);
  };
  const globals = [
    'console', 'console', '',
    'timers', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate',
    'queueMicrotask', '',
    'clone', 'structuredClone', '',
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
  const datePrototype = Date.prototype;
  const laterDate = (name) => {
    const value = { [name](...parts) { return apply(use('intl')[name], this, parts); } }[name];
    defineProperty(datePrototype, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false });
  };
  laterDate('toLocaleDateString');
  laterDate('toLocaleString');
  laterDate('toLocaleTimeString');

  const clockNow = Date.now;
  define('performance', {
    now() { return elapsedMs(); },
    get timeOrigin() { return clockNow() - elapsedMs(); },
  });

  // ---- the CommonJS surroundings

  define('process', { env: {} });
  define('global', globalThis);
  const nodeModules = {
    __proto__: null, assert: 1, buffer: 1, crypto: 1, events: 1, querystring: 1, url: 1, util: 1,
  };
  const refuseModule = (message) => {
    const error = new Failure(message);
    defineProperty(error, 'code', {
      __proto__: null, value: 'MODULE_NOT_FOUND', enumerable: true, configurable: true, writable: true,
    });
    throw error;
  };
  /** A `require` that knows the platform's modules, and leaves `actions:` names to `requireShared`. */
  const requireWith = (requireShared) => (name) => {
    if (typeof name === 'string') {
      const bare = slice(name, 0, 5) === 'node:' ? slice(name, 5) : name;
      if (nodeModules[bare] === 1) return use(`node:${bare}`);
      if (slice(name, 0, 8) === 'actions:') return requireShared(name);
    }
    refuseModule(`Cannot find module '${Text(name)}'`);
  };

  // ---- modules that Actions share: laid out by the host before the run, evaluated when first required

  const sharedModules = { __proto__: null };
  const requireInModule = requireWith((name) =>
    refuseModule(`Cannot find module '${name}': a module cannot require other modules`));
  const require = requireWith((name) => {
    const shared = sharedModules[name];
    if (shared === undefined) {
      refuseModule(`Cannot find module '${name}': it is not among the modules of this version of the Action`);
    }
    if (shared.module === null) {
      const module = { exports: {} };
      const body = apply(shared.factory, undefined, [{ secrets: shared.secrets }]);
      apply(body, module.exports, [module.exports, requireInModule, module, name, '.']);
      shared.module = module;
    }
    return shared.module.exports;
  });
  realm.share = (name, factory, secrets) => {
    sharedModules[`actions:${name}`] = { __proto__: null, factory, secrets, module: null };
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
      try {
        if (parts[1] === '' && !(thrown instanceof Failure)) parts[1] = use('console').inspect(thrown);
      } catch {
        parts[1] = 'An object was thrown that cannot be shown.';
      }
    } else {
      parts[1] = typeof thrown === 'symbol' ? symbolText(thrown) : Text(thrown);
    }
    return [cut(parts[0], NAME_UNITS_MAX), cut(parts[1], length), cut(parts[2], length)];
  };

  // ---- a clock that stands, for runs whose outcome must not depend on when they happen

  const construct = Reflect.construct;
  const dateString = uncurry(datePrototype.toString);
  const ProxyOf = Proxy;
  const DateOf = Date;
  let standsAt;
  const now = () => standsAt ?? clockNow();

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
    defineProperty(datePrototype, 'constructor', hidden(Standing));
    define('Date', Standing);
  };

  const safe = {
    __proto__: null,
    apply,
    defineProperty,
    getPrototypeOf: Reflect.getPrototypeOf,
    isFinite: Number.isFinite,
    now,
    parse: JSON.parse,
    require,
    slice,
    stringify,
    wellFormed,
    symbolText,
    Text,
    Failure,
    WrongType: TypeError,
  };
  const mapPrototype = Map.prototype;
  const setPrototype = Set.prototype;
  /** Built-ins as they were before any script, for those modules that must not be misled either. */
  const pristine = {
    __proto__: null,
    ownKeys: Reflect.ownKeys,
    getOwnPropertyDescriptor: Reflect.getOwnPropertyDescriptor,
    isArray: Array.isArray,
    max: Math.max,
    charAt: String.prototype.charAt,
    tagOf: Object.prototype.toString,
    getTime: datePrototype.getTime,
    toISOString: datePrototype.toISOString,
    regexpText: RegExp.prototype.toString,
    bufferSlice: ArrayBuffer.prototype.slice,
    mapEach: mapPrototype.forEach,
    mapGet: mapPrototype.get,
    mapHas: mapPrototype.has,
    mapSet: mapPrototype.set,
    mapDelete: mapPrototype.delete,
    setEach: setPrototype.forEach,
    setAdd: setPrototype.add,
    setHas: setPrototype.has,
    setDelete: setPrototype.delete,
    then: Promise.prototype.then,
    resolved: Promise.resolve(),
    DateOf,
    RegExpOf: RegExp,
    MapOf: Map,
    SetOf: Set,
  };
  const kit = { __proto__: null, use, safe, pristine, writeLine, elapsedMs, defineProperty, realm };
  // Until there is a timer.
  realm.nextTimerMs = realm.fireTimer = () => -1;
  realm.describe = describe;
  realm.safe = safe;
  return realm;
})
