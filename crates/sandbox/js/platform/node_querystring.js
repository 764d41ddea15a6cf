// Node.js's module `querystring`.
(function () {
  'use strict';

  const KEYS_MAX = 1000;
  const unescape = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const escape = (text) => encodeURIComponent(String(text).toWellFormed()).replace(/%(21|27|28|29|2A)/g, decodeURIComponent);
  const text = (value) =>
    typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || (typeof value === 'number' && isFinite(value))
      ? String(value)
      : '';

  const parse = (query, separator = '&', equals = '=', { maxKeys = KEYS_MAX, decodeURIComponent: decode = unescape } = {}) => {
    const result = Object.create(null);
    if (typeof query !== 'string' || query === '') return result;
    const pairs = query.split(separator || '&');
    const read = (part) => decode(part.replaceAll('+', ' '));
    for (const pair of maxKeys > 0 ? pairs.slice(0, maxKeys) : pairs) {
      if (pair === '') continue;
      const at = pair.indexOf(equals || '=');
      const key = read(at < 0 ? pair : pair.slice(0, at));
      const value = at < 0 ? '' : read(pair.slice(at + (equals || '=').length));
      if (!(key in result)) result[key] = value;
      else if (Array.isArray(result[key])) result[key].push(value);
      else result[key] = [result[key], value];
    }
    return result;
  };
  const stringify = (object, separator = '&', equals = '=', { encodeURIComponent: encode = escape } = {}) => {
    if (object === null || typeof object !== 'object') return '';
    const pair = (key, value) => `${encode(key)}${equals || '='}${encode(text(value))}`;
    const parts = Object.keys(object).flatMap((key) =>
      Array.isArray(object[key]) ? object[key].map((value) => pair(key, value)) : [pair(key, object[key])]);
    return parts.join(separator || '&');
  };
  return { parse, stringify, decode: parse, encode: stringify, escape, unescape };
})
