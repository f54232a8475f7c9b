// How the page talks to a lab: requests with the token that came in the address. In the playground a worker answers instead of a server
// (cmd/playground).

const TOKEN = "uswitch-token";

// token reads the token out of the address, where it stands behind #, keeps it for this tab, and takes it out of the address line.
function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(TOKEN) || "";
}

const secret = token();

// Refused is an answer that is no success: the lab's own sentence.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const http = {
  terminals: true,
  async request(method, path, body, { signal, headers } = {}) {
    return fetch(path, {
      method, signal, cache: "no-store", credentials: "omit",
      headers: { Authorization: `Bearer ${secret}`, ...headers },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    });
  },
};

// playground is what has come in the server's place before the page was there: request(method, path, body, options) returns a Response.
export const playground = globalThis.uswitchPlayground;
const backend = playground || http;

export const hasTerminals = () => backend.terminals;

async function request(method, path, body, options) {
  const answer = await backend.request(method, path, body, options);
  if (!answer.ok) {
    let message = answer.statusText;
    try {
      message = (await answer.json()).error || message;
    } catch {
      // it had no sentence of its own
    }
    throw new Refused(answer.status, message);
  }
  return answer;
}

export const get = async (path, options) => (await request("GET", path, undefined, options)).json();
export const text = async (path) => (await request("GET", path)).text();
export const post = async (path, body) => (await request("POST", path, body)).json();
export const del = async (path, body) => (await request("DELETE", path, body)).json();

// chunks gives an answer's bytes as they come.
export async function* chunks(method, path, body, options) {
  const reader = (await request(method, path, body, options)).body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// lines gives a stream's lines as they come.
export async function* lines(method, path, body, options) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks(method, path, body, options)) {
    rest += decoder.decode(chunk, { stream: true });
    const complete = rest.split("\n");
    rest = complete.pop();
    yield* complete;
  }
}

// objects gives a stream's lines of JSON.
export async function* objects(method, path, body, options) {
  for await (const line of lines(method, path, body, options)) if (line) yield JSON.parse(line);
}

// follow reads server-sent events for ever, and goes on where it was when the connection is cut.
export async function follow(path, { signal, event, state }) {
  let last = "";
  for (let wait = 250; !signal.aborted;) {
    try {
      let name = "", data = "";
      for await (const line of lines("GET", path, undefined, { signal, headers: last ? { "Last-Event-ID": last } : {} })) {
        const colon = line.indexOf(": ");
        if (line === "") {
          if (name) event(name, JSON.parse(data));
          name = data = "";
          state("live");
          wait = 250;
        } else if (line.startsWith("event")) name = line.slice(colon + 2);
        else if (line.startsWith("id")) last = line.slice(colon + 2);
        else if (line.startsWith("data")) data = line.slice(colon + 2);
      }
    } catch (e) {
      if (signal.aborted) return;
      if (e instanceof Refused && e.status < 500 && e.status !== 408) {
        state("refused", e.message);
        return;
      }
    }
    state("cut");
    await new Promise((go) => setTimeout(go, wait));
    wait = Math.min(wait * 2, 4000);
  }
}

// terminal opens a WebSocket to a program in a host.
export function terminal({ host, args, rows, columns, output, closed }) {
  if (backend.terminal) return backend.terminal({ host, args, rows, columns, output, closed });
  const socket = new WebSocket(`ws://${location.host}/terminal`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(JSON.stringify({ token: secret, host, args, rows, columns }));
  socket.onmessage = (m) => output(new Uint8Array(m.data));
  socket.onclose = (e) => closed(e.reason);
  const bytes = new TextEncoder();
  return {
    type: (data) => socket.readyState === WebSocket.OPEN && socket.send(bytes.encode(data)),
    resize: (r, c) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ rows: r, columns: c })),
    close: () => socket.close(),
  };
}
