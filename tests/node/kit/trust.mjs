// Makes this process trust a server's local certificate authority.
//
// Node reads NODE_EXTRA_CA_CERTS only at its start, and each server makes its authority at its own first start. So
// every secure context that names no authorities gets ours; nothing else is trusted, for tests talk to loopback only.

import tls from 'node:tls';

const authorities = [];
const createSecureContext = tls.createSecureContext;

tls.createSecureContext = (options = {}) =>
  createSecureContext(authorities.length > 0 && !options.ca ? { ...options, ca: [...authorities] } : options);

/** Trusts one more authority, given as PEM. */
export function trust(pem) {
  authorities.push(pem);
}
