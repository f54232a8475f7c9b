// The words of the page, in the languages that there are; a catalogue is a file.

import { effect, signal } from "@preact/signals";
import en from "./words/en.js";
import ko from "./words/ko.js";

const catalogues = { en, ko };
export const languages = { en: "English", ko: "한국어" };

function first() {
  try {
    const kept = localStorage.getItem("uswitch-language");
    if (catalogues[kept]) return kept;
  } catch {
    // nothing is kept
  }
  return navigator.language?.startsWith("ko") ? "ko" : "en";
}

export const language = signal(first());

effect(() => {
  document.documentElement.lang = language.value;
  try {
    localStorage.setItem("uswitch-language", language.value);
  } catch {
    // then it is not kept
  }
});

// pick returns a text with what belongs into its {places}.
export function pick(key, values = {}) {
  const text = catalogues[language.value][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
