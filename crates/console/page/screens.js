// The screens. The function of a screen requests its data and fills `box`. It may return a function that draws charts.
import { draw, trim } from "./chart.js";
import { LABELS, count, difference, duration, el, label, number, parts, range, share, size, time } from "./format.js";

const CARDS = ["concurrent_mean", "minutes_watched", "startup_ms", "rebuffering_ratio", "vsf", "bitrate_kbps"];

const period = (app) => ({ tenant: app.state.tenant, since: app.state.period });
const named = (app, name) => ({ ...app.metrics[name], label: label(name) });

function change(metric, compared, against) {
  const text = against === "1w" ? "a week before" : "a day before";
  if (compared?.incomparable && compared.before) return el("p", { class: "change" }, el("span", { class: "tag warn" }, "not comparable"), ` with ${text}: ${unlike(compared.incomparable)}`);
  if (!compared || compared.change === null || compared.change === undefined) return el("p", { class: "change" }, `no value ${text}`);
  const { value, error } = compared.change;
  const noise = error && Math.abs(value) < 2 * error;
  const relative = compared.relative === null ? difference(metric, value) : `${compared.relative >= 0 ? "+" : "−"}${Math.abs(compared.relative * 100).toFixed(1)}%`;
  const worse = metric.better === "lower" ? value > 0 : value < 0;
  // a difference that neither the two numbers nor the percentage shows is not reported
  const same = number(metric, compared.now?.value) === number(metric, compared.before.value);
  if (same || (compared.relative !== null && Math.abs(compared.relative) < 0.0005)) {
    return el("p", { class: "change" }, el("span", { class: "tag" }, "no change"), ` from ${text}`);
  }
  const judged = metric.better === "neither" || value === 0 || noise ? "" : worse ? "bad" : "good";
  const word = noise ? " within noise" : judged === "bad" ? " worse" : judged === "good" ? " better" : "";
  const arrow = value > 0 ? "▲ " : value < 0 ? "▼ " : "";
  const more = metric.better === "neither" ? (value > 0 ? " more" : " less") : "";
  return el("p", { class: "change" }, el("span", { class: `tag ${judged}` }, `${arrow}${relative}${word || more}`), ` than ${text}: ${number(metric, compared.before.value)}`);
}

/** Returns the reason why two sums must not be compared. */
function unlike({ now, before }) {
  if (now.windows !== before.windows) return `${count(now.windows)} windows now, ${count(before.windows)} before`;
  return `incomplete windows ${now.incomplete ? "now" : "before"}`;
}

async function overview(app, box) {
  const metrics = CARDS.join(",");
  const [series, compared] = await Promise.all([
    app.ask("timeseries", { ...period(app), metric: metrics }),
    app.ask("compare", { ...period(app), metric: metrics, against: app.state.against }),
  ]);
  const grid = el("div", { class: "grid" });
  const later = [];
  // the sum of an interval that has only begun is lower than the other sums
  const isSum = (metric) => !metric.ratio && metric.unit !== "sessions";
  const full = Math.max(1, Math.floor(series.step_ms / series.window_ms));
  const against = app.state.against === "1w" ? "week" : "day";
  const isNew = compared.rows.every((row) => row.before === null || row.before === undefined);
  for (const name of CARDS) {
    const metric = named(app, name);
    const one = compared.rows.find((row) => row.metric === name);
    const [value, unit] = parts(metric, one?.now?.value);
    const chart = el("div", { class: "chart" });
    grid.append(el("section", { class: "card" }, el("h2", {}, metric.label),
      el("p", { class: "value" }, value, unit === "%" ? "%" : el("small", {}, unit && ` ${unit}`),
        one?.now?.error ? el("small", {}, ` ± ${number(metric, one.now.error)}`) : null),
      isNew ? el("p", { class: "change" }) : change(metric, one, app.state.against), chart));
    const values = series.series[0]?.values[name];
    if (values) later.push(() => draw(chart, trim({ ...series.intervals, ...series.series[0], ...values }, isSum(metric) ? full : 1), metric));
    else chart.append(el("p", { class: "none" }, "No value in this period."));
  }
  const none = isNew ? el("p", { class: "note" }, `There is nothing to compare with yet: no rows of a ${against} before.`) : null;
  box.append(...[grid, shades(series.intervals), gaps(series), hours(series, compared), answered(series), none].filter(Boolean));
  return () => later.forEach((one) => one());
}

