// SPDX-License-Identifier: MIT
// Drops over time (uPlot), in the colours of the style sheet.

import { h, replace } from "./dom.js";

const SERIES = [["strays", "strays of known peers", "--stray"], ["strangers", "of strangers", "--idle"], ["kernel_drops", "all drops of the kernel's IPsec", "--warn"]];

const clock = (t) => new Date(t * 1000).toISOString().slice(11, 19);

// Draws spimend.history/1 into `root`. end() takes it down.
export function chart(root, history) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  if (!history.t.length) {
    replace(root, h("p", { class: "soft" }, "No second has passed yet."));
    return { end() {} };
  }
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const total = (name) => history.series[name].reduce((sum, value) => sum + (value ?? 0), 0);
  const words = SERIES.map(([name, label]) => `${total(name)} ${label}`).join(", ");
  const box = h("div", { role: "img", "aria-label": `Over the span shown: ${words}` });
  replace(root, box);
  const plot = new window.uPlot({
    width: Math.max(260, root.clientWidth), height: 220, cursor: { drag: { x: true, y: false } }, legend: { live: true },
    scales: { y: { range: (_, __, most) => [0, Math.max(5, most * 1.1)] } },
    axes: [{ ...axis, space: 90, values: (_, splits) => splits.map((t) => clock(t)) }, { ...axis, size: 56 }],
    series: [{ label: "UTC", value: (_, t) => (t === null ? "--" : clock(t)) }, ...SERIES.map(([, label, name]) => ({ label, stroke: colour(name), width: 1.6, points: { show: false } }))],
  }, [history.t, ...SERIES.map(([name]) => history.series[name])], box);
  const watch = new ResizeObserver(() => plot.setSize({ width: Math.max(260, root.clientWidth), height: 220 }));
  watch.observe(root);
  return { end() { watch.disconnect(); plot.destroy(); } };
}
