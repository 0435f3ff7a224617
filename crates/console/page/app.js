// The state, the requests and the navigation of the page. The address contains the whole state.
import { duration, el, time } from "./format.js";
import { clear } from "./chart.js";
import { screens } from "./screens.js";

const PERIODS = { "30m": "30 minutes", "1h": "hour", "3h": "3 hours", "12h": "12 hours", "1d": "day", "7d": "7 days", "30d": "30 days" };
const AGAINST = { "1d": "a day before", "1w": "a week before" };
// the names of parts of the state in messages, if they differ
const KINDS = { breakdown: "table", by: "grouping" };
// the parts of the state that another tenant may not have
const OF_TENANT = { breakdown: undefined, by: undefined, where: [] };
const node = (id) => document.getElementById(id);
const app = { metrics: {}, tenants: [], breakdowns: [], state: {}, status: {} };
let turn = 0;
// the time of the last answer, and the query of the address whose content is shown
let answered, shown;

class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

/** The error if a request is not answered, or if the answer is not from the console. */
class NoAnswer extends Error {
  constructor() { super(answered ? `The console no longer answers; last update ${time(answered, false, true)}.` : "The console does not answer."); }
}

/** The error if the address contains a name that does not exist. `choices` contains the allowed names. */
class Unknown extends Error {
  constructor(kind, name, choices, change) {
    super(`Unknown ${kind} “${name}”. Choose one of these:`);
    this.choices = choices.map((one) => [one, change(one)]);
  }
}

/** The error if the address contains filters with dimensions that the table does not have. */
class Unfit extends Error {
  constructor(table, unfit, fit) {
    const names = unfit.map((one) => `“${one}”`).join(", ");
    super(`The table ${table} cannot be filtered by ${names}, because a filter needs a dimension of the table: ${table.replaceAll(".", ", ")}.`);
    this.choices = [[unfit.length > 1 ? "Remove these filters" : "Remove this filter", { where: fit }]];
  }
}

/** Sends a request to the API, and returns its answer. */
app.ask = async (path, parameters = {}) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== "") query.append(name, one);
  }
  let response, answer;
  try {
    response = await fetch(`api/v1/${path}?${query}`, { headers: { accept: "application/json" } });
    answer = await response.json();
  } catch {
    throw new NoAnswer();
  }
  answered = Date.now();
  if (!response.ok) throw new Refused(response.status, answer.error);
  return answer;
};

const DEFAULTS = { screen: "overview", period: "1h", against: "1d", metric: "rebuffering_ratio", rank: "impact" };

function read() {
  const address = new URLSearchParams(location.search);
  app.state = { ...DEFAULTS, where: address.getAll("where") };
  for (const name of ["screen", "tenant", "period", "against", "metric", "rank", "breakdown", "by", "histogram"]) {
    if (address.get(name)) app.state[name] = address.get(name);
  }
  if (!screens[app.state.screen]) app.state.screen = "overview";
}

app.address = (change) => {
  const next = { ...app.state, ...change };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(next)) {
    if (name === "where") for (const one of value) query.append(name, one);
    else if (value !== undefined && value !== DEFAULTS[name] && !(name === "tenant" && app.tenants.length < 2)) query.set(name, value);
  }
  const text = query.toString();
  return text ? `?${text}` : "./";
};

app.go = (change) => {
  history.pushState(null, "", app.address(change));
  show();
};

