// Words for a viewer without a line: the same events as on the data channel, over plain HTTP (text/event-stream). Read
// by fetch and not by EventSource, which could not carry the secret of a viewer in a frame.

const READ_AFTER_MS = 8000; // without a line; a line that stutters is back sooner, and its sound is not missed
const AGAIN_AFTER_MS = 1000;

// Takes apart a text/event-stream: `push(text)` returns the events that are complete, as {id, event, data}. Pure.
export function createParser() {
  let rest = "";
  return function push(text) {
    const blocks = (rest + text.replaceAll("\r\n", "\n")).split("\n\n");
    rest = blocks.pop();
    return blocks.map(parse).filter(({ data }) => data !== "");
  };
}

// When the page reads: not at once, but after a while without a line, and until there is one. `page`: `mayRead()`;
// `settle()` when no line can be made and words come, `unsettle()` when one is wanted again; `end(reason)`.
export function createFallback(reading, button, page) {
  let timer = 0;
  let isSettled = false;

  function stop() {
    clearTimeout(timer);
    timer = 0;
    reading.close();
    resume();
  }

  function resume() {
    isSettled = false;
    button.hidden = true;
    page.unsettle();
  }

  return {
    stop,
    resume,
    // The viewer reads, and no line is made unless they ask for one.
    isSettled: () => isSettled,
    soon() {
      timer ||= setTimeout(() => { if (page.mayRead()) reading.open(); }, READ_AFTER_MS);
    },
    settleOrEnd(reason) {
      if (isSettled) return;
      if (!reading.isConnected()) {
        page.end(reason);
        return;
      }
      isSettled = true;
      button.hidden = false;
      page.settle();
    },
  };
}

function parse(block) {
  const told = { id: "", event: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = line.match(/^(id|event|data): ?(.*)$/) ?? [];
    if (name === "data") told.data += (told.data && "\n") + value;
    else if (name) told[name] = value;
  }
  return told;
}

// `onEvent(text)` gets each event that neither stream nor data channel has told before; `onEnded(reason)` once,
// with "" where the service does not say why.
export function createReading({ url, headers = {}, onEvent, onEnded, ask = fetch.bind(globalThis), pauseMs = AGAIN_AFTER_MS }) {
  let last = 0; // number of the newest event that this page has had
  let running = null;
  let isConnected = false;

  function take({ id, event, data }) {
    if (event === "ended") {
      close();
      onEnded(JSON.parse(data).reason);
    } else if (event === "message" && Number(id) > last) {
      last = Number(id);
      onEvent(data);
    }
  }

  async function read(signal) {
    const response = await ask(url, {
      credentials: "same-origin", cache: "no-store", signal,
      headers: { Accept: "text/event-stream", "Last-Event-ID": String(last), ...headers } });
    if (!response.ok) {
      if (response.status < 500 && response.status !== 429) { // it is over, or was never ours
        close();
        onEnded("");
      }
      return;
    }
    isConnected = true;
    const push = createParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      for (const event of push(decoder.decode(value, { stream: true }))) take(event);
    }
  }

  async function keepReading(signal) {
    while (!signal.aborted) {
      await read(signal).catch(() => {}); // a stream that breaks is asked for again, from where it broke
      isConnected = false;
      if (!signal.aborted) await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
    }
  }

  function close() {
    running?.abort();
    running = null;
    isConnected = false;
  }

  return {
    // Whether words would come now.
    isConnected: () => isConnected,
    open() {
      if (running) return;
      running = new AbortController();
      keepReading(running.signal);
    },
    close,
    // An event came over the data channel: it is not told again.
    had(seq) {
      if (seq > last) last = seq;
    },
  };
}
