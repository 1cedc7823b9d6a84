// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { chip, h, pages, replace, table } from "./dom.js";

const LIMIT = 100;
const HEALTHS = ["incident", "down", "stale", "suspect", "idle", "ok"];
const HEADS = [{ text: "Tunnel" }, { text: "Health" }, { text: "Peer" }, { text: "SPI in / out", class: "hide-narrow" }, { text: "Packets in", class: "n" },
  { text: "Packets out", class: "n" }, { text: "Last in", class: "n" }, { text: "Lives", class: "n hide-narrow" }];

function seconds(value) {
  if (value === null || value === undefined) return "–";
  return value < 120 ? `${value} s` : value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`;
}

function rowOf(one) {
  const name = `${one.connection ?? "?"}/${one.child ?? "?"}`;
  return [name, one.incident ? h("a", { href: `#/incident/${encodeURIComponent(one.incident)}` }, chip(one.health)) : chip(one.health),
    h("span", { class: "mono" }, one.peer ?? "any"), h("code", {}, `${one.spi_in ?? "–"} / ${one.spi_out ?? "–"}`), one.packets_in?.toLocaleString() ?? "–",
    one.packets_out?.toLocaleString() ?? "–", seconds(one.last_in_s), seconds(one.life_s)];
}

export async function show(root, { parameters, go, signal }) {
  const place = h("div", {}), form = h("form", { class: "filters", onsubmit: (event) => { event.preventDefault(); change(); } });
  const change = () => go(Object.fromEntries(new FormData(form)));

  replace(form,
    h("label", {}, "Health", h("select", { name: "health", onchange: change }, h("option", { value: "" }, "any"),
      HEALTHS.map((word) => h("option", { value: word, selected: word === parameters.health }, word)))),
    h("label", {}, "Contains", h("input", { name: "q", value: parameters.q ?? "", placeholder: "name, address, SPI", onchange: change })),
    h("label", {}, "Order", h("select", { name: "sort", onchange: change },
      [["", "name"], ["peer", "peer"], ["health", "worst first"]].map(([value, words]) => h("option", { value, selected: value === (parameters.sort ?? "") }, words)))));
  replace(root, h("h1", {}, "Tunnels"), h("section", { class: "card" }, form, place));

  async function fetchList() {
    const list = await get("api/tunnels", { limit: LIMIT, ...parameters }, signal);
    replace(place, h("p", { class: "soft" }, HEALTHS.map((word) => `${list.health[word] ?? 0} ${word}`).join(", ")),
      list.tunnels.length ? [table(HEADS, list.tunnels.map(rowOf), "Tunnels"), pages(list, LIMIT, (offset) => go({ ...parameters, offset }))]
        : h("p", { class: "soft" }, list.total ? "None of them is like that." : "No IKE daemon tells of a tunnel."));
  }
  await fetchList();
  const steady = setInterval(() => fetchList().catch(() => {}), 5000);
  return () => clearInterval(steady);
}
