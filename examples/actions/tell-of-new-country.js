/**
 * Tells the user by the company's mailer when their account is used in a country for the first time. Nothing is told at
 * the very first sign-in: every country is new then. A mailer that is down must not keep anybody out.
 */
exports.onExecutePostLogin = async (event, api) => {
  const country = event.request.geoip?.countryCode;
  const known = event.user.app_metadata.countries ?? [];
  if (!country || known.includes(country)) return;
  api.user.setAppMetadata("countries", [...known, country]);
  if (known.length === 0) return;
  const when = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" }).format(new Date());
  try {
    await fetch(event.secrets.MAILER_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ to: event.user.email, template: "new-country", country: event.request.geoip.countryName, when }),
      signal: AbortSignal.timeout(2000),
    });
  } catch (error) {
    console.error(`mailer: ${error.message}`);
  }
};
