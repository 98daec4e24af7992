// Asks chain_worker.js whether a signed file is Trusted under our anchor, and whether its signer was revoked. Loading
// starts at once, so that only the check itself waits for the session.

import { Invalid } from "./bytes.js";

const TIMEOUT_MS = 20000;

export class ChainOfTrust {
  constructor(vendorUrl) {
    this.worker = new Worker(new URL("./chain_worker.js", import.meta.url), { type: "module" });
    this.worker.postMessage({ vendorUrl: new URL(vendorUrl, self.location.href).href });
    this.waiting = new Map();
    this.next = 1;
    this.worker.onmessage = ({ data }) => {
      this.waiting.get(data.id)?.(data);
      this.waiting.delete(data.id);
    };
    this.worker.onerror = () => {
      for (const answer of this.waiting.values()) answer({ error: "the C2PA reader could not be loaded" });
      this.waiting.clear();
    };
  }

  // Resolves to {label, facts} of the active manifest as the reader that checked its signature read it; throws Invalid
  // unless the state is exactly "Trusted".
  async demandTrusted(init, trustAnchorPem) {
    const data = await this.ask({ init, trustAnchorPem });
    if (data.error) throw new Invalid(`session manifest cannot be read: ${data.error}`);
    if (data.answer.state !== "Trusted" || data.answer.failures.length > 0) {
      throw new Invalid(`session manifest is not trusted (${data.answer.state}: ${data.answer.failures.join(", ")})`);
    }
    return { label: data.answer.label, facts: data.answer.facts };
  }

  // How the certificate that signed `init` stands by the authority's status list: {state, reason, askedAtMs}. The state
  // is "good" or "revoked", or "unknown" when no list can be had that holds: then it was not checked.
  async signerStanding(init, trustAnchorPem, statusListUrl) {
    const told = { reason: "", askedAtMs: Date.now() };
    if (!statusListUrl) return { ...told, state: "unknown", reason: "no status list is named" };
    const { error, answer } = await this.ask({
      init, trustAnchorPem, statusListUrl: new URL(statusListUrl, self.location.href).href,
    });
    if (error) return { ...told, state: "unknown", reason: error };
    return { ...told, state: answer.isRevoked ? "revoked" : "good" };
  }

  ask(question) {
    const id = this.next;
    this.next += 1;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      setTimeout(() => resolve({ error: "the C2PA reader did not answer" }), TIMEOUT_MS);
      this.worker.postMessage({ id, ...question });
    });
  }

  close() {
    this.worker.terminate();
  }
}
