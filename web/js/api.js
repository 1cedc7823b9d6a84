// SPDX-License-Identifier: MIT
// What the role `web` serves: doc/web-api.md. Errors are of class Refusal, with the server's own sentence.

export class Refusal extends Error {
  constructor(status, kind, message) {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

let whenLoggedOut = () => {};

export function onLoggedOut(handler) {
  whenLoggedOut = handler;
}

async function ask(path, options) {
  let answer, body;
  try {
    answer = await fetch(path, { credentials: "same-origin", redirect: "error", ...options });
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "unreachable", "spimendd does not answer");
  }
  if (answer.ok) return body;
  if (answer.status === 401 && body.error === "token") whenLoggedOut();
  throw new Refusal(answer.status, body.error, body.message ?? answer.statusText);
}

export function get(path, parameters, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {}))
    if (value !== "" && value !== null && value !== undefined) query.set(name, value);
  const text = query.toString();
  return ask(text ? `${path}?${text}` : path, { signal });
}

export function post(path, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}
