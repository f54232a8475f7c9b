// A terminal in a host.

import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Terminal as Xterm } from "@xterm/xterm";
import { FitAddon } from "@xterm/addon-fit";
import * as client from "../client.js";
import { chosen } from "../ask.js";
import { picture } from "../state.js";
import { pick } from "../words.js";

export function Terminal() {
  const hosts = (picture.value?.nodes || []).flatMap((n) => (n.kind === "host" ? [n.name] : n.members || []));
  const host = chosen.value || hosts[0] || "";
  const running = useSignal("");
  const box = useRef();
  useEffect(() => {
    if (!running.value) return;
    const term = new Xterm({ fontSize: 14, convertEol: !client.hasTerminals(), cursorBlink: false, screenReaderMode: true, theme: { background: "#11151d", foreground: "#e8ecf4" } });
    const fit = new FitAddon();
    term.loadAddon(fit);
    term.open(box.current);
    fit.fit();
    const line = client.terminal({ host: running.value.split("\n")[0], args: ["sh"], rows: term.rows, columns: term.cols, output: (b) => term.write(b),
      closed: (why) => term.write(`\r\n[${why || pick("ended")}]\r\n`) });
    term.onData(line.type);
    // Tab leads out of the terminal when it follows Escape: nobody is kept in by it.
    let escaped = false;
    term.attachCustomKeyEventHandler((e) => {
      if (e.type !== "keydown") return true;
      const leave = escaped && e.key === "Tab";
      escaped = e.key === "Escape";
      return !leave;
    });
    const size = new ResizeObserver(() => (fit.fit(), line.resize(term.rows, term.cols)));
    size.observe(box.current);
    term.focus();
    return () => (size.disconnect(), line.close(), term.dispose());
  }, [running.value]);
  return (
    <div class="stack">
      <form class="row" onSubmit={(e) => (e.preventDefault(), (running.value = host + "\n" + Date.now()))}>
        <label>{pick("host")} <select value={host} onChange={(e) => (chosen.value = e.target.value)}>{hosts.map((h) => <option key={h}>{h}</option>)}</select></label>
        <button>{pick("open.terminal")}</button>
        {running.value && <button type="button" onClick={() => (running.value = "")}>{pick("close")}</button>}
        <span class="soft">{pick("leave.terminal")}</span>
      </form>
      <div class="terminal" ref={box} hidden={!running.value} />
      <p class="command"><code>uswitch exec {host} -- sh</code></p>
    </div>
  );
}