/** Returns a paragraph about periods that were rounded to full hours. */
function hours(...answers) {
  const texts = answers.filter((one) => one.rounded).map((one) => (one.against
    ? `The numbers and their changes cover full hours, ${time(one.since, true)} to ${time(one.until, true)}, because the earlier period is kept as sums of hours only.`
    : `The period begins at ${time(one.since, true)}, because old windows are kept as sums of hours only.`));
  return texts.length ? el("p", { class: "note" }, texts.join(" ")) : null;
}

const legend = (entries) => (entries.length ? el("ul", { class: "legend" }, entries.map(([mark, text]) => el("li", {}, mark, text))) : null);
const square = (kind) => el("span", { class: `box ${kind}`, "aria-hidden": "true" });

/** Returns the legend of the shaded intervals of the charts, or null if no interval is shaded. */
function shades({ expected, published, incomplete, withheld }) {
  const at = expected.map((_, index) => index);
  const isHeld = (index) => withheld[index] > 0 && withheld[index] >= expected[index] - published[index];
  const entries = [];
  if (at.some((index) => expected[index] > published[index] && !isHeld(index))) entries.push([square("gap"), "windows are missing"]);
  if (at.some(isHeld)) entries.push([square("held"), "windows were withheld"]);
  if (at.some((index) => incomplete[index] > 0 && expected[index] <= published[index])) entries.push([square("part"), "windows are incomplete"]);
  return legend(entries);
}

/** Returns a paragraph about the windows that are missing or incomplete. */
function gaps({ intervals }) {
  const withheld = intervals.withheld.reduce((sum, one) => sum + one, 0);
  const missing = intervals.expected.reduce((sum, expected, at) => sum + Math.max(0, expected - intervals.published[at] - intervals.withheld[at]), 0);
  const incomplete = intervals.incomplete.reduce((sum, one) => sum + one, 0);
  const texts = [];
  if (missing) texts.push(`${count(missing)} ${missing === 1 ? "window of this period was" : "windows of this period were"} not published; the charts have gaps there.`);
  if (withheld) texts.push(`${count(withheld)} ${withheld === 1 ? "window was" : "windows were"} withheld, because there were fewer than k sessions.`);
  if (incomplete) texts.push(`${count(incomplete)} ${incomplete === 1 ? "window lacks" : "windows lack"} the beacons of some partitions, so the sums are too low.`);
  return texts.length ? el("p", { class: "note" }, texts.join(" ")) : null;
}

const KINDS = {
  exact: "all its numbers are exact",
  noisy: "its session counts are exact, and every other number carries noise (± is one standard error)",
  private: "every number carries noise, also the session counts (differential privacy); ± is one standard error, which is known for session counts only",
  counts_only: "it contains session counts only",
};

function answered({ breakdown, numbers, sessions_without_numbers: without }) {
  if (!numbers) return el("p", { class: "note" }, "No row matches.");
  const some = without && numbers !== "counts_only" ? ` ${count(without)} session-windows are in rows with session counts only, so sums are too low.` : "";
  return el("p", { class: "note" }, `Answered from table ${breakdown.replaceAll(".", ", ")}: ${KINDS[numbers]}.${some}`);
}

/** Returns the space that bars and their error bars need to the left and to the right of zero. */
function bounds(figures) {
  const known = figures.filter(Boolean);
  return {
    low: Math.max(0, ...known.map(({ value, error }) => 2 * (error || 0) - value)),
    high: Math.max(0, ...known.map(({ value, error }) => value + 2 * (error || 0))),
  };
}

