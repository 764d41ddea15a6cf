/** Tells the user that their password was changed, when and from where: if it wasn't them, they should hear of it. */
exports.onExecutePostChangePassword = async (event) => {
  const when = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
  const response = await fetch(event.secrets.MAILER_URL, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      to: event.user.email,
      template: "password-changed",
      when: `${when.format(new Date(event.user.last_password_reset ?? Date.now()))} UTC`,
      from: event.request?.geoip?.cityName ?? event.request?.ip ?? "unknown",
    }),
  });
  if (!response.ok) throw new Error(`mailer: status ${response.status}`);
};
