// explain, why-not and reach.

import { useSignal } from "@preact/signals";
import * as client from "../client.js";
import { ask, found, pointing, predicted, question, startPointing } from "../ask.js";
import { picture, problem } from "../state.js";
import { pick } from "../words.js";

const mark = { yes: "✓", no: "✕", unknown: "?" };

export function Ask() {
  const q = question.value;
  const set = (change) => (question.value = { ...q, ...change });
  const hosts = (picture.value?.nodes || []).flatMap((n) => (n.kind === "host" ? [n.name] : n.members || []));
  const reach = useSignal(null);
  const readReach = () => client.get("/v1/reach?outside=8.8.8.8").then((m) => (reach.value = m), (e) => (problem.value = e.message));
  const openCell = (from, to) => {
    question.value = { from, to: to.to, protocol: to.protocol, port: to.port || 80 };
    ask("explain");
  };
  return (
    <div class="stack">
      <form class="row" onSubmit={(e) => (e.preventDefault(), ask("explain"))}>
        <label>{pick("from")} <input list="askers" required value={q.from} onInput={(e) => set({ from: e.target.value })} /></label>
        <label>{pick("to")} <input list="asked" required value={q.to} onInput={(e) => set({ to: e.target.value })} /></label>
        <label>{pick("by")} <select value={q.protocol} onChange={(e) => set({ protocol: e.target.value })}>
          <option value="icmp">ping</option><option value="tcp">TCP</option><option value="udp">UDP</option></select></label>
        {q.protocol !== "icmp" && <label>{pick("port")} <input size="5" inputMode="numeric" value={q.port} onInput={(e) => set({ port: e.target.value.replace(/\D/g, "") })} /></label>}
        <datalist id="askers">{[...hosts, "outside"].map((h) => <option key={h} value={h} />)}</datalist>
        <datalist id="asked">{[...hosts, "gateway", "8.8.8.8"].map((h) => <option key={h} value={h} />)}</datalist>
        <button>{pick("explain")}</button>
        <button type="button" onClick={() => ask("why-not")}>{pick("why.not")}</button>
        <button type="button" onClick={() => ask("explain", true)}>{pick("and.send")}</button>
        <button type="button" aria-pressed={!!pointing.value} onClick={() => (pointing.value ? (pointing.value = null) : startPointing())}>{pick("point")}</button>
        <button type="button" onClick={readReach}>{pick("reach")}</button>
      </form>
      <div class="scroll" tabIndex={0} role="region" aria-label={pick("answer")}>
        {found.value && <Found f={found.value} />}
        {reach.value && <Matrix m={reach.value} open={openCell} />}
      </div>
    </div>
  );
}

function Found({ f }) {
  const a = f.answer;
  return (
    <section>
      <p class={`sentence ${a.verdict}`}>{mark[a.verdict]} {a.sentence}</p>
      {a.unknown && <p class="soft">{a.unknown}</p>}
      <p class="command"><code>{f.command}</code> {predicted.value && <button onClick={() => (predicted.value = null)}>{pick("hide.way")}</button>}</p>
      {a.phases && (
        <ol class="phases">
          {a.phases.map((p) => (
            <li key={p.phase} class={p.result === "DROP" ? "drop" : ""}>
              <span class="where">{p.where}</span> <span class="hook">{p.type}</span> <strong>{p.result}</strong> {p.looked_up} {p.found} {p.changed} {p.before && `${p.before} → ${p.after}`}
              {p.rule && <><br /><code>{p.rule.text}</code></>}
            </li>
          ))}
        </ol>
      )}
      {a.steps && (
        <ol>
          {a.steps.map((s, i) => <li key={i}>{s.because}<br />{s.command ? <code>{s.command}</code> : s.text}</li>)}
        </ol>
      )}
    </section>
  );
}

const column = (c) => c.to + (c.protocol === "icmp" ? "" : ` ${c.protocol} ${c.port}`);

function Matrix({ m, open }) {
  return (
    <table class="matrix">
      <caption>{pick("reach.caption")}</caption>
      <thead><tr><td />{m.to.map((c) => <th key={column(c)} scope="col">{column(c)}</th>)}</tr></thead>
      <tbody>
        {m.from.map((from, i) => (
          <tr key={from}><th scope="row">{from}</th>
            {m.cells[i].map((cell, k) => (
              <td key={k}>{cell && cell.verdict && <button class={cell.verdict} aria-label={`${from} ${column(m.to[k])}: ${pick("verdict." + cell.verdict)}`} onClick={() => open(from, m.to[k])}>{mark[cell.verdict]}</button>}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