function bar(value, most, error, kind) {
  const zero = most.low / (most.low + most.high || 1);
  const scale = (number) => (number / (most.low + most.high || 1)) * 100;
  const made = el("span", { class: "meter", "aria-hidden": "true" });
  const width = Math.abs(scale(value));
  made.append(el("i", { class: kind, style: { left: `${zero * 100 - (value < 0 ? width : 0)}%`, width: `${Math.max(width, 0.8)}%` } }));
  if (error) {
    made.append(el("i", { class: "span", style: { left: `${zero * 100 + scale(value - 2 * error)}%`, width: `${scale(4 * error)}%` } }));
  }
  if (most.low > 0) made.append(el("b", { style: { left: `${zero * 100}%` } }));
  return made;
}

function chosen(app) {
  const table = app.table();
  const { by, where } = app.state;
  return { table, by: by ? by.split(",") : table.dimensions.slice(0, 1), where };
}

async function breakdown(app, box) {
  const { table, by, where } = chosen(app);
  const metric = named(app, app.state.metric);
  const rank = app.state.rank === "impact" && !metric.ratio ? "value" : app.state.rank;
  const answer = await app.ask("breakdown", { ...period(app), breakdown: table.breakdown, by: by.join(","), where, metric: metric.name, rank, limit: 50 });
  if (where.length) {
    box.append(el("ul", { class: "chips", "aria-label": "Filters" }, where.map((one) => el("li", {},
      el("button", { type: "button", "aria-label": `Remove filter ${one}`, onclick: () => app.go({ where: where.filter((other) => other !== one) }) }, `${one.replace(":", " = ")}  ✕`)))));
  }
  const most = bounds(answer.rows.map((row) => row.value));
  const span = bounds(answer.rows.map((row) => row.impact));
  const drill = (row) => {
    const added = by.map((name) => `${name}:${row.dimensions[name]}`).filter((one) => !where.includes(one));
    const next = table.dimensions.slice(0, Math.min(by.length + 1, table.dimensions.length)).join(",");
    app.go({ where: [...where, ...added], by: next, breakdown: table.breakdown });
  };
  const cells = (row) => {
    const text = by.map((name) => row.dimensions[name]).join(" · ");
    const deeper = by.length < table.dimensions.length && !row.folded;
    const uncertain = row.impact?.error && Math.abs(row.impact.value) < 2 * row.impact.error;
    return el("tr", {},
      el("td", { class: "cell" }, deeper ? el("button", { type: "button", onclick: () => drill(row) }, text) : text, row.folded ? el("span", { class: "error" }, " folded") : null),
      el("td", { class: "n optional" }, count(row.sessions)),
      el("td", { class: "n optional" }, share(row.share)),
      el("td", { class: "n" }, number(metric, row.value?.value), row.value?.error ? el("span", { class: "error" }, ` ±${number(metric, row.value.error)}`) : null),
      el("td", { class: "n optional" }, row.value ? bar(row.value.value, most, row.value.error, "") : null),
      metric.ratio ? el("td", { class: uncertain ? "n dim" : "n" }, difference(metric, row.impact?.value), row.impact?.error ? el("span", { class: "error" }, ` ±${size(metric, row.impact.error)}`) : null) : null,
      metric.ratio ? el("td", { class: "n optional" }, row.impact ? bar(row.impact.value, span, row.impact.error, uncertain ? "" : row.impact.value > 0 ? "bad" : "good") : null) : null);
  };
  const head = el("tr", {}, el("th", { scope: "col" }, by.join(" · ")), el("th", { scope: "col", class: "n optional" }, "Session-windows"),
    el("th", { scope: "col", class: "n optional" }, "Share"), el("th", { scope: "col", class: "n" }, metric.label), el("td", { class: "optional" }),
    metric.ratio ? el("th", { scope: "col", class: "n" }, "Impact") : null, metric.ratio ? el("td", { class: "optional" }) : null);
  if (answer.rows.length) {
    box.append(el("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": "Rows" },
      el("p", { class: "summary" }, `${metric.label} over all rows: ${number(metric, answer.overall?.value)}. ${metric.definition}`), el("table", {},
      el("caption", {}, `${metric.label} by ${by.join(", ")}`),
      el("thead", {}, head), el("tbody", {}, answer.rows.map(cells)))));
  }
  box.append(...[answered(answer), hours(answer)].filter(Boolean));
  if (metric.ratio) box.append(el("p", { class: "note" }, "Impact is the amount by which the overall value would improve if the row were as good as the rest. Bars to the right harm the overall value. Thin lines are two standard errors of noise; impacts within them are grey, with blue bars."));
  if (answer.rows.some((row) => !row.value)) box.append(el("p", { class: "note" }, "– is a value that was not published, is undefined, or consists mostly of noise."));
  if (answer.rows.some((row) => row.folded)) box.append(el("p", { class: "note" }, "* contains the rest: rows below k sessions, which were folded together until they cover a crowd."));
  if (answer.folded_away) box.append(el("p", { class: "note" }, `${count(answer.folded_away)} session-windows are in folded rows that may match the filter.`));
}

