/** Tells a Slack channel about each new user: which connection, which country, no address. */
exports.onExecutePostUserRegistration = async (event) => {
  const where = event.request?.geoip?.countryName ?? "an unknown place";
  const text = `New user through ${event.connection.name}, from ${where}.`;
  const response = await fetch(event.secrets.SLACK_WEBHOOK_URL, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
  if (!response.ok) console.error(`Slack: ${response.status} ${await response.text()}`);
};
