// SPDX-License-Identifier: MIT
// Server-sent events, to whoever listens. After a gap ("lost", or the stream came back) listeners are told to fetch anew.

import { get } from "./api.js";

const AGAIN_MS = 5000;
const listeners = new Set();
let source = null, wasOpen = false, again = null;

function tell(kind, data) {
  for (const listener of [...listeners]) listener(kind, data);
}

// Returns what ends it.
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function show(on, text) {
  const place = document.getElementById("live");
  place.dataset.on = on;
  if (place.textContent !== text) place.textContent = text;
}

// The browser itself comes back when the line breaks, but not when it is told anything else than a stream: there are too many
// at once, the daemon's mind starts anew, a proxy has nobody behind it, or the session is over, of which get() tells.
function comeBack() {
  const mine = setTimeout(async () => {
    try {
      await get("api/session");
    } catch {
      if (again === mine) comeBack();
      return;
    }
    if (again === mine) open();
  }, AGAIN_MS);
  again = mine;
}

function open() {
  again = null;
  source = new EventSource("api/events");
  source.addEventListener("hello", () => {
    show("yes", "live");
    if (wasOpen) tell("lost", null);
    wasOpen = true;
  });
  for (const kind of ["incident", "counters", "lost"])
    source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  source.addEventListener("error", () => {
    const isOver = source?.readyState === EventSource.CLOSED;
    show("no", isOver ? "not live" : "reconnecting");
    wasOpen = true; // what happens from now on is missed
    if (isOver) comeBack();
  });
}

export function start() {
  stop();
  open();
}

export function stop() {
  clearTimeout(again);
  again = null;
  source?.close();
  source = null;
  wasOpen = false;
  show("", "");
}
