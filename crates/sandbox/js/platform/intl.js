// Intl.DateTimeFormat for dates in common use, and the locale methods of Date that rest on it.
//
// The calendar of any zone is the host's. What is not known here is refused by name: never a date in the wrong order.
(function (native) {
  'use strict';

  const ENGLISH = {
    months: ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'],
    days: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  };
  const GERMAN = {
    months: ['Januar', 'Februar', 'März', 'April', 'Mai', 'Juni', 'Juli', 'August', 'September', 'Oktober', 'November', 'Dezember'],
    days: ['Sonntag', 'Montag', 'Dienstag', 'Mittwoch', 'Donnerstag', 'Freitag', 'Samstag'],
    shortMonths: ['Jan.', 'Feb.', 'März', 'Apr.', 'Mai', 'Juni', 'Juli', 'Aug.', 'Sept.', 'Okt.', 'Nov.', 'Dez.'],
    shortDays: ['So', 'Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa'],
  };
  const LOCALES = {
    __proto__: null,
    'en-US': { ...ENGLISH, order: 'mdy', separator: '/', hour12: true },
    'en-GB': { ...ENGLISH, order: 'dmy', separator: '/', padded: true },
    'de-DE': { ...GERMAN, order: 'dmy', separator: '.' },
    // Their numeric dates are ISO 8601; their words are not known here.
    'sv-SE': { order: 'ymd', separator: '-', padded: true, joint: ' ' },
    'en-CA': { ...ENGLISH, order: 'ymd', separator: '-', padded: true, hour12: true, numericOnly: true },
  };
  const ALIASES = { __proto__: null, en: 'en-US', 'en-us': 'en-US', 'en-gb': 'en-GB', de: 'de-DE', 'de-de': 'de-DE', 'sv-se': 'sv-SE', sv: 'sv-SE', 'en-ca': 'en-CA' };

  const localeOf = (locales) => {
    const list = locales === undefined ? ['en-US'] : Array.isArray(locales) ? locales : [locales];
    if (list.length === 0) return 'en-US';
    const known = list.map((locale) => ALIASES[String(locale).toLowerCase()]).find((locale) => locale !== undefined);
    if (known !== undefined) return known;
    throw new RangeError(`The locale ${list[0]} is not available on this server: ${Object.keys(LOCALES).join(', ')} are.`);
  };

  const CHOICES = {
    __proto__: null,
    weekday: ['long', 'short'],
    year: ['numeric', '2-digit'],
    month: ['numeric', '2-digit', 'long', 'short'],
    day: ['numeric', '2-digit'],
    hour: ['numeric', '2-digit'],
    minute: ['numeric', '2-digit'],
    second: ['numeric', '2-digit'],
    timeZoneName: ['short', 'shortOffset'],
    dateStyle: ['short', 'medium', 'long', 'full'],
    timeStyle: ['short', 'medium', 'long'],
    hourCycle: ['h12', 'h23'],
  };
  const FREE = ['timeZone', 'hour12', 'localeMatcher', 'formatMatcher', 'calendar', 'numberingSystem'];
  const STYLES = {
    __proto__: null,
    'en-US': { short: { year: '2-digit', month: 'numeric', day: 'numeric' }, medium: { year: 'numeric', month: 'short', day: 'numeric' } },
    'en-GB': { short: { year: 'numeric', month: '2-digit', day: '2-digit' }, medium: { year: 'numeric', month: 'short', day: 'numeric' } },
    'de-DE': { short: { year: '2-digit', month: '2-digit', day: '2-digit' }, medium: { year: 'numeric', month: '2-digit', day: '2-digit' } },
  };
  const WORDS = { year: 'numeric', month: 'long', day: 'numeric' };

  const checked = (options) => {
    const result = {};
    for (const name of Object.keys(options)) {
      const value = options[name];
      if (value === undefined) continue;
      const choices = CHOICES[name];
      if (choices === undefined ? !FREE.includes(name) : !choices.includes(String(value))) {
        throw new RangeError(`${name}: ${String(value)} is not available in Intl.DateTimeFormat on this server.`);
      }
      result[name] = value;
    }
    return result;
  };

  const DATE = ['weekday', 'year', 'month', 'day'];
  const TIME = ['hour', 'minute', 'second'];

  /** Spells the styles out, and fills in what is meant when nothing is named. */
  const resolved = (locale, given, required, defaults) => {
    const options = { ...given };
    const named = [...DATE, ...TIME].filter((name) => options[name] !== undefined);
    if (options.dateStyle !== undefined || options.timeStyle !== undefined) {
      if (named.length > 0) throw new TypeError(`${named[0]} can't be used together with dateStyle or timeStyle.`);
      const { dateStyle, timeStyle } = options;
      if (dateStyle !== undefined) {
        const fields = dateStyle === 'long' ? WORDS : dateStyle === 'full' ? { weekday: 'long', ...WORDS } : STYLES[locale]?.[dateStyle];
        if (fields === undefined) throw new RangeError(`dateStyle ${dateStyle} is not available for ${locale} on this server.`);
        Object.assign(options, fields);
      }
      if (timeStyle !== undefined) {
        const hour = LOCALES[locale].hour12 ? 'numeric' : '2-digit';
        Object.assign(options, { hour, minute: '2-digit' }, timeStyle === 'short' ? {} : { second: '2-digit' });
        if (timeStyle === 'long') options.timeZoneName = 'short';
      }
      return options;
    }
    const wanted = (names) => names.some((name) => options[name] !== undefined);
    const isMissing = required === 'date' ? !wanted(DATE) : required === 'time' ? !wanted(TIME) : !wanted(DATE) && !wanted(TIME);
    if (isMissing) {
      if (defaults !== 'time') Object.assign(options, { year: 'numeric', month: 'numeric', day: 'numeric' });
      if (defaults !== 'date') Object.assign(options, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
    }
    return options;
  };

  const two = (number) => String(number).padStart(2, '0');
  const AMERICAN = ['EST', 'EDT', 'CST', 'CDT', 'MST', 'MDT', 'PST', 'PDT', 'AKST', 'AKDT', 'HST'];

  const zoneText = (zone, atMs, offset, locale, style) => {
    if (style === 'short') {
      if (zone === 'UTC') return 'UTC';
      const short = native.zoneAbbreviation(zone, atMs);
      if (locale === 'en-US' && zone.startsWith('America/') && AMERICAN.includes(short)) return short;
    }
    if (offset === 0) return 'GMT';
    const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
    return `GMT${offset < 0 ? '-' : '+'}${hours}${minutes === 0 ? '' : `:${two(minutes)}`}`;
  };

  const dateParts = (rules, options, [year, month, day, , , , weekday], locale) => {
    const has = (name) => options[name] !== undefined;
    const literal = (value) => ({ type: 'literal', value });
    const isWord = options.month === 'long' || options.month === 'short';
    if ((isWord || has('weekday')) && (rules.months === undefined || rules.numericOnly)) {
      throw new RangeError(`Names of months and days are not available for ${locale} on this server.`);
    }
    const german = rules.months === GERMAN.months;
    const padMonth = options.month === '2-digit' || (rules.padded && has('day') && has('year'));
    const padDay = options.day === '2-digit' || (rules.padded && !isWord && has('month') && has('year'));
    const monthText = !isWord
      ? padMonth ? two(month) : String(month)
      : options.month === 'long' ? rules.months[month - 1]
        : german ? rules.shortMonths[month - 1] : locale === 'en-GB' && month === 9 ? 'Sept' : rules.months[month - 1].slice(0, 3);
    const fields = {
      year: has('year') && { type: 'year', value: options.year === '2-digit' ? two(year % 100) : String(year) },
      month: has('month') && { type: 'month', value: monthText },
      day: has('day') && { type: 'day', value: padDay ? two(day) : String(day) },
    };
    const parts = [];
    const order = { mdy: ['month', 'day', 'year'], dmy: ['day', 'month', 'year'], ymd: ['year', 'month', 'day'] }[rules.order];
    for (const name of order.filter((one) => fields[one])) {
      if (parts.length > 0) {
        const before = parts[parts.length - 1].type;
        if (!isWord) parts.push(literal(rules.separator));
        else if (before === 'day' && german) parts.push(literal('. '));
        else if (before === 'day' && name === 'year') parts.push(literal(', '));
        else parts.push(literal(' '));
      }
      parts.push(fields[name]);
    }
    if (german && !isWord && parts.length === 3 && !has('year')) parts.push(literal('.'));
    if (has('weekday')) {
      const name = rules.days[weekday];
      const value = options.weekday === 'long' ? name : german ? rules.shortDays[weekday] : name.slice(0, 3);
      const gap = locale === 'en-GB' && isWord && options.weekday === 'long' ? ' ' : ', ';
      if (parts.length > 0) parts.unshift(literal(gap));
      parts.unshift({ type: 'weekday', value });
    }
    return parts;
  };

  const timeParts = (rules, options, [, , , hour, minute, second]) => {
    const has = (name) => options[name] !== undefined;
    const twelve = options.hour12 ?? (options.hourCycle === undefined ? Boolean(rules.hour12) : options.hourCycle === 'h12');
    const parts = [];
    const add = (type, value) => {
      if (parts.length > 0) parts.push({ type: 'literal', value: ':' });
      parts.push({ type, value });
    };
    const shown = twelve ? hour % 12 || 12 : hour;
    if (has('hour')) add('hour', options.hour === '2-digit' || !twelve ? two(shown) : String(shown));
    if (has('minute')) add('minute', has('hour') || has('second') || options.minute === '2-digit' ? two(minute) : String(minute));
    if (has('second')) add('second', has('minute') || options.second === '2-digit' ? two(second) : String(second));
    if (twelve && has('hour')) {
      const names = rules === LOCALES['en-US'] ? ['AM', 'PM'] : rules === LOCALES['en-CA'] ? ['a.m.', 'p.m.'] : ['am', 'pm'];
      parts.push({ type: 'literal', value: ' ' }, { type: 'dayPeriod', value: names[hour < 12 ? 0 : 1] });
    }
    return parts;
  };

  class DateTimeFormat {
    #locale;
    #zone;
    #options;
    constructor(locales, options = {}, required = 'any', defaults = 'date') {
      const given = checked(options === null ? {} : options);
      this.#locale = localeOf(locales);
      const wanted = given.timeZone === undefined ? 'UTC' : String(given.timeZone);
      const zone = native.zoneName(wanted);
      if (typeof zone !== 'string') throw new RangeError(`Invalid time zone specified: ${wanted}`);
      this.#zone = zone;
      this.#options = resolved(this.#locale, given, required, defaults);
    }
    formatToParts(date) {
      const atMs = date === undefined ? Date.now() : Number(date);
      if (!Number.isFinite(atMs) || Math.abs(atMs) > 8.64e15) throw new RangeError('Invalid time value');
      const fields = native.zoneFields(this.#zone, Math.floor(atMs));
      if (!fields) throw new RangeError('The year is not available on this server.');
      const rules = LOCALES[this.#locale];
      const parts = dateParts(rules, this.#options, fields, this.#locale);
      const time = timeParts(rules, this.#options, fields);
      const isLong = this.#options.month === 'long';
      const joint = isLong ? (this.#locale === 'de-DE' ? ' um ' : ' at ') : rules.joint ?? ', ';
      if (parts.length > 0 && time.length > 0) parts.push({ type: 'literal', value: joint });
      parts.push(...time);
      if (this.#options.timeZoneName !== undefined) {
        const style = this.#options.timeZoneName;
        if (parts.length > 0) parts.push({ type: 'literal', value: time.length > 0 ? ' ' : ', ' });
        parts.push({ type: 'timeZoneName', value: zoneText(this.#zone, Math.floor(atMs), fields[7], this.#locale, style) });
      }
      return parts;
    }
    get format() {
      return (date) => this.formatToParts(date).map((part) => part.value).join('');
    }
    resolvedOptions() {
      const { timeZone, ...rest } = this.#options;
      return { locale: this.#locale, calendar: 'gregory', numberingSystem: 'latn', timeZone: this.#zone, ...rest };
    }
    static supportedLocalesOf(locales) {
      const list = Array.isArray(locales) ? locales : locales === undefined ? [] : [locales];
      return list.filter((locale) => ALIASES[String(locale).toLowerCase()] !== undefined);
    }
  }

  const method = (required, defaults) => function (locales, options) {
    const atMs = Date.prototype.getTime.call(this);
    if (Number.isNaN(atMs)) return 'Invalid Date';
    return new DateTimeFormat(locales, options, required, defaults).format(atMs);
  };

  const missing = (name) => function () {
    throw new TypeError(`Intl.${name} is not available on this server: Intl.DateTimeFormat is.`);
  };
  const Intl = { DateTimeFormat };
  for (const name of ['Collator', 'DisplayNames', 'ListFormat', 'Locale', 'NumberFormat', 'PluralRules', 'RelativeTimeFormat', 'Segmenter']) {
    Intl[name] = missing(name);
  }
  return {
    Intl,
    toLocaleDateString: method('date', 'date'),
    toLocaleString: method('any', 'all'),
    toLocaleTimeString: method('time', 'time'),
  };
})
