// Keeps the live wall fresh. Nothing is replaced while somebody writes a reason or holds the pointer over a tile: no tile
// moves when one reaches for Stop.

const wall = document.querySelector("[data-wall]");

function isBusy() {
  return wall.querySelector(".tile-card:hover, form:focus-within") !== null;
}

async function refresh() {
  if (!document.hidden && !isBusy()) {
    try {
      const response = await fetch(wall.dataset.wall, { credentials: "same-origin", headers: { "X-Wall-Part": "tiles" } });
      const text = await response.text();
      if (response.ok && !isBusy()) {
        wall.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
        wall.dataset.age = "fresh";
      }
    } catch {
      wall.dataset.age = "old";
    }
  }
  setTimeout(refresh, 1000);
}

refresh();
