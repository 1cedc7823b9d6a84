// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { h, pages, replace, table } from "./dom.js";

const LIMIT = 100;
const HEADS = [{ text: "Device" }, { text: "Address" }, { text: "Platform" }, { text: "Log-in", class: "hide-narrow" }, { text: "Rights" }, { text: "Open", class: "n" }, { text: "Waiting", class: "n" }];

export async function show(root, { parameters, go, signal }) {
  const list = await get("api/devices", { limit: LIMIT, ...parameters }, signal);
  const rows = list.devices.map((one) => [one.name, h("span", { class: "mono" }, one.port && one.port !== 22 ? `${one.address} port ${one.port}` : one.address),
    one.platform ?? "not told", one.user ? `${one.user}${one.jump ? ` through ${one.jump}` : ""}` : "none", one.rights ?? "–", one.incidents, one.awaiting]);

  replace(root, h("h1", {}, "Devices"), h("section", { class: "card" },
    rows.length ? [table(HEADS, rows, "Devices"), pages(list, LIMIT, (offset) => go({ ...parameters, offset }))]
      : h("p", { class: "soft" }, "No device is configured.")));
}
