// Packets that are held.

import { held, next, passed, pause, pausing, resume } from "../world.js";
import { pick } from "../words.js";

export function Pause() {
  const on = pausing.value > 0;
  return <button class={on ? "on" : ""} aria-pressed={on} title="p" onClick={on ? resume : pause}>{on ? pick("let.all.go") : pick("pause")}</button>;
}

export function Held() {
  if (!pausing.value) return null;
  return (
    <section class="held" aria-label={pick("held")}>
      {held.value.length === 0 && <p role="status">{pick("waiting.for.packets")}</p>}
      {held.value.map((h) => (
        <div key={h.leg} class="row">
          <span>#{h.step.packet} {h.step.summary} — {h.step.where} {h.step.what}</span>
          <button onClick={() => next(h.leg)} title="n">{pick("next.hop")}</button>
          <button onClick={() => next(h.leg, true)}>{pick("let.go")}</button>
          {h.next?.looked?.length > 0 && <span class="soft">{pick("next.looked", { tables: h.next.looked.join(", ") })}</span>}
        </div>
      ))}
      {passed.value > 0 && <p class="soft">{pick("passed.by", { n: passed.value })}</p>}
    </section>
  );
}
