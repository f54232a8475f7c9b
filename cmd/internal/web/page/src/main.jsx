// The page: picture and journeys always, and beside them what is asked or done.

import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import * as client from "./client.js";
import { answer, asList, connection, go, keys, lab, link, listen, nextDrop, openCapture, opened, playing, problem, refresh, said, scheme, select, selected, tab } from "./state.js";
import { pointing } from "./ask.js";
import { held, next, pause, pausing, resume } from "./world.js";
import { language, languages, pick } from "./words.js";
import { Picture } from "./views/picture.jsx";
import { Journeys } from "./views/journeys.jsx";
import { Steps } from "./views/steps.jsx";
import { Tables } from "./views/tables.jsx";
import { Drops } from "./views/drops.jsx";
import { Rules } from "./views/rules.jsx";
import { Ask } from "./views/ask.jsx";
import { Do } from "./views/do.jsx";
import { Terminal } from "./views/terminal.jsx";
import { dropped, Labs } from "./views/labs.jsx";
import { Held, Pause } from "./views/world.jsx";
import "./style.css";
import "@xterm/xterm/css/xterm.css";

const TABS = { rules: Rules, tables: Tables, drops: Drops, ask: Ask, do: Do, terminal: Terminal };

function Page() {
  const help = useSignal(false);
  useEffect(() => {
    document.documentElement.dataset.scheme = scheme.value;
    document.title = lab.value ? `${lab.value.name} — uswitch` : "uswitch";
  });
  useEffect(() => {
    const press = (e) => shortcut(e, help);
    addEventListener("keydown", press);
    const over = (e) => e.dataTransfer?.types.includes("Files") && e.preventDefault();
    const drop = (e) => e.dataTransfer?.files[0] && (e.preventDefault(), dropped(e.dataTransfer.files[0]));
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => (removeEventListener("keydown", press), removeEventListener("dragover", over), removeEventListener("drop", drop));
  }, []);
  return (
    <>
      <Top help={help} />
      <main>
        <section class="pane picture" aria-labelledby="picture-title">
          <header>
            <h2 id="picture-title">{pick("picture")}</h2>
            <div class="controls">
              <Pause />
              <button aria-pressed={asList.value} onClick={() => (asList.value = !asList.value)}>{pick("as.list")}</button>
            </div>
          </header>
          <Held />
          <Picture />
        </section>
        <Side />
        <Journeys />
        <Steps />
      </main>
      <div class="hidden" role="status" aria-live="polite">{said.value}</div>
      {problem.value && <div class="problem" role="alert">{problem.value} <button onClick={() => (problem.value = "")} aria-label={pick("close")}>✕</button></div>}
      {help.value && <Help help={help} />}
    </>
  );
}

