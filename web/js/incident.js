// SPDX-License-Identifier: MIT
// One incident: its two-lane timeline, what was seen, what is planned and done, and the steps that wait for a person.

import { get, post } from "./api.js";
import { chip, h, replace, say, table, time } from "./dom.js";
import { confirm } from "./login.js";
import { listen } from "./live.js";
import { legend, picture, windowOf } from "./timeline.js";

const ROWS = 200; // of the table of events, a page

function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function blast(step) {
  const b = step.blast_radius;
  if (typeof b === "string") return b;
  if (!b?.counted) return "not counted yet";
  return [[b.bfd_up, "BFD sessions up"], [b.control_up, "control connections up"], [b.flows, "flows with that peer"]].filter(([n]) => n).map(([n, words]) => `${n} ${words}`).join(", ") || "nothing else";
}

async function decide(incident, step, word, again) {
  const answer = await confirm(word === "approve" ? "Have this typed?" : "Say no to this step?",
    facts([["Incident", incident.id], ["On", step.on], ["Command", h("code", {}, step.command)], ["Disturbs", blast(step)]]),
    word === "approve" ? "Approve" : "Deny",
    (token) => post(`api/incidents/${encodeURIComponent(incident.id)}/steps/${step.step}/${word}`, {}, token));
  if (answer) {
    say(`Step ${answer.step} is ${answer.word} by ${answer.by}`);
    await again();
  }
}

function stepOf(incident, step, again) {
  const kind = ["refused", "void", "not-done"].includes(step.state) ? "failed" : step.helped || step.state === "done" ? "done" : "";
  return h("div", { class: `step ${kind}` },
    h("div", {}, h("b", {}, `${step.step}. `), h("code", {}, step.command), " on ", h("b", {}, step.on ?? "?"), " ", chip(step.state)),
    h("div", { class: "soft" }, "disturbs: ", blast(step)),
    step.who ? h("div", { class: "soft" }, `by ${step.who}`) : null, step.outcome ? h("div", {}, step.outcome) : null,
    step.state === "offered" ? h("p", {}, h("button", { class: "main", onclick: () => decide(incident, step, "approve", again) }, "Approve…"), " ",
      h("button", { class: "danger", onclick: () => decide(incident, step, "deny", again) }, "Deny…")) : null);
}

function sentences(incident) {
  return Object.entries(incident.explain ?? {}).map(([name, lines]) => lines.length
    ? h("section", { class: "card" }, h("h2", {}, name.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase())), h("pre", {}, lines.join("\n"))) : null);
}

function events(recorded) {
  const place = h("div", {});
  const put = (offset) => replace(place,
    table([{ text: "UTC" }, { text: "End", class: "hide-narrow" }, { text: "What" }, { text: "SPI", class: "hide-narrow" }, { text: "Text" }],
      recorded.slice(offset, offset + ROWS).map((event) => [h("span", { class: "mono", title: event.at }, (event.at ?? "").slice(11, 23)), event.end ?? "–", event.kind, h("code", {}, event.spi ?? ""),
        h("span", { class: "mono" }, [event.text, event.reason, event.packets ? `${event.packets} packets` : null].filter(Boolean).join("; "))]), "Recorded events"),
    recorded.length > ROWS ? h("div", { class: "pages" },
      h("button", { disabled: offset === 0, onclick: () => put(Math.max(0, offset - ROWS)) }, "Earlier"),
      h("span", { class: "soft" }, `${offset + 1}–${Math.min(offset + ROWS, recorded.length)} of ${recorded.length}`),
      h("button", { disabled: offset + ROWS >= recorded.length, onclick: () => put(offset + ROWS) }, "Later")) : null);
  put(0);
  return place;
}

async function timeline(id, signal) {
  const recorded = [];
  let total = 0, damaged = 0;
  try {
    for (let after = 0, turn = 0; after !== null && turn < 5; turn++) {
      const part = await get(`api/incidents/${encodeURIComponent(id)}/timeline`, { after, limit: 5000 }, signal);
      recorded.push(...part.recorded);
      ({ total, damaged } = part);
      after = part.next;
    }
  } catch (error) {
    if (error.name === "AbortError" || error.kind === "token") throw error;
    return { recorded, total, damaged, why: error.message };
  }
  return { recorded, total, damaged, why: null };
}

