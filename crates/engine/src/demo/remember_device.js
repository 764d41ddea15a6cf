/**
 * Remembers in the session on which device it began, and how often the user has signed in.
 * What is set here can be read through the Management API and arrives in the logout token.
 */
exports.onExecutePostLogin = async (event, api) => {
  // The exchange of a refresh token has no session.
  if (!event.session) return;
  const agent = event.request.user_agent || "";
  const browser = /firefox/i.test(agent) ? "Firefox"
    : /edg\//i.test(agent) ? "Edge"
    : /chrom/i.test(agent) ? "Chrome"
    : /safari/i.test(agent) ? "Safari"
    : "a browser";
  const system = /android/i.test(agent) ? "Android"
    : /iphone|ipad/i.test(agent) ? "iOS"
    : /windows/i.test(agent) ? "Windows"
    : /mac os/i.test(agent) ? "macOS"
    : /linux/i.test(agent) ? "Linux"
    : "an unknown system";

  api.session.setMetadata("device", `${browser} on ${system}`);
  api.session.setMetadata("sign_ins", String(event.stats.logins_count));
  api.session.setMetadata("last_app", event.client.name);
};
