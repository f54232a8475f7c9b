// The service worker keeps the page's files, so that it works without a network once it was loaded. It answers nothing else.

const KEPT = "uswitch";
const FILES = ["./", "index.html", "app.css", "app.js", "play.js", "worker.js", "wasm_exec.js", "uswitch.wasm.gz", "LICENSES.txt", "labs/index.json"];

addEventListener("install", (e) => e.waitUntil(keepAll()));
addEventListener("activate", (e) => e.waitUntil(clients.claim()));
addEventListener("fetch", (e) => {
  if (e.request.method === "GET" && new URL(e.request.url).origin === location.origin) e.respondWith(answer(e.request));
});

async function keepAll() {
  const kept = await caches.open(KEPT);
  await kept.addAll(FILES);
  const labs = await (await kept.match("labs/index.json")).json();
  await kept.addAll(labs.map((l) => `labs/${l.name}.json`));
  await skipWaiting();
}

// answer asks the network first: what is there is the newer one.
async function answer(request) {
  const kept = await caches.open(KEPT);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await kept.put(request, fresh.clone());
    return fresh;
  } catch (e) {
    const old = await kept.match(request, { ignoreSearch: true });
    if (old) return old;
    throw e;
  }
}
