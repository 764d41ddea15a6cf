/**
 * Gives a machine tokens only where it is known to stand: ranges of IPv4 and IPv6 addresses in the client's metadata. A
 * stolen secret alone is then worth little.
 */
const parse = (ip) => {
  if (!ip.includes(":")) {
    return { width: 32n, value: ip.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  }
  const [head, tail] = ip.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = tail ? Array(8 - head.length - tail.length).fill("0") : [];
  const groups = [...head, ...zeros, ...(tail ?? [])];
  return { width: 128n, value: groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n) };
};

const isWithin = (ip, range) => {
  const [base, bits] = range.trim().split("/");
  const [one, other] = [parse(ip), parse(base)];
  if (one.width !== other.width) return false;
  const rest = one.width - BigInt(bits ?? one.width);
  return one.value >> rest === other.value >> rest;
};

exports.onExecuteCredentialsExchange = async (event, api) => {
  const ranges = event.client.metadata.networks;
  if (ranges && !ranges.split(",").some((range) => isWithin(event.request.ip, range))) {
    api.access.deny("unauthorized_client", `${event.request.ip} is not one of this client's addresses.`);
  }
};
