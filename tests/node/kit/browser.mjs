// A browser reduced to what sign-in needs: cookies, redirects followed by hand, HTML forms.

const CALL_MS_MAX = 15_000;
const REDIRECTS_MAX = 12;

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

const unescape = (text) =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name] ?? whole;
  });

function attributes(tag) {
  const found = {};
  for (const [, name, double, single, bare] of tag.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?/g)) {
    found[name.toLowerCase()] = unescape(double ?? single ?? bare ?? '');
  }
  return found;
}

/** Every form of a page, with its action, its method and the values that its fields begin with. */
export function formsOf(html) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head, inside]) => {
    const fields = {};
    for (const [, tag] of inside.matchAll(/<(?:input|button)\b([^>]*)>/gi)) {
      const { name, value = '', type = 'text' } = attributes(tag);
      if (name && !['submit', 'button', 'image'].includes(type)) fields[name] = value;
    }
    const { action, method = 'get' } = attributes(head);
    return { action, method: method.toLowerCase(), fields };
  });
}

/** A visitor with cookies of their own. */
export class Browser {
  /** By host name, as browsers keep them: cookies know no ports. */
  cookies = new Map();

  constructor({ userAgent = 'Vestibule tests' } = {}) {
    this.userAgent = userAgent;
  }

  /** Opens a URL and follows redirects, but not into one that starts with `until`: that one is the result's `url`. */
  async open(url, { until, ...options } = {}) {
    let next = { url: String(url), method: 'GET', ...options };
    for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
      if (until && hop > 0 && next.url.startsWith(until)) {
        return { reached: true, url: next.url, parameters: new URL(next.url).searchParams };
      }
      const answer = await this.#send(next);
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status >= 400 || !location) {
        return { reached: false, url: next.url, status: answer.status, headers: answer.headers, html: await answer.text() };
      }
      await answer.arrayBuffer();
      const keepsMethod = answer.status === 307 || answer.status === 308;
      next = { ...(keepsMethod ? next : { method: 'GET' }), url: new URL(location, next.url).href };
    }
    throw new Error(`more than ${REDIRECTS_MAX} redirects, the last to ${next.url}`);
  }

  /** Fills in the page's form and sends it. `index` chooses among several forms. */
  async submit(page, values = {}, { index = 0, ...options } = {}) {
    const form = formsOf(page.html)[index];
    if (!form) throw new Error(`no form on ${page.url} (${page.status}):\n${page.html}`);
    const unknown = Object.keys(values).filter((name) => !(name in form.fields));
    if (unknown.length > 0) throw new Error(`the form on ${page.url} has no field ${unknown.join(', ')}`);
    const fields = new URLSearchParams({ ...form.fields, ...values });
    const action = new URL(form.action || page.url, page.url);
    if (form.method === 'get') return this.open(`${action.href.split('?')[0]}?${fields}`, options);
    return this.open(action, {
      method: 'POST',
      body: fields.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(page.url).origin },
      ...options,
    });
  }

  async #send({ url, method, body, headers = {} }) {
    const target = new URL(url);
    const cookie = this.#cookiesFor(target);
    const answer = await fetch(target, {
      method,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(CALL_MS_MAX),
      headers: { accept: 'text/html', 'user-agent': this.userAgent, ...headers, ...(cookie && { cookie }) },
    });
    for (const line of answer.headers.getSetCookie()) this.#keep(target, line);
    return answer;
  }

  #cookiesFor({ hostname, protocol, pathname }) {
    return [...(this.cookies.get(hostname)?.values() ?? [])]
      .filter((cookie) => (!cookie.secure || protocol === 'https:') && pathname.startsWith(cookie.path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keep({ hostname, protocol }, line) {
    const [pair, ...rest] = line.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const options = Object.fromEntries(rest.map((part) => part.split('=')).map(([key, text = '']) => [key.toLowerCase(), text]));
    if ('secure' in options && protocol !== 'https:') return;
    if (name.startsWith('__Host-') && (!('secure' in options) || options.path !== '/' || 'domain' in options)) {
      throw new Error(`a browser would refuse this cookie: ${line}`);
    }
    const jar = this.cookies.get(hostname) ?? new Map();
    this.cookies.set(hostname, jar);
    const gone = 'max-age' in options ? Number(options['max-age']) <= 0 : 'expires' in options && new Date(options.expires) <= new Date();
    if (gone) jar.delete(name);
    else jar.set(name, { name, value, secure: 'secure' in options, path: options.path || '/', options });
  }
}
