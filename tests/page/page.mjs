// SPDX-License-Identifier: MIT
// page.mjs SETTINGS: drives the page in a real Chromium. SETTINGS is JSON: { base, token, personal, scenario, shots, modules }.
// Tells what it sees as a line of JSON each; waits for a line on standard input where somebody else has to act first.

import { createRequire } from "node:module";
import http from "node:http";
import path from "node:path";
import readline from "node:readline";

const given = JSON.parse(process.argv[2]);
const { chromium } = createRequire(path.join(given.modules, "x.js"))("playwright-core");
const PATIENCE = 60000;
const input = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = (what, more) => console.log(JSON.stringify({ what, ...more }));
const next = async (what) => { tell(what); return (await input.next()).value; };
const wrong = [];
const check = (is, words) => { if (!is) wrong.push(words); };

async function open(context) {
  const page = await context.newPage();
  page.on("console", (message) => { if (message.type() === "error" && !/status of (401|409|501|503)/.test(message.text())) wrong.push(`console: ${message.text()}`); });
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => { wrong.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith(given.base) && !request.url().startsWith("data:")) wrong.push(`asks ${request.url()}`); });
  return page;
}

async function shoot(page, name) {
  if (given.shots) await page.screenshot({ path: path.join(given.shots, `${name}.png`), fullPage: true });
}

async function fits(page, words) {
  check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${words}: wider than the window`);
}

// An incident comes and heals while the page is looked at; its timeline is drawn; keyboard; phone.
async function incident(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
  const page = await open(context);
  await page.goto(`${given.base}/#token=${given.token}`);
  await page.getByRole("heading", { name: "Overview" }).waitFor({ timeout: PATIENCE });
  check(!page.url().includes("token"), "the token stays in the address");
  await page.locator("#live[data-on=yes]").waitFor({ timeout: PATIENCE });
  await page.locator(".chart canvas").waitFor({ timeout: PATIENCE });
  await page.getByText("Nothing was found yet").waitFor({ timeout: PATIENCE });
  await page.evaluate(() => { window.mark = 1; });
  await next("ready");
  const row = page.locator("tr", { hasText: "desync" }).filter({ hasText: "healed" });
  await row.first().waitFor({ timeout: PATIENCE });
  check(await page.evaluate(() => window.mark === 1), "the page was loaded anew");
  await shoot(page, "overview-desktop");
  await fits(page, "overview");
  const id = (await row.first().locator("a").textContent()).trim();

  await page.keyboard.press("Tab");
  await row.first().locator("a").focus();
  await page.keyboard.press("Enter");
  await page.locator(".picture").waitFor({ timeout: PATIENCE });
  const seen = await page.evaluate(() => ({
    lanes: document.querySelectorAll(".picture .lane").length,
    bars: [...document.querySelectorAll(".picture g")].filter((g) => g.querySelector(".sa")).map((g) => g.querySelector("title").textContent),
    strays: document.querySelectorAll(".picture .stray").length,
    healed: document.querySelector(".picture")?.textContent.includes("traffic flows again"),
    label: document.querySelector(".picture")?.getAttribute("aria-label"),
    title: document.querySelector("h1")?.textContent,
  }));
  await shoot(page, "incident-desktop");
  await fits(page, "incident");
  tell("incident", { id, ...seen });

  for (const [name, words] of [["Tunnels", "Tunnels"], ["Devices", "Devices"], ["Applets", "Applets"], ["Incidents", "Incidents"]]) {
    await page.locator("#nav").getByRole("link", { name: new RegExp(`^${name}`) }).click();
    await page.getByRole("heading", { name: words, level: 1 }).waitFor({ timeout: PATIENCE });
  }
  await page.getByLabel("Verdict").selectOption("noise");
  await page.getByText("None of them is like that").waitFor({ timeout: PATIENCE });
  await page.goBack();
  await page.locator("tr", { hasText: id }).waitFor({ timeout: PATIENCE });

  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: "dark", storageState: await context.storageState() });
  const small = await open(phone);
  for (const [name, hash, wanted] of [["overview", "#/", ".tiles"], ["incident", `#/incident/${id}`, ".picture"], ["tunnels", "#/tunnels", "table"]]) {
    await small.goto(`${given.base}/${hash}`);
    await small.locator(wanted).first().waitFor({ timeout: PATIENCE });
    await fits(small, `${name} on a phone`);
    await shoot(small, `${name}-phone`);
  }
}

