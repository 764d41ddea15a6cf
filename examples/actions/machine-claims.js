/** Tells an API on whose behalf a machine calls, and how much it may do in an hour: both from the client's metadata. */
exports.onExecuteCredentialsExchange = async (event, api) => {
  const { customer, hourly_quota: quota } = event.client.metadata;
  if (customer) api.accessToken.setCustomClaim("https://example.com/customer", customer);
  api.accessToken.setCustomClaim("https://example.com/quota", Number.parseInt(quota ?? "", 10) || 1000);
};
