// Types of what any Action finds around it, whatever its trigger: what this server has, and nothing else.
//
// docs/actions-platform.md says how far each goes. Beside it, an editor needs the language's own types (lib es2023).

type ByteSource = ArrayBuffer | ArrayBufferView;
type BodyText = string | URLSearchParams | ByteSource;
type HeaderSource = Headers | Record<string, string> | Iterable<[string, string]>;

interface RequestOptions {
  method?: string;
  headers?: HeaderSource;
  /** At most 256 KiB. */
  body?: BodyText | null;
  redirect?: 'follow' | 'manual' | 'error';
  signal?: AbortSignal | null;
}

/** At most 10 in one run; answers of at most 1 MiB; public addresses only, unless the operator allows others. */
declare function fetch(input: string | URL | Request, init?: RequestOptions): Promise<Response>;

declare class Headers {
  constructor(init?: HeaderSource);
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  forEach(callback: (value: string, name: string, headers: Headers) => void): void;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

interface WithBody {
  readonly bodyUsed: boolean;
  text(): Promise<string>;
  json(): Promise<any>;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
}
interface Request extends WithBody {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly redirect: 'follow' | 'manual' | 'error';
  readonly signal: AbortSignal | null;
  clone(): Request;
}
declare const Request: { new (input: string | URL | Request, init?: RequestOptions): Request };
interface Response extends WithBody {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: Headers;
  clone(): Response;
}
declare const Response: {
  new (body?: BodyText | null, init?: { status?: number; statusText?: string; headers?: HeaderSource }): Response;
  json(value: unknown, init?: { status?: number; statusText?: string; headers?: HeaderSource }): Response;
};

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string, base?: string): boolean;
  static parse(url: string, base?: string): URL | null;
  href: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  readonly origin: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
  toJSON(): string;
}
declare class URLSearchParams {
  constructor(init?: string | Record<string, string> | Iterable<[string, string]>);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void): void;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}

declare class TextEncoder {
  readonly encoding: 'utf-8';
  encode(text?: string): Uint8Array;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
  constructor(label?: 'utf-8' | 'utf8', options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: ByteSource): string;
}
declare function atob(text: string): string;
declare function btoa(text: string): string;

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}
declare class Event {
  constructor(type: string, options?: { cancelable?: boolean });
  readonly type: string;
  readonly target: EventTarget | null;
  readonly defaultPrevented: boolean;
  preventDefault(): void;
  stopImmediatePropagation(): void;
}
declare class EventTarget {
  addEventListener(type: string, callback: (event: Event) => void, options?: { once?: boolean; signal?: AbortSignal }): void;
  removeEventListener(type: string, callback: (event: Event) => void): void;
  dispatchEvent(event: Event): boolean;
}
interface AbortSignal extends EventTarget {
  readonly aborted: boolean;
  readonly reason: any;
  throwIfAborted(): void;
}
declare const AbortSignal: {
  abort(reason?: unknown): AbortSignal;
  timeout(ms: number): AbortSignal;
  any(signals: Iterable<AbortSignal>): AbortSignal;
};
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

type HashName = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
type KeyAlgorithm =
  | { name: 'HMAC' | 'RSASSA-PKCS1-v1_5'; hash: HashName | { name: HashName } }
  | { name: 'ECDSA'; namedCurve: 'P-256' };
type SignAlgorithm = 'HMAC' | 'RSASSA-PKCS1-v1_5' | { name: string; hash?: HashName | { name: HashName } };
interface CryptoKey {
  readonly type: 'secret' | 'public' | 'private';
  readonly extractable: boolean;
  readonly usages: ('sign' | 'verify')[];
}
declare const crypto: {
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): string;
  subtle: {
    digest(algorithm: HashName | { name: HashName }, data: ByteSource): Promise<ArrayBuffer>;
    importKey(
      format: 'raw' | 'pkcs8' | 'spki' | 'jwk', key: ByteSource | object, algorithm: KeyAlgorithm,
      extractable: boolean, usages: ('sign' | 'verify')[],
    ): Promise<CryptoKey>;
    sign(algorithm: SignAlgorithm, key: CryptoKey, data: ByteSource): Promise<ArrayBuffer>;
    verify(algorithm: SignAlgorithm, key: CryptoKey, signature: ByteSource, data: ByteSource): Promise<boolean>;
  };
};

type Encoding = 'utf8' | 'utf-8' | 'hex' | 'base64' | 'base64url' | 'latin1' | 'binary' | 'ascii' | 'utf16le' | 'ucs2';
interface Buffer extends Uint8Array {
  toString(encoding?: Encoding, start?: number, end?: number): string;
  toJSON(): { type: 'Buffer'; data: number[] };
  equals(other: Uint8Array): boolean;
  compare(other: Uint8Array): number;
  copy(target: Uint8Array, targetStart?: number, start?: number, end?: number): number;
  write(text: string, offset?: number, length?: number, encoding?: Encoding): number;
  readUInt8(offset?: number): number;
  readUInt16LE(offset?: number): number;
  readUInt16BE(offset?: number): number;
  readUInt32LE(offset?: number): number;
  readUInt32BE(offset?: number): number;
  writeUInt8(value: number, offset?: number): number;
  writeUInt16LE(value: number, offset?: number): number;
  writeUInt16BE(value: number, offset?: number): number;
  writeUInt32LE(value: number, offset?: number): number;
  writeUInt32BE(value: number, offset?: number): number;
}
declare const Buffer: {
  from(text: string, encoding?: Encoding): Buffer;
  from(bytes: ByteSource | ArrayLike<number>): Buffer;
  alloc(size: number, fill?: string | number | Uint8Array, encoding?: Encoding): Buffer;
  concat(list: Uint8Array[], length?: number): Buffer;
  compare(one: Uint8Array, other: Uint8Array): number;
  byteLength(value: string | ByteSource, encoding?: Encoding): number;
  isBuffer(value: unknown): value is Buffer;
  isEncoding(encoding: string): boolean;
};

// `Intl.DateTimeFormat` is the language's own type. Here it knows en-US, en-GB, de-DE, sv-SE and en-CA, and any IANA time
// zone; without `timeZone` it tells UTC. The rest of `Intl` is refused by name.

type PlatformModule = 'assert' | 'buffer' | 'crypto' | 'events' | 'querystring' | 'url' | 'util';
/** Knows these modules, with and without `node:`, and those that the Action names (`actions:NAME`); throws for others. */
declare function require(name: PlatformModule | `node:${PlatformModule}` | `actions:${string}`): any;

// For `import`, which becomes `require`.
declare module 'assert';
declare module 'node:assert';
declare module 'buffer';
declare module 'node:buffer';
declare module 'crypto';
declare module 'node:crypto';
declare module 'events';
declare module 'node:events';
declare module 'querystring';
declare module 'node:querystring';
declare module 'url';
declare module 'node:url';
declare module 'util';
declare module 'node:util';
