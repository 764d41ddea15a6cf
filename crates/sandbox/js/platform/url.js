// URL and URLSearchParams (URL Standard) over the host's parser.
(function (native) {
  'use strict';

  const usv = (value) => String(value).toWellFormed();
  const [HREF, ORIGIN, PROTOCOL, USERNAME, PASSWORD, HOST, HOSTNAME, PORT, PATHNAME, SEARCH, HASH] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  /** What to tell when a list of parameters changes: the URL that it belongs to. */
  const owners = new WeakMap();

  class URLSearchParams {
    #list = [];
    constructor(init = '') {
      if (init !== null && typeof init === 'object') {
        if (typeof init[Symbol.iterator] === 'function') {
          for (const pair of init) {
            const [name, value, ...rest] = pair;
            if (value === undefined || rest.length > 0) {
              throw new TypeError('Each query pair must be an iterable [name, value] tuple');
            }
            this.#list.push([usv(name), usv(value)]);
          }
        } else {
          for (const name of Object.keys(init)) this.#list.push([usv(name), usv(init[name])]);
        }
      } else {
        this._read(init === undefined ? '' : usv(init));
      }
    }
    /** Takes a query over; for URL's own use. */
    _read(query) {
      const flat = native.readForm(query.startsWith('?') ? query.slice(1) : query);
      this.#list = [];
      for (let index = 0; index < flat.length; index += 2) this.#list.push([flat[index], flat[index + 1]]);
    }
    #changed() {
      owners.get(this)?.(this.toString());
    }
    get size() {
      return this.#list.length;
    }
    append(name, value) {
      this.#list.push([usv(name), usv(value)]);
      this.#changed();
    }
    delete(name, value) {
      const keep = ([key, held]) => key !== usv(name) || (value !== undefined && held !== usv(value));
      this.#list = this.#list.filter(keep);
      this.#changed();
    }
    get(name) {
      const found = this.#list.find(([key]) => key === usv(name));
      return found === undefined ? null : found[1];
    }
    getAll(name) {
      return this.#list.filter(([key]) => key === usv(name)).map(([, value]) => value);
    }
    has(name, value) {
      return this.#list.some(([key, held]) => key === usv(name) && (value === undefined || held === usv(value)));
    }
    set(name, value) {
      const key = usv(name);
      const index = this.#list.findIndex(([known]) => known === key);
      if (index < 0) {
        this.#list.push([key, usv(value)]);
      } else {
        this.#list[index][1] = usv(value);
        this.#list = this.#list.filter(([known], at) => known !== key || at === index);
      }
      this.#changed();
    }
    sort() {
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed();
    }
    forEach(callback, self) {
      for (const [name, value] of this) callback.call(self, value, name, this);
    }
    *entries() {
      for (const [name, value] of this.#list) yield [name, value];
    }
    *keys() {
      for (const [name] of this.#list) yield name;
    }
    *values() {
      for (const [, value] of this.#list) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return native.writeForm(this.#list.flat());
    }
    get [Symbol.toStringTag]() {
      return 'URLSearchParams';
    }
  }
  const readQuery = URLSearchParams.prototype._read;
  Object.defineProperty(URLSearchParams.prototype, '_read', { enumerable: false });

  class URL {
    #parts;
    #params = null;
    constructor(url, base) {
      const parts = native.parse(usv(url), base === undefined ? undefined : usv(base));
      if (!parts) {
        const error = new TypeError('Invalid URL');
        error.code = 'ERR_INVALID_URL';
        error.input = usv(url);
        throw error;
      }
      this.#parts = parts;
    }
    static canParse(url, base) {
      return Boolean(native.parse(usv(url), base === undefined ? undefined : usv(base)));
    }
    static parse(url, base) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }
    #set(part, value) {
      this.#parts = native.change(this.#parts[HREF], part, usv(value)) ?? this.#parts;
      if (part === 'search' && this.#params) readQuery.call(this.#params, this.#parts[SEARCH]);
    }
    get href() {
      return this.#parts[HREF];
    }
    set href(value) {
      this.#parts = new URL(value).#parts;
      if (this.#params) readQuery.call(this.#params, this.#parts[SEARCH]);
    }
    get origin() {
      return this.#parts[ORIGIN];
    }
    get protocol() {
      return this.#parts[PROTOCOL];
    }
    set protocol(value) {
      this.#set('protocol', value);
    }
    get username() {
      return this.#parts[USERNAME];
    }
    set username(value) {
      this.#set('username', value);
    }
    get password() {
      return this.#parts[PASSWORD];
    }
    set password(value) {
      this.#set('password', value);
    }
    get host() {
      return this.#parts[HOST];
    }
    set host(value) {
      this.#set('host', value);
    }
    get hostname() {
      return this.#parts[HOSTNAME];
    }
    set hostname(value) {
      this.#set('hostname', value);
    }
    get port() {
      return this.#parts[PORT];
    }
    set port(value) {
      this.#set('port', value);
    }
    get pathname() {
      return this.#parts[PATHNAME];
    }
    set pathname(value) {
      this.#set('pathname', value);
    }
    get search() {
      return this.#parts[SEARCH];
    }
    set search(value) {
      this.#set('search', value);
    }
    get hash() {
      return this.#parts[HASH];
    }
    set hash(value) {
      this.#set('hash', value);
    }
    get searchParams() {
      if (this.#params === null) {
        this.#params = new URLSearchParams(this.#parts[SEARCH]);
        owners.set(this.#params, (query) => {
          this.#parts = native.change(this.#parts[HREF], 'search', query) ?? this.#parts;
        });
      }
      return this.#params;
    }
    toString() {
      return this.#parts[HREF];
    }
    toJSON() {
      return this.#parts[HREF];
    }
    get [Symbol.toStringTag]() {
      return 'URL';
    }
  }

  return { URL, URLSearchParams };
})
