/**
 * Opens one application to certain networks only: office and VPN. The ranges are in the application's own metadata, so one
 * Action serves all. IPv4; an IPv6 address is refused where ranges are set.
 */
const numberOf = (ip) => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const isWithin = (ip, range) => {
  const [base, bits = "32"] = range.trim().split("/");
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(ip) / size) === Math.floor(numberOf(base) / size);
};

exports.onExecutePostLogin = async (event, api) => {
  const ranges = event.client.metadata.allowed_networks;
  if (!ranges) return;
  const { ip } = event.request;
  if (ip.includes(":") || !ranges.split(",").some((range) => isWithin(ip, range))) {
    api.access.deny("This application can be used from the office and over the VPN only.");
  }
};