function select(name, title, options, value) {
  // a value that does not exist must not look like the first option
  const missing = value && !(value in options) ? el("option", { value: "", selected: true, disabled: true }, "choose") : [];
  const change = (text) => {
    if (name === "tenant") return { ...OF_TENANT, tenant: text };
    // another table keeps the filters that it can answer
    const where = () => app.state.where.filter((one) => text.split(".").includes(dimension(one)));
    return name === "breakdown" ? { breakdown: text, by: undefined, where: where() } : { [name]: text };
  };
  const made = el("select", { name, onchange: (event) => app.go(change(event.target.value)) }, missing,
    Object.entries(options).map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return el("label", {}, title, made);
}
app.select = select;

function controls() {
  const { state } = app;
  const tenants = Object.fromEntries(app.tenants.map((name) => [name, name]));
  const focused = document.activeElement?.name;
  const link = [...node("nav").children].indexOf(document.activeElement);
  node("controls").replaceChildren(
    ...[app.tenants.length > 1 ? select("tenant", "Tenant", tenants, state.tenant) : null,
      select("period", "Last", PERIODS, state.period),
      state.screen === "overview" ? select("against", "Compared with", AGAINST, state.against) : null,
      ...(screens[state.screen].controls?.(app) || [])].filter(Boolean));
  if (focused) node("controls").querySelector(`[name="${focused}"]`)?.focus();
  node("nav").replaceChildren(...Object.entries(screens).map(([name, screen]) =>
    el("a", { href: app.address({ screen: name }), "aria-current": name === state.screen ? "page" : null,
      onclick: (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); app.go({ screen: name }); } } }, screen.title)));
  node("nav").children[link]?.focus();
}

async function catalogues() {
  const [metrics, tenants, status] = await Promise.all([app.ask("metrics"), app.ask("tenants"), app.ask("status")]);
  app.metrics = Object.fromEntries(metrics.metrics.map((metric) => [metric.name, metric]));
  app.tenants = tenants.tenants.map((one) => one.tenant);
  app.newest = Object.fromEntries(tenants.tenants.map((one) => [one.tenant, one.newest]));
  app.status = status;
  if (!app.state.tenant || !app.tenants.length) app.state.tenant = app.tenants[0];
  known("tenant", app.tenants, (tenant) => ({ ...OF_TENANT, tenant }));
  app.breakdowns = app.state.tenant ? (await app.ask("breakdowns", { tenant: app.state.tenant })).breakdowns : [];
}

/** Refuses a name in the address that is not one of `names`. A name that is absent is allowed. */
function known(kind, names, change = (name) => ({ [kind]: name })) {
  const name = app.state[kind];
  if (name && names.length && !names.includes(name)) throw new Unknown(KINDS[kind] || kind, name, names, change);
}

/** Returns the dimension of a filter such as `os:Windows`. */
const dimension = (filter) => filter.split(":")[0];

/** Refuses names in the address that do not exist. */
function check() {
  known("breakdown", app.breakdowns.map((one) => one.breakdown), (breakdown) => ({ breakdown, by: undefined }));
  known("metric", Object.keys(app.metrics));
  known("histogram", Object.values(app.metrics).filter((one) => one.histogram).map((one) => one.name));
  known("period", Object.keys(PERIODS));
  known("against", Object.keys(AGAINST));
  const table = app.table();
  if (!table) return;
  const { breakdown, dimensions } = table;
  known("by", dimensions.map((_, at) => dimensions.slice(0, at + 1).join(",")));
  const fits = (one) => dimensions.includes(dimension(one)) && one.length > dimension(one).length + 1;
  const unfit = app.state.where.filter((one) => !fits(one));
  if (unfit.length) throw new Unfit(breakdown, unfit, app.state.where.filter(fits));
}

/** Returns the chosen table. By default, this is the detail table. */
app.table = () => {
  const { breakdowns, state } = app;
  return breakdowns.find((one) => one.breakdown === state.breakdown) || breakdowns.find((one) => one.detail) || breakdowns[0];
};