function breakdownControls(app) {
  if (!app.state.tenant || !app.breakdowns.length) return [];
  const { table, by } = chosen(app);
  const tables = Object.fromEntries(app.breakdowns.map((one) => [one.breakdown, one.dimensions.join(", ") + (one.detail ? " (exact)" : "")]));
  const prefixes = Object.fromEntries(table.dimensions.map((_, at) => [table.dimensions.slice(0, at + 1).join(","), table.dimensions.slice(0, at + 1).join(", ")]));
  const metrics = Object.fromEntries(Object.keys(app.metrics).filter((name) => LABELS[name] && name !== "sessions").map((name) => [name, label(name)]));
  const made = app.select("breakdown", "Table", tables, table.breakdown);
  return [made, app.select("by", "By", prefixes, by.join(",")), app.select("metric", "Metric", metrics, app.state.metric),
    app.select("rank", "Rank by", { impact: "impact", value: "value", sessions: "sessions" }, app.state.rank)];
}

async function distribution(app, box) {
  const metric = named(app, app.state.histogram || "startup_ms");
  const { distribution: sum, breakdown: table } = await app.ask("distribution", { ...period(app), metric: metric.name });
  if (!sum.sessions) {
    box.append(el("p", { class: "none" }, "No histogram was published in this period. Only the detail table contains histograms."));
    return;
  }
  const facts = el("div", { class: "grid facts" });
  for (const { percent, from, to } of sum.percentiles) {
    const text = from === null && to !== null ? `≤ ${number(metric, to)}` : to === null && from !== null ? `≥ ${number(metric, from)}` : range(metric, from, to);
    facts.append(el("section", { class: "card" }, el("h2", {}, percent === 50 ? "Median" : `${percent}th percentile`), el("p", { class: "bound" }, text)));
  }
  const most = Math.max(...sum.ranges.map((one) => one.at_most));
  const bars = el("ul", { class: "bars" });
  for (const one of sum.ranges) {
    const { at_least: least, at_most: high, estimate } = one;
    const part = (kind, value) => el("i", { class: kind, style: { width: `${(value / most) * 100}%` } });
    bars.append(el("li", {}, el("span", { class: "from" }, range(metric, one.from, one.to)),
      el("span", { class: "track", "aria-hidden": "true" }, part("most", high), part("likely", estimate), part("least", least)),
      el("span", { class: "n" }, least === high ? count(least) : [`≈ ${count(estimate)} `, el("span", { class: "error" }, `${count(least)}–${count(high)}`)])));
  }
  box.append(facts, el("section", { class: "card" }, el("h2", {}, `${metric.label}, session-windows by range`), bars,
    legend([[square("least"), "certainly in the range"], [square("likely"), "estimate"], [square("most"), "possibly in the range"]])),
    el("p", { class: "note" }, `The sum of ${count(sum.rows)} published histograms of table ${table.replaceAll(".", ", ")}. Their ranges differ, because each range covers a crowd, so only bounds of the sum are known. ${sum.rows_without ? `${count(sum.rows_without)} rows have no histogram.` : ""}`));
}

