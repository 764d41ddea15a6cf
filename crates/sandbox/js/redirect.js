// `api.redirect` and `api.authentication` of a post-login Action.
//
// Evaluates to a function (host, realm) that gives the realm what realm.js takes into its `api`. Auth0: Actions,
// post-login, API object; redirect with Actions. What the rules rest on (the user, the state, whether a redirect is
// possible) is read before a tenant's code runs. Invariant: as in platform.js, no method is looked up on a built-in
// afterwards.
(function (host, realm) {
  'use strict';

  const { defineProperty, isFinite, now, parse, stringify, wellFormed, Text, Failure, WrongType } = realm.safe;
  const { command, decodeToken, encodeToken, redirectUrl } = host;
  const { floor } = Math;
  const { isArray } = Array;
  const hasOwn = Object.hasOwn;

  const isObject = (value) => typeof value === 'object' && value !== null;
  const options = (value) => (isObject(value) ? value : { __proto__: null });
  const textIn = (object, key) =>
    isObject(object) && hasOwn(object, key) && typeof object[key] === 'string' ? object[key] : undefined;
  const accept = (refusal) => {
    if (refusal !== undefined) throw new Failure(refusal);
  };
  const nonEmpty = (value, what) => {
    if (typeof value !== 'string' || value === '') throw new WrongType(`The ${what} must be a non-empty string.`);
    return wellFormed(value);
  };

  const EXPIRES_IN_SECONDS = 900;
  const TOKEN_PARAMETER = 'session_token';
  const METHOD_UNITS_MAX = 2048;
  const USER_ID_UNITS_MAX = 128;
  const EXCHANGE = 'oauth2-refresh-token';

  /** Whether nobody sits in front of a browser that could be shown something. */
  const isSilent = ({ transaction }) => {
    if (!isObject(transaction)) return false;
    if (transaction.protocol === EXCHANGE) return true;
    const { prompt } = transaction;
    if (!isArray(prompt)) return false;
    for (let index = 0; index < prompt.length; index++) if (prompt[index] === 'none') return true;
    return false;
  };

  /** Names and values in turn. */
  const flat = (query) => {
    const all = [];
    let length = 0;
    const add = (value) =>
      defineProperty(all, length++, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    for (const key in query) {
      if (!hasOwn(query, key) || query[key] === undefined || query[key] === null) continue;
      add(wellFormed(key));
      add(wellFormed(Text(query[key])));
    }
    return all;
  };

  const redirectApi = (event, api, continues) => {
    const silent = isSilent(event);
    const { request } = event;
    const userId = textIn(event.user, 'user_id');
    const hostname = textIn(request, 'hostname');
    const ip = textIn(request, 'ip');
    const sent = continues && isObject(request) ? request : { __proto__: null };
    const state = textIn(sent.query, 'state') ?? textIn(sent.body, 'state');
    return {
      canRedirect() {
        return !silent;
      },
      sendUserTo(url, given) {
        const target = redirectUrl(nonEmpty(url, 'URL given to api.redirect.sendUserTo'), flat(options(given).query));
        accept(command('sendUserTo', '', target));
        return api;
      },
      encodeToken(given) {
        const { secret, expiresInSeconds = EXPIRES_IN_SECONDS, payload } = options(given);
        const key = nonEmpty(secret, 'secret given to api.redirect.encodeToken');
        if (typeof expiresInSeconds !== 'number' || !isFinite(expiresInSeconds) || expiresInSeconds <= 0) {
          throw new WrongType('The expiresInSeconds given to api.redirect.encodeToken must be a positive number.');
        }
        if (payload !== undefined && (!isObject(payload) || isArray(payload))) {
          throw new WrongType('The payload given to api.redirect.encodeToken must be an object.');
        }
        const iat = floor(now() / 1000);
        const exp = iat + floor(expiresInSeconds);
        const claims = { __proto__: null, iat, iss: hostname, sub: userId, exp, ip, ...payload };
        return encodeToken(key, wellFormed(stringify(claims)));
      },
      validateToken(given) {
        const { secret, tokenParameterName = TOKEN_PARAMETER } = options(given);
        const key = nonEmpty(secret, 'secret given to api.redirect.validateToken');
        const parameter = nonEmpty(tokenParameterName, 'tokenParameterName given to api.redirect.validateToken');
        if (!continues) {
          throw new Failure('api.redirect.validateToken can only be called in onContinuePostLogin.');
        }
        const token = textIn(sent.query, parameter) ?? textIn(sent.body, parameter);
        if (token === undefined) {
          throw new Failure(`There is no parameter called '${parameter}' in the query or the body of the request.`);
        }
        const claims = parse(decodeToken(key, wellFormed(token)));
        const exp = hasOwn(claims, 'exp') ? claims.exp : undefined;
        if (typeof exp !== 'number') throw new Failure('The session token has no expiry (exp).');
        if (now() >= exp * 1000) throw new Failure('The session token has expired.');
        if (hasOwn(claims, 'nbf') && typeof claims.nbf === 'number' && now() < claims.nbf * 1000) {
          throw new Failure('The session token is not good yet (nbf).');
        }
        if (state === undefined || textIn(claims, 'state') !== state) {
          throw new Failure('The state in the token does not match the state of this transaction.');
        }
        return claims;
      },
    };
  };

  const authenticationApi = (event, api, continues) => {
    const exchanges = isObject(event.transaction) && event.transaction.protocol === EXCHANGE;
    let altered = false;
    return {
      recordMethod(url) {
        if (!continues) {
          throw new Failure('api.authentication.recordMethod can only be called in onContinuePostLogin.');
        }
        const name = nonEmpty(url, 'URL given to api.authentication.recordMethod');
        if (name.length > METHOD_UNITS_MAX) {
          throw new Failure(`The URL given to api.authentication.recordMethod is longer than ${METHOD_UNITS_MAX} characters.`);
        }
        redirectUrl(name, []);
        accept(command('recordMethod', '', name));
        return api;
      },
      setPrimaryUser(given) {
        if (exchanges) {
          throw new Failure('api.authentication.setPrimaryUser is not available on this server when a refresh token is exchanged.');
        }
        if (altered) throw new Failure('The primary user can only be altered once per transaction');
        if (typeof given !== 'string' || given === '') {
          throw new Failure('The provided primary_user_id must be a non-empty string');
        }
        if (given.length > USER_ID_UNITS_MAX) {
          throw new Failure('The provided primary_user_id exceeds the maximum length.');
        }
        accept(command('setPrimaryUser', '', wellFormed(given)));
        altered = true;
      },
    };
  };

  realm.postLogin = { __proto__: null, redirectApi, authenticationApi };
  return realm;
})
