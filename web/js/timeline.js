// SPDX-License-Identifier: MIT
// One incident's picture: a lane for each end, its SAs as bars from birth to death, stray packets between the lanes, IKE
// messages as arrows, what was done, and the moment when traffic flowed again.

import { h, s } from "./dom.js";

const WIDTH = 1160, LEFT = 150, RIGHT = 20, ROW = 15, ROWS_MOST = 6, GAP = 96, AXIS = 34, TOP = 12;
const MARKS_MOST = 600; // what is nearer than a pixel's width is one mark with a count

const clip = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const at = (event) => Date.parse(event.at);

// When traffic flowed again, in ms since 1970; null when it did not, or nobody saw it.
export function healedAt(incident) {
  if (incident.state !== "healed") return null;
  if (incident.live?.outage_ms !== null && incident.live?.outage_ms !== undefined) return Date.parse(incident.first_seen) + incident.live.outage_ms;
  const ended = (incident.steps ?? []).filter((step) => step.helped && step.ended).map((step) => Date.parse(step.ended));
  return ended.length ? Math.max(...ended) : null;
}

// What was done and when: [{ at, text }], from the incident itself.
export function deeds(incident) {
  const own = (incident.actions ?? []).filter((action) => action.at)
    .map((action) => ({ at: Date.parse(action.at), text: [action.rung ?? action.verb ?? "step", action.outcome].filter(Boolean).join(": ") }));
  const steps = (incident.steps ?? []).filter((step) => step.ordered).map((step) => ({ at: Date.parse(step.ordered), text: `${step.command} on ${step.on}: ${step.state}` }));
  return steps.length ? steps : own;
}

function barsOf(recorded, end, from, to) {
  const bars = new Map();
  for (const event of recorded) {
    if (event.end !== end || !event.spi || !["sa-born", "sa-died", "counter"].includes(event.kind)) continue;
    if (event.kind === "counter" && !event.connection) continue; // of an SPI alone; one that is listed has its connection
    if (event.reason === "requested") continue; // an SPI, no SA yet
    const key = `${event.spi} ${event.direction}`, bar = bars.get(key) ?? { spi: event.spi, out: event.direction === "out", born: null, died: null, reason: null };
    if (event.kind === "sa-born") bar.born ??= at(event);
    else if (event.kind === "counter") bar.born ??= at(event) - 1000 * Number(/installed (\d+) s ago/.exec(event.text ?? "")?.[1] ?? Infinity);
    else if (bar.died === null) Object.assign(bar, { died: at(event), reason: event.reason });
    bars.set(key, bar);
  }
  return [...bars.values()].filter((bar) => (bar.died ?? to) >= from && (bar.born ?? from) <= to).sort((a, b) => (a.born ?? 0) - (b.born ?? 0));
}

// Bars that do not touch share a row.
function layRows(bars, from, to) {
  const rows = [];
  let left = 0;
  for (const bar of bars) {
    const begin = Math.max(from, bar.born ?? from), free = rows.findIndex((row) => row.until < begin);
    if (free >= 0) rows[free].bars.push(bar);
    else if (rows.length < ROWS_MOST) rows.push({ bars: [bar] });
    else { left++; continue; }
    rows[free >= 0 ? free : rows.length - 1].until = bar.died ?? to;
  }
  return { rows, left };
}

function gather(events, x) {
  const marks = new Map();
  for (const event of events) {
    const place = Math.round(x(at(event)) / 2) * 2, mark = marks.get(place) ?? { place, packets: 0, first: event };
    mark.packets += event.packets ?? 1;
    marks.set(place, mark);
  }
  return [...marks.values()].slice(0, MARKS_MOST);
}

function ticks(from, to) {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 600000, 3600000, 7200000, 21600000];
  const step = steps.find((one) => (to - from) / one <= 9) ?? 86400000, found = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) found.push(t);
  return { found, exact: step < 1000 };
}

// The window that shows the event itself: a little before and behind all that belongs to it.
export function windowOf(incident, recorded) {
  const times = [Date.parse(incident.first_seen), Date.parse(incident.last_seen), healedAt(incident), ...deeds(incident).map((deed) => deed.at)].filter(Number.isFinite);
  const first = Math.min(...times), last = Math.max(...times), edge = Math.max(1000, (last - first) * 0.25);
  const all = recorded.map(at).filter(Number.isFinite).sort((a, b) => a - b);
  return { event: [first - edge, last + edge], all: all.length ? [Math.min(all[0], first - edge), Math.max(all.at(-1), last + edge)] : [first - edge, last + edge] };
}

