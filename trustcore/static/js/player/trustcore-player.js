// <trustcore-player src="CONVERSATION_URL"></trustcore-player>: a live conversation in a page of your own.
//
// The conversation, its disclosure and its verdict live in a frame of the service's origin. This element only makes the
// frame, with no more rights than it needs, and turns what the frame tells into DOM events. See docs/player.md.
//
// Events (they bubble; `detail` is frozen):
//   trustcore-ready    {conversation_id}                                       the page is there and can be connected
//   trustcore-precall  {conversation_id, is_complete, lines, down_kbps, up_kbps, round_trip_ms, expected_rung}
//                                                                              the test before connecting, when it is done
//   trustcore-verdict  {conversation_id, state, share, counts, session, signer, reason}    every verdict, about five a second
//   trustcore-ended    {conversation_id, reason}                               the conversation is over
//   trustcore-error    {reason}                                                "bad_src", "not_loaded" or "link_used"
//
// An event is word from the frame to your script. What the person sees is in the frame, and your page cannot change it.

const SOURCE = "trustcore-player";
const VERSION = 1;
const ANSWER_WITHIN_MS = 8000; // after the frame has loaded
const LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"];
const EVENTS = { ready: "trustcore-ready", precall: "trustcore-precall", verdict: "trustcore-verdict", ended: "trustcore-ended" };

const STYLE = `
  :host { display: block; position: relative; inline-size: 100%; min-inline-size: 260px; block-size: 640px; min-block-size: 320px; border-radius: 12px; overflow: clip; }
  :host([hidden]) { display: none; }
  iframe { display: block; inline-size: 100%; block-size: 100%; border: 0; border-radius: inherit; color-scheme: normal; }
  .fallback { display: none; }
  :host([data-failed]) iframe { display: none; }
  :host([data-failed]) .fallback { display: block; }
`;

// The address of the frame for a conversation's address: /c/ID/?t=TOKEN -> /c/ID/embed/?t=TOKEN. null when it is none.
export function frameUrl(src, base = document.baseURI) {
  let url;
  try {
    url = new URL(src, base);
  } catch {
    return null;
  }
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && LOCAL_HOSTS.includes(url.hostname));
  const found = url.pathname.match(/^\/c\/([A-Za-z0-9_-]+)\/(?:embed\/)?$/);
  if (!isSafe || !found || url.username || url.password) return null;
  const made = new URL(`/c/${found[1]}/embed/`, url.origin);
  if (url.searchParams.has("t")) made.searchParams.set("t", url.searchParams.get("t"));
  return made;
}

function frozen(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, frozen(inner)])));
}

export class TrustcorePlayer extends HTMLElement {
  static observedAttributes = ["src", "label"];

  #shadow = this.attachShadow({ mode: "closed" });
  #frame = null;
  #origin = "";
  #timer = 0;
  #verdict = null;
  #precall = null;
  #isConnected = false;
  #hear = (event) => this.#receive(event);

  constructor() {
    super();
    // A sheet made here needs no word for inline styles in the policy of the page around it.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#shadow.adoptedStyleSheets = [sheet];
    const fallback = document.createElement("div");
    fallback.className = "fallback";
    const slot = document.createElement("slot");
    slot.textContent = "This conversation cannot be shown here.";
    fallback.append(slot);
    this.#shadow.append(fallback);
  }

  // The last verdict's detail, or null.
  get verdict() {
    return this.#verdict;
  }

  // What the last test before connecting found, or null.
  get precall() {
    return this.#precall;
  }

  get src() {
    return this.getAttribute("src") ?? "";
  }

  set src(value) {
    this.setAttribute("src", value);
  }

  // End the conversation, as the person's own "Leave" does.
  leave() {
    this.#frame?.contentWindow?.postMessage({ source: SOURCE, v: VERSION, type: "leave" }, this.#origin);
  }

  // Test the network, before the person connects. The microphone only they can have tested, in the frame.
  testLine() {
    this.#frame?.contentWindow?.postMessage({ source: SOURCE, v: VERSION, type: "test" }, this.#origin);
  }

  connectedCallback() {
    this.#isConnected = true;
    window.addEventListener("message", this.#hear);
    this.#load();
  }

  disconnectedCallback() {
    this.#isConnected = false;
    window.removeEventListener("message", this.#hear);
    this.#unload(); // the conversation ends with its frame
  }

  attributeChangedCallback(name, before, after) {
    // An element that stood in the page before this script came gets its attributes told first and is connected after.
    // A link works once: two frames would race for it.
    if (before === after || !this.#isConnected) return;
    if (name === "src") this.#load();
    else if (this.#frame) this.#frame.title = this.#title();
  }

  #title() {
    return this.getAttribute("label") || "Conversation with an AI replica";
  }

  #load() {
    this.#unload();
    if (this.src === "") return;
    const url = frameUrl(this.src);
    if (url === null) {
      this.#fail("bad_src");
      return;
    }
    this.#origin = url.origin;
    const frame = document.createElement("iframe");
    frame.title = this.#title();
    // Scripts of its own origin, and the text box. No popups, no navigation of your page, no dialogs, no downloads.
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
    // The microphone is the viewer's to give: the frame asks for it by a click, and the browser asks the viewer.
    frame.setAttribute("allow", "autoplay; microphone");
    frame.referrerPolicy = "origin"; // where the browser has no other way to tell the frame who is around it
    frame.addEventListener("load", () => {
      clearTimeout(this.#timer);
      // A page that may not embed gets an empty frame and no word from it: silence is all there is to go by.
      this.#timer = setTimeout(() => this.#fail("not_loaded"), ANSWER_WITHIN_MS);
    }, { once: true });
    frame.src = url.href;
    this.#frame = frame;
    this.#shadow.append(frame);
  }

  #unload() {
    clearTimeout(this.#timer);
    this.#frame?.remove();
    this.#frame = null;
    this.#origin = "";
    this.#verdict = null;
    this.#precall = null;
    this.removeAttribute("data-failed");
  }

  #receive({ source, origin, data }) {
    if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#origin) return;
    if (data?.source !== SOURCE || data.v !== VERSION) return;
    clearTimeout(this.#timer);
    const { source: _source, v: _version, type, ...told } = data;
    if (type === "refused") {
      this.#tell("trustcore-error", { reason: String(told.reason) });
      return;
    }
    if (!Object.hasOwn(EVENTS, type)) return;
    const detail = this.#tell(EVENTS[type], told);
    if (type === "verdict") this.#verdict = detail;
    if (type === "precall") this.#precall = detail;
  }

  #fail(reason) {
    this.#frame?.remove();
    this.#frame = null;
    this.toggleAttribute("data-failed", true);
    this.#tell("trustcore-error", { reason });
  }

  #tell(name, told) {
    const detail = frozen(told);
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    return detail;
  }
}

if (!customElements.get("trustcore-player")) customElements.define("trustcore-player", TrustcorePlayer);