// Another page, of another origin, that tries to approve.
async function foreign(context, url) {
  const server = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>other</title>")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const got = await page.evaluate(async ([to, token]) => {
    const tries = [];
    for (const options of [{ mode: "no-cors" }, { headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` } }])
      tries.push(await fetch(to, { method: "POST", body: "{}", credentials: "include", ...options }).then((answer) => `answered ${answer.status} ${answer.type}`, () => "refused"));
    return tries;
  }, [url, given.personal]);
  await page.close();
  server.close();
  return got;
}

async function approval(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await open(context);
  await page.goto(given.base);
  await page.getByLabel("Token").fill("spw_" + "A".repeat(43));
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator(".error", { hasText: /token/i }).waitFor({ timeout: PATIENCE });
  await page.getByLabel("Token").fill(given.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor({ timeout: PATIENCE });
  await next("ready");
  const row = page.locator("tr", { hasText: "awaiting-approval" });
  await row.first().waitFor({ timeout: PATIENCE });
  const id = (await row.first().locator("a").textContent()).trim();
  await row.first().locator("a").click();
  const button = page.getByRole("button", { name: "Approve…" });
  await button.waitFor({ timeout: PATIENCE });
  await shoot(page, "approval-desktop");

  const url = `${given.base}/api/incidents/${id}/steps/1/approve`;
  tell("foreign", { tries: await foreign(context, url) });
  await button.click();
  const dialog = page.locator("#dialog");
  check(await page.getByRole("dialog", { name: "Have this typed?" }).count() === 1, "the dialog has no name");
  for (const token of ["spp_" + "A".repeat(43), given.token]) {
    await dialog.getByLabel("Your personal token").fill(token);
    await dialog.getByRole("button", { name: "Approve" }).click();
    await dialog.locator(".error:not(:empty)").waitFor({ timeout: PATIENCE });
    tell("refused", { why: await dialog.locator(".error").textContent() });
    await page.waitForTimeout(300);
  }
  check((await next("before")) === "nothing typed", "something was typed without a person's word");
  await dialog.getByLabel("Your personal token").fill(given.personal);
  await dialog.getByRole("button", { name: "Approve" }).click();
  await dialog.waitFor({ state: "hidden", timeout: PATIENCE });
  const again = await page.evaluate(async ([to, token]) => {
    const answer = await fetch(to, { method: "POST", body: "{}", headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` } });
    return { status: answer.status, ...(await answer.json()) };
  }, [url, given.personal]);
  tell("again", { status: again.status, error: again.error });
  await page.locator("p .chip", { hasText: "healed" }).waitFor({ timeout: PATIENCE });
  check(await button.count() === 0, "the step is still offered");
  await shoot(page, "approved-desktop");
  tell("approved", { id });
}

// A router's name that is markup: it is shown as what it is.
async function hostile(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await open(context);
  await page.goto(`${given.base}/#token=${given.token}`);
  await page.getByRole("heading", { name: "Overview" }).waitFor({ timeout: PATIENCE });
  await next("ready");
  await page.locator("tbody tr a").first().waitFor({ timeout: PATIENCE });
  await page.locator("tbody tr a").first().click();
  await page.locator("h2", { hasText: "Evidence" }).waitFor({ timeout: PATIENCE });
  check(await page.evaluate(() => window.hacked === undefined && !document.querySelector("main img, main script, main iframe")), "a router's text became markup");
  check((await page.locator("main").textContent()).includes("<img"), "the hostile name is not shown");
  await shoot(page, "hostile-desktop");

  // A record that is longer than the page reads, and torn: that is told.
  check(await page.getByText(/recorded events these are the first/).count() === 0, "a whole record is called a part");
  await page.route("**/timeline?*", async (route) => {
    const part = await (await route.fetch()).json();
    await route.fulfill({ json: { ...part, total: 30000, damaged: 3, next: part.after + 5000 } });
  });
  await page.reload();
  await page.getByText(/^Of 30000 recorded events these are the first \d+/).waitFor({ timeout: PATIENCE });
  await page.getByText("3 places of the record cannot be read").waitFor({ timeout: PATIENCE });
}

// The keyboard's way past the head, a log-out and a log-in, and a stream that was refused for a while.
async function session(browser) {
  const context = await browser.newContext();
  const page = await open(context), field = page.getByLabel("Token"), heading = (name) => page.getByRole("heading", { name, level: 1 });
  const logIn = async () => {
    await field.fill(given.token);
    await page.getByRole("button", { name: "Log in" }).click();
    await heading("Overview").waitFor({ timeout: PATIENCE });
  };
  const skip = async (words, wanted) => {
    await page.locator(".skip").focus();
    await page.keyboard.press("Enter");
    await page.waitForTimeout(500);
    check(await wanted.count() === 1, `${words}: skipping to the content takes it away`);
    check(await page.evaluate(() => document.activeElement?.id === "main"), `${words}: skipping does not lead to the content`);
  };

  await page.goto(`${given.base}/`);
  await field.waitFor({ timeout: PATIENCE });
  await skip("the log-in", field);
  await page.evaluate(() => { location.hash = "#/tunnels"; });
  await page.waitForTimeout(500);
  check(await field.count() === 1, "another address takes the log-in away");
  await page.evaluate(() => { location.hash = "#/"; });
  await logIn();
  await skip("the overview", heading("Overview"));
  await page.locator("#nav").getByRole("link", { name: /^Incidents/ }).click();
  await heading("Incidents").waitFor({ timeout: PATIENCE });
  await page.getByLabel("Verdict").focus();
  await page.getByLabel("Verdict").selectOption("noise");
  await page.waitForURL(/verdict=noise/);
  await page.waitForTimeout(500);
  check(await page.evaluate(() => document.activeElement?.name === "verdict"), "a list that is fetched anew takes the focus away");
  await page.getByRole("button", { name: "Log out" }).click();
  await field.waitFor({ timeout: PATIENCE });
  await page.waitForTimeout(1000);
  check(await field.count() === 1, "the log-in does not stay behind a log-out");
  await page.route("**/api/events", (route) => route.fulfill({ status: 503, body: "{}" }));
  await logIn();
  await page.locator("#live", { hasText: "not live" }).waitFor({ timeout: PATIENCE });
  await page.unroute("**/api/events");
  await page.locator("#live[data-on=yes]").waitFor({ timeout: PATIENCE });
}

const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
try {
  await { incident, approval, hostile, session }[given.scenario](browser);
} catch (error) {
  wrong.push(error.message.split("\n").slice(0, 6).join(" / "));
} finally {
  await browser.close();
}
tell("end", { wrong });
process.exit(0);
