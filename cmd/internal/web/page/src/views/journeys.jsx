// The list of what passes, with its filter.

import { useEffect, useRef } from "preact/hooks";
import { closeCapture, connection, entries, file, filter, narrow, neighbour, picture, select, selected, shown } from "../state.js";
import { pick } from "../words.js";

const DRAWN = 250; // entries that are in the page at once

export function Journeys() {
  const all = shown.value;
  const chosen = all.findIndex((e) => e.packet === selected.value);
  const from = chosen >= 0 ? Math.max(0, Math.min(all.length - DRAWN, chosen - DRAWN / 2)) : Math.max(0, all.length - DRAWN);
  const some = all.slice(from, from + DRAWN);
  const box = useRef();
  const stuck = useRef(true);
  useEffect(() => {
    if (stuck.current && !selected.value) box.current.scrollTop = box.current.scrollHeight;
  }, [all.length]);
  useEffect(() => {
    box.current.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [selected.value]);
  const key = (e) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      neighbour(e.key === "ArrowDown" ? 1 : -1);
      e.preventDefault();
      e.stopPropagation();
    }
  };
  return (
    <section class="pane journeys" aria-labelledby="journeys-title">
      <header>
        <h2 id="journeys-title">{pick("journeys")}</h2>
        {file.value ? <File /> : <Filter />}
      </header>
      <Time />
      <ul ref={box} role="listbox" tabIndex={0} aria-labelledby="journeys-title" aria-activedescendant={chosen >= 0 ? `j${selected.value}` : undefined} onKeyDown={key}
        onScroll={(e) => (stuck.current = e.target.scrollHeight - e.target.scrollTop - e.target.clientHeight < 40)}>
        {some.map((e) => (e.packet ? <Entry key={e.key} j={e} /> : <li key={e.key} role="option" aria-disabled="true" aria-selected="false" class={e.kind}>{e.text}</li>))}
      </ul>
      {entries.value.length === 0 && !file.value && <p class="empty">{pick("nothing.yet")}</p>}
    </section>
  );
}

// Time goes back and forth over the packets that are kept.
function Time() {
  const all = shown.value.filter((e) => e.packet);
  if (all.length < 2) return null;
  const place = all.findIndex((e) => e.packet === selected.value);
  const here = all[place < 0 ? all.length - 1 : place];
  const clock = new Date(here.steps[0].time).toISOString().slice(11, 23);
  return (
    <label class="time">{pick("time")} <input type="range" min="0" max={all.length - 1} value={place < 0 ? all.length - 1 : place} aria-valuetext={`#${here.packet} ${clock}`}
      onInput={(e) => select(all[Number(e.target.value)].packet)} /> <span class="soft">{clock}</span></label>
  );
}

// File says that the list is a capture's.
function File() {
  const f = file.value;
  return (
    <p class="filter" role="status">
      {pick("file.of", { name: f.name, n: f.packets })} {f.packets > entries.value.length && pick("file.cut", { n: entries.value.length })} {f.lost > 0 && <strong class="bad">{pick("file.lost", { n: f.lost })}</strong>} <button onClick={closeCapture}>{pick("file.close")}</button>
    </p>
  );
}

function Entry({ j }) {
  const dropped = j.steps.some((s) => s.verdict === "drop");
  return (
    <li id={`j${j.packet}`} role="option" aria-selected={j.packet === selected.value} class={dropped ? "dropped" : ""} onClick={() => select(j.packet)}>
      <span class="number">#{j.packet}</span> <span class="ends">{j.from} {">"} {j.to}</span> <span class="proto">{j.proto}</span> <span class="what">{j.what}</span>
      {dropped && <span class="badge">{pick("dropped")}</span>}
    </li>
  );
}

function Filter() {
  const f = filter.value;
  const hosts = (picture.value?.nodes || []).flatMap((n) => (n.kind === "host" ? [n.name] : n.members || []));
  return (
    <form class="filter" onSubmit={(e) => e.preventDefault()} aria-label={pick("filter")}>
      <select aria-label={pick("filter.host")} value={f.host} onChange={(e) => narrow({ host: e.target.value })}>
        <option value="">{pick("all.hosts")}</option>
        {hosts.map((h) => <option key={h}>{h}</option>)}
      </select>
      <select aria-label={pick("filter.proto")} value={f.proto} onChange={(e) => narrow({ proto: e.target.value })}>
        <option value="">{pick("all.protocols")}</option>
        {["arp", "icmp", "tcp", "udp", "ipv6"].map((p) => <option key={p} value={p}>{p.toUpperCase()}</option>)}
      </select>
      <input aria-label={pick("filter.port")} placeholder={pick("port")} inputMode="numeric" size="5" value={f.port} onChange={(e) => narrow({ port: e.target.value.replace(/\D/g, "") })} />
      <label><input type="checkbox" checked={f.drops} onChange={(e) => narrow({ drops: e.target.checked })} /> {pick("only.drops")}</label>
      {f.conn > 0 && <button onClick={connection}>{pick("connection.n", { n: f.conn })} ✕</button>}
    </form>
  );
}
