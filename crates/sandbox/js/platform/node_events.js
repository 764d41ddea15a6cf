// Node.js's module `events`: EventEmitter, once.
(function (native, kit) {
  'use strict';

  function EventEmitter() {
    EventEmitter.init.call(this);
  }
  EventEmitter.init = function () {
    if (!Object.hasOwn(this, '_events')) {
      Object.defineProperty(this, '_events', { value: new Map(), writable: true, configurable: true, enumerable: false });
    }
  };
  const listOf = (emitter, name) => {
    EventEmitter.init.call(emitter);
    return emitter._events.get(name) ?? [];
  };
  const check = (listener) => {
    if (typeof listener === 'function') return;
    throw Object.assign(new TypeError('The "listener" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' });
  };
  const add = (emitter, name, listener, first, once) => {
    check(listener);
    if (listOf(emitter, 'newListener').length > 0) emitter.emit('newListener', name, listener);
    const list = listOf(emitter, name);
    const entry = { listener, once };
    emitter._events.set(name, first ? [entry, ...list] : [...list, entry]);
    return emitter;
  };
  const methods = {
    on(name, listener) {
      return add(this, name, listener, false, false);
    },
    once(name, listener) {
      return add(this, name, listener, false, true);
    },
    prependListener(name, listener) {
      return add(this, name, listener, true, false);
    },
    prependOnceListener(name, listener) {
      return add(this, name, listener, true, true);
    },
    off(name, listener) {
      const list = listOf(this, name);
      const at = list.findLastIndex((entry) => entry.listener === listener);
      if (at < 0) return this;
      const rest = list.toSpliced(at, 1);
      if (rest.length > 0) this._events.set(name, rest);
      else this._events.delete(name);
      if (listOf(this, 'removeListener').length > 0) this.emit('removeListener', name, listener);
      return this;
    },
    removeAllListeners(name) {
      listOf(this, name);
      if (name === undefined) this._events.clear();
      else this._events.delete(name);
      return this;
    },
    emit(name, ...parts) {
      const list = listOf(this, name);
      if (list.length === 0) {
        if (name !== 'error') return false;
        throw parts[0] instanceof Error ? parts[0] : Object.assign(new Error(`Unhandled error. (${kit.use('console').inspect(parts[0])})`), { code: 'ERR_UNHANDLED_ERROR', context: parts[0] });
      }
      for (const entry of list) {
        if (entry.once) {
          if (!listOf(this, name).includes(entry)) continue;
          this.off(name, entry.listener);
        }
        entry.listener.apply(this, parts);
      }
      return true;
    },
    listeners(name) {
      return listOf(this, name).map((entry) => entry.listener);
    },
    rawListeners(name) {
      return this.listeners(name);
    },
    listenerCount(name) {
      return listOf(this, name).length;
    },
    eventNames() {
      EventEmitter.init.call(this);
      return [...this._events.keys()];
    },
    setMaxListeners() {
      return this;
    },
    getMaxListeners() {
      return Infinity;
    },
  };
  methods.addListener = methods.on;
  methods.removeListener = methods.off;
  Object.assign(EventEmitter.prototype, methods);
  for (const name of Object.keys(methods)) Object.defineProperty(EventEmitter.prototype, name, { enumerable: false });

  EventEmitter.once = (emitter, name) => new Promise((resolve, reject) => {
    const fail = (error) => {
      emitter.off(name, succeed);
      reject(error);
    };
    const succeed = (...parts) => {
      emitter.off('error', fail);
      resolve(parts);
    };
    emitter.once(name, succeed);
    if (name !== 'error') emitter.once('error', fail);
  });
  EventEmitter.EventEmitter = EventEmitter;
  EventEmitter.defaultMaxListeners = Infinity;
  return EventEmitter;
})
