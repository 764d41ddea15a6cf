// What the examples measure: a typical Action of 20 lines.
const KEYS = ['device', 'signins', 'last_ip', 'plan'];
const clip = (text) => String(text ?? 'unknown').slice(0, 255);
/** Records where and how often this browser signed in. */
exports.onExecutePostLogin = async (event, api) => {
  const metadata = event.session?.metadata ?? {};
  const signins = Number(metadata.signins ?? 0) + 1;
  const values = {
    device: clip(event.request.user_agent),
    signins: String(signins),
    last_ip: clip(event.request.ip),
    plan: clip(event.user.app_metadata.plan),
  };
  for (const key of KEYS) {
    if (metadata[key] !== values[key]) {
      api.session.setMetadata(key, values[key]);
    }
  }
  api.idToken.setCustomClaim('https://example.com/signins', signins);
  if (event.user.app_metadata.blocked) api.access.deny('Blocked.');
};
