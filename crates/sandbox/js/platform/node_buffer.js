// Buffer, as Node.js's module `buffer` has it: the methods in common use.
(function (native, kit) {
  'use strict';

  const { atob, btoa, bytesOf } = kit.use('encoding');
  /** Bytes of one Buffer. The run's own memory limit is near anyway. */
  const BYTES_MAX = 64 * 1024 * 1024;
  const ENCODINGS = {
    __proto__: null, utf8: 'utf8', 'utf-8': 'utf8', hex: 'hex', base64: 'base64', base64url: 'base64url', latin1: 'latin1',
    binary: 'latin1', ascii: 'ascii', ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le', 'utf-16le': 'utf16le',
  };
  const encodingOf = (encoding) => {
    const name = encoding === undefined || encoding === null ? 'utf8' : ENCODINGS[String(encoding).toLowerCase()];
    if (name !== undefined) return name;
    throw Object.assign(new TypeError(`Unknown encoding: ${encoding}`), { code: 'ERR_UNKNOWN_ENCODING' });
  };
  const READ_AS = { __proto__: null, base64url: 'base64', ascii: 'latin1' };
  const encode = (text, encoding) => {
    const name = encodingOf(encoding);
    return native.encode(READ_AS[name] ?? name, String(text).toWellFormed());
  };
  const sized = (length) => {
    if (typeof length !== 'number' || !(length >= 0 && length <= BYTES_MAX)) {
      const error = new RangeError(`The value of "size" is out of range. It must be >= 0 && <= ${BYTES_MAX}. Received ${String(length)}`);
      throw Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
    }
    return length;
  };
  const outOfRange = () => {
    throw Object.assign(new RangeError('Attempt to access memory outside buffer bounds'), { code: 'ERR_BUFFER_OUT_OF_BOUNDS' });
  };
  const adopt = (buffer, offset, length) => new FastBuffer(buffer, offset, length);

  class FastBuffer extends Uint8Array {
    static get [Symbol.species]() {
      return FastBuffer;
    }
    toString(encoding, start = 0, end = this.length) {
      return native.decode(encodingOf(encoding), bytesOf(this, 'The buffer').subarray(start, end));
    }
    toLocaleString(encoding) {
      return this.toString(encoding);
    }
    toJSON() {
      return { type: 'Buffer', data: Array.from(this) };
    }
    equals(other) {
      if (!(other instanceof Uint8Array)) throw new TypeError('The "otherBuffer" argument must be a Buffer or Uint8Array.');
      return Buffer.compare(this, other) === 0;
    }
    compare(other) {
      return Buffer.compare(this, other);
    }
    slice(start, end) {
      return this.subarray(start, end);
    }
    copy(target, targetStart = 0, start = 0, end = this.length) {
      const part = this.subarray(start, Math.min(end, start + target.length - targetStart));
      target.set(part, targetStart);
      return part.length;
    }
    write(text, offset = 0, length, encoding) {
      if (typeof offset === 'string') [offset, encoding] = [0, offset];
      if (typeof length === 'string') [length, encoding] = [undefined, length];
      const bytes = new Uint8Array(encode(text, encoding));
      const room = Math.min(length ?? this.length, this.length - offset);
      this.set(bytes.subarray(0, room), offset);
      return Math.min(bytes.length, room);
    }
    fill(value, start = 0, end = this.length, encoding) {
      if (typeof value === 'number') return super.fill(value, start, end);
      if (typeof start === 'string') [start, end, encoding] = [0, this.length, start];
      const bytes = typeof value === 'string' ? new Uint8Array(encode(value, encoding)) : value;
      for (let index = start; index < end && bytes.length > 0; index++) this[index] = bytes[(index - start) % bytes.length];
      return this;
    }
    #needle(value, encoding) {
      return typeof value === 'number' ? [value & 255] : typeof value === 'string' ? new Uint8Array(encode(value, encoding)) : value;
    }
    indexOf(value, from = 0, encoding) {
      const needle = this.#needle(value, typeof from === 'string' ? from : encoding);
      const first = typeof from === 'string' ? 0 : from < 0 ? Math.max(0, this.length + from) : from;
      for (let at = first; at + needle.length <= this.length; at++) {
        let same = 0;
        while (same < needle.length && this[at + same] === needle[same]) same++;
        if (same === needle.length) return at;
      }
      return -1;
    }
    includes(value, from, encoding) {
      return this.indexOf(value, from, encoding) >= 0;
    }
  }

  /** readUInt8, writeUInt16BE and their kin, over the language's own DataView. */
  const addNumbers = (name, method, size, orders) => {
    for (const [suffix, little] of orders) {
      const read = function (offset = 0) {
        if (!Number.isInteger(offset) || offset < 0 || offset + size > this.length) outOfRange();
        return new DataView(this.buffer, this.byteOffset, this.length)[`get${method}`](offset, little);
      };
      const write = function (value, offset = 0) {
        if (!Number.isInteger(offset) || offset < 0 || offset + size > this.length) outOfRange();
        new DataView(this.buffer, this.byteOffset, this.length)[`set${method}`](offset, value, little);
        return offset + size;
      };
      const names = name.startsWith('UInt') ? [name, name.replace('UInt', 'Uint')] : name.startsWith('BigUInt') ? [name, name.replace('UInt', 'Uint')] : [name];
      for (const spelt of names) {
        Object.defineProperty(FastBuffer.prototype, `read${spelt}${suffix}`, { value: read, writable: true, configurable: true });
        Object.defineProperty(FastBuffer.prototype, `write${spelt}${suffix}`, { value: write, writable: true, configurable: true });
      }
    }
  };
  const BOTH = [['LE', true], ['BE', false]];
  addNumbers('UInt8', 'Uint8', 1, [['', true]]);
  addNumbers('Int8', 'Int8', 1, [['', true]]);
  addNumbers('UInt16', 'Uint16', 2, BOTH);
  addNumbers('Int16', 'Int16', 2, BOTH);
  addNumbers('UInt32', 'Uint32', 4, BOTH);
  addNumbers('Int32', 'Int32', 4, BOTH);
  addNumbers('BigUInt64', 'BigUint64', 8, BOTH);
  addNumbers('BigInt64', 'BigInt64', 8, BOTH);
  addNumbers('Float', 'Float32', 4, BOTH);
  addNumbers('Double', 'Float64', 8, BOTH);

  const from = (value, encoding, length) => {
    if (typeof value === 'string') return adopt(encode(value, encoding));
    if (value instanceof ArrayBuffer) return adopt(value, encoding, length);
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return adopt(Uint8Array.from(value).buffer);
    if (typeof value === 'object' && value !== null) {
      if (value.type === 'Buffer' && Array.isArray(value.data)) return from(value.data);
      const primitive = value.valueOf();
      if (primitive !== value && primitive !== null && primitive !== undefined) return from(primitive, encoding, length);
      if (typeof value.length === 'number') return adopt(Uint8Array.from(value).buffer);
    }
    const error = new TypeError('The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.');
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
  };

  /** Both `new Buffer(x)` of old code and `Buffer.from(x)`. */
  function Buffer(value, encoding, length) {
    return typeof value === 'number' ? adopt(new ArrayBuffer(sized(value))) : from(value, encoding, length);
  }
  Buffer.prototype = FastBuffer.prototype;
  Object.defineProperty(FastBuffer.prototype, 'constructor', { value: Buffer, writable: true, configurable: true });
  Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer });
  Object.setPrototypeOf(Buffer, Uint8Array);
  Object.assign(Buffer, {
    from,
    of: (...bytes) => from(bytes),
    alloc(size, fill, encoding) {
      const buffer = adopt(new ArrayBuffer(sized(size)));
      return fill === undefined ? buffer : buffer.fill(fill, 0, size, encoding);
    },
    allocUnsafe: (size) => adopt(new ArrayBuffer(sized(size))),
    allocUnsafeSlow: (size) => adopt(new ArrayBuffer(sized(size))),
    isBuffer: (value) => value instanceof FastBuffer,
    isEncoding: (encoding) => typeof encoding === 'string' && ENCODINGS[encoding.toLowerCase()] !== undefined,
    byteLength(value, encoding) {
      return typeof value === 'string' ? encode(value, encoding).byteLength : value.byteLength;
    },
    compare(one, other) {
      const length = Math.min(one.length, other.length);
      for (let index = 0; index < length; index++) {
        if (one[index] !== other[index]) return one[index] < other[index] ? -1 : 1;
      }
      return one.length < other.length ? -1 : one.length > other.length ? 1 : 0;
    },
    concat(list, length = list.reduce((sum, part) => sum + part.length, 0)) {
      const whole = Buffer.alloc(length);
      let at = 0;
      for (const part of list) {
        if (at >= length) break;
        whole.set(part.length > length - at ? part.subarray(0, length - at) : part, at);
        at += part.length;
      }
      return whole;
    },
    poolSize: 0,
  });

  return { Buffer, atob, btoa, constants: { MAX_LENGTH: BYTES_MAX }, kMaxLength: BYTES_MAX };
})
