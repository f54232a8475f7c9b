// Questions: who reaches whom, and why not. Who and whom can be pointed at in the picture.

import { batch, signal } from "@preact/signals";
import * as client from "./client.js";
import { ix, problem, said, tab } from "./state.js";

export const question = signal({ from: "", to: "", protocol: "icmp", port: 80 });
export const found = signal(null); // {kind: "explain" | "why-not", answer}
export const predicted = signal(null); // [{node, network}], the way on the picture
export const pointing = signal(null); // {from}, while somebody points
export const chosen = signal(""); // the host that things are done with

// point is called when a node of the picture is pressed.
export function point(n) {
  const name = n.kind === "host" ? n.name : n.kind === "gateway" ? "gateway" : n.kind === "outside" ? "8.8.8.8" : "";
  const p = pointing.value;
  if (!p) {
    if (n.kind === "host") chosen.value = n.name;
    return;
  }
  if (!name) return;
  if (!p.from) {
    question.value = { ...question.value, from: name === "8.8.8.8" ? "outside" : name };
    pointing.value = { from: name };
    return;
  }
  question.value = { ...question.value, to: name };
  pointing.value = null;
  ask("explain");
}

export function startPointing() {
  pointing.value = { from: "" };
}

function place(where) {
  const x = ix.value;
  return x.hosts.get(where) || (x.nodes.has("network:" + where) ? "network:" + where : where === "gateway" ? "gateway" : x.nodes.has("outside") ? "outside" : "gateway");
}

export function command(kind, q = question.value) {
  return `uswitch ${kind} ${q.from} ${q.to}${q.protocol === "icmp" ? "" : ` --${q.protocol} ${q.port}`}`;
}

export async function ask(kind, send = false) {
  const q = question.value;
  const body = { from: q.from, to: q.to, protocol: q.protocol };
  if (q.protocol !== "icmp") body.port = Number(q.port);
  try {
    const answer = await client.post(`/v1/${kind}${send ? "?send=1" : ""}`, body);
    batch(() => {
      found.value = { kind, answer, command: command(kind, q) + (send ? " --send" : "") };
      said.value = answer.sentence;
      predicted.value = answer.phases ? answer.phases.map((p) => ({ node: place(p.where), network: p.where })) : null;
      tab.value = "ask";
    });
  } catch (e) {
    problem.value = e.message;
  }
}
