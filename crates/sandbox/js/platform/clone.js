// `structuredClone`, for the values that JSON events and their like are made of.
// It may be made after a script patched the built-ins, so it uses those of before.
(function (native, kit) {
  'use strict';

  const { apply, defineProperty, slice, Text, Failure } = kit.safe;
  const { pristine } = kit;
  const { ownKeys, getOwnPropertyDescriptor, isArray, MapOf, SetOf, DateOf, RegExpOf } = pristine;
  const uncurry = (method) => (self, ...parts) => apply(method, self, parts);
  const tagOf = uncurry(pristine.tagOf);
  const dateTime = uncurry(pristine.getTime);
  const mapEach = uncurry(pristine.mapEach);
  const mapGet = uncurry(pristine.mapGet);
  const mapHas = uncurry(pristine.mapHas);
  const mapSet = uncurry(pristine.mapSet);
  const setEach = uncurry(pristine.setEach);
  const setAdd = uncurry(pristine.setAdd);
  const setHas = uncurry(pristine.setHas);
  const bufferSlice = uncurry(pristine.bufferSlice);

  /** Whether a method of a built-in works on a value: the only test that can't be faked. */
  const is = (method, value) => {
    try {
      method(value);
      return true;
    } catch {
      return false;
    }
  };
  const isDate = (value) => is(dateTime, value);
  const isMap = (value) => is((map) => mapHas(map, 0), value);
  const isSet = (value) => is((set) => setHas(set, 0), value);
  const isRegExp = (value) => typeof value === 'object' && value instanceof RegExpOf;
  const isError = (value) => typeof value === 'object' && value instanceof Failure;

  const refuseClone = (value) => {
    const error = new Failure(`${slice(kit.use('console').inspect(value), 0, 200)} could not be cloned.`);
    defineProperty(error, 'name', { value: 'DataCloneError', configurable: true, writable: true });
    throw error;
  };

  const clone = (value, copies) => {
    if (typeof value === 'symbol' || typeof value === 'function') refuseClone(value);
    if (typeof value !== 'object' || value === null) return value;
    if (mapHas(copies, value)) return mapGet(copies, value);
    const remember = (copy) => {
      mapSet(copies, value, copy);
      return copy;
    };
    if (isDate(value)) return remember(new DateOf(dateTime(value)));
    if (isMap(value)) {
      const copy = remember(new MapOf());
      mapEach(value, (part, key) => mapSet(copy, clone(key, copies), clone(part, copies)));
      return copy;
    }
    if (isSet(value)) {
      const copy = remember(new SetOf());
      setEach(value, (part) => setAdd(copy, clone(part, copies)));
      return copy;
    }
    if (is((buffer) => bufferSlice(buffer, 0, 0), value)) return remember(bufferSlice(value, 0));
    if (isRegExp(value)) return remember(new RegExpOf(value.source, value.flags));
    if (isError(value)) {
      const copy = remember(new Failure(Text(value.message)));
      defineProperty(copy, 'name', { value: Text(value.name), configurable: true, writable: true });
      return copy;
    }
    if (!isArray(value) && tagOf(value) !== '[object Object]') refuseClone(value);
    const copy = remember(isArray(value) ? [] : {});
    const keys = ownKeys(value);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      const property = getOwnPropertyDescriptor(value, key);
      if (typeof key === 'symbol' || property === undefined || !property.enumerable) continue;
      const part = { __proto__: null, value: clone(value[key], copies), writable: true, enumerable: true, configurable: true };
      defineProperty(copy, key, part);
    }
    return copy;
  };

  return {
    structuredClone(value) {
      return clone(value, new MapOf());
    },
  };
})
