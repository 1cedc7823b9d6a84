// SPDX-License-Identifier: MIT
// The log-in, and the question for a person's own token, which is kept nowhere.

import { post } from "./api.js";
import { h, replace } from "./dom.js";

// Fills `root` with the log-in; done when a token was taken.
export function ask(root) {
  return new Promise((resolve) => {
    const error = h("p", { class: "error", role: "alert" });
    const field = h("input", { type: "password", name: "token", id: "token", required: true, autocomplete: "current-password", spellcheck: "false" });
    const form = h("form", { class: "card", onsubmit: async (event) => {
      event.preventDefault();
      try {
        await post("api/login", { token: field.value.trim() });
        resolve();
      } catch (refusal) {
        error.textContent = refusal.message;
        field.select();
      }
    } },
      h("h1", {}, "Log in"),
      h("p", {}, "The page's token is in ", h("code", {}, "web/token"), " of spimendd's state directory; ", h("code", {}, "spimend token"),
        " prints one that is yours."),
      h("p", {}, h("label", { for: "token" }, "Token "), field, " ", h("button", { class: "main", type: "submit" }, "Log in")),
      error);
    replace(root, form);
    field.focus();
  });
}

// Asks before a step is approved or denied, in full words. `act(token)` does it; resolves with its answer, or null.
export function confirm(question, details, verb, act) {
  const dialog = document.getElementById("dialog");
  return new Promise((resolve) => {
    const error = h("p", { class: "error", role: "alert" });
    const field = h("input", { type: "password", name: "personal", id: "personal", required: true, autocomplete: "off", spellcheck: "false" });
    const button = h("button", { class: "main", type: "submit" }, verb);
    const end = (answer) => {
      field.value = "";
      dialog.close();
      replace(dialog);
      resolve(answer);
    };
    replace(dialog, h("form", { onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        end(await act(field.value.trim()));
      } catch (refusal) {
        error.textContent = refusal.message;
        button.disabled = false;
        field.select();
      }
    } },
      h("h2", {}, question), details,
      h("label", { for: "personal" }, "Your personal token (", h("code", {}, "spimend token"), " prints one)"), field, error,
      h("div", { class: "row" }, h("button", { type: "button", onclick: () => end(null) }, "Cancel"), button)));
    dialog.setAttribute("aria-label", question);
    dialog.oncancel = (event) => { event.preventDefault(); end(null); };
    dialog.showModal();
    field.focus();
  });
}
