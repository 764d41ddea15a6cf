/**
 * Ends the session, with its refresh tokens, when it turns up in another network than the one it began in. Networks are
 * compared by the first three numbers of an IPv4 address, or the first three groups of an IPv6 one.
 */
const network = (ip) => ip.split(ip.includes(":") ? ":" : ".").slice(0, 3).join();

exports.onExecutePostLogin = async (event, api) => {
  const began = event.session?.device.initial_ip;
  if (began && network(began) !== network(event.request.ip)) {
    api.session.revoke("Your session moved to another network. Please sign in again.");
  }
};
