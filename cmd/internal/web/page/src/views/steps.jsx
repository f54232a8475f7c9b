// The packet that is looked at: its steps, what it looks like at one of them, and what decided there.

import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import * as client from "../client.js";
import { answer, at, connection, file, go, journey, nextDrop, playing, speed, step } from "../state.js";
import { aligned, bytesOf, differs, layersOf } from "../packet.js";
import { pick } from "../words.js";
import { asOf, Rows, tableAt } from "./tables.jsx";

export function Steps() {
  const j = journey.value;
  return (
    <section class="pane steps" aria-labelledby="steps-title">
      <header>
        <h2 id="steps-title">{j ? `#${j.packet} ${j.from} > ${j.to} ${j.proto}` : pick("steps")}</h2>
        <Controls />
      </header>
      {!j && <p class="empty">{pick("choose.packet")}</p>}
      {j && (
        <div class="columns">
          <List j={j} />
          <Look />
        </div>
      )}
    </section>
  );
}

function Controls() {
  useEffect(() => {
    if (!playing.value) return;
    const timer = setInterval(() => {
      if (!go(1)) playing.value = false;
    }, 1200 / speed.value);
    return () => clearInterval(timer);
  }, [playing.value, speed.value]);
  const none = !journey.value;
  return (
    <div class="controls" role="toolbar" aria-label={pick("controls")}>
      <button disabled={none} onClick={() => go(-1)} title="←">◀ {pick("back")}</button>
      <button disabled={none} onClick={() => go(1)} title="→">{pick("forward")} ▶</button>
      <button disabled={none} aria-pressed={playing.value} onClick={() => (playing.value = !playing.value)}>{playing.value ? pick("stop") : pick("play")}</button>
      <label>{pick("speed")} <input type="range" min="0.25" max="4" step="0.25" value={speed.value} aria-label={pick("speed")} onInput={(e) => (speed.value = Number(e.target.value))} /></label>
      <button onClick={nextDrop} title="d">{pick("next.drop")}</button>
      <button disabled={none} onClick={answer} title="a">{pick("the.answer")}</button>
      <button disabled={none} onClick={connection} title="c">{pick("its.connection")}</button>
    </div>
  );
}

function List({ j }) {
  const list = useRef();
  useEffect(() => {
    list.current.querySelector("[aria-current=step]")?.scrollIntoView({ block: "nearest" });
  }, [at.value, j.packet]);
  return (
    <ol ref={list} class="trace" aria-label={pick("steps.of", { n: j.packet })}>
      <li class="head">{j.what} <span class="soft">{j.length} {j.ip ? pick("bytes.ip") : pick("bytes")}</span></li>
      {j.steps.map((s, i) => (
        <li key={s.hop} data-hop={s.hop} class={s.verdict} aria-current={i === at.value ? "step" : undefined}>
          <button onClick={() => ((at.value = i), (playing.value = false))}>
            <span class="where">{s.where}</span> <span class="hook">{s.what}</span> <span class="text">{s.text}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

// tableOf names what a step has asked, as far as it can be shown: a table, and which of its rows.
function tableOf(s, layers) {
  const field = (layer, name) => layers.find((l) => l.name === layer)?.fields.find((f) => f.name === name)?.value;
  const destination = field("Ethernet", "destination");
  switch (s.hook) {
    case "learn":
      return { name: "fdb", row: (r) => r.mac === field("Ethernet", "source") && r.master === s.place };
    case "bridge":
      return { name: "fdb", row: (r) => r.mac === destination && r.master === s.place };
    case "neighbor":
      return { name: "neigh", row: (r) => r.dst === field("IPv4", "destination") };
    case "arp":
      return { name: "neigh", row: (r) => r.dst === field("ARP", "sender IP") };
    case "route":
      return { name: "routes", row: (r) => s.text.includes("default route") ? r.dst === "default" : r.dev === s.port };
    default:
      return s.conn ? { name: "conntrack", row: (r) => r.id === s.conn } : null;
  }
}

function Look() {
  const s = step.value, j = journey.value;
  const rows = useSignal(null);
  const data = bytesOf(s.data);
  const layers = layersOf(data, s.ip);
  const before = j.steps[j.steps.indexOf(s) - 1];
  const old = before && aligned(bytesOf(before.data), before.ip, data, s.ip);
  const table = !file.value && tableOf(s, layers);
  useEffect(() => {
    rows.value = null;
    let gone = false;
    if (table) tableAt(table.name, s.time).then((t) => !gone && (rows.value = { ...t, rows: t.rows.filter(table.row) }), () => {});
    return () => (gone = true);
  }, [j.packet, s.hop]);
  return (
    <div class="look" role="region" aria-label={pick("packet.at", { where: s.where, what: s.what })} tabIndex={0}>
      <p class={`sentence ${s.verdict}`}>{s.text}</p>
      {s.rule && <p class="rule"><span class="soft">{s.chain ? pick("rule.in", { chain: s.chain }) : pick("rule")}</span> <code>{s.rule}</code></p>}
      {rows.value?.rows.length > 0 && (
        <div class="decided">
          <h3>{pick("table." + rows.value.name)} <span class="soft">{asOf(rows.value)}</span></h3>
          <Rows name={rows.value.name} rows={rows.value.rows} />
        </div>
      )}
      {file.value && <p class="soft">{pick("not.kept")}</p>}
      <ul class="layers">
        {layers.map((l) => <Layer key={l.name} l={l} data={data} old={old} />)}
      </ul>
      <Hex data={data} old={old} length={s.length} />
    </div>
  );
}

function Layer({ l, data, old }) {
  const changed = differs(old, data, l.start, l.end);
  return (
    <li>
      <details open={l.name !== "data" && (changed || l.name !== "Ethernet")}>
        <summary>{l.name}{changed && <span class="changed"> {pick("changed")}</span>}</summary>
        <dl>
          {l.fields.map((f) => {
            const other = differs(old, data, f.start, f.end);
            return <div key={f.name} class={other ? "changed" : ""}><dt>{f.name}</dt><dd>{f.value}{other && <span class="soft"> {pick("was", { value: was(l, f, old) })}</span>}</dd></div>;
          })}
        </dl>
      </details>
    </li>
  );
}

// was is a field's value in the bytes before, read as the field is now.
function was(l, f, old) {
  for (const layer of layersOf(old, l.name !== "Ethernet" && l.start === 0)) {
    const same = layer.fields.find((g) => layer.name === l.name && g.name === f.name);
    if (same) return same.value;
  }
  return [...old.subarray(f.start, f.end)].map((b) => b.toString(16).padStart(2, "0")).join(" ");
}

function Hex({ data, old, length }) {
  const lines = [];
  for (let i = 0; i < data.length; i += 16) lines.push(i);
  return (
    <details class="hex">
      <summary>{pick("bytes.of", { n: data.length, all: length })}</summary>
      <pre tabIndex={0}>
        {lines.map((i) => (
          <div key={i}>
            <span class="soft">{i.toString(16).padStart(4, "0")}  </span>
            {[...data.subarray(i, i + 16)].map((b, k) => {
              const text = b.toString(16).padStart(2, "0") + " ";
              return old && old[i + k] !== b ? <mark key={k}>{text}</mark> : text;
            })}
          </div>
        ))}
      </pre>
    </details>
  );
}