export async function show(root, { words, parameters, go, signal }) {
  const id = words[1] ?? "", path = `api/incidents/${encodeURIComponent(id)}`;
  let due = null;

  async function fetchAll() {
    const [incident, record] = await Promise.all([get(path, {}, signal), timeline(id, signal)]);
    const spans = windowOf(incident, record.recorded), span = parameters.window === "all" ? "all" : "event";
    replace(root,
      h("p", {}, h("a", { href: "#/incidents" }, "Incidents"), " / ", h("code", {}, incident.id)),
      h("h1", {}, h("span", { class: "mono" }, `${incident.src ?? "many"} → ${incident.dst ?? "many"} `), h("code", {}, incident.spi ?? "")),
      h("p", {}, chip(incident.state), " ", chip(incident.verdict), " ", incident.cause && incident.cause !== "unknown" ? chip(incident.cause) : null,
        incident.confidence ? h("span", { class: "soft" }, ` ${incident.confidence}`) : null),
      incident.waits_for ? h("p", { class: "trouble" }, incident.waits_for) : null,
      (incident.steps ?? []).length ? h("section", { class: "card" }, h("h2", {}, "Steps"), incident.steps.map((step) => stepOf(incident, step, fetchAll))) : null,
      h("section", { class: "card", "aria-label": "Timeline" },
        h("div", { class: "filters" }, h("h2", {}, "Both ends"),
          h("label", {}, "Shown", h("select", { onchange: (event) => go({ window: event.target.value }) },
            [["event", "the event"], ["all", "all that was recorded"]].map(([value, text]) => h("option", { value, selected: value === span }, text))))),
        h("div", { class: "scroll" }, picture(incident, record.recorded, spans[span])), legend(),
        record.why ? h("p", { class: "soft" }, `What was recorded cannot be shown: ${record.why}`) : null,
        record.total > record.recorded.length ? h("p", { class: "trouble" }, `Of ${record.total} recorded events these are the first ${record.recorded.length}: `,
          h("code", {}, `spimend report ${incident.id}`), " has all.") : null,
        record.damaged ? h("p", { class: "trouble" }, `${record.damaged} places of the record cannot be read.`) : null),
      h("div", { class: "grid" },
        h("section", { class: "card" }, h("h2", {}, "What it is"), facts([
          ["Seen by", incident.observer], ["Rule", incident.rule], ["Protocol", incident.encap ? `${incident.proto} in ${incident.encap}` : incident.proto], ["Interface", incident.interface],
          ["Tunnel kind", incident.tunnel_kind], ["First seen", time(incident.first_seen)], ["Last seen", time(incident.last_seen)], ["Messages", incident.messages], ["Packets", incident.packets],
          ["Outage", incident.live?.outage_ms !== null && incident.live?.outage_ms !== undefined ? `${(incident.live.outage_ms / 1000).toFixed(2)} s` : null], ["Flags", (incident.flags ?? []).join(", ")]])),
        h("section", { class: "card" }, h("h2", {}, "Plan"), (incident.plan ?? []).length
          ? h("ol", {}, incident.plan.map((step) => h("li", {}, h("code", {}, step.command ?? ""), step.on ? ` on ${step.on}` : "", h("div", { class: "soft" }, step.why ?? ""),
            step.blast_radius ? h("div", { class: "soft" }, `disturbs: ${blast(step)}`) : null)))
          : h("p", { class: "soft" }, "Nothing is to be typed."))),
      h("section", { class: "card" }, h("h2", {}, "Evidence"), (incident.evidence ?? []).length
        ? table([{ text: "When" }, { text: "From" }, { text: "Text" }], incident.evidence.map((one) => [time(one.at), one.from, h("span", { class: "mono" }, one.text)]), "Evidence")
        : h("p", { class: "soft" }, "None is kept.")),
      sentences(incident),
      h("section", { class: "card" }, h("details", {}, h("summary", {}, `Recorded events, ${record.recorded.length}`), events(record.recorded))));
  }
  await fetchAll();
  const unlisten = listen((kind, data) => {
    if (kind === "lost" || (kind === "incident" && data.id === id)) due ??= setTimeout(() => {
      due = null;
      if (!document.getElementById("dialog").open) fetchAll().catch(() => {});
    }, 500);
  });
  return () => { unlisten(); clearTimeout(due); };
}
