// The picture of the lab, and the packet on it.

import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { active, asList, at, drops, ix, journey, opened, picture, refresh, speed, step } from "../state.js";
import { along, floodLinks, nodeOf, routeBetween } from "../places.js";
import { pick } from "../words.js";
import { point, predicted, pointing } from "../ask.js";
import { openDrops } from "./drops.jsx";

const cut = (text, room) => (text.length > room ? text.slice(0, Math.max(room - 1, 0)) + "…" : text);
const data = (path) => path.map((p, i) => `${i ? "L" : "M"}${p.x} ${p.y}`).join("");
const colour = (n) => (n >= 0 ? `c${n % 6}` : "");

// visible is the part of a cable that is not on a bus.
function visible(l) {
  if (l.kind !== "cable") return l.path;
  return l.path.length > 2 && l.path[0].x === l.path[1].x ? l.path.slice(0, 2) : l.path.slice(0, 3);
}

// dropsAt counts what was dropped at a node.
function dropsAt(node) {
  let n = 0;
  for (const d of drops.value) if (d.last && nodeOf({ ...d.last, place: d.last.where }, ix.value) === node.id) n += d.count;
  return n;
}

function Link({ l, flooded }) {
  const here = flooded.has(l.id);
  return (
    <g class={`${l.kind} ${colour(l.colour)} ${l.down ? "down" : ""} ${here ? "flooded" : ""}`}>
      <title>{l.down ? `${l.id}: ${l.down}` : l.id}</title>
      <path d={data(visible(l))} />
      {l.label && <text class="line" text-anchor="middle" x={(l.path[0].x + l.path[1].x) / 2} y={l.path[0].y - 7}>{l.label}</text>}
    </g>
  );
}

function Node({ n, here }) {
  const room = n.w - 24;
  const count = dropsAt(n);
  const open = () => {
    if (n.kind === "group") {
      opened.value = [...opened.value, n.id];
      refresh();
    } else point(n);
  };
  // It begins with what can be read in the picture: who speaks to the page says that.
  const label = [[n.name, ...(n.lines || [])].join(" "), pick("kind." + n.kind), count && pick("dropped.here", { n: count })].filter(Boolean).join(", ");
  return (
    <g class={`${n.kind} ${colour(n.colour)} ${here ? "here" : ""} ${active.value.has(n.id) ? "active" : ""}`}>
      <g class="box" role="button" tabIndex={0} aria-label={label} data-node={n.id} onClick={open}
        onKeyDown={(e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), e.stopPropagation(), open())}>
        <rect x={n.x} y={n.y} width={n.w} height={n.h} rx="8" />
        <text class="name" x={n.x + 12} y={n.y + 22}>{cut(n.name, Math.floor(room / 10))}</text>
        {(n.lines || []).map((line, i) => <text class="line" x={n.x + 12} y={n.y + 39 + 17 * i}>{" " + cut(line, Math.floor(room / 8))}</text>)}
      </g>
      {count > 0 && (
        <g class="count" role="button" tabIndex={0} aria-label={pick("dropped.at", { n: count, name: n.name })} onClick={() => openDrops(n.id)}
          onKeyDown={(e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), e.stopPropagation(), openDrops(n.id))}>
          <rect x={n.x + n.w - 18 - 8 * String(count).length} y={n.y + n.h - 12} width={22 + 8 * String(count).length} height="20" rx="10" />
          <text x={n.x + n.w - 12 - 8 * String(count).length} y={n.y + n.h + 3}>✕{count}</text>
        </g>
      )}
    </g>
  );
}

