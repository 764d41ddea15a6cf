// What Node.js's module `crypto` has for digests, HMAC, random bytes, comparison and signatures.
(function (native, kit) {
  'use strict';

  const { Buffer } = kit.use('node:buffer');
  const { crypto: webcrypto, readJwk } = kit.use('webcrypto');

  const bytesOf = (value, encoding) => {
    if (typeof value === 'string') return Buffer.from(value, encoding);
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    const error = new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.');
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
  };
  const encoded = (buffer, encoding) => {
    const bytes = Buffer.from(buffer);
    return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding);
  };
  const HASHES = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
  const hashOf = (algorithm) => {
    const name = String(algorithm).toLowerCase().replace(/^(rsa|ecdsa)-/, '').replace('-', '');
    if (HASHES.includes(name)) return name;
    const error = new Error(`Digest method not supported: ${algorithm}. On this server there are ${HASHES.join(', ')}.`);
    throw Object.assign(error, { code: 'ERR_CRYPTO_INVALID_DIGEST' });
  };
  const INPUT_BYTES_MAX = 32 * 1024 * 1024;

  /** Gathers what `update` gets; what is done with the whole is the subclass's. */
  class Gatherer {
    #parts = [];
    #bytes = 0;
    #done = false;
    update(data, encoding) {
      if (this.#done) throw Object.assign(new Error('Digest already called'), { code: 'ERR_CRYPTO_HASH_FINALIZED' });
      const part = bytesOf(data, encoding).slice();
      this.#bytes += part.length;
      if (this.#bytes > INPUT_BYTES_MAX) throw new RangeError('The data is longer than 32 MiB.');
      this.#parts.push(part);
      return this;
    }
    write(data, encoding) {
      this.update(data, encoding);
      return true;
    }
    end(data, encoding) {
      if (data !== undefined) this.update(data, encoding);
      return this;
    }
    static whole(gatherer) {
      if (gatherer.#done) throw Object.assign(new Error('Digest already called'), { code: 'ERR_CRYPTO_HASH_FINALIZED' });
      gatherer.#done = true;
      return Buffer.concat(gatherer.#parts);
    }
  }
  const whole = Gatherer.whole;
  delete Gatherer.whole;

  class Hash extends Gatherer {
    #algorithm;
    constructor(algorithm) {
      super();
      this.#algorithm = hashOf(algorithm);
    }
    digest(encoding) {
      return encoded(native.digest(this.#algorithm, whole(this)), encoding);
    }
  }
  class Hmac extends Gatherer {
    #algorithm;
    #key;
    constructor(algorithm, key) {
      super();
      this.#algorithm = hashOf(algorithm);
      this.#key = key instanceof KeyObject ? KEYS.get(key).bytes : bytesOf(key).slice();
    }
    digest(encoding) {
      return encoded(native.hmac(this.#algorithm, this.#key, whole(this)), encoding);
    }
  }

  // ---- keys

  const KEYS = new WeakMap();
  class KeyObject {
    constructor(type, material) {
      this.type = type;
      if (material.type === 'rsa' || material.type === 'ec') this.asymmetricKeyType = material.type;
      KEYS.set(this, material);
    }
  }
  const FORMATS = {
    __proto__: null, 'PRIVATE KEY': 'pkcs8', 'RSA PRIVATE KEY': 'pkcs1', 'EC PRIVATE KEY': 'sec1', 'PUBLIC KEY': 'public',
    'RSA PUBLIC KEY': 'public',
  };
  const unreadable = (text) => Object.assign(new Error(text), { code: 'ERR_OSSL_UNSUPPORTED' });
  const readPem = (text) => {
    const block = native.readPem(String(text));
    if (!block) throw unreadable('The key is not PEM.');
    const format = FORMATS[block.label];
    if (format === undefined) throw unreadable(`A key in a "${block.label}" block is not available on this server.`);
    return { format, isPrivate: format !== 'public', bytes: new Uint8Array(block.der) };
  };
  const DER = { __proto__: null, pkcs1: 'pkcs1', pkcs8: 'pkcs8', sec1: 'sec1', spki: 'public' };
  const readKey = (given) => {
    if (given instanceof KeyObject) return KEYS.get(given);
    const key = typeof given === 'object' && given !== null && !ArrayBuffer.isView(given) && 'key' in given ? given : { key: given };
    if (key.key instanceof KeyObject) return KEYS.get(key.key);
    if (key.passphrase !== undefined) throw unreadable('Keys with a passphrase are not available on this server.');
    let material;
    if (key.format === 'jwk') material = readJwk(key.key);
    else if (key.format === 'der') {
      const format = DER[key.type];
      if (format === undefined) throw unreadable(`Keys of type ${key.type} are not available on this server.`);
      material = { format, isPrivate: format !== 'public', bytes: bytesOf(key.key).slice() };
    } else material = readPem(typeof key.key === 'string' ? key.key : Buffer.from(bytesOf(key.key)).toString());
    const type = native.keyType(material.format, material.bytes);
    if (typeof type !== 'string') throw unreadable('The key is no RSA key of 2048 to 8192 bits and no EC key on P-256.');
    return { ...material, type };
  };
  const readPublic = (given) => {
    const key = readKey(given);
    if (!key.isPrivate) return key;
    return { type: key.type, format: 'public', isPrivate: false, bytes: new Uint8Array(native.publicKey(key.format, key.bytes)) };
  };

  const isFixed = (key) => typeof key === 'object' && key !== null && key.dsaEncoding === 'ieee-p1363';
  const refuseOptions = (key) => {
    if (typeof key === 'object' && key !== null && (key.padding ?? 1) !== 1) {
      throw unreadable('Only RSA_PKCS1_PADDING is available on this server.');
    }
  };
  const signWith = (hash, key, data) => {
    refuseOptions(key);
    const material = readKey(key);
    if (!material.isPrivate) throw unreadable('A private key is needed to sign.');
    return native.sign(hash, isFixed(key), material.format, material.bytes, data);
  };
  const verifyWith = (hash, key, signature, data) => {
    refuseOptions(key);
    return native.verify(hash, isFixed(key), readPublic(key).bytes, signature, data);
  };

  class Sign extends Gatherer {
    #hash;
    constructor(algorithm) {
      super();
      this.#hash = hashOf(algorithm);
    }
    sign(key, encoding) {
      return encoded(signWith(this.#hash, key, whole(this)), encoding);
    }
  }
  class Verify extends Gatherer {
    #hash;
    constructor(algorithm) {
      super();
      this.#hash = hashOf(algorithm);
    }
    verify(key, signature, encoding) {
      return verifyWith(this.#hash, key, bytesOf(signature, encoding), whole(this));
    }
  }

  // ---- randomness and comparison

  const answer = (callback, make) => {
    if (typeof callback !== 'function') return make();
    const value = make();
    queueMicrotask(() => callback(null, value));
    return undefined;
  };
  const randomBytes = (size, callback) => answer(callback, () => Buffer.from(native.random(sizeOf(size))));
  const sizeOf = (size) => {
    if (Number.isInteger(size) && size >= 0 && size <= 1024 * 1024) return size;
    throw Object.assign(new RangeError('The value of "size" is out of range: 0 to 1048576.'), { code: 'ERR_OUT_OF_RANGE' });
  };
  const randomInt = (min, max, callback) => {
    if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
    const range = max - min;
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || !(range > 0 && range <= 2 ** 48 - 1)) {
      throw Object.assign(new RangeError('The value of "max" is out of range.'), { code: 'ERR_OUT_OF_RANGE' });
    }
    return answer(callback, () => {
      const limit = 2 ** 48 - (2 ** 48 % range);
      for (;;) {
        const bytes = new Uint8Array(native.random(6));
        const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
        if (number < limit) return min + (number % range);
      }
    });
  };
  const timingSafeEqual = (one, other) => {
    const [a, b] = [bytesOf(one), bytesOf(other)];
    if (typeof one === 'string' || typeof other === 'string') throw new TypeError('The arguments must be buffers.');
    if (a.length === b.length) return native.isEqual(a, b);
    throw Object.assign(new RangeError('Input buffers must have the same byte length'), { code: 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH' });
  };

  const crypto = {
    createHash: (algorithm) => new Hash(algorithm),
    createHmac: (algorithm, key) => new Hmac(algorithm, key),
    createSign: (algorithm) => new Sign(algorithm),
    createVerify: (algorithm) => new Verify(algorithm),
    createPrivateKey(key) {
      const material = readKey(key);
      if (!material.isPrivate) throw unreadable('The key is a public one.');
      return new KeyObject('private', material);
    },
    createPublicKey: (key) => new KeyObject('public', readPublic(key)),
    createSecretKey: (key, encoding) => new KeyObject('secret', { type: 'oct', bytes: bytesOf(key, encoding).slice() }),
    hash: (algorithm, data, encoding = 'hex') => new Hash(algorithm).update(data).digest(encoding),
    sign: (algorithm, data, key) => encoded(signWith(hashOf(algorithm), key, bytesOf(data))),
    verify: (algorithm, data, key, signature) => verifyWith(hashOf(algorithm), key, bytesOf(signature), bytesOf(data)),
    getHashes: () => [...HASHES],
    randomBytes,
    randomInt,
    randomUUID: () => webcrypto.randomUUID(),
    getRandomValues: (array) => webcrypto.getRandomValues(array),
    timingSafeEqual,
    KeyObject, Hash, Hmac, Sign, Verify,
    constants: { RSA_PKCS1_PADDING: 1, RSA_PKCS1_PSS_PADDING: 6 },
    subtle: webcrypto.subtle,
    webcrypto,
  };
  for (const name of ['createCipheriv', 'createDecipheriv', 'createDiffieHellman', 'createECDH', 'generateKeyPair', 'generateKeyPairSync', 'hkdf', 'hkdfSync', 'pbkdf2', 'pbkdf2Sync', 'privateDecrypt', 'privateEncrypt', 'publicDecrypt', 'publicEncrypt', 'scrypt', 'scryptSync']) {
    crypto[name] = () => {
      throw new Error(`crypto.${name} is not available on this server.`);
    };
  }
  return crypto;
})
