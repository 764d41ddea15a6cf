// What is typed into a search for people, as the API's query.

/** A query as it is, an identifier, a whole address, or the beginning of a name. */
export function userQuery(text: string): string | undefined {
  const quoted = text.replaceAll('"', '');
  if (!quoted) return undefined;
  if (/^[a-z_.]+:/.test(text)) return text;
  if (quoted.includes('|')) return `user_id:"${quoted}"`;
  if (quoted.includes('@')) return `email:"${quoted}"`;
  return `name:${quoted.replaceAll(/\s+.*/g, '')}*`;
}
