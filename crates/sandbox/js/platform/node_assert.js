// Node.js's module `assert`.
(function (native, kit) {
  'use strict';

  const { _isDeepEqual: isDeepEqual } = kit.use('node:util');
  const { inspect } = kit.use('console');

  class AssertionError extends Error {
    constructor({ message, actual, expected, operator }) {
      super(message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`);
      const generatedMessage = message === undefined;
      Object.assign(this, { generatedMessage, code: 'ERR_ASSERTION', actual, expected, operator });
    }
    get name() {
      return 'AssertionError';
    }
  }
  const fail = (message, actual, expected, operator) => {
    if (message instanceof Error) throw message;
    throw new AssertionError({ message, actual, expected, operator });
  };
  const ok = (value, message) => {
    if (!value) fail(message ?? 'The expression evaluated to a falsy value', value, true, '==');
  };
  const comparison = (operator, holds) => (actual, expected, message) => {
    if (!holds(actual, expected)) fail(message, actual, expected, operator);
  };
  const loosely = (one, other) => one == other || (one !== one && other !== other);

  /** Whether what was thrown is what was expected: a class, a pattern, a test or properties. */
  const fits = (error, expected) => {
    if (expected === undefined) return true;
    if (expected instanceof RegExp) return expected.test(String(error));
    if (typeof expected === 'function') {
      if (expected.prototype !== undefined && error instanceof expected) return true;
      return !(expected === Error || Error.isPrototypeOf(expected)) && expected.call({}, error) === true;
    }
    return Object.keys(expected).every((key) =>
      expected[key] instanceof RegExp ? expected[key].test(String(error?.[key])) : isDeepEqual(error?.[key], expected[key], true));
  };
  const judge = (failed, error, expected, message) => {
    const [wanted, text] = typeof expected === 'string' ? [undefined, expected] : [expected, message];
    if (!failed) fail(text ?? 'Missing expected exception.', undefined, wanted, 'throws');
    if (!fits(error, wanted)) {
      if (text === undefined) throw error;
      fail(text, error, wanted, 'throws');
    }
  };

  const assert = (value, message) => ok(value, message);
  Object.assign(assert, {
    ok,
    AssertionError,
    fail: (message = 'Failed') => fail(message, undefined, undefined, 'fail'),
    equal: comparison('==', loosely),
    notEqual: comparison('!=', (one, other) => !loosely(one, other)),
    strictEqual: comparison('===', Object.is),
    notStrictEqual: comparison('!==', (one, other) => !Object.is(one, other)),
    deepEqual: comparison('deepEqual', (one, other) => isDeepEqual(one, other, false)),
    notDeepEqual: comparison('notDeepEqual', (one, other) => !isDeepEqual(one, other, false)),
    deepStrictEqual: comparison('deepStrictEqual', (one, other) => isDeepEqual(one, other, true)),
    notDeepStrictEqual: comparison('notDeepStrictEqual', (one, other) => !isDeepEqual(one, other, true)),
    match: comparison('match', (text, pattern) => pattern.test(text)),
    doesNotMatch: comparison('doesNotMatch', (text, pattern) => !pattern.test(text)),
    ifError: (value) => {
      if (value !== null && value !== undefined) throw value;
    },
    throws: (action, expected, message) => {
      let [failed, error] = [false, undefined];
      try {
        action();
      } catch (thrown) {
        [failed, error] = [true, thrown];
      }
      judge(failed, error, expected, message);
    },
    rejects: async (action, expected, message) => {
      let [failed, error] = [false, undefined];
      try {
        await (typeof action === 'function' ? action() : action);
      } catch (thrown) {
        [failed, error] = [true, thrown];
      }
      judge(failed, error, expected, message);
    },
    doesNotThrow: (action) => {
      action();
    },
    doesNotReject: async (action) => {
      await (typeof action === 'function' ? action() : action);
    },
  });
  const strict = Object.assign((value, message) => ok(value, message), assert, {
    equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
  });
  strict.strict = strict;
  assert.strict = strict;
  return assert;
})
