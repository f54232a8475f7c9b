// What answers the page in place of a server: uswitch in a worker (worker.js). The page takes it from globalThis.uswitchPlayground.

const worker = new Worker("worker.js");
const waiting = new Map(); // what comes back is taken by, for each id
let last = 0;
let printed = "";

worker.onmessage = ({ data: m }) => {
  if (m.kind === "written") printed += m.text;
  else waiting.get(m.id)?.[m.kind]?.(m);
};
worker.onerror = (e) => {
  for (const w of waiting.values()) w.failed?.({ message: e.message });
};

// call asks the worker for something with one result.
function call(kind, file, content) {
  const id = ++last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { result: (m) => resolve(m.result), failed: (m) => reject(new Error(m.message)) });
    worker.postMessage({ id, kind, file, content });
  }).finally(() => waiting.delete(id));
}

// The lab is named in the address, behind #: lab=NAME, or file=NAME and text=CONTENT, packed. So a link carries a whole lab.
const wanted = new URLSearchParams(location.hash.slice(1));

async function bytesOf(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function pack(text) {
  const bytes = await bytesOf(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw")));
  return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(await bytesOf(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))));
}

async function fetched(path) {
  const answer = await fetch(path).catch((e) => {
    throw new Error(`${path}: ${e.message}`);
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
  return answer.text();
}

const name = wanted.get("lab") || "red-blue";
const own = wanted.get("file");

// source returns the lab's file: its name, and what is in it.
async function source() {
  if (own) return [own, await unpack(wanted.get("text") || "")];
  if (!/^[\w-]+$/.test(name)) throw new Error(`lab ${name}: there is none of this name`);
  return [`${name}.json`, await fetched(`labs/${name}.json`)];
}

const ready = source().then(([file, content]) => call("open", file, content));
ready.catch(() => {}); // whoever asks hears of it

async function request(method, path, body, { signal, headers = {} } = {}) {
  await ready;
  const bytes = body instanceof Blob ? new Uint8Array(await body.arrayBuffer()) : body === undefined ? null : new TextEncoder().encode(JSON.stringify(body));
  return ask(method, path, bytes, headers, signal).answer;
}

// ask begins a request; the answer's body is a stream.
function ask(method, path, body, headers, signal) {
  const id = ++last;
  const answer = new Promise((resolve, reject) => {
    let out;
    const stream = new ReadableStream({ start: (c) => (out = c), cancel: () => worker.postMessage({ id, kind: "abort" }) });
    waiting.set(id, {
      head: (m) => resolve(new Response(stream, { status: m.status, headers: m.headers })),
      chunk: (m) => out.enqueue(m.chunk),
      end: () => (waiting.delete(id), close(out)),
      failed: (m) => (waiting.delete(id), reject(new Error(m.message))),
    });
    signal?.addEventListener("abort", () => {
      worker.postMessage({ id, kind: "abort" });
      const why = new DOMException("aborted", "AbortError");
      reject(why);
      out.error(why);
    });
    worker.postMessage({ id, kind: "request", method, path, headers, body });
  });
  return { answer, write: (bytes) => worker.postMessage({ id, kind: "write", bytes }), abort: () => worker.postMessage({ id, kind: "abort" }) };
}

function close(out) {
  try {
    out.close();
  } catch {
    // it was given up
  }
}

// terminal runs a program in a host. There is no terminal behind it, so what a terminal does with a line is done here: what is typed
// is shown, can be erased and fetched back, and goes to the program with Enter.
function terminal({ host, args, output, closed }) {
  const bytes = new TextEncoder();
  const show = (text) => output(bytes.encode(text));
  const program = crypto.randomUUID();
  const query = new URLSearchParams([["id", program], ["host", host], ["person", "true"], ...args.map((a) => ["arg", a])]);
  let line = "", history = [], place = 0, running;
  const begin = async () => {
    await ready;
    running = ask("POST", "/v1/exec?" + query, true, {});
    const answer = await running.answer;
    if (!answer.ok) throw new Error((await answer.json()).error);
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of answer.body) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const text of lines) {
        const o = JSON.parse(text);
        for (const part of [o.stdout, o.stderr]) if (part) output(Uint8Array.from(atob(part), (c) => c.charCodeAt(0)));
      }
    }
  };
  begin().then(() => closed(""), (e) => closed(e.message));
  const replace = (text) => {
    show("\b \b".repeat(line.length) + text);
    line = text;
  };
  const key = (k) => {
    switch (k) {
      case "\r":
        show("\r\n");
        if (line) history = [...history.filter((h) => h !== line), line].slice(-100);
        place = history.length;
        running?.write(bytes.encode(line + "\n"));
        line = "";
        return;
      case "\x7f":
        if (line) replace(line.slice(0, -1));
        return;
      case "\x03":
        show("^C\r\n");
        line = "";
        request("POST", "/v1/exec/signal", { id: program, signal: 2 }).catch(() => {});
        return;
      case "\x04":
        if (!line) running?.abort();
        return;
      case "\x1b[A":
      case "\x1b[B":
        place = Math.max(0, Math.min(history.length, place + (k === "\x1b[A" ? -1 : 1)));
        replace(history[place] || "");
        return;
    }
    if (k >= " " && k !== "\x7f") {
      line += k;
      show(k);
    }
  };
  return {
    type: (data) => (data.startsWith("\x1b") ? key(data) : [...data].forEach(key)),
    resize() {},
    close: () => running?.abort(),
  };
}

// go opens another lab: a page has one, so it begins anew.
function go(fragment) {
  location.hash = fragment;
  location.reload();
}

globalThis.uswitchPlayground = {
  terminals: false,
  request,
  terminal,
  ready,
  name: own ? "" : name,
  labs: fetched("labs/index.json").then(JSON.parse),
  open: (lab) => go(new URLSearchParams({ lab })),
  async openFile(file) {
    go(new URLSearchParams({ file: file.name, text: await pack(await file.text()) }));
  },
  // run runs a lab of the playground as `uswitch run --sim` does, and returns what that prints.
  async run(lab) {
    printed = "";
    await call("run", `${lab}.json`, await fetched(`labs/${lab}.json`));
    return printed;
  },
};

navigator.serviceWorker?.register("sw.js").catch(() => {}); // without one it works as well, while there is a network
