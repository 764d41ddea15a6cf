// TextEncoder, TextDecoder, atob and btoa (Encoding Standard, UTF-8 alone; HTML Standard, base64).
(function (native, kit) {
  'use strict';

  /** The bytes behind any buffer or view of one, without copying. */
  const bytesOf = (value, what) => {
    if (value === undefined) return new Uint8Array(0);
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    throw new TypeError(`${what} must be an ArrayBuffer or a view of one.`);
  };

  class TextEncoder {
    get encoding() {
      return 'utf-8';
    }
    encode(text = '') {
      return new Uint8Array(native.encode('utf8', String(text).toWellFormed()));
    }
    encodeInto(text, target) {
      const source = String(text).toWellFormed();
      let [read, written] = [0, 0];
      for (const letter of source) {
        const bytes = this.encode(letter);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += letter.length;
      }
      return { read, written };
    }
  }

  class TextDecoder {
    #fatal;
    #ignoreBOM;
    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
      const known = ['utf-8', 'utf8', 'unicode-1-1-utf-8'];
      if (!known.includes(String(label).trim().toLowerCase())) {
        throw new RangeError(`The encoding "${label}" is not available on this server: only utf-8 is.`);
      }
      this.#fatal = Boolean(fatal);
      this.#ignoreBOM = Boolean(ignoreBOM);
    }
    get encoding() {
      return 'utf-8';
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#ignoreBOM;
    }
    decode(input, { stream = false } = {}) {
      if (stream) throw new TypeError('TextDecoder with { stream: true } is not available on this server.');
      const bytes = bytesOf(input, 'The input of TextDecoder.decode');
      const text = this.#fatal ? native.decodeUtf8(bytes) : native.decode('utf8', bytes);
      if (typeof text !== 'string') throw new TypeError('The encoded data was not valid for encoding utf-8');
      return !this.#ignoreBOM && text.startsWith('\uFEFF') ? text.slice(1) : text;
    }
  }

  const refuse = (text) => {
    throw new (kit.use('events').DOMException)(text, 'InvalidCharacterError');
  };

  function atob(text) {
    const bytes = native.forgivingBase64(String(text).toWellFormed());
    return typeof bytes === 'string' ? bytes : refuse('The string to be decoded is not correctly encoded.');
  }

  function btoa(text) {
    const source = String(text).toWellFormed();
    for (let index = 0; index < source.length; index++) {
      if (source.charCodeAt(index) > 255) refuse('Invalid character: only U+0000 to U+00FF can be encoded.');
    }
    return native.decode('base64', new Uint8Array(native.encode('latin1', source)));
  }

  return { TextEncoder, TextDecoder, atob, btoa, bytesOf };
})