// Marker is the packet: it goes from where it was to where it is, unless the reader wants nothing to move.
function Marker() {
  const where = useSignal(null);
  const was = useRef({ packet: 0, node: "" });
  const j = journey.value, s = step.value, x = ix.value;
  useEffect(() => {
    if (!j || !s || !x) {
      where.value = null;
      return;
    }
    const node = nodeOf(s, x);
    const from = was.current.packet === j.packet ? was.current.node : node;
    was.current = { packet: j.packet, node };
    const network = s.place?.startsWith("gateway") ? s.port : s.place;
    const route = routeBetween(from, node, x, network);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || route.length < 2) {
      where.value = route[route.length - 1];
      return;
    }
    const begin = performance.now(), lasts = 600 / speed.value;
    let frame;
    const draw = (now) => {
      const part = Math.min((now - begin) / lasts, 1);
      where.value = along(route, part * (2 - part));
      if (part < 1) frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [j?.packet, at.value, x, s?.hop]);
  if (!where.value || !s) return null;
  const text = `#${j.packet} ${j.proto}`;
  return (
    <g class={`packet ${s.verdict}`} transform={`translate(${where.value.x} ${where.value.y})`} aria-hidden="true">
      <rect x={-8 - 4 * text.length} y="-13" width={16 + 8 * text.length} height="26" rx="13" />
      <text text-anchor="middle" y="5">{s.verdict === "drop" ? "✕ " : ""}{text}</text>
    </g>
  );
}

export function Picture() {
  const p = picture.value;
  const view = useSignal(null); // {x, y, w, h}, when it was moved
  const svg = useRef();
  if (!p || !ix.value) return <p class="empty">{pick("loading")}</p>;
  if (asList.value) return <List />;
  const v = view.value || { x: 0, y: 0, w: p.width, h: p.height };
  const zoom = (factor, cx = v.x + v.w / 2, cy = v.y + v.h / 2) => {
    const w = Math.max(120, Math.min(p.width * 3, v.w * factor)), h = w * (v.h / v.w);
    view.value = { w, h, x: cx - (cx - v.x) * (w / v.w), y: cy - (cy - v.y) * (h / v.h) };
  };
  const drag = (e) => {
    if (e.target.closest("[role=button]") || e.button) return;
    const scale = v.w / svg.current.clientWidth, x = e.clientX, y = e.clientY;
    const move = (m) => (view.value = { ...v, x: v.x - (m.clientX - x) * scale, y: v.y - (m.clientY - y) * scale });
    const up = () => (removeEventListener("pointermove", move), removeEventListener("pointerup", up));
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
  };
  const s = step.value;
  const here = s && nodeOf(s, ix.value);
  const flooded = new Set(s ? floodLinks(s, ix.value) : []);
  return (
    <div class="canvas">
      <svg ref={svg} class="lab" role="group" aria-label={pick("picture.of", { lab: p.lab })} viewBox={`${v.x} ${v.y} ${v.w} ${v.h}`} onPointerDown={drag}
        onWheel={(e) => e.ctrlKey && (e.preventDefault(), zoom(e.deltaY > 0 ? 1.15 : 1 / 1.15))}>
        {p.nodes.map((n) => (n.bus || []).map((bus) => <g class={colour(n.colour)}><path class="bus" d={data(bus)} /></g>))}
        {p.links.map((l) => <Link key={l.id} l={l} flooded={flooded} />)}
        {p.nodes.map((n) => <Node key={n.id} n={n} here={n.id === here} />)}
        {predicted.value && <Predicted />}
        <Marker />
      </svg>
      <div class="zoom" role="group" aria-label={pick("zoom")}>
        <button onClick={() => zoom(1 / 1.25)} aria-label={pick("zoom.in")}>+</button>
        <button onClick={() => zoom(1.25)} aria-label={pick("zoom.out")}>−</button>
        <button onClick={() => (view.value = null)} aria-label={pick("zoom.all")}>⤢</button>
        {opened.value.length > 0 && <button onClick={() => ((opened.value = []), refresh())}>{pick("fold")}</button>}
      </div>
      {pointing.value && <p class="pointing" role="status">{pick(pointing.value.from ? "point.to" : "point.from")}</p>}
    </div>
  );
}

// Predicted is the way that explain says a packet would take.
function Predicted() {
  const nodes = predicted.value.filter((n, i, all) => n.node !== all[i - 1]?.node);
  const path = nodes.slice(1).flatMap((n, i) => routeBetween(nodes[i].node, n.node, ix.value, n.network));
  return path.length > 1 && <path class="predicted" d={data(path)} />;
}

// List says in words what the picture shows.
function List() {
  const p = picture.value, s = step.value;
  const here = s && nodeOf(s, ix.value);
  const named = (id) => ix.value.nodes.get(id)?.name || id;
  const cables = (n) => p.links.filter((l) => l.from === n.id || l.to === n.id);
  return (
    <div class="canvas list" tabIndex={0} role="region" aria-label={pick("picture.of", { lab: p.lab })}>
      {["outside", "gateway", "network", "host", "group", "tunnel"].map((kind) => {
        const nodes = p.nodes.filter((n) => n.kind === kind);
        return nodes.length > 0 && (
          <section key={kind}>
            <h3>{pick("kinds." + kind)}</h3>
            <ul>
              {nodes.map((n) => (
                <li key={n.id} class={n.id === here ? "here" : ""}>
                  <button data-node={n.id} onClick={() => (n.kind === "group" ? ((opened.value = [...opened.value, n.id]), refresh()) : point(n))}>{n.name}</button>
                  {n.lines && <span> {n.lines.join(", ")}</span>}
                  {n.id === here && <strong> — {pick("packet.here", { n: journey.value.packet })}</strong>}
                  {dropsAt(n) > 0 && <button class="bad" onClick={() => openDrops(n.id)}>{pick("dropped.here", { n: dropsAt(n) })}</button>}
                  {cables(n).length > 0 && <span class="soft"> {pick("joined")} {cables(n).map((l) => named(l.from === n.id ? l.to : l.from) + (l.down ? ` (${l.down})` : "")).join(", ")}</span>}
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
