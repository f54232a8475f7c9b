// The labs of the playground, of which a page has one at a time. Where a server answers there is nothing to choose.

import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { playground } from "../client.js";
import { openCapture, problem } from "../state.js";
import { language, pick } from "../words.js";

// dropped opens a file: a capture or, in the playground, a lab.
export function dropped(file) {
  return playground && !file.name.endsWith(".pcapng") ? playground.openFile(file) : openCapture(file);
}

export function Labs() {
  if (!playground) return null;
  const labs = useSignal([]);
  const notes = useSignal(null);
  const copied = useSignal(false);
  useEffect(() => {
    playground.labs.then((all) => (labs.value = all), (e) => (problem.value = e.message));
    playground.ready.then((lines) => (notes.value = lines), (e) => (problem.value = e.message));
  }, []);
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    copied.value = true;
  };
  return (
    <>
      <label>{pick("lab")} <select value={playground.name} onChange={(e) => playground.open(e.target.value)}>
        {!playground.name && <option value="">{pick("lab.own")}</option>}
        {labs.value.map((l) => <option key={l.name} value={l.name}>{l.name}: {l.titles?.[language.value] || l.about}</option>)}
      </select></label>
      <label class="file">{pick("lab.open")}<input type="file" class="hidden" accept=".yaml,.yml" onChange={(e) => e.target.files[0] && playground.openFile(e.target.files[0])} /></label>
      <button onClick={copy}>{pick(copied.value ? "lab.copied" : "lab.link")}</button>
      {!notes.value && !problem.value && <span role="status">{pick("lab.loading")}</span>}
      {notes.value?.length > 0 && <details class="notes"><summary>{pick("lab.notes", { n: notes.value.length })}</summary><ul>{notes.value.map((n) => <li key={n}>{n}</li>)}</ul></details>}
    </>
  );
}
