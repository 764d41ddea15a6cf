// The worker in Node.js: the same `api` as elsewhere (js/realm.js), one job, then the end of the process.
//
// What a script asks for is kept by the host: each function of `host` is a question to it, with the answer awaited.
// So the rules and bounds are the host's, whatever a script does to this process.
(function (wire, boot, parts, requireCore) {
  'use strict';

  const [CALLS, QUESTIONS] = [0, 1];
  const TEXT_UNITS_MAX = 8192;
  const LINE_UNITS_MAX = 65536;
  const Module = requireCore('node:module');
  const util = requireCore('node:util');
  const vm = requireCore('node:vm');
  const { Writable, Readable } = requireCore('node:stream');
  const { performance } = requireCore('node:perf_hooks');
  const { reallyExit, cpuUsage } = process;
  const { receive, receiveLater, send } = wire;
  const { apply, defineProperty, getPrototypeOf } = Reflect;
  const uncurry = (method) => (self, ...rest) => apply(method, self, rest);
  const wellFormed = uncurry(String.prototype.toWellFormed);
  const slice = uncurry(String.prototype.slice);
  const symbolText = uncurry(Symbol.prototype.toString);

  const define = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });

  // ---- the host's functions

  const host = { elapsedMs: () => performance.now() };
  for (const name of boot.functions) {
    host[name] = (...parameters) => {
      send(QUESTIONS, { function: name, arguments: parameters });
      const answer = receive(QUESTIONS);
      if (typeof answer === 'object' && answer !== null) throw new Error(answer.refusal);
      return answer === null ? undefined : answer;
    };
  }

  // ---- fetches, carried out by the host

  const waiting = new Map();
  let asked = 0;
  let listening = false;
  const listen = () => {
    if (listening || waiting.size === 0) return;
    listening = true;
    receiveLater(CALLS, ({ Answer: { id, result } }) => {
      listening = false;
      const wait = waiting.get(id);
      waiting.delete(id);
      listen();
      wait?.(result);
    });
  };

  /** Sends a request; calls back with `{ Ok: response }` or `{ Err: … }`. Throws if it may not be sent. */
  const ask = (request, callback) => {
    const { limits } = boot;
    const refuse = (text) => {
      throw new TypeError(`fetch failed: ${text}`);
    };
    if (asked >= limits.fetches) refuse(`an Action may make at most ${limits.fetches} requests`);
    const headerBytes = request.headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    if (
      request.body.length > limits.body_bytes || request.url.length > limits.url_bytes ||
      request.headers.length > limits.headers || headerBytes > limits.header_bytes
    ) {
      refuse('the request is longer than a script may send');
    }
    const id = ++asked;
    waiting.set(id, callback);
    send(CALLS, { Fetch: { id, request: { ...request, body: request.body.toString('base64') } } });
    listen();
    return () => waiting.delete(id);
  };

  // ---- what a script finds around it

  let hasRoom = true;
  const writeLine = (level, text) => {
    if (hasRoom) hasRoom = host.console(level, wellFormed(slice(text, 0, LINE_UNITS_MAX)));
  };
  const sink = (level) =>
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        const text = String(chunk);
        writeLine(level, text.endsWith('\n') ? text.slice(0, -1) : text);
        done();
      },
    });

  const surround = () => {
    const [out, error] = [sink('log'), sink('error')];
    const { Console } = requireCore('node:console');
    const console = new Console({ stdout: out, stderr: error });
    for (const level of ['debug', 'error', 'info', 'log', 'trace', 'warn']) {
      console[level] = (...values) => {
        if (hasRoom) writeLine(level, util.format(...values));
      };
    }
    define(globalThis, 'console', console);
    define(globalThis, 'crypto', requireCore('node:crypto').webcrypto);
    define(process, 'env', {});
    define(process, 'argv', ['node']);
    define(process, 'execArgv', []);
    define(process, 'stdout', out);
    define(process, 'stderr', error);
    define(process, 'stdin', Readable.from([]));
    const refused = [
      '_debugProcess', '_kill', '_linkedBinding', '_startProfilerIdleNotifier', 'abort', 'binding', 'chdir', 'dlopen',
      'execve', 'exit', 'kill', 'reallyExit',
    ];
    for (const name of refused) {
      define(process, name, () => {
        throw new Error(`process.${name} is not available to Actions.`);
      });
    }
    for (const name of ['WebSocket', 'EventSource']) delete globalThis[name];
    // A script given on the command line finds each core module as a global; an Action must not.
    for (const name of [...Module.builtinModules, 'require', 'exports', '__filename', '__dirname']) {
      if (name !== 'process' && name !== 'console' && name !== 'crypto') delete globalThis[name];
    }
  };

  const folder = `${process.cwd()}/`;

  // ---- modules that Actions share: compiled when first required, like elsewhere (js/platform.js)

  const sharedModules = new Map();
  const refuseModule = (message) => {
    throw Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' });
  };
  const isShared = (name) => typeof name === 'string' && name.startsWith('actions:');
  const makeRequire = (base) => {
    const inModule = Object.assign(
      (name) =>
        isShared(name)
          ? refuseModule(`Cannot find module '${name}': a module cannot require other modules`)
          : base(name),
      base,
    );
    const require = (name) => {
      if (!isShared(name)) return base(name);
      const shared = sharedModules.get(name);
      if (shared === undefined) {
        refuseModule(`Cannot find module '${name}': it is not among the modules of this version of the Action`);
      }
      if (shared.module === null) {
        const module = { exports: {} };
        const parameters = ['actions', 'exports', 'require', 'module', '__filename', '__dirname'];
        const body = vm.compileFunction(shared.code, parameters, { filename: name });
        apply(body, module.exports, [{ secrets: shared.secrets }, module.exports, inModule, module, name, '.']);
        shared.module = module;
      }
      return shared.module.exports;
    };
    return Object.assign(require, base);
  };
  const share = ({ name, code, secrets }) => sharedModules.set(`actions:${name}`, { code, secrets, module: null });

  const makeRealm = (require) => {
    const realm = {
      safe: {
        __proto__: null,
        apply,
        defineProperty,
        getPrototypeOf,
        isFinite: Number.isFinite,
        now: Date.now,
        parse: JSON.parse,
        require,
        slice,
        stringify: JSON.stringify,
        wellFormed,
        symbolText,
        Text: String,
        Failure: Error,
        WrongType: TypeError,
      },
    };
    return parts.realm(host, parts.redirect(host, realm));
  };

  // ---- the run

  /** Our own frames and Node's say nothing to whoever wrote the Action; nor does where the packages are. */
  const readable = (stack) =>
    stack
      .split('\n')
      .filter((line) => !/^\s+at .*(vestibule:node|node:internal|node:vm)/.test(line))
      .join('\n')
      .replaceAll(`file://${folder}`, '')
      .replaceAll(folder, '');

  const cut = (text, length) => wellFormed(slice(text, 0, length));
  const property = (value, name) => {
    try {
      const part = value[name];
      return part === undefined || part === null ? '' : String(part);
    } catch {
      return '';
    }
  };
  const describe = (thrown) => {
    let parts = ['', '', ''];
    if ((typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function') {
      parts = ['name', 'message', 'stack'].map((name) => property(thrown, name));
      if (!util.types.isNativeError(thrown) && parts[1] === '') parts[1] = util.inspect(thrown);
    } else {
      parts[1] = String(thrown);
    }
    return {
      kind: 'script',
      name: cut(parts[0], 128),
      message: cut(parts[1].replaceAll(folder, ''), TEXT_UNITS_MAX),
      stack: cut(readable(parts[2]), TEXT_UNITS_MAX),
    };
  };

  const compile = (request) =>
    vm.compileFunction(request.code, ['exports', 'require', 'module', '__filename', '__dirname'], {
      filename: request.action_name,
      importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });

  /** Where a source can't be parsed, from the picture that heads the error's stack: place, line of source, marks. */
  const syntaxError = (error) => {
    const lines = String(error.stack).split('\n');
    const line = Number(/:(\d+)$/.exec(lines[0])?.[1] ?? 0);
    const column = line === 0 ? 0 : Math.max(0, (lines[2] ?? '').indexOf('^') + 1);
    return { message: cut(String(error.message), TEXT_UNITS_MAX), line, column };
  };

  const run = (realm, request) => {
    const [began, used] = [performance.now(), cpuUsage()];
    let over = false;
    const end = (failure) => {
      if (over) return;
      over = true;
      const { user, system } = cpuUsage(used);
      const wall = Math.round((performance.now() - began) * 1000);
      send(CALLS, { Ran: { commands: [], console: [], cpu_us: user + system, wall_us: wall, failure } });
      reallyExit(0);
    };
    process.on('uncaughtException', (thrown) => end(describe(thrown)));
    process.on('unhandledRejection', () => {});
    process.on('beforeExit', () => {
      const message = "The Action's promise never settled: nothing is left that could settle it.";
      end({ kind: 'script', name: 'Error', message, stack: '' });
    });
    let factory;
    try {
      factory = compile(request);
    } catch (error) {
      end({ kind: 'syntax', ...syntaxError(error) });
      return;
    }
    let promise;
    try {
      promise = realm.start(request.event, factory, request.handler, request.action_name);
    } catch (thrown) {
      end(describe(thrown));
      return;
    }
    if (promise === undefined) end({ kind: 'no_handler' });
    else promise.then(() => end(null), (thrown) => end(describe(thrown)));
  };

  const build = (request) => {
    let built = { Ok: null };
    try {
      compile(request);
    } catch (thrown) {
      built = { Err: { kind: 'syntax', ...syntaxError(thrown) } };
    }
    send(CALLS, { Built: built });
    reallyExit(0);
  };

  // After the command line's script has come to its end. All that needs no job is done before there is one.
  process.nextTick(() => {
    surround();
    parts.network({ ask, requireCore, Module, define, failures: boot.fetch_failures });
    const realm = makeRealm(makeRequire(Module.createRequire(folder)));
    send(CALLS, 'Ready');
    const { Job: request } = receive(CALLS);
    request.modules.forEach(share);
    if (request.task === 'Build') build(request);
    else run(realm, request);
  });
});
