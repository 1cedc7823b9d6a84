// SPDX-License-Identifier: MIT
// Elements. Texts come from routers and peers, who may be hostile: they become text nodes and attributes here, never markup.

const SVG = "http://www.w3.org/2000/svg";
const ATTRIBUTES = new Set(["class", "id", "href", "type", "name", "value", "for", "role", "title", "tabindex", "placeholder", "autocomplete",
  "scope", "colspan", "hidden", "disabled", "selected", "inputmode", "required", "minlength", "spellcheck", "open", "method"]);

function fill(element, children) {
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  return element;
}

// h("td", { class: "n", onclick: f }, children...): a link's address must be one of this page.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "href" && !String(value).startsWith("#")) throw new Error("an address outside of this page");
    else if (ATTRIBUTES.has(name) || name.startsWith("aria-") || name.startsWith("data-")) element.setAttribute(name, value === true ? "" : value);
    else throw new Error(`attribute ${name}`);
  }
  return fill(element, children);
}

export function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {}))
    if (name.startsWith("on") || name === "href" || name === "style") throw new Error(`attribute ${name}`);
    else element.setAttribute(name, value);
  return fill(element, children);
}

// What had the focus has it again where there is the like of it: who goes by keyboard does not begin anew with each refresh.
export function replace(element, ...children) {
  const had = document.activeElement !== element && element.contains(document.activeElement) ? document.activeElement : null;
  const is = (one) => ["href", "name", "id"].every((name) => one.getAttribute(name) === had.getAttribute(name)) && one.textContent === had.textContent;
  element.replaceChildren();
  fill(element, children);
  if (had) [...element.querySelectorAll(had.localName)].find(is)?.focus({ preventScroll: true });
  return element;
}

const TONES = {
  desync: "bad", "other-fault": "warn", undecided: "info", transient: "good", noise: "", open: "info", acting: "warn", "awaiting-approval": "warn",
  healed: "good", unverified: "warn", "gave-up": "bad", closed: "", incident: "bad", down: "bad", stale: "warn", suspect: "warn", idle: "", ok: "good",
  repair: "warn", advise: "info", observe: "", offered: "warn", approved: "info", done: "good", refused: "bad", denied: "", expired: "", void: "",
};

export function chip(word) {
  return word ? h("span", { class: `chip ${TONES[word] ?? ""}` }, word) : h("span", { class: "soft" }, "–");
}

// UTC, as spimend's text and log have it; the title is exact.
export function time(text) {
  return text ? h("time", { title: text }, `${text.slice(0, 10)} ${text.slice(11, 19)}`) : h("span", { class: "soft" }, "–");
}

export function say(text) {
  document.getElementById("said").textContent = text;
}

// A table in a box that scrolls by itself; rows are arrays of cells, or { cells, href }.
export function table(heads, rows, caption) {
  return h("div", { class: "scroll" }, h("table", {},
    caption ? h("caption", { class: "visually-hidden" }, caption) : null,
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col", class: head.class }, head.text ?? head)))),
    h("tbody", {}, rows.map((row) => {
      const cells = (row.cells ?? row).map((cell, at) => h("td", { class: heads[at]?.class }, cell));
      return row.href
        ? h("tr", { "data-href": row.href, onclick: (event) => { if (!event.target.closest("a")) location.hash = row.href; } }, cells)
        : h("tr", {}, cells);
    }))));
}

// Buttons to the pages of a list: `go` is called with the offset.
export function pages(list, limit, go) {
  const first = list.matched ?? list.total ? list.offset + 1 : 0, last = Math.min(list.offset + limit, list.matched ?? list.total);
  return h("div", { class: "pages" },
    h("button", { disabled: list.offset === 0, onclick: () => go(Math.max(0, list.offset - limit)) }, "Previous"),
    h("span", { class: "soft" }, `${first}–${last} of ${list.matched ?? list.total}`),
    h("button", { disabled: list.next === null, onclick: () => go(list.next) }, "Next"));
}
