// What stands in a packet's bytes: layers with their fields, each with where it is. Only what is there is shown; whatever the bytes are,
// nothing here fails.

const hex = (b) => b.toString(16).padStart(2, "0");
const mac = (d, i) => [...d.subarray(i, i + 6)].map(hex).join(":");
const ip4 = (d, i) => [...d.subarray(i, i + 4)].join(".");
const u16 = (d, i) => (d[i] << 8) | d[i + 1];
const u32 = (d, i) => u16(d, i) * 65536 + u16(d, i + 2);

function ip6(d, i) {
  const groups = [];
  for (let k = 0; k < 16; k += 2) groups.push(u16(d, i + k).toString(16));
  return groups.join(":").replace(/\b(?:0:){2,}0\b|\b0(?::0)+\b/, "::").replace(/:{3,}/, "::");
}

export function bytesOf(base64) {
  const raw = atob(base64 || "");
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

// layersOf returns [{name, start, end, fields: [{name, value, start, end}]}].
export function layersOf(data, bareIP) {
  const layers = [];
  let at = 0;
  let type = 0x0800;
  const layer = (name, length, ...fields) => {
    layers.push({ name, start: at, end: Math.min(at + length, data.length),
      fields: fields.filter((f) => at + f[1] + f[2] <= data.length)
        .map(([n, offset, size, value]) => ({ name: n, start: at + offset, end: at + offset + size, value: String(value(data, at + offset)) })) });
    at += length;
  };
  if (!bareIP) {
    if (data.length < 14) return layers;
    type = u16(data, 12);
    layer("Ethernet", 14, ["destination", 0, 6, mac], ["source", 6, 6, mac], ["type", 12, 2, (d, i) => "0x" + u16(d, i).toString(16).padStart(4, "0")]);
    if (type === 0x8100 && data.length >= 18) {
      type = u16(data, 16);
      layer("802.1Q VLAN", 4, ["VLAN", 0, 2, (d, i) => u16(d, i) & 0xfff]);
    }
  } else if (data.length && data[0] >> 4 === 6) type = 0x86dd;
  if (type === 0x0806) arp(layer);
  else if (type === 0x0800) ipv4(data, layer, () => at);
  else if (type === 0x86dd) ipv6(data, layer, () => at);
  if (at < data.length) layer("data", data.length - at);
  return layers;
}

function arp(layer) {
  layer("ARP", 28, ["operation", 6, 2, (d, i) => ({ 1: "1 (who has)", 2: "2 (is at)" })[u16(d, i)] || u16(d, i)],
    ["sender MAC", 8, 6, mac], ["sender IP", 14, 4, ip4], ["target MAC", 18, 6, mac], ["target IP", 24, 4, ip4]);
}

function ipv4(data, layer, at) {
  const start = at();
  if (data.length < start + 20) return;
  const length = (data[start] & 15) * 4;
  const proto = data[start + 9];
  const fragment = u16(data, start + 6) & 0x1fff;
  layer("IPv4", Math.max(length, 20), ["header length", 0, 1, (d, i) => `${(d[i] & 15) * 4} bytes`], ["type of service", 1, 1, (d, i) => d[i]],
    ["total length", 2, 2, u16], ["identification", 4, 2, u16],
    ["flags, fragment offset", 6, 2, (d, i) => `${d[i] & 0x40 ? "don't fragment, " : ""}${d[i] & 0x20 ? "more fragments, " : ""}${(u16(d, i) & 0x1fff) * 8}`],
    ["time to live", 8, 1, (d, i) => d[i]], ["protocol", 9, 1, (d, i) => `${d[i]}${{ 1: " (ICMP)", 6: " (TCP)", 17: " (UDP)" }[d[i]] || ""}`],
    ["header checksum", 10, 2, (d, i) => "0x" + u16(d, i).toString(16).padStart(4, "0")], ["source", 12, 4, ip4], ["destination", 16, 4, ip4]);
  if (!fragment) transport(data, layer, at, proto);
}

function ipv6(data, layer, at) {
  if (data.length < at() + 40) return;
  const proto = data[at() + 6];
  layer("IPv6", 40, ["payload length", 4, 2, u16], ["next header", 6, 1, (d, i) => d[i]], ["hop limit", 7, 1, (d, i) => d[i]],
    ["source", 8, 16, ip6], ["destination", 24, 16, ip6]);
  transport(data, layer, at, proto);
}

const checksum = (offset) => ["checksum", offset, 2, (d, i) => "0x" + u16(d, i).toString(16).padStart(4, "0")];

const ICMP = { 0: "0 (echo reply)", 3: "3 (destination unreachable)", 5: "5 (redirect)", 8: "8 (echo request)", 11: "11 (time exceeded)", 12: "12 (parameter problem)" };
const ICMP6 = { 1: "1 (destination unreachable)", 2: "2 (packet too big)", 3: "3 (time exceeded)", 128: "128 (echo request)", 129: "129 (echo reply)",
  133: "133 (router solicitation)", 134: "134 (router advertisement)", 135: "135 (neighbor solicitation)", 136: "136 (neighbor advertisement)" };

function transport(data, layer, at, proto) {
  if (proto === 1 || proto === 58) {
    const names = proto === 1 ? ICMP : ICMP6;
    const type = data[at()];
    const echo = proto === 1 ? type === 0 || type === 8 : type === 128 || type === 129;
    layer(proto === 1 ? "ICMP" : "ICMPv6", 8, ["type", 0, 1, (d, i) => names[d[i]] || d[i]], ["code", 1, 1, (d, i) => d[i]], checksum(2),
      ...(echo ? [["identifier", 4, 2, u16], ["sequence", 6, 2, u16]] : [["rest of header", 4, 4, u32]]));
  } else if (proto === 6) {
    const length = data.length > at() + 12 ? (data[at() + 12] >> 4) * 4 : 20;
    layer("TCP", Math.max(length, 20), ["source port", 0, 2, u16], ["destination port", 2, 2, u16], ["sequence", 4, 4, u32], ["acknowledgment", 8, 4, u32],
      ["flags", 13, 1, (d, i) => ["FIN", "SYN", "RST", "PSH", "ACK", "URG"].filter((_, k) => d[i] & (1 << k)).join(" ")], ["window", 14, 2, u16], checksum(16));
  } else if (proto === 17) {
    layer("UDP", 8, ["source port", 0, 2, u16], ["destination port", 2, 2, u16], ["length", 4, 2, u16], checksum(6));
  }
}

// aligned returns what a packet was before at the same places of it, though a frame was put around it or taken away: a copy of before
// that begins where now does.
export function aligned(before, beforeIP, now, nowIP) {
  if (!before) return null;
  if (beforeIP === nowIP) return before;
  if (beforeIP) {
    const framed = new Uint8Array(before.length + 14);
    framed.set(before, 14);
    framed.set(now.subarray(0, 14));
    return framed;
  }
  return before.subarray(14);
}

// differs reports whether a stretch of bytes has changed.
export function differs(before, now, start, end) {
  if (!before) return false;
  for (let i = start; i < end; i++) if (before[i] !== now[i]) return true;
  return false;
}
