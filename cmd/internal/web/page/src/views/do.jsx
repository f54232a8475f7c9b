// What can be done to the lab. Each thing shows the command that does the same.

import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import * as client from "../client.js";
import { chosen } from "../ask.js";
import { lab, picture, refresh } from "../state.js";
import { pick } from "../words.js";

export function Do() {
  const outcome = useSignal(null);
  const hosts = (picture.value?.nodes || []).flatMap((n) => (n.kind === "host" ? [n.name] : n.members || []));
  const host = chosen.value || hosts[0] || "";
  const to = useSignal("8.8.8.8");
  const port = useSignal("8080:80");
  const busy = useSignal(false);
  const attempt = async (command, f) => {
    busy.value = true;
    try {
      outcome.value = { command, text: (await f()) || pick("done") };
    } catch (e) {
      outcome.value = { command, text: e.message, bad: true };
    }
    busy.value = false;
    refresh();
  };
  const run = (...args) => attempt(`uswitch exec ${host} -- ${args.join(" ")}`, () => exec(host, args, (text) => (outcome.value = { command: `uswitch exec ${host} -- ${args.join(" ")}`, text })));
  const publish = (method) => attempt(`uswitch publish ${method === "POST" ? "add" : "rm"} ${host} ${port.value}`, async () => {
    await (method === "POST" ? client.post : client.del)("/v1/publish", { host, port: port.value });
  });
  const set = (name, value) => attempt(`uswitch set port ${host} ${name}=${value}`, async () => {
    await client.post("/v1/set", { kind: "port", name: host, values: { [name]: value } });
  });
  return (
    <div class="stack">
      <div class="scroll" tabIndex={0} role="region" aria-label={pick("do")}>
        <p><label>{pick("host")} <select value={host} onChange={(e) => (chosen.value = e.target.value)}>{hosts.map((h) => <option key={h}>{h}</option>)}</select></label> <span class="soft">{pick("or.press")}</span></p>
        <form class="row" onSubmit={(e) => (e.preventDefault(), run("ping", "-c", "1", to.value))}>
          <label>{pick("to")} <input list="asked-do" value={to.value} onInput={(e) => (to.value = e.target.value)} /></label>
          <datalist id="asked-do">{[...hosts, "8.8.8.8"].map((h) => <option key={h} value={h} />)}</datalist>
          <button disabled={busy.value}>ping</button>
          <button type="button" disabled={busy.value} onClick={() => run("curl", "-sS", "-m", "5", "http://" + to.value + "/")}>curl</button>
          <button type="button" disabled={busy.value} onClick={() => run("ip", "addr")}>ip addr</button>
        </form>
        <form class="row" onSubmit={(e) => (e.preventDefault(), publish("POST"))}>
          <label>{pick("port")} <input size="12" value={port.value} onInput={(e) => (port.value = e.target.value)} /></label>
          <button>{pick("publish")}</button>
          <button type="button" onClick={() => publish("DELETE")}>{pick("unpublish")}</button>
        </form>
        <Cables host={host} attempt={attempt} />
        <div class="row" role="group" aria-label={pick("its.port")}>
          <span>{pick("its.port")}</span>
          <button onClick={() => set("isolated", "on")}>{pick("isolate")}</button>
          <button onClick={() => set("isolated", "off")}>{pick("join")}</button>
          <button onClick={() => set("flood", "off")}>{pick("no.flood")}</button>
          <button onClick={() => set("flood", "on")}>{pick("flood")}</button>
        </div>
        <div class="row" role="group" aria-label={pick("the.gateway")}>
          <span>{pick("the.gateway")}</span>
          <button onClick={() => attempt("uswitch set gateway ip_forward=" + (lab.value.ip_forward ? 0 : 1), async () => {
            await client.post("/v1/set", { kind: "gateway", values: { ip_forward: lab.value.ip_forward ? "0" : "1" } });
          })}>{pick(lab.value?.ip_forward ? "forward.off" : "forward.on")}</button>
        </div>
        <AddHost attempt={attempt} />
      </div>
      {outcome.value && <div class={`command ${outcome.value.bad ? "bad" : ""}`} role="status"><code>{outcome.value.command}</code><pre>{outcome.value.text}</pre></div>}
    </div>
  );
}

// exec runs a program in a host and returns what it writes; told is called while it does.
async function exec(host, args, told) {
  const query = new URLSearchParams([["id", "page-" + crypto.randomUUID()], ["host", host], ["person", "true"], ...args.map((a) => ["arg", a])]);
  let all = "", status = 0;
  const decoder = new TextDecoder();
  for await (const o of client.objects("POST", "/v1/exec?" + query, null)) {
    for (const part of [o.stdout, o.stderr]) if (part) all += decoder.decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0)), { stream: true });
    if (o.await) client.post("/v1/exec/taken", { id: query.get("id") }).catch(() => {});
    if (o.status !== undefined) status = o.status;
    if (all.length > 64 << 10) all = all.slice(-(64 << 10));
    told(all);
  }
  return all + (status ? "\n" + pick("status", { n: status }) : "");
}

// Cables plugs a host into networks, and takes it out.
function Cables({ host, attempt }) {
  const links = picture.value.links.filter((l) => l.kind === "cable" && l.id.startsWith(host + " "));
  const networks = picture.value.nodes.filter((n) => n.kind === "network");
  const change = (verb, network) => attempt(`uswitch docker network ${verb} ${network} ${host}`, async () => {
    const all = await client.get("/v1/networks");
    const docker = all.find((n) => n.name === network).docker || network;
    await client.post(`/v1/docker/networks/${encodeURIComponent(docker)}/${verb}`, { Container: host });
  });
  return (
    <div class="row" role="group" aria-label={pick("cables")}>
      <span>{pick("cables")}</span>
      {networks.map((n) => {
        const on = links.some((l) => l.network === n.name);
        return <button key={n.name} aria-pressed={on} onClick={() => change(on ? "disconnect" : "connect", n.name)}>{n.name}</button>;
      })}
    </div>
  );
}

// AddHost adds one by the lab's own plan: what apply gets is that with a host more.
function AddHost({ attempt }) {
  const name = useSignal("NEW");
  const network = useSignal("");
  const networks = picture.value.nodes.filter((n) => n.kind === "network").map((n) => n.name);
  useEffect(() => {
    if (!networks.includes(network.value)) network.value = networks[0] || "";
  }, [networks.join(" ")]);
  const add = () => attempt(`uswitch docker run -d --name ${name.value} --network ${network.value} alpine sleep infinity`, async () => {
    const all = await client.get("/v1/networks");
    const docker = all.find((n) => n.name === network.value).docker || network.value;
    const made = await client.post("/v1/docker/containers/create?name=" + encodeURIComponent(name.value), { Image: "alpine", Cmd: ["sleep", "infinity"], HostConfig: { NetworkMode: docker } });
    await client.post(`/v1/docker/containers/${made.Id}/start`, {});
  });
  return (
    <form class="row" onSubmit={(e) => (e.preventDefault(), add())}>
      <label>{pick("new.host")} <input size="10" value={name.value} onInput={(e) => (name.value = e.target.value)} /></label>
      <label>{pick("on")} <select value={network.value} onChange={(e) => (network.value = e.target.value)}>{networks.map((n) => <option key={n}>{n}</option>)}</select></label>
      <button>{pick("add.host")}</button>
    </form>
  );
}
