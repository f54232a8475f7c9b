// Where a step is in the picture: nodes and links have the ids that control/api's Picture gives them.

// index makes a picture easy to look things up in.
export function index(picture) {
  const nodes = new Map(picture.nodes.map((n) => [n.id, n]));
  const hosts = new Map();
  for (const n of picture.nodes) {
    if (n.kind === "host") hosts.set(n.name, n.id);
    if (n.kind === "group") for (const m of n.members) hosts.set(m, n.id);
    if (n.kind === "tunnel") hosts.set(n.name, n.id);
  }
  return { nodes, hosts, links: picture.links };
}

// nodeOf is where a step is. A frame comes in and goes out by a port: it is at what is plugged in there.
export function nodeOf(step, ix) {
  if (!step.place) return nodeNamed(step.where, ix); // of a capture
  const port = step.port && (ix.hosts.get(step.port) || (step.port === "gateway" ? "gateway" : undefined));
  const network = ix.nodes.has("network:" + step.place) ? "network:" + step.place : undefined;
  if (network) return (step.hook === "ingress" || step.hook === "egress") && port ? port : network;
  if (step.place === "gateway") return "gateway";
  return ix.nodes.has("outside") ? "outside" : "gateway";
}

function nodeNamed(name, ix) {
  if (ix.hosts.has(name)) return ix.hosts.get(name);
  return [name, "network:" + name, name === "uplink" ? "outside" : ""].find((id) => ix.nodes.has(id));
}

// linkBetween finds the cable between two nodes, of the network that the step concerns if there are several.
export function linkBetween(a, b, ix, network) {
  const fits = (l) => (l.from === a && l.to === b) || (l.from === b && l.to === a);
  return ix.links.find((l) => fits(l) && l.network === network) || ix.links.find(fits);
}

// floodLinks are the cables by which copies of a flooded frame leave.
export function floodLinks(step, ix) {
  if (!step.ports) return [];
  const to = new Set(step.ports.map((p) => ix.hosts.get(p) || p));
  return ix.links.filter((l) => l.network === step.place && (to.has(l.from) || to.has(l.to))).map((l) => l.id);
}

// anchor is where a packet rests that is at a node: at its lower edge, so that what it says can be read.
const anchor = (n) => ({ x: n.x + n.w / 2, y: n.kind === "gateway" ? n.y + Math.min(n.h, 90) - 12 : n.y + n.h + 4 });

// routeBetween is the way that a packet takes on the picture from one node to another: along cables and, where it passes a switch,
// through that.
export function routeBetween(from, to, ix, network) {
  const a = ix.nodes.get(from), b = ix.nodes.get(to);
  if (!a || !b) return [];
  if (a === b) return [anchor(b)];
  const direct = linkBetween(from, to, ix, network);
  if (direct) return [anchor(a), ...(direct.from === from ? direct.path : [...direct.path].reverse()), anchor(b)];
  const middle = "network:" + network;
  if (ix.nodes.has(middle) && from !== middle && to !== middle)
    return [...routeBetween(from, middle, ix, network), ...routeBetween(middle, to, ix, network)];
  return [anchor(a), anchor(b)];
}

// along returns the place that lies a part (0 to 1) of the way along a route.
export function along(route, part) {
  if (route.length < 2) return route[0];
  const lengths = route.slice(1).map((p, i) => Math.hypot(p.x - route[i].x, p.y - route[i].y));
  let rest = part * lengths.reduce((a, b) => a + b, 0);
  for (let i = 0; i < lengths.length; i++) {
    if (rest <= lengths[i] || i === lengths.length - 1) {
      const t = lengths[i] ? Math.min(rest / lengths[i], 1) : 1;
      return { x: route[i].x + (route[i + 1].x - route[i].x) * t, y: route[i].y + (route[i + 1].y - route[i].y) * t };
    }
    rest -= lengths[i];
  }
  return route[route.length - 1];
}
