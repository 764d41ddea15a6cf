/**
 * Gives a device that this user never used before an hour, and a known one the tenant's usual time. Devices are told apart
 * by browser and system, not by version: an update is no new device.
 */
const { createHash } = require("node:crypto");
const [HOUR_MS, KNOWN_MAX] = [3600 * 1000, 10];

exports.onExecutePostLogin = async (event, api) => {
  if (!event.session) return;
  const name = (event.request.user_agent ?? "").replace(/[\d.]+/g, "#");
  const device = createHash("sha256").update(name).digest("base64url").slice(0, 16);
  const known = event.user.app_metadata.known_devices ?? [];
  if (known.includes(device)) return;
  api.session.setExpiresAt(Date.parse(event.session.created_at) + HOUR_MS);
  // The newest first, and not without end.
  api.user.setAppMetadata("known_devices", [device, ...known].slice(0, KNOWN_MAX));
};
