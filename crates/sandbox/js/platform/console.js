// `console`, and the text of any value: for its lines, for messages, and for thrown values that are no errors.
// It may be made after a script patched the built-ins, so it uses those of before.
(function (native, kit) {
  'use strict';

  const { apply, slice, stringify, symbolText, Text, Failure, wellFormed } = kit.safe;
  const { pristine, writeLine } = kit;
  const { ownKeys, getOwnPropertyDescriptor, isArray, SetOf, RegExpOf } = pristine;
  const uncurry = (method) => (self, ...parts) => apply(method, self, parts);
  const charAt = uncurry(pristine.charAt);
  const dateTime = uncurry(pristine.getTime);
  const dateText = uncurry(pristine.toISOString);
  const regexpText = uncurry(pristine.regexpText);
  const mapEach = uncurry(pristine.mapEach);
  const mapHas = uncurry(pristine.mapHas);
  const setEach = uncurry(pristine.setEach);
  const setAdd = uncurry(pristine.setAdd);
  const setHas = uncurry(pristine.setHas);
  const setDelete = uncurry(pristine.setDelete);

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

  const NODES_MAX = 2000;
  const DEPTH_MAX = 5;

  const quoted = (text) => stringify(text);

  const inspect = (value, budget, depth, inside) => {
    switch (typeof value) {
      case 'string':
        return depth === 0 ? value : quoted(slice(value, 0, 65536));
      case 'symbol':
        return symbolText(value);
      case 'bigint':
        return `${Text(value)}n`;
      case 'function': {
        const name = value.name;
        return typeof name === 'string' && name !== '' ? `[Function: ${name}]` : '[Function (anonymous)]';
      }
      case 'object':
        return value === null ? 'null' : inspectObject(value, budget, depth, inside);
      default:
        return Text(value);
    }
  };

  const inspectObject = (value, budget, depth, inside) => {
    if (setHas(inside, value)) return '[Circular]';
    if (isDate(value)) return is(dateText, value) ? dateText(value) : 'Invalid Date';
    if (isError(value)) return errorText(value);
    if (isRegExp(value)) return regexpText(value);
    if (depth >= DEPTH_MAX) return isArray(value) ? '[Array]' : '[Object]';
    setAdd(inside, value);
    const text = isArray(value)
      ? inspectArray(value, budget, depth, inside)
      : isMap(value) || isSet(value)
        ? inspectCollection(value, budget, depth, inside)
        : inspectPlain(value, budget, depth, inside);
    setDelete(inside, value);
    return text;
  };

  const inspectArray = (value, budget, depth, inside) => {
    let text = '';
    for (let index = 0; index < value.length; index++) {
      if (text !== '') text += ', ';
      if (--budget.nodes < 0) return `[ ${text}… ]`;
      text += inspect(value[index], budget, depth + 1, inside);
    }
    return text === '' ? '[]' : `[ ${text} ]`;
  };

  const inspectCollection = (value, budget, depth, inside) => {
    let text = '';
    const add = (part, key) => {
      if (--budget.nodes < 0) return;
      if (text !== '') text += ', ';
      if (isMap(value)) text += `${inspect(key, budget, depth + 1, inside)} => `;
      text += inspect(part, budget, depth + 1, inside);
    };
    if (isMap(value)) mapEach(value, add);
    else setEach(value, add);
    return `${isMap(value) ? 'Map' : 'Set'} { ${text} }`;
  };

  const inspectPlain = (value, budget, depth, inside) => {
    const keys = ownKeys(value);
    let text = '';
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      const property = getOwnPropertyDescriptor(value, key);
      if (property === undefined || !property.enumerable) continue;
      if (text !== '') text += ', ';
      if (--budget.nodes < 0) return `{ ${text}… }`;
      text += typeof key === 'symbol' ? `[${symbolText(key)}]: ` : `${key}: `;
      text += 'value' in property ? inspect(property.value, budget, depth + 1, inside) : '[Getter]';
    }
    return text === '' ? '{}' : `{ ${text} }`;
  };

  const errorText = (error) => {
    const { name, message, stack } = error;
    const head = message === undefined || message === '' ? Text(name) : `${Text(name)}: ${Text(message)}`;
    return typeof stack === 'string' && stack !== '' ? `${head}\n${stack}` : head;
  };

  const textOf = (value) => inspect(value, { __proto__: null, nodes: NODES_MAX }, 0, new SetOf());

  // ---- the console itself

  const formatDirective = (letter, value) => {
    switch (letter) {
      case 's':
        return typeof value === 'object' || typeof value === 'function' ? textOf(value) : Text(value);
      case 'd':
      case 'i':
      case 'f':
        return typeof value === 'bigint' ? `${Text(value)}n` : Text(typeof value === 'symbol' ? NaN : +value);
      case 'j':
        return Text(stringify(value));
      case 'c':
        return '';
      default:
        return textOf(value);
    }
  };

  /** What `console.log` makes of its arguments: printf directives in a leading string, then the rest. */
  const format = (parts) => {
    let text = '';
    let used = 0;
    if (parts.length > 0 && typeof parts[0] === 'string') {
      const pattern = parts[0];
      used = 1;
      for (let index = 0; index < pattern.length; index++) {
        const letter = pattern[index] === '%' ? charAt(pattern, index + 1) : '';
        if (letter === '%') {
          text += '%';
          index++;
        } else if (
          used < parts.length &&
          (letter === 's' || letter === 'd' || letter === 'i' || letter === 'f' || letter === 'j' ||
            letter === 'o' || letter === 'O' || letter === 'c')
        ) {
          text += formatDirective(letter, parts[used++]);
          index++;
        } else {
          text += pattern[index];
        }
      }
    }
    for (; used < parts.length; used++) {
      if (used > 0) text += ' ';
      text += textOf(parts[used]);
    }
    return text;
  };

  const LINE_UNITS_MAX = 65536;
  const shortest = (parts) => (parts.length === 1 && typeof parts[0] === 'string' ? parts[0] : format(parts));
  let hasRoom = true;
  const writer = (level) => (...parts) => {
    if (hasRoom) hasRoom = writeLine(level, wellFormed(slice(shortest(parts), 0, LINE_UNITS_MAX)));
  };
  const console = {
    log: writer('log'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    debug: writer('debug'),
    trace: writer('trace'),
  };
  return { console, inspect: textOf, format };
})
