// The tables that decide, as rows.

import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import * as client from "../client.js";
import { file, journey, step } from "../state.js";
import { pick } from "../words.js";

export const TABLES = { fdb: "/v1/fdb", neigh: "/v1/neigh", conntrack: "/v1/conntrack", routes: "/v1/routes", ports: "/v1/ports", hosts: "/v1/hosts", published: "/v1/publish" };

const seconds = (s) => (s === undefined ? "" : s < 10 ? s.toFixed(1) + " s" : Math.round(s) + " s");
const ends = (t) => `${t.src}${t.sport ? ":" + t.sport : ""} > ${t.dst}${t.dport ? ":" + t.dport : ""}${t.id ? " id " + t.id : ""}`;

const COLUMNS = {
  fdb: [["station", (r) => r.mac], ["port", (r) => r.ifname], ["network", (r) => r.master], ["state", (r) => r.state || pick("learned")], ["age", (r) => seconds(r.age)]],
  neigh: [["address", (r) => r.dst], ["network", (r) => r.dev], ["MAC", (r) => r.lladdr], ["state", (r) => (r.state || []).join(" ")]],
  conntrack: [["id", (r) => r.id], ["protocol", (r) => r.protocol], ["there", (r) => ends(r.original)], ["back", (r) => ends(r.reply)], ["state", (r) => r.state || (r.replied ? pick("answered") : pick("unanswered"))], ["timeout", (r) => r.timeout + " s"]],
  routes: [["destination", (r) => r.dst], ["via", (r) => r.gateway], ["device", (r) => r.dev], ["source", (r) => r.prefsrc]],
  ports: [["network", (r) => r.network], ["port", (r) => r.name], ["in", (r) => r.rx_packets], ["out", (r) => r.tx_packets], ["dropped", (r) => r.rx_dropped + r.tx_dropped],
    ["flags", (r) => [!r.learning && "no learning", !r.flood && "no flood", r.isolated && "isolated"].filter(Boolean).join(", ")]],
  hosts: [["name", (r) => r.name], ["addresses", (r) => (r.interfaces || []).map((i) => i.address).join(", ")], ["command", (r) => (r.command || []).join(" ")], ["state", (r) => r.state]],
  published: [["port", (r) => `${r.host_port}/${r.protocol}`], ["host", (r) => r.host], ["to", (r) => r.to]],
};

// tableAt is a table as it was when a packet passed or, where that is not kept, as it is now: {name, rows, after} says how many
// milliseconds after it, {name, rows, why} why it is of now.
export async function tableAt(name, time) {
  let why = "";
  if (["fdb", "neigh", "conntrack"].includes(name)) {
    try {
      const past = await client.get("/v1/past?time=" + encodeURIComponent(time));
      if (!past.too_large?.includes(name)) return { name, rows: past[name], after: Date.parse(past.taken) - Date.parse(time) };
      why = pick("too.large");
    } catch (e) {
      why = e.message;
    }
  }
  return { name, rows: await client.get(TABLES[name]), why };
}

// asOf says of when a table is.
export const asOf = (t) => (t.after === undefined ? pick("as.now") + (t.why ? ": " + t.why : "") : pick("as.then", { n: Math.max(0, Math.round(t.after)) }));

export function Rows({ name, rows }) {
  return (
    <table>
      <thead><tr>{COLUMNS[name].map(([title]) => <th key={title} scope="col">{pick("column." + title)}</th>)}</tr></thead>
      <tbody>{rows.map((r, i) => <tr key={i}>{COLUMNS[name].map(([title, value]) => <td key={title}>{value(r)}</td>)}</tr>)}</tbody>
    </table>
  );
}

export function Tables() {
  const name = useSignal("fdb");
  const rows = useSignal({ name: "", rows: [] });
  const then = useSignal(false); // as the tables were at the packet that is looked at
  const time = then.value && !file.value && step.value?.time;
  useEffect(() => {
    const of = name.value;
    let gone = false;
    const read = () => (time ? tableAt(of, time) : client.get(TABLES[of]).then((r) => ({ name: of, rows: r }))).then((t) => !gone && (rows.value = t), () => {});
    read();
    const timer = !time && setInterval(read, 2000);
    return () => ((gone = true), clearInterval(timer));
  }, [name.value, time]);
  return (
    <div class="stack">
      <div class="chips" role="group" aria-label={pick("tables")}>
        {Object.keys(TABLES).map((t) => <button key={t} aria-pressed={t === name.value} onClick={() => (name.value = t)}>{pick("table." + t)}</button>)}
        <label><input type="checkbox" checked={then.value} onChange={(e) => (then.value = e.target.checked)} /> {pick("at.packet")}</label>
      </div>
      {time && rows.value.name === name.value && <p class="soft" role="status">{pick("packet.n", { n: journey.value.packet })}: {asOf(rows.value)}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={pick("table." + name.value)}>
        {rows.value.name === name.value && rows.value.rows.length ? <Rows name={name.value} rows={rows.value.rows} /> : <p class="empty">{pick("no.rows")}</p>}
      </div>
      <p class="command"><code>uswitch show {name.value}</code></p>
    </div>
  );
}
