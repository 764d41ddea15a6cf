/**
 * Tells a Slack channel about each new customer, once. Slack being down is no reason to keep a customer out, and a name
 * that somebody chose must not become markup in our channel.
 */
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

exports.onExecutePostLogin = async (event, api) => {
  if (event.user.app_metadata.is_announced) return;
  const name = plain(event.user.name ?? event.user.email ?? event.user.user_id);
  try {
    const response = await fetch(event.secrets.SLACK_WEBHOOK_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: `:wave: ${name} signed in to ${plain(event.client.name)} for the first time.` }),
      signal: AbortSignal.timeout(2000),
    });
    // Said twice is better than never said: it is marked only once Slack has it.
    if (response.ok) api.user.setAppMetadata("is_announced", true);
  } catch (error) {
    console.warn(`Slack: ${error.message}`);
  }
};
