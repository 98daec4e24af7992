// A frame whose link opens nothing says so to the page around it.
import { createEmbedding } from "./embedding.js";

const root = document.querySelector("[data-embed-origins]");
createEmbedding(root).tell("refused", { reason: "link_used" });
