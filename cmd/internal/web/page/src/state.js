// What the page knows, as signals: who shows one is drawn anew when it changes.

import { batch, computed, effect, signal } from "@preact/signals";
import * as client from "./client.js";
import { index } from "./places.js";
import { pick } from "./words.js";

export const lab = signal(null);
export const picture = signal(null);
export const opened = signal([]); // groups that are drawn host by host
export const ix = computed(() => (picture.value ? index(picture.value) : null));
export const link = signal({ state: "connecting", why: "" });
export const said = signal(""); // read out to who does not see the page
export const problem = signal("");

// Stored in this browser alone.
function kept(key, first) {
  let value = first;
  try {
    value = JSON.parse(localStorage.getItem("uswitch-" + key)) ?? first;
  } catch {
    // nothing that can be read is kept
  }
  const s = signal(value);
  effect(() => {
    try {
      localStorage.setItem("uswitch-" + key, JSON.stringify(s.value));
    } catch {
      // then it is not kept
    }
  });
  return s;
}
export const scheme = kept("scheme", "auto");
export const keys = kept("keys", true);
export const speed = kept("speed", 1);
export const asList = kept("list", false);
export const tab = signal("rules");

// Journeys, the youngest last, with notes and gaps between them.
const KEPT = 1000;
export const entries = signal([]);
export const byPacket = new Map();
export const selected = signal(0); // a packet's number
export const at = signal(0); // the step of it that is looked at
export const playing = signal(false);
export const filter = signal({ host: "", proto: "", port: "", drops: false, conn: 0 });
export const active = signal(new Set()); // nodes that packets touch at this moment
export const drops = signal([]);

export const journey = computed(() => {
  entries.value;
  return byPacket.get(selected.value);
});
export const step = computed(() => journey.value?.steps[Math.min(at.value, journey.value.steps.length - 1)]);
export const shown = computed(() => (filter.value.conn
  ? entries.value.filter((e) => e.packet && e.steps.some((s) => s.conn === filter.value.conn)) : entries.value));

let coming = [];
let scheduled = false;

// take takes up an event of /v1/events, a crowd of them at once.
function take(name, data) {
  if (name === "hello") return;
  coming.push([name, data]);
  if (!scheduled) {
    scheduled = true;
    setTimeout(digest, 60);
  }
}

let serial = 0;

export function add(journeys) {
  for (const j of journeys) coming.push(["journey", j]);
  digest();
}

function digest() {
  scheduled = false;
  const all = [...entries.value];
  const touched = new Set();
  for (const [name, data] of coming) {
    if (name !== "journey") {
      all.push({ key: `n${++serial}`, kind: name, text: data.text });
      continue;
    }
    const known = byPacket.get(data.packet);
    if (!known) {
      const j = { ...data, key: `p${data.packet}`, kind: "journey" };
      byPacket.set(j.packet, j);
      all.push(j);
    } else {
      const hops = new Set(known.steps.map((s) => s.hop));
      const more = data.steps.filter((s) => !hops.has(s.hop));
      if (more.length) {
        const j = { ...known, steps: [...known.steps, ...more].sort((a, b) => a.hop - b.hop) };
        byPacket.set(j.packet, j);
        all[all.indexOf(known)] = j;
      }
    }
    for (const s of data.steps) touched.add(s);
  }
  coming = [];
  const gone = all.splice(0, Math.max(0, all.length - KEPT));
  for (const e of gone) if (e.packet) byPacket.delete(e.packet);
  batch(() => {
    entries.value = all;
    pulse(touched);
  });
}

let pulseEnds;

