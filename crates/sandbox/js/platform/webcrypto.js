// crypto: random values, digests, HMAC, and signatures with RSA and ECDSA (Web Cryptography API, a part of it).
(function (native, kit) {
  'use strict';

  const { bytesOf, TextEncoder } = kit.use('encoding');
  const { DOMException } = kit.use('events');
  const RANDOM_BYTES_MAX = 65536;
  const fail = (text, name) => {
    throw new DOMException(text, name);
  };

  const HASHES = { __proto__: null, 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
  const nameOf = (algorithm) => String(typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm);
  const hashOf = (algorithm) => {
    const name = nameOf(algorithm).toUpperCase();
    return HASHES[name] ?? fail(`The digest ${name} is not available on this server.`, 'NotSupportedError');
  };
  const NAMES = { __proto__: null, HMAC: 'HMAC', 'RSASSA-PKCS1-V1_5': 'RSASSA-PKCS1-v1_5', ECDSA: 'ECDSA' };
  const signatureOf = (algorithm) => {
    const name = nameOf(algorithm);
    return NAMES[name.toUpperCase()] ??
      fail(`The algorithm ${name} is not available on this server: HMAC, RSASSA-PKCS1-v1_5 and ECDSA are.`, 'NotSupportedError');
  };

  const KEYS = new WeakMap();
  const OURS = Symbol('made here');

  class CryptoKey {
    constructor(mark, type, algorithm, extractable, usages, material) {
      if (mark !== OURS) throw new TypeError('Illegal constructor');
      KEYS.set(this, material);
      Object.assign(this, { type, algorithm, extractable: Boolean(extractable), usages: [...usages] });
      Object.freeze(this);
    }
  }

  const JWK_PART_UNITS_MAX = 4096;
  const fromBase64Url = (text, what) => {
    if (text?.length > JWK_PART_UNITS_MAX) fail(`The JWK's "${what}" is too long.`, 'DataError');
    if (typeof text !== 'string' || !/^[A-Za-z0-9_-]+$/.test(text)) fail(`The JWK's "${what}" is missing or no base64url.`, 'DataError');
    return Uint8Array.from(atobUrl(text), (letter) => letter.charCodeAt(0));
  };
  const { atob } = kit.use('encoding');
  const atobUrl = (text) => atob(text.replaceAll('-', '+').replaceAll('_', '/'));

  const COORDINATE_BYTES = 32;
  const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

  /** A JWK (RFC 7517) as { isPrivate, format, bytes }. */
  const readJwk = (jwk) => {
    if (typeof jwk !== 'object' || jwk === null) throw new TypeError('The key must be a JSON Web Key object.');
    const part = (name) => fromBase64Url(jwk[name], name);
    if (jwk.kty === 'oct') return { type: 'oct', bytes: part('k') };
    if (jwk.kty === 'RSA') {
      const isPrivate = jwk.d !== undefined;
      const names = isPrivate ? ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] : ['n', 'e'];
      const bytes = new Uint8Array(native.rsaKey(names.map(part)));
      return { type: 'rsa', isPrivate, format: isPrivate ? 'pkcs1' : 'public', bytes };
    }
    if (jwk.kty === 'EC') {
      if (jwk.crv !== 'P-256') fail(`The curve ${jwk.crv} is not available on this server: P-256 is.`, 'NotSupportedError');
      const [x, y] = [part('x'), part('y')];
      const isPrivate = jwk.d !== undefined;
      const scalar = isPrivate ? part('d') : new Uint8Array(0);
      if (x.length !== COORDINATE_BYTES || y.length !== COORDINATE_BYTES || (isPrivate && scalar.length !== COORDINATE_BYTES)) {
        fail('The JWK has coordinates of a wrong length.', 'DataError');
      }
      return { type: 'ec', isPrivate, format: isPrivate ? 'raw' : 'public', bytes: joined(scalar, [4], x, y) };
    }
    return fail(`The key type ${jwk.kty} is not available on this server.`, 'NotSupportedError');
  };

  const readKey = (format, data) => {
    switch (format) {
      case 'jwk':
        return readJwk(data);
      case 'raw':
        return { type: 'oct', isPrivate: false, format: 'public', bytes: bytesOf(data, 'The key').slice() };
      case 'pkcs8':
        return { isPrivate: true, format: 'pkcs8', bytes: bytesOf(data, 'The key').slice() };
      case 'spki':
        return { isPrivate: false, format: 'public', bytes: bytesOf(data, 'The key').slice() };
      default:
        return fail(`The key format ${format} is not available on this server.`, 'NotSupportedError');
    }
  };

  const importKey = (format, data, algorithm, extractable, usages) => {
    const name = signatureOf(algorithm);
    const key = readKey(format, data);
    if (name === 'HMAC') {
      if (key.type !== 'oct') fail('An HMAC key must be "raw" or a "jwk" of type oct.', 'DataError');
      if (key.bytes.length === 0) fail('An HMAC key must not be empty.', 'DataError');
      const described = { name, hash: { name: nameOf(algorithm.hash).toUpperCase() }, length: key.bytes.length * 8 };
      return new CryptoKey(OURS, 'secret', described, extractable, usages, { ...key, hash: hashOf(algorithm.hash) });
    }
    const wanted = name === 'ECDSA' ? 'ec' : 'rsa';
    if (native.keyType(key.format, key.bytes) !== wanted) {
      fail(`The data is no ${name} key, or one of a kind that is not available on this server.`, 'DataError');
    }
    const type = key.isPrivate ? 'private' : 'public';
    if (name === 'ECDSA') {
      return new CryptoKey(OURS, type, { name, namedCurve: 'P-256' }, extractable, usages, key);
    }
    const described = { name, hash: { name: nameOf(algorithm.hash).toUpperCase() } };
    return new CryptoKey(OURS, type, described, extractable, usages, { ...key, hash: hashOf(algorithm.hash) });
  };

  const materialOf = (key, algorithm, usage) => {
    const material = KEYS.get(key);
    if (material === undefined) throw new TypeError('The key must be a CryptoKey.');
    if (key.algorithm.name !== signatureOf(algorithm)) fail('The key is for another algorithm.', 'InvalidAccessError');
    if (!key.usages.includes(usage)) fail(`The key may not be used to ${usage}.`, 'InvalidAccessError');
    return material;
  };

  const digest = (algorithm, data) => native.digest(hashOf(algorithm), bytesOf(data, 'The data'));
  const sign = (algorithm, key, data) => {
    const material = materialOf(key, algorithm, 'sign');
    const bytes = bytesOf(data, 'The data');
    if (key.type === 'secret') return native.hmac(material.hash, material.bytes, bytes);
    if (key.type !== 'private') fail('A private key is needed to sign.', 'InvalidAccessError');
    return native.sign(material.hash ?? hashOf(algorithm.hash), true, material.format, material.bytes, bytes);
  };
  const verify = (algorithm, key, signature, data) => {
    const material = materialOf(key, algorithm, 'verify');
    const bytes = bytesOf(data, 'The data');
    const given = bytesOf(signature, 'The signature');
    if (key.type === 'secret') {
      return native.isEqual(new Uint8Array(native.hmac(material.hash, material.bytes, bytes)), given);
    }
    if (key.type !== 'public') fail('A public key is needed to verify.', 'InvalidAccessError');
    return native.verify(material.hash ?? hashOf(algorithm.hash), true, material.bytes, given, bytes);
  };

  const missing = (name) => async () =>
    fail(`crypto.subtle.${name} is not available on this server.`, 'NotSupportedError');

  const subtle = {
    digest: async (algorithm, data) => digest(algorithm, data),
    importKey: async (...parts) => importKey(...parts),
    sign: async (...parts) => sign(...parts),
    verify: async (...parts) => verify(...parts),
  };
  for (const name of ['encrypt', 'decrypt', 'generateKey', 'exportKey', 'deriveBits', 'deriveKey', 'wrapKey', 'unwrapKey']) {
    subtle[name] = missing(name);
  }

  const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
  const randomUUID = () => {
    const bytes = new Uint8Array(native.random(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const text = Array.from(bytes, (byte) => HEX[byte]).join('');
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
  };
  const getRandomValues = (array) => {
    if (!ArrayBuffer.isView(array) || array instanceof Float32Array || array instanceof Float64Array || array instanceof DataView) {
      throw new DOMException('The argument must be a typed array of integers.', 'TypeMismatchError');
    }
    if (array.byteLength > RANDOM_BYTES_MAX) {
      throw new DOMException(`At most ${RANDOM_BYTES_MAX} bytes can be had at once.`, 'QuotaExceededError');
    }
    bytesOf(array, 'The array').set(new Uint8Array(native.random(array.byteLength)));
    return array;
  };

  const crypto = { getRandomValues, randomUUID, subtle, CryptoKey };
  return { crypto, readJwk, TextEncoder };
})
