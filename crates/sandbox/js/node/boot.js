// What Node.js is started with: reads the worker's own scripts from the host and hands them their two sockets.
//
// Descriptor 0 carries jobs, fetches and outcomes; descriptor 1 carries questions that the host answers at once.
(() => {
  'use strict';
  const { read, readSync, writeSync } = require('node:fs');
  const vm = require('node:vm');
  const { reallyExit } = process;

  const fill = (descriptor, bytes) => {
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(descriptor, bytes, at, bytes.length - at, null);
      // The host has hung up: nobody is left to tell.
      if (count === 0) reallyExit(0);
      at += count;
    }
    return bytes;
  };
  const parse = JSON.parse;
  const stringify = JSON.stringify;

  /** Blocks until the next message. */
  const receive = (descriptor) => {
    const length = fill(descriptor, Buffer.alloc(4)).readUInt32LE(0);
    return parse(fill(descriptor, Buffer.allocUnsafe(length)).toString('utf8'));
  };

  const send = (descriptor, message) => {
    const body = Buffer.from(stringify(message), 'utf8');
    const framed = Buffer.allocUnsafe(4 + body.length);
    framed.writeUInt32LE(body.length, 0);
    body.copy(framed, 4);
    for (let at = 0; at < framed.length; ) at += writeSync(descriptor, framed, at, framed.length - at);
  };

  /** Calls back with the next message, and keeps the process alive until then. */
  const receiveLater = (descriptor, callback) => {
    const more = (bytes, at, done) => {
      if (at === bytes.length) return done(bytes);
      read(descriptor, bytes, at, bytes.length - at, null, (error, count) => {
        if (error || count === 0) reallyExit(0);
        more(bytes, at + count, done);
      });
    };
    more(Buffer.alloc(4), 0, (prefix) => {
      more(Buffer.allocUnsafe(prefix.readUInt32LE(0)), 0, (body) => callback(parse(body.toString('utf8'))));
    });
  };

  const boot = receive(0);
  const { realm, redirect, network, worker } = boot.scripts;
  const evaluate = (source) => new vm.Script(source, { filename: 'vestibule:node' }).runInThisContext();
  const parts = { realm: evaluate(realm), redirect: evaluate(redirect), network: evaluate(network) };
  evaluate(worker)({ receive, receiveLater, send }, boot, parts, require);
})();
