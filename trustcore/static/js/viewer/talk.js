// Captions, transcript and the text box. Event names are those of the Tavus app messages; ours start with "trustcore.".

const CAPTION_STAYS_MS = 6000;
const TROUBLE_STAYS_MS = 12000;

export function createTalk(root, { sendChannel, messageUrl, headers, onEnded, onRung, onSaid = () => {} }) {
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const caption = find("caption");
  const trouble = find("trouble");
  const log = find("transcript");
  const face = find("shown");
  const form = find("message-form");
  const field = find("message");
  let timer = null;
  let troubleTimer = null;

  function showCaption(text) {
    caption.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => { caption.textContent = ""; }, CAPTION_STAYS_MS);
  }

  // A part failed and was spoken around. Of one whose failure changes nothing for the viewer there is nothing to say.
  function showTrouble({ part, trouble: how }) {
    const name = how === "slow_start" ? "slow" : part === "ears" && how === "missing" ? "deaf" : part;
    const told = ["ears", "deaf", "brain", "voice", "slow"].includes(name) ? trouble.dataset[name] : undefined;
    if (told === undefined) return;
    trouble.textContent = told;
    clearTimeout(troubleTimer);
    troubleTimer = setTimeout(() => { trouble.textContent = ""; }, TROUBLE_STAYS_MS);
  }

  function note(role, text) {
    const item = document.createElement("li");
    item.dataset.role = role;
    const who = document.createElement("b");
    who.textContent = role === "replica" ? log.dataset.replica : log.dataset.viewer;
    item.append(who, " ", text);
    log.append(item);
    item.scrollIntoView({ block: "nearest" });
  }

  const handlers = {
    "conversation.utterance": ({ role, speech }) => {
      if (role === "replica") showCaption(speech);
      note(role, speech);
    },
    // A page that was loaded again is told what was said before; one that heard it needs no telling.
    "trustcore.transcript": ({ lines }) => {
      if (log.children.length === 0) for (const { role, speech } of lines) note(role, speech);
    },
    "conversation.started_speaking": () => { root.dataset.speaking = "yes"; },
    "conversation.stopped_speaking": () => { root.dataset.speaking = "no"; },
    "trustcore.emotion": (shown) => {
      root.dataset.emotion = shown.emotion;
      root.dataset.emotionMilli = shown.shown_milli;
      tellFace(shown);
      if (shown.clamped) note("note", fill(whyLowered(shown), shown));
    },
    "trustcore.busy": () => note("note", log.dataset.busy),
    "trustcore.part_failed": showTrouble,
    "trustcore.counts": (counts) => { if (window.__trustcore) window.__trustcore.worker = counts; },
    "trustcore.rung": (told) => onRung(told),
    "trustcore.ended": ({ reason }) => onEnded(reason),
    "trustcore.moved": () => onEnded("moved"),
  };

  function tellFace({ emotion, shown_milli: milli }) {
    const word = face.dataset[emotion];
    if (word === undefined) return; // none of the eight
    face.textContent = face.dataset.shown.replace("{emotion}", milli > 0 ? `${word}, ${milli} / 1000` : word);
  }

  function whyLowered({ limited_by: by }) {
    return { replica: log.dataset.unsupported, unknown: log.dataset.unknown }[by] ?? log.dataset.clamped;
  }

  function fill(template, shown) {
    return template.replace("{asked}", shown.asked_milli).replace("{shown}", shown.shown_milli)
      .replace("{emotion}", shown.asked);
  }

  async function send(text, emotion) {
    const properties = emotion ? { text, emotion } : { text };
    if (sendChannel(JSON.stringify({ event_type: "conversation.respond", properties }))) return;
    await fetch(messageUrl, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(properties),
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text === "") return;
    field.value = "";
    onSaid();
    send(text).catch(() => { field.value = text; });
  });

  find("captions").addEventListener("click", ({ currentTarget }) => {
    const isOn = root.dataset.captions === "off";
    root.dataset.captions = isOn ? "on" : "off";
    currentTarget.setAttribute("aria-pressed", String(isOn));
  });

  tellFace({ emotion: "neutral", shown_milli: 0 }); // how every conversation begins

  return {
    send,
    // Returns the number of the event, 0 for what is none.
    receive(data) {
      let message;
      try {
        message = JSON.parse(data);
      } catch {
        return 0; // not a message of ours
      }
      handlers[message.event_type]?.(message.properties ?? {});
      return message.seq ?? 0;
    },
  };
}
