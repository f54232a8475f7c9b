// What was dropped, for which reason, with the last packet of each.

import { signal } from "@preact/signals";
import { byPacket, drops, ix, problem, select, tab } from "../state.js";
import { nodeOf } from "../places.js";
import { pick } from "../words.js";

const only = signal(""); // a node

export function openDrops(node) {
  only.value = node;
  tab.value = "drops";
}

// open looks at a dropped packet's journey, at the step where it ended.
function open(d) {
  const j = byPacket.get(d.packet);
  if (!j) problem.value = pick("not.seen");
  else select(d.packet, Math.max(0, j.steps.findIndex((s) => s.verdict === "drop")));
}

export function Drops() {
  const rows = drops.value.filter((d) => !only.value || (d.last && nodeOf({ ...d.last, place: d.last.where }, ix.value) === only.value));
  return (
    <div class="stack">
      {only.value && <p><button onClick={() => (only.value = "")}>{pick("drops.at", { name: ix.value.nodes.get(only.value)?.name })} ✕</button></p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={pick("drops")}>
        {rows.length === 0 && <p class="empty">{pick("no.drops")}</p>}
        {rows.map((d) => (
          <article key={d.reason} class="drop">
            <h3>{d.reason} <span class="badge">{d.count}</span></h3>
            <p>{d.sentence}</p>
            {d.last && (
              <p>
                <span class="soft">{pick("last.one")}</span> {d.last.summary} <span class="soft">{d.last.at}</span>
                {d.last.rule && <><br /><code>{d.last.rule}</code></>}
                {d.last.details && <><br />{d.last.details}</>}
                {d.last.packet > 0 && <><br /><button onClick={() => open(d.last)}>{pick("show.packet", { n: d.last.packet })}</button></>}
              </p>
            )}
          </article>
        ))}
      </div>
      <p class="command"><code>uswitch drops</code></p>
    </div>
  );
}