async function show() {
  const mine = ++turn;
  read();
  try {
    await catalogues();
    check();
    const { screen } = app.state;
    const content = document.createElement("div");
    const title = screens[screen].title;
    if (mine !== turn) return;
    if (!app.state.tenant) content.append(el("p", { class: "card none" }, "The console reads the topics of rollups and shows each window as it arrives. If no window arrives within a few minutes, the log of the worker contains the reason."), screens[screen].empty?.(app) ?? "");
    const filled = app.state.tenant ? await screens[screen].show(app, content) : null;
    if (mine !== turn) return;
    controls();
    clear();
    document.title = `${title} · crowdfold`;
    node("title").textContent = title;
    node("lead").textContent = app.state.tenant ? screens[screen].lead : "No rollups have been published yet. Data appears here when the first window closes.";
    const focusable = () => [...node("screen").querySelectorAll("a, button, select")];
    const focused = focusable().indexOf(document.activeElement);
    node("screen").replaceChildren(content);
    focusable()[focused]?.focus();
    filled?.();
    freshness();
    shown = location.search;
    document.body.dataset.ready = String(mine);
  } catch (error) {
    if (mine !== turn) return;
    if (error.status === 401) return login();
    if (error instanceof NoAnswer) {
      lost(error);
      // the content stays if it is the content of this address
      if (shown === location.search) return;
    }
    shown = undefined;
    try {
      controls();
    } catch {
      node("controls").replaceChildren();
    }
    clear();
    node("title").textContent = screens[app.state.screen].title;
    node("lead").textContent = "";
    const choice = ([name, change]) => el("li", {}, el("a", { href: app.address(change) }, name));
    const isLost = error instanceof NoAnswer;
    node("screen").replaceChildren(isLost ? el("p", { class: "none" }, "Data appears here when the console answers again.") : el("p", { class: "none", role: "alert" }, error.message),
      ...(error.choices ? [el("ul", { class: "chips choices" }, error.choices.map(choice))] : []));
    document.body.dataset.ready = String(mine);
  }
}

function freshness() {
  const newest = app.newest?.[app.state.tenant];
  node("freshness").textContent = newest ? `Newest window ended ${duration(app.status.now - newest)} ago` : "";
  const problem = app.status.problem || "";
  node("problem").hidden = !problem;
  // an alert that is set again would be read out again
  if (node("problem").textContent !== problem) node("problem").textContent = problem;
}

/** Shows that the console does not answer. The current time of the console is estimated. */
function lost(error) {
  const passed = app.status.now ? Date.now() - (app.status.at || answered) : 0;
  app.status = { ...app.status, now: app.status.now + passed, at: Date.now(), problem: error.message, isLost: true };
  freshness();
}

// The status may change while no window arrives.
async function poll() {
  const { refresh } = screens[app.state.screen];
  if (!app.state.tenant && !app.status.isLost && !refresh) return;
  try {
    const { isLost } = app.status;
    app.status = await app.ask("status");
    // the content may be old
    if (isLost) return show();
    refresh?.(app);
  } catch (error) {
    // a form that is already shown must keep what was typed into it
    if (error.status === 401) return document.querySelector("form.login") ? undefined : login();
    if (error instanceof NoAnswer) return lost(error);
    app.status = { ...app.status, problem: error.message };
  }
  freshness();
}

function login() {
  node("controls").replaceChildren();
  node("title").textContent = "Sign in";
  node("lead").textContent = "This console requires a token.";
  const address = new URLSearchParams(location.search);
  const failed = address.get("login") === "failed";
  address.delete("login");
  node("screen").replaceChildren(el("form", { class: "login", method: "post", action: "login" },
    failed ? el("p", { role: "alert", class: "tag bad" }, "The token is wrong.") : null,
    el("input", { type: "hidden", name: "state", value: address.toString() }),
    el("label", {}, "Token ", el("input", { type: "password", name: "token", required: true, autocomplete: "current-password" })),
    el("button", { type: "submit" }, "Sign in")));
}

function listen() {
  const events = new EventSource("api/v1/live");
  let waiting;
  events.addEventListener("window", (event) => {
    const { tenant } = JSON.parse(event.data);
    if (app.state.tenant && tenant !== app.state.tenant) return;
    clearTimeout(waiting);
    // wait briefly, because the tables of a window arrive one after the other
    waiting = setTimeout(show, 400);
  });
}

node("controls").addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
show().then(listen);
setInterval(poll, 10_000);
