// The gateway's rules, as iptables prints them, with their counters; to add to and to take from.

import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import * as client from "../client.js";
import { step } from "../state.js";
import { pick } from "../words.js";

// parse reads what iptables-save prints: tables of chains of rules.
function parse(text) {
  const tables = [];
  let table;
  for (const line of text.split("\n")) {
    const [, packets, bytes, rest] = line.match(/^\[(\d+):(\d+)\] (.*)$/) || [null, "", "", line];
    if (line.startsWith("*")) tables.push((table = { name: line.slice(1), chains: new Map() }));
    else if (line.startsWith(":")) {
      const [chain, policy, counters] = line.slice(1).split(" ");
      const [p, b] = (counters || "[0:0]").slice(1, -1).split(":");
      table.chains.set(chain, { policy, packets: p, bytes: b, rules: [] });
    } else if (rest.startsWith("-A ")) {
      const chain = rest.split(" ")[1];
      table.chains.get(chain)?.rules.push({ text: rest, packets, bytes });
    }
  }
  return tables;
}

// split reads a command line as a shell would, as far as rules need that.
export function split(line) {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3]);
}

export function Rules() {
  const tables = useSignal([]);
  const line = useSignal("-A FORWARD -i br0 -p icmp -j DROP");
  const outcome = useSignal(null);
  const read = () => client.text("/v1/iptables-save?counters=1").then((t) => (tables.value = parse(t)), () => {});
  useEffect(() => {
    read();
    const timer = setInterval(read, 1000);
    return () => clearInterval(timer);
  }, []);
  const run = async (args) => {
    try {
      const { output } = await client.post("/v1/iptables", { args });
      outcome.value = { bad: false, text: output, command: "uswitch iptables " + args.join(" ") };
    } catch (e) {
      outcome.value = { bad: true, text: e.message, command: "uswitch iptables " + args.join(" ") };
    }
    read();
  };
  const remove = (table, rule, number) => run(["-t", table, "-D", rule.text.split(" ")[1], String(number)]);
  return (
    <div class="stack">
      <form class="row" onSubmit={(e) => (e.preventDefault(), run(split(line.value.replace(/^\s*(uswitch\s+)?iptables\s+/, ""))))}>
        <label class="grow">iptables <input class="code" value={line.value} spellcheck={false} aria-label={pick("rule.line")} onInput={(e) => (line.value = e.target.value)} /></label>
        <button>{pick("run")}</button>
      </form>
      {outcome.value && <p class={`command ${outcome.value.bad ? "bad" : ""}`} role="status"><code>{outcome.value.command}</code>{outcome.value.text && <pre>{outcome.value.text}</pre>}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={pick("rules")}>
        {tables.value.map((t) => [...t.chains].filter(([, c]) => c.rules.length || c.packets > 0).map(([name, c]) => (
          <section key={t.name + name}>
            <h3>{t.name} {name} {c.policy !== "-" && <span class="soft">{pick("policy", { policy: c.policy, n: c.packets })}</span>}</h3>
            {c.rules.length > 0 && <table class="rules">
              <thead><tr><th scope="col">{pick("column.packets")}</th><th scope="col">{pick("column.rule")}</th><th scope="col"><span class="hidden">{pick("remove")}</span></th></tr></thead>
              <tbody>
                {c.rules.map((r, i) => (
                  <tr key={r.text + i} class={step.value?.rule === r.text ? "decided" : ""}>
                    <td>{r.packets}</td><td><code>{r.text}</code></td>
                    <td><button aria-label={pick("remove.rule", { rule: r.text })} onClick={() => remove(t.name, r, i + 1)}>✕</button></td>
                  </tr>
                ))}
              </tbody>
            </table>}
          </section>
        )))}
      </div>
    </div>
  );
}
