/**
 * Sends a welcome mail through the company's mailer. It runs after the registration and may run twice, so the message has
 * a number by which the mailer knows it again.
 */
exports.onExecutePostUserRegistration = async (event) => {
  if (!event.user.email) return;
  const response = await fetch(event.secrets.MAILER_URL, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": `welcome-${event.user.user_id}` },
    body: JSON.stringify({
      to: event.user.email,
      template: "welcome",
      language: event.user.user_metadata.language ?? event.request?.language ?? "en",
      name: event.user.given_name ?? event.user.name ?? null,
    }),
  });
  // An error has it tried again.
  if (!response.ok) throw new Error(`mailer: status ${response.status}`);
};
