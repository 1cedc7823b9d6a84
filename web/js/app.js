// SPDX-License-Identifier: MIT
// The frame: session, address, which view is shown. A view is a module with show(root, context): it fills `root`, and may return
// what takes it down. context: { words, parameters, go, signal }.

import { get, post, onLoggedOut } from "./api.js";
import { ask } from "./login.js";
import { h, replace, say } from "./dom.js";
import * as live from "./live.js";
import * as overview from "./overview.js";
import * as incidents from "./incidents.js";
import * as incident from "./incident.js";
import * as tunnels from "./tunnels.js";
import * as devices from "./devices.js";
import * as applets from "./applets.js";

const VIEWS = { "": overview, incidents, incident, tunnels, devices, applets };
const main = document.getElementById("main");
let takeDown = null, shown = null, turn = null;
let isAsking = false; // the log-in is shown, and no view takes its place

function plain(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word; // an address that somebody typed
  }
}

function address() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { words: path.split("/").map(plain), parameters: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

// Other parameters of the same view, in the address too.
function go(parameters) {
  const { words } = address(), query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== "" && value !== null && value !== undefined) query.set(name, value);
  location.hash = `#/${words.map(encodeURIComponent).join("/")}${query.size ? `?${query}` : ""}`;
}

async function route() {
  if (isAsking) return;
  const { words, parameters } = address(), view = VIEWS[words[0]];
  turn?.abort();
  turn = new AbortController();
  takeDown?.();
  takeDown = null;
  for (const link of document.querySelectorAll("#nav a")) {
    const here = link.getAttribute("href").replace(/^#\/?/, "");
    if (here === (words[0] === "incident" ? "incidents" : words[0])) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const root = h("div", {}), signal = turn.signal, moved = shown !== words.join("/");
  if (!view) {
    replace(main, h("h1", {}, "There is no such view"), h("p", {}, h("a", { href: "#/" }, "To the overview")));
    return;
  }
  shown = words.join("/");
  if (moved) replace(main, h("p", { class: "soft" }, "…"));
  try {
    const ends = await view.show(root, { words, parameters, go, signal });
    if (signal.aborted) {
      ends?.();
      return;
    }
    takeDown = ends ?? null;
    replace(main, root);
    if (moved) main.focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted || error.kind === "token") return;
    replace(main, h("h1", {}, "This cannot be shown"), h("p", { class: "error" }, error.message), h("button", { onclick: route }, "Try again"));
  }
}

function head(session) {
  document.getElementById("hostname").textContent = session?.hostname ?? "";
  document.title = session?.hostname ? `spimend on ${session.hostname}` : "spimend";
  for (const id of ["nav", "logout", "mode"]) document.getElementById(id).hidden = !session;
  const mode = document.getElementById("mode");
  mode.textContent = session ? `mode ${session.mode}` : "";
  mode.className = `chip ${session?.mode === "repair" ? "warn" : "info"}`;
}

async function logIn() {
  isAsking = true;
  live.stop();
  turn?.abort();
  takeDown?.();
  takeDown = null;
  shown = null;
  head(null);
  await ask(main);
  isAsking = false;
  await beginOrSay();
}

async function begin() {
  const session = await get("api/session");
  head(session);
  live.start();
  await route();
}

async function beginOrSay() {
  await begin().catch((error) => {
    if (error.kind !== "token") replace(main, h("h1", {}, "spimendd does not answer"), h("p", { class: "error" }, error.message),
      h("button", { onclick: () => location.reload() }, "Try again"));
  });
}

function badge(counters) {
  const place = document.getElementById("awaiting");
  place.hidden = !counters.awaiting;
  place.textContent = counters.awaiting;
  place.title = `${counters.awaiting} wait for a person's word`;
}

async function main_() {
  onLoggedOut(() => { if (!isAsking) logIn(); });
  live.listen((kind, data) => {
    if (kind === "counters") badge(data);
    else if (kind === "incident" && data.state === "awaiting-approval") say(`Incident ${data.id} waits for a person's word`);
  });
  document.getElementById("logout").addEventListener("click", async () => {
    await post("api/logout", {}).catch(() => {});
    location.hash = "#/";
    if (!isAsking) logIn();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // its address is a place on the page, and no view
    main.focus();
  });
  addEventListener("hashchange", route);

  // The address may bring the page's token; it does not stay there.
  const token = /^#token=(sp[wp]_[A-Za-z0-9_-]+)$/.exec(location.hash)?.[1];
  if (token) {
    history.replaceState(null, "", location.pathname);
    await post("api/login", { token }).catch(() => {});
  }
  await beginOrSay();
}

main_();
