// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { chip, h, replace, table, time } from "./dom.js";

export async function show(root, { signal }) {
  const place = h("div", {});

  function put(all) {
    replace(place,
      h("section", { class: "card", "aria-label": "Registered applets" }, h("h2", {}, "Registered"),
        all.policies.length ? all.policies.map((one) => h("details", {},
          h("summary", {}, h("code", {}, one.name), ` ${one.event_type}, ${one.runs} runs`, one.aborted ? `, ${one.aborted} aborted` : "", one.last ? [", last ", time(one.last)] : ""),
          h("pre", {}, [...one.events, ...one.actions.map((action) => ` action ${action.label} ${action.action}`)].join("\n"))))
          : h("p", { class: "soft" }, "No applet is configured.")),
      h("section", { class: "card", "aria-label": "History" }, h("h2", {}, "What they did"),
        all.history.length ? table([{ text: "When" }, { text: "Applet" }, { text: "Event", class: "hide-narrow" }, { text: "Device", class: "hide-narrow" }, { text: "Ended" }, { text: "Took", class: "n" }],
          [...all.history].reverse().map((one) => [time(one.at), h("code", {}, one.applet), one.event_type, one.device ?? "here",
            one.why ? [chip(one.status), " ", one.why] : chip(one.status), one.took_ms === null ? "–" : `${one.took_ms} ms`]), "History of applets")
          : h("p", { class: "soft" }, "None has run yet.")));
  }
  put(await get("api/applets", {}, signal));
  replace(root, h("h1", {}, "Applets"), place);
  const steady = setInterval(() => get("api/applets", {}, signal).then((all) => {
    if (!place.querySelector("details[open]")) put(all);
  }).catch(() => {}), 5000);
  return () => clearInterval(steady);
}
