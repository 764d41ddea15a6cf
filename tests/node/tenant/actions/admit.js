exports.onExecuteCredentialsExchange = async (event, api) => {
  if (event.client.metadata.suspended === 'yes') api.access.deny('invalid_request', 'This client is suspended.');
};