function pulse(steps) {
  if (!ix.value || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const nodes = new Set();
  for (const s of [...steps].slice(-200)) {
    if (s.port && ix.value.hosts.has(s.port)) nodes.add(ix.value.hosts.get(s.port));
    nodes.add(s.place === "gateway" ? "gateway" : "network:" + s.place);
  }
  active.value = nodes;
  clearTimeout(pulseEnds);
  pulseEnds = setTimeout(() => (active.value = new Set()), 700);
}

// select looks at a packet, from one of its steps on.
export function select(packet, where = 0) {
  batch(() => {
    selected.value = packet;
    at.value = where;
  });
  announce();
}

export function announce() {
  const s = step.value;
  if (s) said.value = `${s.where} ${s.what}: ${s.text}`;
}

// go goes to another step; behind the last one it stays.
export function go(delta) {
  const n = journey.value?.steps.length || 0;
  if (!n) return false;
  const to = Math.max(0, Math.min(n - 1, at.value + delta));
  const moved = to !== at.value;
  at.value = to;
  if (moved) announce();
  return moved;
}

const journeys = () => shown.value.filter((e) => e.packet);
const position = () => journeys().findIndex((j) => j.packet === selected.value);

// neighbour goes to the journey before or behind.
export function neighbour(delta) {
  const all = journeys();
  const next = all[Math.max(0, Math.min(all.length - 1, position() + delta))];
  if (next) select(next.packet);
}

// nextDrop goes to the next step that drops, from the one that is looked at on, and round.
export function nextDrop() {
  const all = journeys();
  const here = Math.max(position(), 0);
  for (let i = 0; i <= all.length; i++) {
    const j = all[(here + i) % all.length];
    const k = j?.steps.findIndex((s, n) => s.verdict === "drop" && (i > 0 || n > at.value)) ?? -1;
    if (k >= 0) return select(j.packet, k);
  }
  problem.value = pick("no.drop");
}

// ends returns who sends a packet to whom, as its first step has them.
const ends = (j) => `${j.proto} ${j.from} ${j.to}`;

// answer goes to the packet that answers this one: the next of the connection the other way.
export function answer() {
  const j = journey.value;
  if (!j) return;
  const conn = j.steps.find((s) => s.conn)?.conn;
  const from = position();
  const found = journeys().find((other, i) => i > from && (conn
    ? other.steps.some((s) => s.conn === conn) && ends(other) !== ends(j)
    : other.proto === j.proto && other.to === j.from));
  if (found) select(found.packet);
  else problem.value = pick("no.answer");
}

export function connection() {
  const conn = journey.value?.steps.find((s) => s.conn)?.conn || 0;
  if (!conn && !filter.value.conn) problem.value = pick("no.connection");
  filter.value = { ...filter.value, conn: filter.value.conn ? 0 : conn };
}

// What is asked anew now and then: the lab as it is drawn, and what was dropped.
export async function refresh() {
  try {
    const query = opened.value.map((g) => "open=" + encodeURIComponent(g)).join("&");
    const [l, p, d] = await Promise.all([client.get("/v1/lab"), client.get("/v1/graph?" + query), client.get("/v1/drops?examples=1")]);
    batch(() => {
      lab.value = l;
      if (JSON.stringify(p) !== JSON.stringify(picture.value)) picture.value = p;
      drops.value = d;
    });
  } catch (e) {
    if (e.status === 401) link.value = { state: "refused", why: e.message };
  }
}

export const file = signal(null); // {name, packets, lost}: what is listed comes from a capture, and not from the lab

// openCapture lists the packets of a file that uswitch has written, in place of those of the lab.
export async function openCapture(f) {
  try {
    const { journeys, lost } = await client.post("/v1/captured", f);
    following?.abort();
    forget();
    file.value = { name: f.name, packets: journeys.length, lost: lost || 0 };
    add(journeys);
    problem.value = "";
    if (journeys.length) select(journeys[Math.max(0, journeys.length - KEPT)].packet);
  } catch (e) {
    problem.value = `${f.name}: ${e.message}`;
  }
}

export function closeCapture() {
  file.value = null;
  narrow({ conn: 0 });
}

function forget() {
  coming = [];
  byPacket.clear();
  entries.value = [];
  select(0);
}

let following;

// listen begins to follow, with the filter as it is.
export function listen() {
  following?.abort();
  following = new AbortController();
  const f = filter.peek();
  const query = new URLSearchParams();
  for (const key of ["host", "proto", "port"]) if (f[key]) query.append(key, f[key]);
  if (f.drops) query.set("drops", "1");
  client.follow("/v1/events?" + query, { signal: following.signal, event: take, state: (state, why = "") => {
    if (link.peek().state !== state) link.value = { state, why };
    if (state === "refused") problem.value = why;
  } });
}

// narrow changes the filter: what is shown is asked for anew.
export function narrow(change) {
  filter.value = { ...filter.value, ...change };
  forget();
  listen();
}
