// The state, the requests and the navigation of the page. The address contains the whole state.
import { duration, el } from "./format.js";
import { clear } from "./chart.js";
import { screens } from "./screens.js";

const PERIODS = { "30m": "30 minutes", "1h": "hour", "3h": "3 hours", "12h": "12 hours", "1d": "day", "7d": "7 days", "30d": "30 days" };
const AGAINST = { "1d": "a day before", "1w": "a week before" };
// the parts of the state that another tenant may not have
const OF_TENANT = { breakdown: undefined, by: undefined, where: [] };
const node = (id) => document.getElementById(id);
const app = { metrics: {}, tenants: [], breakdowns: [], state: {}, status: {} };
let turn = 0;

class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

/** The error if the address contains a name that does not exist. `choices` contains the allowed names. */
class Unknown extends Error {
  constructor(kind, name, choices, change) {
    super(`Unknown ${kind} “${name}”. Choose one of these:`);
    this.choices = choices.map((one) => [one, change(one)]);
  }
}

/** Sends a request to the API, and returns its answer. */
app.ask = async (path, parameters = {}) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== "") query.append(name, one);
  }
  const response = await fetch(`api/v1/${path}?${query}`, { headers: { accept: "application/json" } });
  const answer = await response.json();
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
    else if (value !== undefined && value !== DEFAULTS[name] && !(name === "tenant" && value === app.tenants[0])) query.set(name, value);
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
  const change = (text) => (name === "tenant" ? { ...OF_TENANT, tenant: text } : { [name]: text });
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
  if (name && names.length && !names.includes(name)) throw new Unknown(kind === "breakdown" ? "table" : kind, name, names, change);
}

/** Refuses names in the address that do not exist. */
function check() {
  known("breakdown", app.breakdowns.map((one) => one.breakdown), (breakdown) => ({ breakdown, by: undefined }));
  known("metric", Object.keys(app.metrics));
  known("histogram", Object.values(app.metrics).filter((one) => one.histogram).map((one) => one.name));
  known("period", Object.keys(PERIODS));
  known("against", Object.keys(AGAINST));
}

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
    if (!app.state.tenant) content.append(el("p", { class: "card none" }, "The console reads the topics of rollups and shows each window as it arrives. If no window arrives within a few minutes, the log of the worker contains the reason."));
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
    document.body.dataset.ready = String(mine);
  } catch (error) {
    if (mine !== turn) return;
    if (error.status === 401) return login();
    try {
      controls();
    } catch {
      node("controls").replaceChildren();
    }
    clear();
    node("title").textContent = screens[app.state.screen].title;
    node("lead").textContent = "";
    const choice = ([name, change]) => el("li", {}, el("a", { href: app.address(change) }, name));
    node("screen").replaceChildren(el("p", { class: "none", role: "alert" }, error.message),
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

// The status may change while no window arrives.
async function poll() {
  if (!app.state.tenant) return;
  try {
    app.status = await app.ask("status");
  } catch (error) {
    // a form that is already shown must keep what was typed into it
    if (error.status === 401) return document.querySelector("form.login") ? undefined : login();
    app.status = { ...app.status, now: Date.now(), problem: "The console does not answer." };
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
