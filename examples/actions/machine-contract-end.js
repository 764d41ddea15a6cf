/** Gives a partner's machine no more tokens once its contract has ended: `contract_ends` in the client's metadata. */
exports.onExecuteCredentialsExchange = async (event, api) => {
  const { contract_ends: ends, suspended } = event.client.metadata;
  if (suspended === "yes") return api.access.deny("access_denied", "This client is suspended.");
  if (ends && Date.parse(ends) < Date.now()) {
    api.access.deny("access_denied", `The contract ended on ${ends}.`);
  }
};
