// The `api` that a post-login Action sees: each method only appends a command, through a function of the host.
//
// Evaluates to a function (host, realm) that completes the realm with `start`. The rules for metadata are the host's
// (the domain crate's), so there is one; the order of checks and the texts are Auth0's (Actions, post-login, API
// object). Invariant: as in platform.js, no method is looked up on a built-in after a tenant's code has run.
(function (host, realm) {
  'use strict';

  const { apply, defineProperty, isFinite, parse, require, stringify, wellFormed, symbolText } = realm.safe;
  const { Text, Failure, WrongType } = realm.safe;
  delete realm.safe;
  const { redirectApi, authenticationApi } = realm.postLogin;
  delete realm.postLogin;
  const {
    cached,
    command,
    deleteCache,
    deleteSessionMetadata,
    evictSessionMetadata,
    expireSession,
    hasSession,
    metadataRefusal,
    revokeSession,
    sessionMetadata,
    setCache,
    setSessionMetadata,
  } = host;

  /** Any value as text that the host can take. */
  const text = (value) => wellFormed(typeof value === 'symbol' ? symbolText(value) : Text(value));
  const optionalText = (value) => (value === undefined || value === null ? '' : text(value));
  const isObject = (value) => typeof value === 'object' && value !== null;
  /** Turns a host function's refusal into an exception. */
  const accept = (refusal) => {
    if (refusal !== undefined) throw new Failure(refusal);
  };
  /** Sets a property whatever setters, prototypes and frozen objects say; a frozen object stays as it is. */
  const put = (object, key, value) => {
    try {
      defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    } catch {
      // A proxy of the script's own making may throw: it only misleads itself.
    }
  };

  const json = (value, method) => {
    const result = stringify(value === undefined ? null : value);
    if (typeof result !== 'string') throw new WrongType(`The value given to ${method} must be JSON.`);
    return wellFormed(result);
  };
  const name = (value, method) => {
    if (typeof value !== 'string' || value === '') {
      throw new WrongType(`The name given to ${method} must be a non-empty string.`);
    }
    return wellFormed(value);
  };

  // ---- api.session

  const sessionApi = (event) => {
    /** Shows the script what it just changed, as a copy that it may spoil. */
    const publish = () => {
      if (isObject(event.session)) put(event.session, 'metadata', parse(sessionMetadata()));
    };
    const exists = () => hasSession() && Boolean(event.session);

    const setMetadata = (key, value) => {
      if (!exists()) return 'Cannot set metadata on a session that does not exist.';
      if (typeof key !== 'string') return 'Invalid metadata: Metadata key must be a string';
      if (value === null) return deleteSessionMetadata(wellFormed(key));
      if (typeof value !== 'string') return 'Invalid metadata: Metadata value must be a string';
      return setSessionMetadata(wellFormed(key), wellFormed(value));
    };

    const expire = (idle, atMs) => {
      if (!atMs) throw new Failure('Either inactivity or absolute expiration time must be provided');
      if (typeof atMs !== 'number' || !isFinite(atMs)) {
        throw new WrongType('The expiration time must be a number of milliseconds since 1970.');
      }
      if (hasSession()) accept(expireSession(idle, atMs));
    };

    return {
      setMetadata(key, value) {
        const refusal = setMetadata(key, value);
        if (refusal !== undefined) throw new Failure(`Failed to set session metadata: ${refusal}`);
        publish();
      },
      deleteMetadata(key) {
        if (!exists() || typeof key !== 'string') return;
        accept(deleteSessionMetadata(wellFormed(key)));
        publish();
      },
      evictMetadata() {
        if (!exists()) return;
        accept(evictSessionMetadata());
        publish();
      },
      setExpiresAt(absoluteMs) {
        expire(false, absoluteMs);
      },
      setIdleExpiresAt(idleMs) {
        expire(true, idleMs);
      },
      setCookieMode(mode) {
        if (!mode) throw new Failure('Cookie mode must be provided');
        if (mode !== 'persistent' && mode !== 'non-persistent') {
          throw new Failure(`Invalid cookie mode: ${text(mode)}. Valid values are 'persistent' and 'non-persistent'.`);
        }
        if (!exists()) return;
        accept(command('setCookieMode', '', mode));
        if (isObject(event.session)) put(event.session, 'cookie', { ...event.session.cookie, mode });
      },
      revoke(reason, options) {
        const preserve = isObject(options) && Boolean(options.preserveRefreshTokens);
        accept(revokeSession(optionalText(reason), preserve));
      },
    };
  };

  // ---- api.refreshToken

  const refreshTokenApi = (event) => {
    const start = isObject(event.refresh_token) ? event.refresh_token.metadata : undefined;
    // What is set before there is a token waits for the one that this transaction gives.
    let metadata = { __proto__: null, ...(isObject(start) ? parse(stringify(start)) : undefined) };
    const publish = (next) => {
      metadata = next;
      if (isObject(event.refresh_token)) put(event.refresh_token, 'metadata', { ...next });
    };
    const without = (key) => {
      const next = { __proto__: null, ...metadata };
      delete next[key];
      return next;
    };
    const remove = (key) => {
      if (!(key in metadata)) return undefined;
      const refusal = command('deleteRefreshTokenMetadata', key, '');
      if (refusal === undefined) publish(without(key));
      return refusal;
    };
    const flat = (entries) => {
      const all = [];
      let length = 0;
      for (const key in entries) {
        put(all, length++, key);
        put(all, length++, entries[key]);
      }
      return all;
    };
    const setMetadata = (key, value) => {
      if (typeof key !== 'string') return 'Invalid metadata: Metadata key must be a string';
      if (value === null) return remove(wellFormed(key));
      if (typeof value !== 'string') return 'Invalid metadata: Metadata value must be a string';
      const next = { __proto__: null, ...metadata };
      put(next, wellFormed(key), wellFormed(value));
      const refusal =
        metadataRefusal(flat(next)) ?? command('setRefreshTokenMetadata', wellFormed(key), wellFormed(value));
      if (refusal === undefined) publish(next);
      return refusal;
    };
    const expire = (kind, atMs) => {
      if (!atMs) throw new Failure('Either inactivity or absolute expiration time must be provided');
      if (typeof atMs !== 'number' || !isFinite(atMs)) {
        throw new WrongType('The expiration time must be a number of milliseconds since 1970.');
      }
      accept(command(kind, '', text(atMs)));
    };
    return {
      setMetadata(key, value) {
        const refusal = setMetadata(key, value);
        if (refusal !== undefined) throw new Failure(`Failed to set refresh token metadata: ${refusal}`);
      },
      deleteMetadata(key) {
        if (typeof key === 'string') accept(remove(wellFormed(key)));
      },
      evictMetadata() {
        accept(command('evictRefreshTokenMetadata', '', ''));
        publish({ __proto__: null });
      },
      setExpiresAt(absoluteMs) {
        expire('setRefreshTokenExpiresAt', absoluteMs);
      },
      setIdleExpiresAt(idleMs) {
        expire('setRefreshTokenIdleExpiresAt', idleMs);
      },
      revoke(reason) {
        accept(command('revokeRefreshToken', '', optionalText(reason)));
      },
    };
  };

  // ---- api.cache, of every trigger

  const cacheText = (value, what, method) => {
    if (typeof value !== 'string') throw new WrongType(`The ${what} given to api.cache.${method} must be a string.`);
    return wellFormed(value);
  };
  /** A number as the host judges it; what is no number is none that could be meant. */
  const moment = (value) => (value === undefined || typeof value === 'number' ? value : NaN);
  const cacheApi = () => ({
    get(key) {
      const record = cached(cacheText(key, 'key', 'get'));
      return record === undefined ? undefined : parse(record);
    },
    set(key, value, options) {
      const legalKey = cacheText(key, 'key', 'set');
      const legalValue = cacheText(value, 'value', 'set');
      return parse(setCache(legalKey, legalValue, moment(options?.ttl), moment(options?.expires_at)));
    },
    delete(key) {
      return parse(deleteCache(cacheText(key, 'key', 'delete')));
    },
  });

  // ---- the rest of what works

  const scope = (value, method) => {
    if (typeof value !== 'string' || !isScope(value)) {
      throw new WrongType(`The scope given to ${method} must be a string of 1 to 280 characters without spaces.`);
    }
    return wellFormed(value);
  };
  const isScope = (value) => {
    for (let index = 0; index < value.length; index++) {
      const letter = value[index];
      if (letter === ' ' || letter === '\t' || letter === '\n' || letter === '\r') return false;
    }
    return value.length > 0 && value.length <= 280;
  };

  const TRANSACTION_KEY_UNITS_MAX = 64;
  const TRANSACTION_VALUE_UNITS_MAX = 8192;
  const TRANSACTION_UNITS_MAX = 16384;

  const transactionApi = (event) => {
    const start = isObject(event.transaction) ? event.transaction.metadata : undefined;
    // A private copy: what the script does to its own doesn't count.
    const metadata = { __proto__: null, ...(isObject(start) ? parse(stringify(start)) : undefined) };
    return {
      setMetadata(key, value) {
        const method = 'api.transaction.setMetadata';
        const legal = name(key, method);
        if (legal.length > TRANSACTION_KEY_UNITS_MAX) {
          throw new Failure(`The name given to ${method} must be at most ${TRANSACTION_KEY_UNITS_MAX} characters long.`);
        }
        const kind = typeof value;
        if (value !== null && kind !== 'string' && kind !== 'boolean' && !(kind === 'number' && isFinite(value))) {
          throw new WrongType(`The value given to ${method} must be a string, a number, a boolean or null.`);
        }
        const written = json(value, method);
        const next = { __proto__: null, ...metadata };
        if (value === null) delete next[legal];
        else put(next, legal, value);
        if (written.length > TRANSACTION_VALUE_UNITS_MAX || stringify(next).length > TRANSACTION_UNITS_MAX) {
          throw new Failure(`The value given to ${method} is too long.`);
        }
        accept(command('setTransactionMetadata', legal, written));
        if (value === null) delete metadata[legal];
        else put(metadata, legal, value);
        if (!isObject(event.transaction)) put(event, 'transaction', {});
        put(event.transaction, 'metadata', { ...metadata });
      },
    };
  };

  /** Methods that Auth0 documents and this server lacks: they exist, so that a script learns which one it is. */
  const missing = {
    __proto__: null,
    authentication: ['challengeWith', 'challengeWithAny', 'enrollWith', 'enrollWithAny'],
    groups: ['getUserGroups', 'hasGroupMembership'],
    multifactor: ['enable'],
    prompt: ['render'],
    roles: ['getUserEffectiveRoles', 'getUserEffectiveRolesByIds', 'getUserEffectiveRolesByNames'],
    rules: ['wasExecuted'],
    samlResponse: [
      'setAttribute', 'setAudience', 'setAuthnContextClassRef', 'setCert', 'setCreateUpnClaim', 'setDestination',
      'setDigestAlgorithm', 'setEncryptionAlgorithm', 'setEncryptionCert', 'setEncryptionPublicKey',
      'setIncludeAttributeNameFormat', 'setIssuer', 'setKey', 'setLifetimeInSeconds', 'setMapIdentities',
      'setMapUnknownClaimsAsIs', 'setNameIdentifierFormat', 'setNameIdentifierProbes',
      'setPassthroughClaimsWithNoMapping', 'setRecipient', 'setRelayState', 'setSignResponse',
      'setSignatureAlgorithm', 'setSigningCert', 'setTypedAttributes',
    ],
    transaction: ['addTargetScope', 'removeTargetScope', 'setTargetScopes', 'clearTargetScopes'],
  };

  const addMethods = (object, group, methods) => {
    for (let index = 0; index < methods.length; index++) {
      const path = `api.${group}.${methods[index]}`;
      put(object, methods[index], () => {
        throw new Failure(`${path} is not available on this server yet.`);
      });
    }
    return object;
  };

  /** A group of which nothing works is made when a script first names it: most never do. */
  const addMissing = (api, groups) => {
    for (const group in groups) {
      if (group in api) {
        addMethods(api[group], group, groups[group]);
        continue;
      }
      const reach = (...given) => {
        const value = given.length === 0 ? addMethods({}, group, groups[group]) : given[0];
        put(api, group, value);
        return value;
      };
      defineProperty(api, group, { __proto__: null, get: reach, set: reach, enumerable: true, configurable: true });
    }
  };

  const postLoginApi = (event, continues) => {
    const setter = (kind, method) => (key, value) => {
      accept(command(kind, name(key, method), json(value, method)));
      return api;
    };
    const api = {
      access: {
        deny(reason) {
          accept(command('deny', '', optionalText(reason)));
          return api;
        },
      },
      accessToken: {
        setCustomClaim: setter('setAccessTokenClaim', 'api.accessToken.setCustomClaim'),
        addScope(value) {
          accept(command('addScope', '', scope(value, 'api.accessToken.addScope')));
        },
        removeScope(value) {
          accept(command('removeScope', '', scope(value, 'api.accessToken.removeScope')));
        },
      },
      cache: cacheApi(),
      idToken: { setCustomClaim: setter('setIdTokenClaim', 'api.idToken.setCustomClaim') },
      refreshToken: refreshTokenApi(event),
      session: sessionApi(event),
      transaction: transactionApi(event),
      user: {
        setAppMetadata: setter('setAppMetadata', 'api.user.setAppMetadata'),
        setUserMetadata: setter('setUserMetadata', 'api.user.setUserMetadata'),
      },
      validation: {
        error(code, message) {
          accept(command('validationError', optionalText(code), optionalText(message)));
          return api;
        },
      },
    };
    api.authentication = authenticationApi(event, api, continues);
    api.redirect = redirectApi(event, api, continues);
    addMissing(api, missing);
    return api;
  };

  /** A method that appends a command of a name and a JSON value, and answers `api`. */
  const setterOf = (api, kind, method) => (key, value) => {
    accept(command(kind, name(key, method), json(value, method)));
    return api;
  };

  const credentialsExchangeApi = () => {
    const api = {
      access: {
        deny(code, reason) {
          accept(command('denyWithCode', name(code, 'api.access.deny'), optionalText(reason)));
          return api;
        },
      },
      cache: cacheApi(),
      transaction: {},
    };
    api.accessToken = { setCustomClaim: setterOf(api, 'setAccessTokenClaim', 'api.accessToken.setCustomClaim') };
    addMissing(api, { __proto__: null, transaction: missing.transaction });
    return api;
  };

  const preUserRegistrationApi = () => {
    const api = {
      access: {
        deny(reason, userMessage) {
          accept(command('denyRegistration', optionalText(reason), optionalText(userMessage)));
          return api;
        },
      },
      cache: cacheApi(),
      validation: {
        error(code, message) {
          accept(command('denyRegistration', optionalText(code), optionalText(message)));
          return api;
        },
      },
    };
    api.user = {
      setAppMetadata: setterOf(api, 'setAppMetadata', 'api.user.setAppMetadata'),
      setUserMetadata: setterOf(api, 'setUserMetadata', 'api.user.setUserMetadata'),
    };
    return api;
  };

  /** Nobody waits for these Actions, so there is nothing else that they could ask for. */
  const afterwardsApi = () => ({ cache: cacheApi() });

  const apis = {
    __proto__: null,
    onExecutePostLogin: (event) => postLoginApi(event, false),
    onContinuePostLogin: (event) => postLoginApi(event, true),
    onExecuteCredentialsExchange: credentialsExchangeApi,
    onExecutePreUserRegistration: preUserRegistrationApi,
    onExecutePostUserRegistration: afterwardsApi,
    onExecutePostChangePassword: afterwardsApi,
  };
  const makeApi = (event, handlerName) => (apis[handlerName] ?? apis.onExecutePostLogin)(event);

  // ---- the run

  const call = async (handler, event, api) => {
    await apply(handler, undefined, [event, api]);
  };

  /** Loads the Action and calls its handler: a promise, or undefined if it exports none. */
  realm.start = (event, factory, handlerName, actionName) => {
    const api = makeApi(event, handlerName);
    const module = { exports: {} };
    apply(factory, module.exports, [module.exports, require, module, actionName, '.']);
    const exported = module.exports;
    const handler = isObject(exported) || typeof exported === 'function' ? exported[handlerName] : undefined;
    return typeof handler === 'function' ? call(handler, event, api) : undefined;
  };
  return realm;
})
