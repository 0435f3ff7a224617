// Charts of time series. A missing window is a gap, never a zero.
import { axis as numbers, number, time } from "./format.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const charts = new Set();

/** The space to the right of a chart, in pixels. It is half the width of a time with seconds. */
const RIGHT = 28;

/** The minimum number of intervals in a chart. */
const LEAST = 5;

/** The maximum number of values that are drawn as points. Among more values, only those between gaps are points. */
const POINTS = 40;

/** Returns the reason why an interval has no value. */
function reason(shown, at) {
  if (!shown.published[at]) {
    if (shown.withheld[at]) return "withheld: fewer than k sessions";
    return shown.expected[at] ? "no window was published" : "no window yet";
  }
  if (shown.sessions[at] === null) return "no row: folded, because it had fewer than k sessions";
  return shown.numbers[at] === "counts_only" ? "session counts only" : "undefined, or mostly noise";
}

/** Returns the kind of an interval in which windows are absent or incomplete, and an empty text otherwise. */
function gap(shown, at) {
  const absent = shown.expected[at] - shown.published[at];
  if (absent > 0) return shown.withheld[at] >= absent ? "held" : "gap";
  return shown.incomplete[at] ? "part" : "";
}

/** The shades of intervals: a colour, and lines that are drawn on it. The legend has the same lines. */
const SHADES = {
  gap: { fill: "--bad-soft", line: "--bad", step: [7, 7] },
  held: { fill: "--line", line: "--muted", step: [0, 5] },
  part: { fill: "--warn-soft", line: "--warn", step: [5, 0] },
};

/** Returns the pattern of a shade: diagonal lines for a gap, horizontal lines if withheld, vertical lines if incomplete. */
function pattern(ctx, { fill, line, step: [dx, dy] }) {
  const scale = Math.max(1, devicePixelRatio);
  const tile = document.createElement("canvas");
  const size = (dx || dy) * scale;
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  pen.fillStyle = colour(fill);
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = colour(line);
  pen.globalAlpha = 0.45;
  pen.lineWidth = scale;
  pen.beginPath();
  for (const at of dx && dy ? [-size, 0, size] : [0]) {
    pen.moveTo(dx ? at + (dy ? size : size / 2) : 0, dx ? 0 : size / 2);
    pen.lineTo(dx ? at + (dy ? 0 : size / 2) : size, dx ? size : size / 2);
  }
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}

/** Shades the intervals in which windows are absent or incomplete. */
function shade(plot, shown) {
  const { ctx, bbox } = plot;
  const fills = {};
  const step = shown.start.length > 1 ? (shown.start[1] - shown.start[0]) / 1000 : 60;
  ctx.save();
  shown.start.forEach((start, at) => {
    const kind = gap(shown, at);
    if (!kind) return;
    const from = Math.floor(Math.max(bbox.left, plot.valToPos(start / 1000 - step / 2, "x", true)));
    const to = Math.floor(Math.min(bbox.left + bbox.width, plot.valToPos(start / 1000 + step / 2, "x", true)));
    ctx.fillStyle = fills[kind] ??= pattern(ctx, SHADES[kind]);
    ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height);
  });
  ctx.restore();
}

/**
 * Removes the intervals before the first window and after the newest window of all tenants. Removes also the first and
 * the last interval if they contain fewer than `full` windows.
 */
export function trim(shown, full) {
  const isExpected = (expected, at) => Math.max(expected, shown.published[at]) >= full;
  const to = shown.expected.findLastIndex(isExpected) + 1;
  if (to < 1) return shown;
  // a chart of one or two windows also needs a span of time
  const from = Math.max(0, Math.min(shown.expected.findIndex(isExpected), to - LEAST));
  return Object.fromEntries(Object.entries(shown).map(([name, list]) => [name, Array.isArray(list) ? list.slice(from, to) : list]));
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
  const isAlone = (value, at) => value !== null && (known.length <= POINTS || (at && (shown.value[at - 1] ?? null) === null && (shown.value[at + 1] ?? null) === null));
  const dots = shown.value.flatMap((value, at) => (isAlone(value, at) ? [at] : []));
  const noise = high.some((value) => value !== null);
  const options = {
    width: box.clientWidth || 300, height: box.clientHeight || (tall ? 260 : 130), cursor: { y: false, points: { size: 7 } },
    padding: [8, RIGHT, 0, 0], legend: { show: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => bounds(low, high, metric) } },
    axes: [
      { ...axis, size: 26, space: 70, values: (_, ticks) => ticks.map((tick) => time(tick * 1000, ticks.at(-1) - ticks[0] > 172800, ticks[1] - ticks[0] < 60)) },
      { ...axis, size: 44, space: 34, values: (_, ticks) => numbers(metric, ticks) },
    ],
    // the band of noise is drawn first, so that it does not cover the line
    series: [
      {},
      ...(noise ? [{ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }] : []),
      { stroke: colour("--accent"), width: 2, spanGaps: false, fill: noise ? undefined : colour("--accent-area"), points: { show: true, filter: () => dots, size: 5, fill: colour("--accent") } },
    ],
    bands: noise ? [{ series: [1, 2], fill: colour("--accent-soft") }] : [],
  };
  const tip = document.createElement("p");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  options.hooks = { drawAxes: [(plot) => shade(plot, shown)], setCursor: [(plot) => {
    const at = plot.cursor.idx;
    tip.hidden = at === null || at === undefined;
    if (tip.hidden) return;
    const absent = shown.expected[at] - shown.published[at];
    const more = shown.incomplete[at] ? ", incomplete" : absent > 0 && shown.published[at] ? `, ${absent} of ${shown.expected[at]} windows absent` : "";
    tip.textContent = `${time(shown.start[at], true)}: ${shown.value[at] === null ? reason(shown, at) : number(metric, shown.value[at])}${more}`;
    const right = plot.cursor.left > plot.over.clientWidth / 2;
    tip.style.left = right ? "3rem" : "auto";
    tip.style.right = right ? "auto" : "0.25rem";
  }] };
  const plot = new uPlot(options, noise ? [x, high, low, shown.value] : [x, shown.value], box);
  box.append(tip);
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
