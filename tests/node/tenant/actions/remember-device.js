exports.onExecutePostLogin = async (event, api) => {
  api.session.setMetadata('device', event.request.user_agent?.slice(0, 40) ?? 'unknown');
  api.idToken.setCustomClaim('https://shop.example/tier', event.secrets.TIER);
};