function Top({ help }) {
  return (
    <header class="top">
      <h1>uswitch <span>{lab.value?.name}</span></h1>
      <span class={`link ${link.value.state}`} role="status">{pick("link." + link.value.state)}</span>
      <Labs />
      <span class="grow" />
      <Capture />
      <label class="file">{pick("file.open")}<input type="file" class="hidden" accept=".pcapng" onChange={(e) => (e.target.files[0] && openCapture(e.target.files[0]), (e.target.value = ""))} /></label>
      <label>{pick("colours")} <select value={scheme.value} onChange={(e) => (scheme.value = e.target.value)}>
        {["auto", "light", "dark"].map((s) => <option key={s} value={s}>{pick("scheme." + s)}</option>)}
      </select></label>
      <label><span class="hidden">{pick("language")}</span><select value={language.value} aria-label={pick("language")} onChange={(e) => (language.value = e.target.value)}>
        {Object.entries(languages).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
      </select></label>
      <button onClick={() => (help.value = true)} aria-haspopup="dialog">{pick("keys")}</button>
    </header>
  );
}

// Capture writes what passes from one press of the button to the next into a file for Wireshark.
function Capture() {
  const on = useSignal(0);
  const ending = useRef();
  const begin = async () => {
    ending.current = new AbortController();
    const parts = [];
    let size = 0;
    on.value = 1;
    try {
      for await (const chunk of client.chunks("GET", "/v1/trace?format=pcapng", undefined, { signal: ending.current.signal })) {
        parts.push(chunk);
        on.value = size += chunk.length;
      }
    } catch (e) {
      if (!ending.current.signal.aborted) problem.value = e.message;
    }
    on.value = 0;
    const a = document.createElement("a");
    a.href = URL.createObjectURL(new Blob(parts, { type: "application/vnd.tcpdump.pcap" }));
    a.download = `${lab.value?.name || "lab"}.pcapng`;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  };
  return <button aria-pressed={on.value > 0} class={on.value ? "on" : ""} onClick={() => (on.value ? ending.current.abort() : begin())}>
    {on.value ? pick("capture.end", { n: Math.ceil(on.value / 1024) }) : pick("capture")}</button>;
}

function Side() {
  const names = Object.keys(TABS);
  const View = TABS[tab.value] || Rules;
  const key = (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    tab.value = names[(names.indexOf(tab.value) + step + names.length) % names.length];
    document.getElementById("tab-" + tab.value).focus();
  };
  return (
    <section class="pane side" aria-label={pick("beside")}>
      <div role="tablist" aria-label={pick("beside")} onKeyDown={key}>
        {names.map((name) => (
          <button key={name} id={"tab-" + name} role="tab" aria-selected={tab.value === name} aria-controls="beside" tabIndex={tab.value === name ? 0 : -1} onClick={() => (tab.value = name)}>{pick("tab." + name)}</button>
        ))}
      </div>
      <div id="beside" role="tabpanel" aria-labelledby={"tab-" + tab.value}><View /></div>
    </section>
  );
}

// shortcut does what single keys do, unless somebody types, or wants none of them.
function shortcut(e, help) {
  if (e.key === "Escape") {
    if (help.value) help.value = false;
    else if (pointing.value) pointing.value = null;
    else if (problem.value) problem.value = "";
    else select(0);
    return;
  }
  if (!keys.value || e.ctrlKey || e.altKey || e.metaKey || help.value || e.target.closest("input, select, textarea, .terminal, [role=tablist]")) return;
  const onButton = e.target.closest("button, summary, [role=button]");
  const does = { ArrowRight: () => go(1), ArrowLeft: () => go(-1), d: nextDrop, a: answer, c: connection, l: () => (asList.value = !asList.value),
    p: () => (pausing.value ? resume() : pause()), n: () => held.value[0] && next(held.value[0].leg), "?": () => (help.value = true) }[e.key];
  if (e.key === " " && !onButton && selected.value) playing.value = !playing.value;
  else if (does) does();
  else return;
  e.preventDefault();
}

function Help({ help }) {
  const dialog = useRef();
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={() => (help.value = false)}>
      <h2 id="help-title">{pick("keys")}</h2>
      <dl>
        {[["→ ←", "key.step"], ["␣", "key.play"], ["d", "key.drop"], ["a", "key.answer"], ["c", "key.connection"], ["p", "key.pause"], ["n", "key.next"], ["l", "key.list"], ["Esc", "key.escape"]].map(([k, what]) => (
          <div key={k}><dt><kbd>{k}</kbd></dt><dd>{pick(what)}</dd></div>
        ))}
      </dl>
      <p><label><input type="checkbox" checked={keys.value} onChange={(e) => (keys.value = e.target.checked)} /> {pick("keys.on")}</label></p>
      <button onClick={() => dialog.current.close()}>{pick("close")}</button>
    </dialog>
  );
}

async function begin() {
  await refresh();
  listen();
  setInterval(refresh, 3000);
  opened.subscribe(() => refresh());
}

render(<Page />, document.getElementById("page"));
begin();
