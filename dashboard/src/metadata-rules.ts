// The rules of session metadata, to be shown while typing; the server decides. And what looks like a secret.
//
// Auth0: manage users › sessions › session metadata. Lengths are UTF-16 units, which is what `length` counts.

export const ENTRIES_MAX = 25;
export const UNITS_MAX = 255;

export interface Entry {
  key: string;
  value: string;
}

export function keyProblem(key: string, all: Entry[]): string | undefined {
  if (key === '') return 'A key is needed.';
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return 'Only letters, digits, _ and - are allowed.';
  if (key.length > UNITS_MAX) return `At most ${UNITS_MAX} characters.`;
  if (all.filter((entry) => entry.key === key).length > 1) return 'Another entry has this key.';
  return undefined;
}

export function valueProblem(value: string): string | undefined {
  if (value.includes('\0')) return 'A NUL character is not allowed.';
  if (value.length > UNITS_MAX) return `At most ${UNITS_MAX} characters.`;
  return undefined;
}

const SECRET_KEYS = /pass(word|wd|phrase)?$|secret|credential|api[-_]?key|private[-_]?key|access[-_]?token|refresh[-_]?token|^token$|^pin$|card[-_]?number|cvv/i;
const SECRET_VALUES = [
  /^eyJ[\w-]+\.[\w-]+\./, // a JWT
  /^(sk|pk|rk)_(live|test)_/,
  /^(ghp|gho|ghs|github_pat|glpat|xox[abprs])[-_]/,
  /^AKIA[0-9A-Z]{12}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /^v1\.[A-Za-z0-9]{24}\.[\w-]{20,}$/, // a refresh token of this server
];

/** Whether an entry looks like something that must not be readable by everybody who can read sessions. */
export function looksSecret({ key, value }: Entry): boolean {
  return (value !== '' && SECRET_KEYS.test(key)) || SECRET_VALUES.some((pattern) => pattern.test(value.trim()));
}
