// Node.js's module `util`: what scripts use of it.
(function (native, kit) {
  'use strict';

  const { TextEncoder, TextDecoder } = kit.use('encoding');
  const custom = Symbol.for('nodejs.util.promisify.custom');

  const promisify = (original) => {
    if (typeof original !== 'function') {
      throw Object.assign(new TypeError('The "original" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    if (typeof original[custom] === 'function') return original[custom];
    return function (...parts) {
      return new Promise((resolve, reject) => {
        original.call(this, ...parts, (error, value) => (error ? reject(error) : resolve(value)));
      });
    };
  };
  promisify.custom = custom;
  const callbackify = (original) => function (...parts) {
    const callback = parts.pop();
    original.apply(this, parts).then(
      (value) => queueMicrotask(() => callback(null, value)),
      (error) => queueMicrotask(() => callback(error ?? new Error('Promise was rejected with a falsy value'))),
    );
  };
  const inherits = (child, parent) => {
    Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(child.prototype, parent.prototype);
  };
  const deprecate = (original) => original;

  const works = (method, value) => {
    try {
      method.call(value);
      return true;
    } catch {
      return false;
    }
  };
  const getter = (of, name) => Object.getOwnPropertyDescriptor(of, name).get;
  const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const types = {
    isPromise: (value) => value instanceof Promise,
    isDate: (value) => works(Date.prototype.getTime, value),
    isRegExp: (value) => value instanceof RegExp,
    isNativeError: (value) => value instanceof Error,
    isMap: (value) => works(getter(Map.prototype, 'size'), value),
    isSet: (value) => works(getter(Set.prototype, 'size'), value),
    isArrayBuffer: (value) => works(getter(ArrayBuffer.prototype, 'byteLength'), value),
    isArrayBufferView: (value) => ArrayBuffer.isView(value),
    isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
    isUint8Array: (value) => value instanceof Uint8Array,
    isAsyncFunction: (value) => typeof value === 'function' && tag(value).startsWith('Async'),
    isGeneratorFunction: (value) => typeof value === 'function' && tag(value).endsWith('GeneratorFunction'),
    isWeakMap: (value) => value instanceof WeakMap,
    isWeakSet: (value) => value instanceof WeakSet,
  };

  const isDeepStrictEqual = (one, other) => isDeepEqual(one, other, true);
  const isDeepEqual = (one, other, strict, seen = new Map()) => {
    if (strict ? Object.is(one, other) : one == other || (one !== one && other !== other)) return true;
    if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
    if (strict && Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
    if (tag(one) !== tag(other) || Array.isArray(one) !== Array.isArray(other)) return false;
    if (seen.get(one) === other) return true;
    seen.set(one, other);
    const same = (a, b) => isDeepEqual(a, b, strict, seen);
    if (one instanceof Date && !Object.is(one.getTime(), other.getTime())) return false;
    if (one instanceof RegExp && String(one) !== String(other)) return false;
    if (one instanceof Error && (one.message !== other.message || one.name !== other.name)) return false;
    if (types.isMap(one)) {
      if (one.size !== other.size) return false;
      for (const [key, value] of one) if (!other.has(key) || !same(value, other.get(key))) return false;
    }
    if (types.isSet(one)) {
      if (one.size !== other.size) return false;
      for (const value of one) if (!other.has(value) && ![...other].some((its) => same(value, its))) return false;
    }
    if (types.isArrayBuffer(one)) return same([...new Uint8Array(one)], [...new Uint8Array(other)]);
    if (one instanceof Number || one instanceof String || one instanceof Boolean) {
      if (!Object.is(one.valueOf(), other.valueOf())) return false;
    }
    const keys = Object.keys(one);
    if (keys.length !== Object.keys(other).length) return false;
    return keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]));
  };

  const inspect = (value) => (typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : kit.use('console').inspect(value));
  inspect.custom = Symbol.for('nodejs.util.inspect.custom');
  const format = (...parts) => kit.use('console').format(parts);
  return {
    promisify, callbackify, inherits, deprecate, inspect, format, types, isDeepStrictEqual, TextEncoder, TextDecoder,
    isArray: Array.isArray, _isDeepEqual: isDeepEqual,
  };
})