const fact = (title, value, ...rest) => el("section", { class: "card" }, el("h2", {}, title), el("p", { class: "value" }, value), el("p", { class: "change last" }, ...rest));

async function privacy(app, box) {
  const { tenants } = await app.ask("windows", { since: app.state.period });
  const mine = tenants.find((one) => one.tenant === app.state.tenant);
  if (!mine) { box.append(el("p", { class: "none" }, "No window was published in this period.")); return; }
  const { facts, audit } = app.status;
  const smallest = Math.min(...mine.tables.map((one) => one.smallest_row));
  const above = (row, k) => (k ? `${row < k ? "−" : "+"}${count(Math.abs(row - k))} (${count(Math.abs(row / k - 1) * 100)}%)` : "–");
  const k = mine.tables[0]?.k;
  // a tenant whose windows were all withheld has no report
  const silent = app.tenants.filter((name) => !tenants.some((one) => one.tenant === name));
  const never = app.status.tenants_without_rows;
  const held = tenants.filter((one) => one.withheld.length).length + silent.length + never.length;
  const oldest = mine.newest - app.status.now + facts.ttl_rollups_ms;
  const grid = el("div", { class: "grid facts four" },
    fact("Minimum of a row, k", k === null ? "–" : count(k), "sessions, by the policy of the newest rows"),
    fact("Smallest row", count(smallest), el("span", { class: `tag ${k && smallest < k ? "bad" : "good"}` }, k && smallest < k ? "below k" : "not below k"), k && smallest > k ? ` ${count(smallest - k)} above, in this period` : " in this period"),
    fact("Withheld windows", count(mine.withheld.length), mine.withheld.length ? "this tenant had fewer than k sessions" : "each window has rows of this tenant"),
    fact("Tenants with withheld windows", count(held), `of ${count(app.tenants.length + never.length)} that you may see`,
      never.length ? `; no row of ${never.join(", ")} was published` : ""),
    fact("Rollups live for", duration(facts.ttl_rollups_ms), `the newest window is deleted here in ${duration(Math.max(0, oldest))}`),
    fact("Beacons live for", duration(facts.ttl_beacons_ms), "the limit in ttl.beacons; beacons are personal data"),
    fact("Partials live for", duration(facts.ttl_partials_ms), "the limit in ttl.partials; partials are internal sums"),
    audit ? fact("Last audit", audit.report.outcome ?? "read", `report of ${time(audit.at, true)}`) : fact("Last audit", "–", "set console.audit_report to show it"));
  const table = el("table", {}, el("caption", {}, "Folding by table"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Table"), el("th", { scope: "col", class: "n optional" }, "Windows"), el("th", { scope: "col", class: "n" }, "Smallest row"), el("th", { scope: "col", class: "n" }, "Headroom"), el("th", { scope: "col", class: "n" }, "Share folded"), el("td", { class: "optional" }))),
    el("tbody", {}, mine.tables.map((one) => el("tr", {}, el("td", {}, one.breakdown.replaceAll(".", ", ")), el("td", { class: "n optional" }, count(one.windows)), el("td", { class: "n" }, count(one.smallest_row)), el("td", { class: one.k && one.smallest_row < one.k ? "n under" : "n" }, above(one.smallest_row, one.k)), el("td", { class: "n" }, share(one.folded_share)), el("td", { class: "n optional" }, bar(one.folded_share, { low: 0, high: 1 }, 0, ""))))));
  box.append(grid, el("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": "Folding by table" }, el("p", { class: "summary" }, "Folding by table"), table),
    el("p", { class: "note" }, "Headroom is the number of sessions of the smallest row above k. Share folded is the part of the sessions in rows with *, where values below k sessions were merged. A high share means that the table is too detailed for the number of sessions."));
}

