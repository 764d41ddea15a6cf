/**
 * Adds signals up to a score and leaves it in the transaction's metadata, where later Actions of this sign-in find it:
 * one place that judges, several that act. Bind it before them.
 */
exports.onExecutePostLogin = async (event, api) => {
  const { device } = event.session ?? {};
  const signals = {
    new_network: device?.initial_ip !== undefined && device.initial_ip !== event.request.ip,
    new_browser: device?.initial_user_agent !== undefined && device.initial_user_agent !== event.request.user_agent,
    robot: /curl|python|headless/i.test(event.request.user_agent ?? ""),
    night: [0, 1, 2, 3, 4].includes(new Date().getUTCHours()),
  };
  const weights = { new_network: 30, new_browser: 20, robot: 40, night: 10 };
  const found = Object.keys(signals).filter((name) => signals[name]);
  api.transaction.setMetadata("risk_score", found.reduce((sum, name) => sum + weights[name], 0));
  api.transaction.setMetadata("risk_signals", found.join(" "));
};
