// The network as an Action in Node.js finds it: fetch, http and https go through the host, all else is refused by name.
//
// The objects of the core modules are changed in place, so that packages find the same whichever way they load them.
// This makes for clear errors and working clients; what keeps a script off the network is the kernel.
(function (kit) {
  'use strict';

  const { ask, requireCore, Module, define, failures } = kit;
  const http = requireCore('node:http');
  const https = requireCore('node:https');
  const { urlToHttpOptions } = requireCore('node:url');
  const { Duplex, Writable } = requireCore('node:stream');
  const { Request, Response } = globalThis;

  // ---- fetch

  const BODILESS = [101, 204, 205, 304];
  const textOf = ({ kind, text }) => text ?? failures[kind];

  const responseOf = ({ status, status_text: statusText, url, redirected, headers, body }) => {
    const content = BODILESS.includes(status) ? null : Buffer.from(body, 'base64');
    const response = new Response(content, { status, statusText, headers });
    Object.defineProperties(response, {
      url: { value: url },
      redirected: { value: redirected },
      type: { value: 'basic' },
    });
    return response;
  };

  define(globalThis, 'fetch', async function fetch(input, init) {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
    signal.throwIfAborted();
    const url = new URL(request.url);
    url.hash = '';
    // The host hands a body over as it came, so none may come compressed.
    const headers = [...request.headers].filter(([name]) => name !== 'accept-encoding');
    return new Promise((resolve, reject) => {
      const wanted = {
        method: request.method, url: url.href, headers, body: body ?? Buffer.alloc(0), has_body: body !== null,
        redirect: request.redirect,
      };
      const forget = ask(wanted, ({ Ok: response, Err: error }) => {
        if (error === undefined) return resolve(responseOf(response));
        const text = textOf(error);
        reject(new TypeError(`fetch failed: ${text}`, { cause: new Error(text) }));
      });
      signal.addEventListener('abort', () => {
        forget();
        reject(signal.reason);
      }, { once: true });
    });
  });

  // ---- http and https

  /** Stands where a connection would be. */
  class Connection extends Duplex {
    constructor(encrypted) {
      super();
      Object.assign(this, { encrypted, authorized: encrypted, connecting: false });
      // Nobody reads from it, so its end must not wait for that.
      this.resume();
    }
    _read() {
      this.push(null);
    }
    _write(_chunk, _encoding, done) {
      done();
    }
    setTimeout() {
      return this;
    }
    setNoDelay() {
      return this;
    }
    setKeepAlive() {
      return this;
    }
    ref() {
      return this;
    }
    unref() {
      return this;
    }
  }

  const CODES = { refused: 'EACCES', timeout: 'ETIMEDOUT', too_long: 'EMSGSIZE', failed: 'ECONNREFUSED' };
  const failureOf = (error) => Object.assign(new Error(textOf(error)), { code: CODES[error.kind] ?? 'ECONNRESET' });

  const messageOf = (response, request, connection) => {
    const message = new http.IncomingMessage(connection);
    message._read = () => {};
    Object.assign(message, {
      statusCode: response.status,
      statusMessage: response.status_text,
      httpVersion: '1.1',
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      rawHeaders: response.headers.flat(),
      req: request,
      complete: true,
    });
    // Read off the raw ones, as node does on the wire.
    for (const [name, value] of response.headers) message._addHeaderLine(name, value, message.headers);
    message.push(Buffer.from(response.body, 'base64'));
    message.push(null);
    return message;
  };

  const addressOf = (protocol, options) => {
    if (options.socketPath) throw new Error('A request over a local socket is not available to Actions.');
    const scheme = options.protocol ?? protocol;
    if (scheme !== 'http:' && scheme !== 'https:') {
      throw Object.assign(new TypeError(`Protocol "${scheme}" not supported.`), { code: 'ERR_INVALID_PROTOCOL' });
    }
    const name = String(options.hostname ?? options.host ?? 'localhost');
    const host = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
    const port = options.port ?? options.defaultPort;
    const path = String(options.path ?? '/');
    // Anything else would be a request to a proxy.
    const rest = path.startsWith('/') ? path : `/${path}`;
    return new URL(`${scheme}//${host}${port ? `:${port}` : ''}${rest}`);
  };

  class ClientRequest extends Writable {
    #headers = new Map();
    #chunks = [];
    #forget = () => {};
    #timer;
    #answered = false;

    constructor(protocol, options, callback) {
      super({ autoDestroy: false });
      this.url = addressOf(protocol, options);
      this.method = String(options.method ?? 'GET').toUpperCase();
      this.path = String(options.path ?? '/');
      this.host = this.url.hostname;
      this.protocol = this.url.protocol;
      this.agent = options.agent;
      this.aborted = false;
      this.reusedSocket = false;
      this.res = null;
      this.socket = this.connection = new Connection(this.protocol === 'https:');
      this.#takeHeaders(options);
      if (callback) this.once('response', callback);
      if (options.timeout) this.setTimeout(options.timeout);
      const { signal } = options;
      if (signal?.aborted) process.nextTick(() => this.destroy(signal.reason));
      else signal?.addEventListener('abort', () => this.destroy(signal.reason), { once: true });
      process.nextTick(() => this.emit('socket', this.socket));
    }

    #takeHeaders({ headers, auth }) {
      if (Array.isArray(headers)) {
        const pairs = Array.isArray(headers[0]) ? headers : headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]]] : []));
        for (const [name, value] of pairs) this.appendHeader(name, value);
      } else {
        for (const name of Object.keys(headers ?? {})) {
          if (headers[name] !== undefined) this.setHeader(name, headers[name]);
        }
      }
      if (auth && !this.hasHeader('authorization')) {
        this.setHeader('Authorization', `Basic ${Buffer.from(String(auth)).toString('base64')}`);
      }
      if (!this.hasHeader('host')) this.setHeader('Host', this.url.host);
    }

    get headersSent() {
      return this.writableFinished;
    }
    get finished() {
      return this.writableEnded;
    }
    setHeader(name, value) {
      http.validateHeaderName(name);
      for (const part of [value].flat()) http.validateHeaderValue(name, String(part));
      this.#headers.set(String(name).toLowerCase(), [String(name), value]);
      return this;
    }
    appendHeader(name, value) {
      const before = this.getHeader(name);
      return this.setHeader(name, before === undefined ? value : [before, value].flat());
    }
    getHeader(name) {
      return this.#headers.get(String(name).toLowerCase())?.[1];
    }
    hasHeader(name) {
      return this.#headers.has(String(name).toLowerCase());
    }
    removeHeader(name) {
      this.#headers.delete(String(name).toLowerCase());
    }
    getHeaders() {
      return Object.assign(Object.create(null), Object.fromEntries([...this.#headers].map(([key, [, value]]) => [key, value])));
    }
    getHeaderNames() {
      return [...this.#headers.keys()];
    }
    getRawHeaderNames() {
      return [...this.#headers.values()].map(([name]) => name);
    }
    flushHeaders() {}
    setNoDelay() {}
    setSocketKeepAlive() {}

    setTimeout(milliseconds, callback) {
      if (callback) this.once('timeout', callback);
      clearTimeout(this.#timer);
      if (milliseconds > 0) {
        this.#timer = setTimeout(() => this.emit('timeout'), milliseconds);
        this.#timer.unref();
      }
      return this;
    }

    _write(chunk, _encoding, done) {
      this.#chunks.push(chunk);
      done();
    }

    _final(done) {
      const body = Buffer.concat(this.#chunks);
      this.#chunks = [];
      const headers = [...this.#headers].flatMap(([key, [, value]]) => [value].flat().map((part) => [key, String(part)]));
      const { method, url } = this;
      const wanted = { method, url: url.href, headers, body, has_body: body.length > 0, redirect: 'manual' };
      try {
        this.#forget = ask(wanted, (result) => this.#settle(result));
        done();
      } catch (error) {
        done(error);
        this.destroy(error);
      }
    }

    #settle({ Ok: response, Err: error }) {
      clearTimeout(this.#timer);
      if (this.destroyed) return;
      if (error !== undefined) {
        this.destroy(failureOf(error));
        return;
      }
      this.#answered = true;
      this.res = messageOf(response, this, this.socket);
      this.res.once('close', () => this.destroy());
      if (!this.emit('response', this.res)) this.res.resume();
    }

    abort() {
      if (this.aborted) return;
      this.aborted = true;
      process.nextTick(() => this.emit('abort'));
      this.destroy();
    }

    _destroy(error, done) {
      clearTimeout(this.#timer);
      this.#forget();
      this.socket.destroy();
      if (this.#answered) {
        if (this.res && !this.res.readableEnded) this.res.destroy(error ?? undefined);
        done(error);
        return;
      }
      done(error ?? Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
    }
  }

  const optionsOf = (input, options) => {
    if (typeof input === 'string') return { ...urlToHttpOptions(new URL(input)), ...options };
    if (input instanceof URL) return { ...urlToHttpOptions(input), ...options };
    return { ...input };
  };
  const requestFor = (protocol) =>
    function request(input, options, callback) {
      if (typeof options === 'function') return request(input, undefined, options);
      const isTarget = typeof input === 'string' || input instanceof URL;
      return new ClientRequest(protocol, optionsOf(input, isTarget ? options : undefined), callback);
    };
  const getFor = (request) =>
    function get(input, options, callback) {
      const started = request(input, options, callback);
      started.end();
      return started;
    };
  for (const [module, protocol] of [[http, 'http:'], [https, 'https:']]) {
    module.request = requestFor(protocol);
    module.get = getFor(module.request);
  }
  http.ClientRequest = ClientRequest;

  // ---- everything else that would reach out

  const REFUSED = {
    __proto__: null,
    child_process: ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'],
    cluster: ['fork', 'setupMaster', 'setupPrimary'],
    dgram: ['createSocket'],
    dns: [
      'lookup', 'lookupService', 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveCaa', 'resolveCname',
      'resolveMx', 'resolveNaptr', 'resolveNs', 'resolvePtr', 'resolveSoa', 'resolveSrv', 'resolveTxt', 'reverse',
    ],
    http: ['createServer'],
    http2: ['connect', 'createSecureServer', 'createServer'],
    https: ['createServer'],
    inspector: ['open'],
    net: ['connect', 'createConnection', 'createServer'],
    repl: ['start'],
    tls: ['connect', 'createServer'],
    worker_threads: ['Worker'],
  };
  REFUSED['dns/promises'] = REFUSED.dns;

  const refuse = (target, name, path) =>
    define(target, name, function () {
      throw new Error(`${path} is not available to Actions.`);
    });
  const refusedSoFar = new Set();
  const refuseIn = (name, exports) => {
    if (refusedSoFar.has(name)) return;
    refusedSoFar.add(name);
    for (const method of REFUSED[name]) {
      if (typeof exports[method] === 'function') refuse(exports, method, `${name}.${method}`);
    }
    if (name === 'net') {
      refuse(exports.Socket.prototype, 'connect', 'net.Socket.connect');
      refuse(exports.Server.prototype, 'listen', 'net.Server.listen');
    }
  };
  for (const name of ['http', 'https', 'net', 'tls', 'dns']) refuseIn(name, requireCore(`node:${name}`));
  Module.syncBuiltinESMExports();

  // The others are seldom wanted, and cost time to load.
  const load = Module._load;
  Module._load = function (name, ...rest) {
    const exports = load.call(this, name, ...rest);
    if (typeof name === 'string') {
      const bare = name.startsWith('node:') ? name.slice(5) : name;
      if (bare in REFUSED && Module.isBuiltin(name)) refuseIn(bare, exports);
    }
    return exports;
  };
});