export function picture(incident, recorded, [from, to]) {
  const x = (t) => LEFT + ((Math.min(Math.max(t, from), to) - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT);
  const inside = recorded.filter((event) => at(event) >= from && at(event) <= to);
  const ends = [...new Set(recorded.map((event) => event.end).filter(Boolean))].slice(0, 2);
  const observer = ends.includes(incident.observer) ? incident.observer : ends[0] ?? incident.observer ?? "receiver";
  const lanes = [{ end: observer, name: observer, role: `receiver ${incident.dst ?? ""}` },
    { end: ends.find((end) => end !== observer) ?? null, name: ends.find((end) => end !== observer) ?? incident.sender_device ?? incident.src ?? "many", role: `sender ${incident.src ?? ""}` }];
  const parts = [];
  let y = TOP;

  for (const lane of lanes) {
    const { rows, left } = layRows(lane.end ? barsOf(recorded, lane.end, from, to) : [], from, to), height = Math.max(2, rows.length) * ROW + 10;
    Object.assign(lane, { top: y, bottom: y + height });
    parts.push(s("rect", { class: "lane", x: LEFT, y, width: WIDTH - LEFT - RIGHT, height, rx: 4 }),
      s("text", { x: 4, y: y + 14, "font-weight": 700 }, clip(lane.name, 20)), s("text", { x: 4, y: y + 29, class: "soft" }, clip(lane.role, 20)));
    if (!lane.end) parts.push(s("text", { x: LEFT + 8, y: y + height / 2 + 4, class: "soft" }, "nothing was recorded at this end"));
    else if (!rows.length) parts.push(s("text", { x: LEFT + 8, y: y + height / 2 + 4, class: "soft" }, "no SA was born or died in this window"));
    rows.forEach((row, number) => row.bars.forEach((bar) => {
      const begin = x(bar.born ?? from), width = Math.max(2, x(bar.died ?? to) - begin), top = y + 5 + number * ROW;
      const words = `${bar.spi} ${bar.out ? "out" : "in"}${bar.died ? `, died: ${bar.reason ?? "not told"}` : ""}`;
      parts.push(s("g", {}, s("title", {}, words), s("rect", { class: bar.out ? "sa out" : "sa", x: begin, y: top + 10, width, height: 4, rx: 1 }),
        s("text", { x: Math.min(begin + 2, WIDTH - 200), y: top + 8, "font-size": 10 }, clip(words, 44))));
    }));
    if (left) parts.push(s("text", { x: LEFT + 8, y: y + height - 2, class: "soft", "font-size": 10 }, `and ${left} more SAs`));
    y += height + (lane === lanes[0] ? GAP : 0);
  }

  const [upper, lower] = lanes, strays = gather(inside.filter((event) => event.kind === "sighting"), x);
  for (const mark of strays)
    parts.push(s("line", { class: "stray", x1: mark.place, x2: mark.place, y1: upper.bottom + 30, y2: lower.top, "stroke-width": Math.min(4, 1 + Math.log10(Math.max(1, mark.packets))) },
      s("title", {}, `${mark.packets} packets with ${mark.first.spi ?? "an SPI"} that the receiver does not have`)));
  if (!strays.length && incident.first_seen) {
    for (const t of [Date.parse(incident.first_seen), Date.parse(incident.last_seen)])
      parts.push(s("line", { class: "stray", x1: x(t), x2: x(t), y1: upper.bottom + 30, y2: lower.top }, s("title", {}, `packets with ${incident.spi ?? "unknown SPIs"}`)));
  }
  for (const event of inside.filter((one) => one.kind === "ike").slice(0, MARKS_MOST)) {
    const place = x(at(event)), title = s("title", {}, event.text ?? "IKE");
    if (!event.src) { // not a message: what the IKE daemon of that end told
      parts.push(s("g", {}, title, s("circle", { class: "ikehead", cx: place, cy: event.end === upper.end ? upper.bottom + 3 : lower.top - 3, r: 3 })));
      continue;
    }
    const down = event.src === incident.dst, [y1, y2] = down ? [upper.bottom + 28, lower.top - 6] : [lower.top, upper.bottom + 34];
    parts.push(s("g", {}, title, s("line", { class: "ike", x1: place, x2: place + 5, y1, y2 }),
      s("path", { class: "ikehead", d: down ? `M${place + 1} ${y2 - 1}h8l-4 7z` : `M${place + 1} ${y2 + 1}h8l-4-7z` })));
  }
  deeds(incident).filter((deed) => deed.at >= from && deed.at <= to).forEach((deed, number) => {
    const place = x(deed.at), top = upper.bottom + 4 + (number % 2) * 12;
    parts.push(s("g", {}, s("title", {}, deed.text), s("path", { class: "deed", d: `M${place} ${top}l6 6l-6 6l-6-6z` }),
      s("text", { x: Math.min(place + 9, WIDTH - 330), y: top + 10, "font-size": 11 }, clip(deed.text, 46))));
  });
  const healed = healedAt(incident);
  if (healed !== null && healed >= from && healed <= to)
    parts.push(s("line", { class: "healed", x1: x(healed), x2: x(healed), y1: TOP, y2: y + 4 }),
      s("text", { class: "healedtext", x: Math.min(x(healed) + 5, WIDTH - 150), y: lower.top - 8, "font-weight": 700 }, "traffic flows again"));

  const { found, exact } = ticks(from, to);
  parts.push(s("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y + 8, y2: y + 8 }));
  for (const t of found) {
    const text = new Date(t).toISOString();
    parts.push(s("line", { class: "axis", x1: x(t), x2: x(t), y1: y + 8, y2: y + 13 }),
      s("text", { class: "soft", x: x(t), y: y + 26, "text-anchor": "middle", "font-size": 11 }, exact ? text.slice(17, 23) : text.slice(11, 19)));
  }
  return s("svg", { class: "picture", viewBox: `0 0 ${WIDTH} ${y + AXIS}`, role: "img",
    "aria-label": `Timeline of incident ${incident.id}: ${lanes.map((lane) => lane.name).join(" and ")}; the same is in the table below` }, parts);
}

export function legend() {
  const entry = (mark, words) => h("span", {}, h("i", { class: mark }), words);
  return h("div", { class: "legend" }, entry("i-sa", "SA that receives"), entry("i-out", "SA that sends"), entry("i-stray", "packets without an SA"), entry("i-ike", "IKE message"),
    entry("i-deed", "what was done"), entry("i-healed", "traffic flows again"));
}
