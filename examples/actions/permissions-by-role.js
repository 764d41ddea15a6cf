/**
 * Spells roles out as permissions, so that APIs check what may be done and not who someone is. The table is short and
 * reviewed with the code; move it to a service when it isn't any more.
 */
const PERMISSIONS = {
  viewer: ["orders:read"],
  clerk: ["orders:read", "orders:write"],
  manager: ["orders:read", "orders:write", "orders:refund", "reports:read"],
};

exports.onExecutePostLogin = async (event, api) => {
  const granted = new Set();
  for (const role of event.authorization?.roles ?? []) {
    // hasOwn, because a role could be called "constructor".
    const permissions = Object.hasOwn(PERMISSIONS, role) ? PERMISSIONS[role] : [];
    for (const permission of permissions) granted.add(permission);
  }
  api.accessToken.setCustomClaim("https://example.com/permissions", [...granted].sort());
};