async function pipeline(app, box) {
  const { tenants } = await app.ask("windows", period(app));
  const mine = tenants.find((one) => one.tenant === app.state.tenant);
  if (!mine) { box.append(el("p", { class: "none" }, "No window was published in this period."), workers(app)); return; }
  const { ignored } = app.status;
  const late = mine.freshness_ms > 10 * mine.length_ms;
  box.append(el("div", { class: "grid facts" },
    fact("Freshness", duration(mine.freshness_ms), "since the newest window ended ", el("span", { class: `tag ${late ? "bad" : "good"}` }, late ? "late" : "up to date")),
    fact("Published windows", count(mine.published), `of ${duration(mine.length_ms)} each`),
    fact("Missing windows", count(mine.missing.length), mine.missing.length ? "without rows of any tenant" : "none"),
    fact("Incomplete windows", count(mine.incomplete.length), mine.incomplete.length ? "without some partitions or rows" : "none"),
    fact("Withheld windows", count(mine.withheld.length), mine.withheld.length ? "fewer than k sessions" : "none"),
    ignored.records + ignored.rows_in_future ? fact("Ignored records", count(ignored.records + ignored.rows_in_future), `${count(ignored.records)} are not rollups, ${count(ignored.rows_in_future)} are from the future`) : null));
  const set = (list) => new Set(list);
  const [missing, part, held] = [set(mine.missing), set(mine.incomplete), set(mine.withheld)];
  const from = mine.newest - Math.min(240, Math.max(mine.published + missing.size + held.size, 1)) * mine.length_ms;
  const strip = el("div", { class: "strip", role: "img", "aria-label": `Windows since ${time(from, true)}: ${missing.size} missing, ${part.size} incomplete, ${held.size} withheld.` });
  for (let start = from; start < mine.newest; start += mine.length_ms) {
    strip.append(el("i", { class: missing.has(start) ? "gap" : part.has(start) ? "part" : held.has(start) ? "held" : "", title: time(start, true) }));
  }
  const mark = (kind) => el("span", { class: "strip", "aria-hidden": "true" }, el("i", { class: kind }));
  const kinds = [["", "published"], ["part", "incomplete"], ["held", "withheld"], ["gap", "missing"]];
  const shown = kinds.filter(([kind]) => !kind || strip.querySelector(`.${kind}`));
  box.append(el("section", { class: "card" }, el("h2", {}, "Windows"), strip,
    el("p", { class: "ends" }, el("span", {}, time(from, true)), el("span", {}, time(mine.newest, true))),
    legend(shown.map(([kind, text]) => [mark(kind), text]))),
  workers(app));
}

// the outcomes of beacons, with their meaning
const OUTCOMES = {
  released: "counted in published rows", withheld: "in windows of tenants with fewer than k sessions", late: "after their window was closed",
  duplicate: "already counted", opted_out: "of sessions that opted out", excluded: "excluded by the consent rules",
  rejected: "not valid; the metric crowdfold_rejected_total of the workers contains the reasons",
};

