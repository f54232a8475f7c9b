// The worker in which uswitch runs. The page asks by messages {id, kind, ...}; what comes back has the same id.

importScripts("wasm_exec.js");

// What uswitch writes to its standard streams, which run has: Go's support would write it to the console.
const written = new TextDecoder();
fs.writeSync = (fd, bytes) => {
  postMessage({ kind: "written", fd, text: written.decode(bytes, { stream: true }) });
  return bytes.length;
};

// load takes uswitch packed or, where the web server says that it is packed, unpacked by the browser.
async function load() {
  const answer = await fetch("uswitch.wasm.gz");
  if (!answer.ok) throw new Error(`uswitch.wasm.gz: ${answer.status} ${answer.statusText}`);
  const bytes = await answer.arrayBuffer();
  const packed = new Uint8Array(bytes)[0] === 0x1f;
  const stream = new Blob([bytes]).stream();
  const wasm = new Response(packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream, { headers: { "Content-Type": "application/wasm" } });
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(wasm, go.importObject);
  go.run(instance);
}

const loaded = load();
const asked = new Map(); // the requests under way, by their ids

const does = {
  open: (m) => uswitch.open(m.file, m.content),
  run: (m) => uswitch.run(m.file, m.content),
  request(m) {
    const { id } = m;
    asked.set(id, uswitch.request(m.method, m.path, m.headers, m.body,
      (status, headers) => postMessage({ id, kind: "head", status, headers }),
      (chunk) => postMessage({ id, kind: "chunk", chunk }, [chunk.buffer]),
      () => (asked.delete(id), postMessage({ id, kind: "end" }))));
  },
  write: (m) => asked.get(m.id)?.write(m.bytes),
  abort: (m) => asked.get(m.id)?.abort(),
};

onmessage = async ({ data: m }) => {
  try {
    await loaded;
    const result = await does[m.kind](m);
    if (m.kind === "open" || m.kind === "run") postMessage({ id: m.id, kind: "result", result });
  } catch (e) {
    postMessage({ id: m.id, kind: "failed", message: e.message });
  }
};
