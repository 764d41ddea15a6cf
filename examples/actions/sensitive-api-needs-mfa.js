/**
 * Keeps a sensitive API closed to sessions without a recent second factor. It asks for nothing itself: which factor, and
 * when, is another Action's affair, and this one holds even if that one is unbound.
 */
const [SCOPE, RECENT_MS] = ["transfer:money", 12 * 3600 * 1000];

exports.onExecutePostLogin = async (event, api) => {
  if (!event.transaction?.requested_scopes.includes(SCOPE)) return;
  const factors = (event.authentication?.methods ?? []).filter((method) => method.name === "mfa");
  const isRecent = factors.some((factor) => Date.now() - Date.parse(factor.timestamp) < RECENT_MS);
  if (!isRecent) api.access.deny(`${SCOPE} needs a second factor.`);
};