/** Returns the state of the workers: their lag, their ledgers, and the outcomes of beacons. */
function workers(app) {
  const state = app.status.pipeline;
  if (!state) return el("div", { id: "workers" }, el("p", { class: "note" }, "Lag and outcomes of beacons are metrics of the workers. They are shown here if console.workers contains the addresses of the workers, to users who may see all tenants."));
  const tag = (fine, text) => el("span", { class: `tag ${fine ? "good" : "bad"}` }, text);
  const names = state.unreachable.length ? tag(false, `no answer from ${state.unreachable.join(", ")}`) : tag(true, state.workers === 1 ? "1 worker answers" : `${count(state.workers)} workers answer`);
  const ledger = { true: ["Balanced", tag(true, "accounts for every beacon")], false: ["Not balanced", tag(false, "report this as a bug")] }[state.balanced] || ["–", "no worker reports it"];
  const cards = el("div", { class: "grid facts" },
    fact("Lag", state.lag_ms === null ? "–" : duration(state.lag_ms), "of the slowest partition behind the current time"),
    fact("Beacons read", state.workers ? count(state.beacons.read ?? 0) : "–", names),
    fact("Ledger", ...ledger),
    state.headroom_ms === null ? null : fact("Headroom", duration(state.headroom_ms), "until a record that a worker still needs may expire"));
  return el("div", { id: "workers" }, cards, ...(state.workers ? outcomes(state.beacons) : []));
}

/** Returns the table of outcomes. Its rows add up to the number of beacons that were read. */
function outcomes(beacons) {
  const rows = Object.entries(OUTCOMES).map(([name, meaning]) => [name.replace("_", " "), beacons[name] ?? 0, meaning]);
  const read = beacons.read ?? 0;
  const open = read - rows.reduce((sum, [, number]) => sum + number, 0);
  // beacons that were read before a worker was restarted get their outcome after the restart
  const earlier = Math.max(0, -open);
  rows.push(["no outcome yet", Math.max(0, open), "in open windows, or below the rounding of the other numbers"]);
  const whole = read + earlier;
  const line = ([name, number, meaning]) => {
    const part = whole ? number / whole : 0;
    return el("tr", {}, el("th", { scope: "row" }, name, el("span", { class: "error" }, meaning)), el("td", { class: "n" }, count(number)),
      el("td", { class: "n" }, share(part)), el("td", { class: "n optional" }, part ? bar(part, { low: 0, high: 1 }, 0, "") : null));
  };
  const sum = (name, number) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "n" }, count(number)), el("td", { class: "n" }, whole ? share(number / whole) : ""), el("td", { class: "optional" }));
  const table = el("table", { class: "outcomes" }, el("caption", {}, "Outcomes of beacons"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Outcome"), el("th", { scope: "col", class: "n" }, "Beacons"), el("th", { scope: "col", class: "n" }, "Share"), el("td", { class: "optional" }))),
    el("tbody", {}, rows.map(line)),
    el("tfoot", {}, sum("read", read), earlier ? sum("read before a restart", earlier) : null));
  return [el("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": "Outcomes of beacons" }, el("p", { class: "summary" }, "Outcomes of beacons"), table),
    el("p", { class: "note" }, "The beacons of all tenants since the start of the workers. Each worker rounds its numbers down to multiples of k.")];
}

/** Updates the state of the workers, which changes also while no window arrives. */
function refresh(app) {
  const old = document.getElementById("workers");
  if (!old) return;
  const isFocused = old.contains(document.activeElement);
  old.replaceWith(workers(app));
  if (isFocused) document.querySelector("#workers [tabindex]")?.focus();
}

export const screens = {
  overview: { title: "Overview", lead: "Audience and quality in the chosen period.", show: overview },
  breakdown: { title: "Breakdown", lead: "The rows in which an improvement would change the overall value most.", show: breakdown, controls: breakdownControls },
  distribution: { title: "Distribution", lead: "The values of sessions, as published histograms.", show: distribution,
    controls: (app) => [app.select("histogram", "Metric", Object.fromEntries(Object.values(app.metrics).filter((one) => one.histogram).map((one) => [one.name, label(one.name)])), app.state.histogram || "startup_ms")] },
  privacy: { title: "Privacy", lead: "The guarantee in numbers: crowds, folding and lifetimes.", show: privacy },
  pipeline: { title: "Pipeline", lead: "Is every window published, how fresh is it, and did every beacon get an outcome?", show: pipeline,
    empty: workers, refresh },
};
