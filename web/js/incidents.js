// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { chip, h, pages, replace, table, time } from "./dom.js";
import { listen } from "./live.js";

const LIMIT = 50;
const STATES = ["open", "acting", "awaiting-approval", "healed", "unverified", "gave-up", "closed"];
const VERDICTS = ["desync", "transient", "noise", "other-fault", "undecided"];

export const HEADS = [{ text: "Incident" }, { text: "State" }, { text: "Verdict" }, { text: "Cause", class: "hide-narrow" }, { text: "From → to" },
  { text: "SPI", class: "hide-narrow" }, { text: "Seen by", class: "hide-narrow" }, { text: "Last seen" }];

export function rowOf(one) {
  const href = `#/incident/${encodeURIComponent(one.id)}`;
  return { href, cells: [h("a", { href }, h("code", {}, one.id)), chip(one.state), chip(one.verdict), one.cause === "unknown" ? h("span", { class: "soft" }, "unknown") : one.cause,
    h("span", { class: "mono" }, `${one.src ?? "many"} → ${one.dst ?? "many"}`), h("code", {}, one.spi ?? "many"), one.observer ?? "–", time(one.last_seen)] };
}

function select(label, name, words, value, change) {
  return h("label", {}, label, h("select", { name, onchange: change }, h("option", { value: "" }, "any"),
    words.map((word) => h("option", { value: word, selected: word === value }, word))));
}

export async function show(root, { parameters, go, signal }) {
  const place = h("div", {}), counts = h("p", { class: "soft" });
  let due = null;
  const form = h("form", { class: "filters", onsubmit: (event) => { event.preventDefault(); change(); } });
  const change = () => go(Object.fromEntries(new FormData(form)));

  replace(form,
    select("State", "state", STATES, parameters.state, change), select("Verdict", "verdict", VERDICTS, parameters.verdict, change),
    h("label", {}, "Peer", h("input", { name: "peer", value: parameters.peer ?? "", placeholder: "an address", onchange: change })),
    h("label", {}, "Contains", h("input", { name: "q", value: parameters.q ?? "", placeholder: "id, observer, connection", onchange: change })));
  replace(root, h("h1", {}, "Incidents"), h("section", { class: "card" }, form, counts, place));

  async function fetchList() {
    const list = await get("api/incidents", { limit: LIMIT, ...parameters }, signal);
    counts.textContent = STATES.filter((state) => list.states[state]).map((state) => `${list.states[state]} ${state}`).join(", ") || "none";
    replace(place, list.incidents.length ? [table(HEADS, list.incidents.map(rowOf), "Incidents"), pages(list, LIMIT, (offset) => go({ ...parameters, offset }))]
      : h("p", { class: "soft" }, list.total ? "None of them is like that." : "Nothing was found yet: every packet that came had its SA."));
  }
  await fetchList();
  const unlisten = listen((kind) => {
    if (kind === "incident" || kind === "lost") due ??= setTimeout(() => { due = null; fetchList().catch(() => {}); }, 500);
  });
  return () => { unlisten(); clearTimeout(due); };
}
