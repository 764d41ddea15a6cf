// fetch, Headers, Request and Response (Fetch Standard), as far as a script without streams needs them.
//
// The host carries a request out and hands over the whole response at once.
(function (native, kit) {
  'use strict';

  const { TextEncoder, TextDecoder, bytesOf } = kit.use('encoding');
  const { URL, URLSearchParams } = kit.use('url');
  const { DOMException } = kit.use('events');
  const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

  class Headers {
    #list = [];
    constructor(init) {
      if (init === undefined || init === null) return;
      if (typeof init !== 'object') throw new TypeError('The headers must be an object or a list of pairs.');
      if (typeof init[Symbol.iterator] === 'function') {
        for (const [name, value] of init) this.append(name, value);
      } else {
        for (const name of Object.keys(init)) this.append(name, init[name]);
      }
    }
    #key(name) {
      const key = String(name);
      if (!NAME.test(key)) throw new TypeError(`${JSON.stringify(key)} is an invalid header name.`);
      return key.toLowerCase();
    }
    append(name, value) {
      const key = this.#key(name);
      const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
      if (!VALUE.test(text)) throw new TypeError(`The value of the header ${key} is invalid.`);
      this.#list.push([key, text]);
    }
    delete(name) {
      const key = this.#key(name);
      this.#list = this.#list.filter(([known]) => known !== key);
    }
    get(name) {
      const key = this.#key(name);
      const values = this.#list.filter(([known]) => known === key).map(([, value]) => value);
      return values.length === 0 ? null : values.join(', ');
    }
    getSetCookie() {
      return this.#list.filter(([known]) => known === 'set-cookie').map(([, value]) => value);
    }
    has(name) {
      const key = this.#key(name);
      return this.#list.some(([known]) => known === key);
    }
    set(name, value) {
      this.delete(name);
      this.append(name, value);
    }
    *entries() {
      const names = [...new Set(this.#list.map(([name]) => name))].sort();
      for (const name of names) {
        if (name === 'set-cookie') for (const value of this.getSetCookie()) yield [name, value];
        else yield [name, this.get(name)];
      }
    }
    *keys() {
      for (const [name] of this.entries()) yield name;
    }
    *values() {
      for (const [, value] of this.entries()) yield value;
    }
    forEach(callback, self) {
      for (const [name, value] of this.entries()) callback.call(self, value, name, this);
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    get [Symbol.toStringTag]() {
      return 'Headers';
    }
  }

  /** Bytes of a body, and the content type that it brings along. */
  const readBody = (body) => {
    if (body === undefined || body === null) return [null, null];
    if (body instanceof URLSearchParams) {
      return [new TextEncoder().encode(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8'];
    }
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return [bytesOf(body, 'The body').slice(), null];
    if (typeof body === 'object' && typeof body[Symbol.asyncIterator] === 'function') {
      throw new TypeError('A body that is a stream is not available on this server.');
    }
    return [new TextEncoder().encode(body), 'text/plain;charset=UTF-8'];
  };

  class Body {
    #bytes;
    #used = false;
    constructor(bytes) {
      this.#bytes = bytes;
    }
    get body() {
      throw new TypeError('body (a stream) is not available on this server: use text(), json() or bytes().');
    }
    get bodyUsed() {
      return this.#used;
    }
    async bytes() {
      if (this.#used) throw new TypeError('Body is unusable: Body has already been read');
      this.#used = this.#bytes !== null;
      return this.#bytes === null ? new Uint8Array(0) : this.#bytes.slice();
    }
    async arrayBuffer() {
      return (await this.bytes()).buffer;
    }
    async text() {
      return new TextDecoder().decode(await this.bytes());
    }
    async json() {
      return JSON.parse(await this.text());
    }
    async blob() {
      throw new TypeError('blob() is not available on this server: use bytes().');
    }
    async formData() {
      throw new TypeError('formData() is not available on this server: use text() and URLSearchParams.');
    }
    /** The bytes, for a copy or for sending. */
    static take(of) {
      if (of.#used) throw new TypeError('Body is unusable: Body has already been read');
      return of.#bytes;
    }
  }
  const take = Body.take;
  delete Body.take;

  const KNOWN = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
  const methodOf = (value) => {
    const method = String(value);
    if (!NAME.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
    const upper = method.toUpperCase();
    if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') {
      throw new TypeError(`'${method}' HTTP method is unsupported.`);
    }
    return KNOWN.includes(upper) ? upper : method;
  };

  class Request extends Body {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : null;
      const url = new URL(from ? from.url : input);
      const options = init ?? {};
      const method = methodOf(options.method ?? from?.method ?? 'GET');
      const [bytes, type] = options.body === undefined && from ? [take(from), null] : readBody(options.body);
      if (bytes !== null && (method === 'GET' || method === 'HEAD')) {
        throw new TypeError('Request with GET/HEAD method cannot have body.');
      }
      const redirect = String(options.redirect ?? from?.redirect ?? 'follow');
      if (redirect !== 'follow' && redirect !== 'manual' && redirect !== 'error') {
        throw new TypeError(`'${redirect}' is not a redirect mode.`);
      }
      if (url.username !== '' || url.password !== '') {
        throw new TypeError('Request cannot be constructed from a URL that includes credentials.');
      }
      super(bytes);
      const headers = new Headers(options.headers ?? from?.headers);
      if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
      url.hash = '';
      const signal = options.signal === undefined ? from?.signal ?? null : options.signal;
      Object.assign(this, { method, url: url.href, headers, redirect, signal });
    }
    clone() {
      return new Request(this);
    }
  }

  const ABSENT = [101, 204, 205, 304];

  class Response extends Body {
    constructor(body, { status = 200, statusText = '', headers } = {}) {
      if (!(status >= 200 && status <= 599)) throw new RangeError('The status must be between 200 and 599.');
      const [bytes, type] = readBody(body);
      if (bytes !== null && ABSENT.includes(status)) throw new TypeError(`A response of status ${status} has no body.`);
      super(bytes);
      this.status = Number(status);
      this.statusText = String(statusText);
      this.headers = new Headers(headers);
      if (type !== null && !this.headers.has('content-type')) this.headers.set('content-type', type);
      this.type = 'default';
      this.url = '';
      this.redirected = false;
    }
    get ok() {
      return this.status >= 200 && this.status <= 299;
    }
    clone() {
      const { status, statusText, headers, type, url, redirected } = this;
      const copy = new Response(take(this), { status, statusText, headers });
      return Object.assign(copy, { type, url, redirected });
    }
    static json(value, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
      return new Response(JSON.stringify(value), { ...init, headers });
    }
    static error() {
      return Object.assign(new Response(null), { status: 0, type: 'error' });
    }
    static redirect(url, status = 302) {
      return new Response(null, { status, headers: { location: new URL(url).href } });
    }
  }

  const waiting = new Map();

  /** Called for each answer of the host: either with a text that says what failed, or with the response. */
  kit.realm.settleFetch = (id, error, parts) => {
    const wait = waiting.get(id);
    if (wait === undefined) return;
    waiting.delete(id);
    if (error !== undefined) {
      wait.reject(new TypeError(`fetch failed: ${error}`, { cause: new Error(error) }));
      return;
    }
    const { status, statusText, url, redirected, headers: flat, body } = parts;
    const headers = new Headers();
    for (let index = 0; index < flat.length; index += 2) headers.append(flat[index], flat[index + 1]);
    const content = ABSENT.includes(status) ? null : new Uint8Array(body);
    const response = new Response(content, { statusText, headers });
    wait.resolve(Object.assign(response, { status, url, redirected, type: 'basic' }));
  };

  async function fetch(input, init) {
    const request = new Request(input, init);
    const { signal } = request;
    signal?.throwIfAborted();
    const flat = [];
    for (const [name, value] of request.headers) flat.push(name, value);
    const body = take(request);
    const sent = body === null ? undefined : body;
    const id = native.start(request.method, request.url, flat, sent, request.redirect);
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => {
        if (!waiting.delete(id)) return;
        native.forget(id);
        reject(signal.reason ?? new DOMException('This operation was aborted', 'AbortError'));
      }, { once: true });
    });
  }

  return { fetch, Headers, Request, Response };
})
