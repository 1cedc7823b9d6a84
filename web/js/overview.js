// SPDX-License-Identifier: MIT
// What a person looks at first: troubles, what is down, what drops, what is open.

import { get } from "./api.js";
import { chip, h, replace, table, time } from "./dom.js";
import { rowOf, HEADS } from "./incidents.js";
import { listen } from "./live.js";
import { chart } from "./chart.js";

const SPANS = [["10m", "10 minutes"], ["24h", "24 hours"]];

function tile(number, word, href) {
  return h(href ? "a" : "div", { class: "tile", href }, h("b", {}, number.toLocaleString()), h("span", {}, word));
}

export async function show(root, { parameters, go, signal }) {
  const span = parameters.span === "24h" ? "24h" : "10m";
  const troubles = h("div", {}), tiles = h("div", { class: "tiles" }), list = h("div", {}), drops = h("div", { class: "chart" });
  let plot = null, due = null;

  async function fetchAll() {
    const [status, tunnels, open] = await Promise.all([get("api/status", {}, signal), get("api/tunnels", { limit: 1 }, signal),
      get("api/incidents", { limit: 10 }, signal)]);
    replace(troubles, (status.troubles ?? []).map((text) => h("p", { class: "trouble" }, text.text ?? text)));
    const open_count = ["open", "acting", "awaiting-approval", "unverified", "gave-up"].reduce((sum, state) => sum + (open.states[state] ?? 0), 0);
    replace(tiles, tile(tunnels.total, "tunnels", "#/tunnels"),
      ["incident", "down", "suspect", "stale", "idle", "ok"].filter((word) => tunnels.health[word] || word === "ok")
        .map((word) => tile(tunnels.health[word] ?? 0, word, `#/tunnels?health=${word}`)),
      tile(open_count, "incidents open", "#/incidents?state=open"),
      tile(open.awaiting, "wait for a person", "#/incidents?state=awaiting-approval"));
    replace(list, open.incidents.length ? table(HEADS, open.incidents.map(rowOf), "The latest incidents")
      : h("p", { class: "soft" }, "Nothing was found yet: every packet that came had its SA."));
  }

  async function fetchHistory() {
    const history = await get("api/history", { span }, signal);
    plot?.end();
    plot = chart(drops, history);
  }

  replace(root, h("h1", {}, "Overview"), troubles, tiles,
    h("section", { class: "card", "aria-label": "Drops over time" },
      h("div", { class: "filters" }, h("h2", {}, "Packets without an SA, and other drops"),
        h("label", {}, "Span", h("select", { onchange: (event) => go({ span: event.target.value }) },
          SPANS.map(([value, words]) => h("option", { value, selected: value === span }, words))))),
      drops),
    h("section", { class: "card", "aria-label": "Latest incidents" }, h("h2", {}, "Latest incidents"), list));
  await fetchAll();
  const soon = () => { due ??= setTimeout(() => { due = null; fetchAll().catch(() => {}); }, 400); };
  const unlisten = listen((kind) => { if (kind === "incident" || kind === "lost") soon(); });
  const steady = setInterval(() => fetchHistory().catch(() => {}), span === "10m" ? 2000 : 60000);
  requestAnimationFrame(() => fetchHistory().catch((error) => { if (!signal.aborted) replace(drops, h("p", { class: "soft" }, error.message)); }));
  return () => {
    unlisten();
    clearInterval(steady);
    clearTimeout(due);
    plot?.end();
  };
}
