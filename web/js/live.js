// SPDX-License-Identifier: MIT
// Server-sent events, to whoever listens. After a gap ("lost", or the stream came back) listeners are told to fetch anew.

const listeners = new Set();
let source = null, wasOpen = false;

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

export function start() {
  stop();
  source = new EventSource("api/events");
  source.addEventListener("hello", () => {
    show("yes", "live");
    if (wasOpen) tell("lost", null);
    wasOpen = true;
  });
  for (const kind of ["incident", "counters", "lost"])
    source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  source.addEventListener("error", () => show("no", source?.readyState === EventSource.CLOSED ? "not live" : "reconnecting"));
}

export function stop() {
  source?.close();
  source = null;
  wasOpen = false;
  show("", "");
}
