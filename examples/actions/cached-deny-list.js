/**
 * Keeps out addresses on a list that the security team publishes. It is fetched at most every ten minutes; while it can't
 * be had, the last one that was kept goes on to hold, or none.
 */
const TEN_MINUTES_MS = 10 * 60 * 1000;

const listOf = async (url, cache) => {
  const known = cache.get("deny-list");
  if (known) return known.value.split("\n");
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1500) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = (await response.text()).trim();
    const kept = cache.set("deny-list", text, { ttl: TEN_MINUTES_MS });
    // A list of more than 4 kB is used, and asked for again next time.
    if (kept.type === "error") console.warn(`not kept: ${kept.code}`);
    return text.split("\n");
  } catch (error) {
    console.error(`deny list: ${error.message}`);
    return [];
  }
};

exports.onExecutePostLogin = async (event, api) => {
  const list = await listOf(event.secrets.LIST_URL, api.cache);
  if (list.some((line) => line.trim() === event.request.ip)) api.access.deny("Your network is blocked.");
};
