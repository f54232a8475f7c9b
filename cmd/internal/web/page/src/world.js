// Pausing the world: packets that are held at their next step, until they are let go.

import { signal } from "@preact/signals";
import * as client from "./client.js";
import { add, announce, at, byPacket, filter, problem, select } from "./state.js";
import { pick } from "./words.js";

export const pausing = signal(0); // the session that holds packets; 0: none does
export const held = signal([]); // [{leg, step, changed, next}], in the order in which they came
let ending;

export const passed = signal(0); // packets that went by because too many were held

// pause holds packets that the filter chooses, until end is called. The lab lets each go on by itself after a while.
export async function pause() {
  ending = new AbortController();
  const query = new URLSearchParams();
  for (const key of ["proto", "port"]) if (filter.value[key]) query.append(key, filter.value[key]);
  if (filter.value.host) query.append("host", filter.value.host);
  try {
    for await (const e of client.objects("GET", "/v1/step?" + query, undefined, { signal: ending.signal })) take(e);
  } catch (e) {
    if (!ending.signal.aborted) problem.value = e.message;
  }
  pausing.value = 0;
  held.value = [];
}

export function resume() {
  ending?.abort();
}

function take(e) {
  passed.value = e.passed || 0;
  switch (e.kind) {
    case "begun":
      pausing.value = e.session;
      return;
    case "stopped":
    case "passed": {
      const s = e.step;
      const [, from, to, proto, what] = s.summary.match(/^(\S+) > (\S+)\s+(\S+) ?(.*)$/) || [null, "", "", "", s.summary];
      if (!byPacket.has(s.packet)) add([{ packet: s.packet, from, to, proto, what, length: s.length, ip: s.ip, steps: [s] }]);
      else add([{ packet: s.packet, steps: [s] }]);
      held.value = [...held.value.filter((h) => h.leg !== e.leg), ...(e.kind === "stopped" ? [e] : [])];
      if (e.kind === "stopped") {
        select(s.packet, byPacket.get(s.packet).steps.length - 1);
        announce();
      } else at.value = byPacket.get(s.packet).steps.length - 1;
      return;
    }
    case "ended":
      held.value = held.value.filter((h) => h.leg !== e.leg);
      if (e.late) problem.value = pick("went.on");
  }
}

// next lets a packet go to its next step or, with run, to its end.
export async function next(leg, run = false) {
  try {
    await client.post("/v1/step", { session: pausing.value, leg, run });
  } catch (e) {
    problem.value = e.message;
  }
}
