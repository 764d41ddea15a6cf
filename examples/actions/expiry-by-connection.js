/**
 * Gives users of one connection an hour at most and users of all others a working day. The tenant's own limits
 * still hold: a later time is cut to them, with a warning in the log.
 */
const HOUR_MS = 60 * 60 * 1000;
const SHORT = ["contractors"];

exports.onExecutePostLogin = async (event, api) => {
  if (!event.session) return;
  const hours = SHORT.includes(event.connection.name) ? 1 : 8;
  api.session.setExpiresAt(Date.parse(event.session.created_at) + hours * HOUR_MS);
};
