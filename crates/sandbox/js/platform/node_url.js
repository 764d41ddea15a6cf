// Node.js's module `url`: the classes, and the older functions over them.
(function (native, kit) {
  'use strict';

  const { URL, URLSearchParams } = kit.use('url');
  const querystring = kit.use('node:querystring');

  /** The older parser's answer; relative references keep their missing parts null. */
  const parse = (text, withQuery = false) => {
    const source = String(text).trim();
    let url = null;
    try {
      url = new URL(source);
    } catch {
      // A relative reference.
    }
    const base = url ?? new URL(source, 'http://unknown/');
    const search = base.search === '' ? null : base.search;
    const query = search === null ? null : search.slice(1);
    const auth = url === null || url.username === '' ? null : decodeURIComponent(url.username + (url.password ? `:${url.password}` : ''));
    const pathname = url === null ? source.split(/[?#]/)[0] || null : base.pathname;
    return {
      protocol: url && url.protocol, slashes: url === null ? null : source.includes('://'), auth, host: url && url.host,
      port: url === null || url.port === '' ? null : url.port, hostname: url && url.hostname, hash: base.hash === '' ? null : base.hash,
      search, query: withQuery ? querystring.parse(query ?? '') : query, pathname,
      path: pathname === null && search === null ? null : (pathname ?? '') + (search ?? ''), href: url === null ? source : url.href,
    };
  };
  const format = (url) => {
    if (typeof url === 'string' || url instanceof URL) return String(url);
    const { protocol, auth, hostname, port, pathname, query, hash } = url;
    const scheme = protocol ? (protocol.endsWith(':') ? protocol : `${protocol}:`) : '';
    const host = url.host ?? (hostname ? hostname + (port ? `:${port}` : '') : '');
    const text = query !== null && typeof query === 'object' ? querystring.stringify(query) : query ?? '';
    const search = url.search ?? (text === '' ? '' : `?${text}`);
    const slashes = host !== '' || url.slashes ? '//' : '';
    const path = pathname && host !== '' && !pathname.startsWith('/') ? `/${pathname}` : pathname ?? '';
    const end = hash ? (hash.startsWith('#') ? hash : `#${hash}`) : '';
    return `${scheme}${slashes}${auth ? `${auth}@` : ''}${host}${path}${search && !search.startsWith('?') ? `?${search}` : search}${end}`;
  };
  const resolve = (from, to) => {
    const base = new URL(from, 'resolve://');
    const url = new URL(to, base);
    return url.protocol === 'resolve:' ? url.pathname + url.search + url.hash : url.href;
  };
  return { URL, URLSearchParams, parse, format, resolve };
})
