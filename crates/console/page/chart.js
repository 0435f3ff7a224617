// Charts of time series. A missing window is a gap, never a zero.
import { axis as numbers, number, time } from "./format.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const charts = new Set();

/** Returns the reason why an interval has no value. */
function reason(shown, at) {
  if (!shown.published[at]) {
    if (shown.withheld[at]) return "withheld: fewer than k sessions";
    return shown.expected[at] ? "no window was published" : "no window yet";
  }
  if (shown.sessions[at] === null) return "no row: folded, because it had fewer than k sessions";
  return shown.numbers[at] === "counts_only" ? "session counts only" : "undefined, or mostly noise";
}

/**
 * Draws a time series into `box`. `shown` contains the starts of the intervals, their numbers of expected, published and
 * withheld windows, and the sessions, the kinds of numbers, the values and their standard errors.
 */
export function draw(box, shown, metric, tall) {
  const x = shown.start.map((start) => start / 1000);
  const high = shown.value.map((value, at) => (value === null || !shown.error[at] ? null : value + 2 * shown.error[at]));
  const low = shown.value.map((value, at) => (value === null || !shown.error[at] ? null : value - 2 * shown.error[at]));
  const known = shown.value.filter((value) => value !== null);
  const summary = known.length
    ? `${known.length} of ${x.length} intervals have a value. Latest: ${number(metric, known.at(-1))}, lowest: ` +
      `${number(metric, Math.min(...known))}, highest: ${number(metric, Math.max(...known))}.`
    : "No value in this period.";
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", `Chart of ${metric.label}. ${summary}`);
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const noise = high.some((value) => value !== null);
  const options = {
    width: box.clientWidth || 300, height: box.clientHeight || (tall ? 260 : 130), cursor: { y: false, points: { size: 7 } },
    padding: [8, 4, 0, 0], legend: { show: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => bounds(low, high, metric) } },
    axes: [
      { ...axis, size: 26, space: 70, values: (_, ticks) => ticks.map((tick) => time(tick * 1000, ticks.at(-1) - ticks[0] > 172800)) },
      { ...axis, size: 44, space: 34, values: (_, ticks) => numbers(metric, ticks) },
    ],
    series: [
      {},
      { stroke: colour("--accent"), width: 2, spanGaps: false, points: { show: (plot, _, from, to) => to - from < 40, size: 5, fill: colour("--accent") } },
      ...(noise ? [{ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }] : []),
    ],
    bands: noise ? [{ series: [2, 3], fill: colour("--accent-soft") }] : [],
  };
  const tip = document.createElement("p");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  options.hooks = { setCursor: [(plot) => {
    const at = plot.cursor.idx;
    tip.textContent = at === null || at === undefined ? "\u00a0"
      : `${time(shown.start[at], true)}: ${shown.value[at] === null ? reason(shown, at) : number(metric, shown.value[at])}`;
  }] };
  const plot = new uPlot(options, noise ? [x, shown.value, high, low] : [x, shown.value], box);
  tip.textContent = "\u00a0";
  box.after(tip);
  charts.add({ plot, box });
  return plot;
}

function bounds(low, high, metric) {
  if (low === null || high === null) return [0, 1];
  const least = Math.min(0, low);
  const most = high <= least ? least + (metric.unit === "share" ? 0.01 : 1) : high * 1.08;
  return [least, most];
}

/** Removes all charts. */
export function clear() {
  for (const { plot } of charts) plot.destroy();
  charts.clear();
}

addEventListener("resize", () => {
  for (const { plot, box } of charts) plot.setSize({ width: box.clientWidth, height: box.clientHeight });
});
