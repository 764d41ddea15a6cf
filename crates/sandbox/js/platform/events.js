// Event, EventTarget, AbortController, AbortSignal and DOMException (DOM Standard), without a tree to bubble in.
(function (native, kit) {
  'use strict';

  const CODES = {
    __proto__: null, InvalidCharacterError: 5, NotSupportedError: 9, InvalidStateError: 11, SyntaxError: 12,
    InvalidAccessError: 15, NetworkError: 19, AbortError: 20, QuotaExceededError: 22, TimeoutError: 23, DataCloneError: 25,
  };

  class DOMException extends Error {
    #name;
    constructor(message = '', name = 'Error') {
      super(message);
      this.#name = String(typeof name === 'object' && name !== null ? name.name ?? 'Error' : name);
      if (typeof name === 'object' && name !== null && 'cause' in name) this.cause = name.cause;
    }
    get name() {
      return this.#name;
    }
    get code() {
      return CODES[this.#name] ?? 0;
    }
  }

  class Event {
    #type;
    #cancelable;
    #prevented = false;
    _stopped = false;
    _target = null;
    constructor(type, { cancelable = false } = {}) {
      this.#type = String(type);
      this.#cancelable = Boolean(cancelable);
      for (const name of ['_stopped', '_target']) Object.defineProperty(this, name, { enumerable: false });
      this.timeStamp = Date.now();
    }
    get type() {
      return this.#type;
    }
    get target() {
      return this._target;
    }
    get currentTarget() {
      return this._target;
    }
    get bubbles() {
      return false;
    }
    get cancelable() {
      return this.#cancelable;
    }
    get defaultPrevented() {
      return this.#prevented;
    }
    preventDefault() {
      if (this.#cancelable) this.#prevented = true;
    }
    stopPropagation() {}
    stopImmediatePropagation() {
      this._stopped = true;
    }
  }

  class EventTarget {
    #listeners = [];
    addEventListener(type, callback, options) {
      if (callback === null || callback === undefined) return;
      const { once = false, signal } = typeof options === 'object' && options !== null ? options : {};
      if (signal?.aborted || this.#find(type, callback) >= 0) return;
      this.#listeners.push({ type: String(type), callback, once });
      signal?.addEventListener('abort', () => this.removeEventListener(type, callback), { once: true });
    }
    removeEventListener(type, callback) {
      const index = this.#find(type, callback);
      if (index >= 0) this.#listeners.splice(index, 1);
    }
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw new TypeError('The argument of dispatchEvent must be an Event.');
      event._target = this;
      const handler = this[`on${event.type}`];
      if (typeof handler === 'function') handler.call(this, event);
      for (const listener of [...this.#listeners]) {
        if (listener.type !== event.type || !this.#listeners.includes(listener)) continue;
        if (event._stopped) break;
        if (listener.once) this.removeEventListener(listener.type, listener.callback);
        if (typeof listener.callback === 'function') listener.callback.call(this, event);
        else listener.callback.handleEvent(event);
      }
      return !event.defaultPrevented;
    }
    #find(type, callback) {
      return this.#listeners.findIndex((known) => known.type === String(type) && known.callback === callback);
    }
  }

  const OURS = Symbol('made here');

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    constructor(mark) {
      if (mark !== OURS) throw new TypeError('Illegal constructor');
      super();
      Object.defineProperty(this, 'onabort', { value: null, writable: true, configurable: true, enumerable: true });
    }
    get aborted() {
      return this.#aborted;
    }
    get reason() {
      return this.#reason;
    }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }
    static _abort(signal, reason) {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      signal.dispatchEvent(new Event('abort'));
    }
    static abort(reason) {
      const signal = new AbortSignal(OURS);
      abort(signal, reason);
      return signal;
    }
    static timeout(ms) {
      const signal = new AbortSignal(OURS);
      const expire = () => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
      kit.use('timers').addTimer(expire, ms, [], false);
      return signal;
    }
    static any(signals) {
      const all = [...signals];
      const signal = new AbortSignal(OURS);
      const done = all.find((one) => one.aborted);
      if (done) abort(signal, done.reason);
      else for (const one of all) one.addEventListener('abort', () => abort(signal, one.reason), { once: true });
      return signal;
    }
  }
  const abort = AbortSignal._abort;
  delete AbortSignal._abort;

  class AbortController {
    #signal = new AbortSignal(OURS);
    get signal() {
      return this.#signal;
    }
    abort(reason) {
      abort(this.#signal, reason);
    }
  }

  return { DOMException, Event, EventTarget, AbortController, AbortSignal };
})
