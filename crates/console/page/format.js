// Formats numbers and times, and creates elements.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const LABELS = {
  concurrent_mean: "Concurrent sessions", sessions: "Session-windows", minutes_watched: "Minutes watched",
  startup_ms: "Startup time", rebuffering_ratio: "Rebuffering ratio", vsf: "Startup failures",
  vpf: "Playback failures", ebvs: "Exits before start", bitrate_kbps: "Bitrate", bandwidth_kbps: "Bandwidth",
  good: "Good sessions", stalls_per_hour: "Stalls per hour", ebvs_reported: "Reported exits before start",
  live_latency_ms: "Live latency", ttfb_ms: "Time to first byte",
};

export const label = (name) => LABELS[name] || name.replaceAll("_", " ");

/** Formats a value. Returns the number and its unit. */
export function parts(metric, value) {
  if (value === null || value === undefined) return ["–", ""];
  switch (metric.unit) {
    case "share": return [(value * 100).toFixed(2), "%"];
    case "ms": return Math.abs(value) >= 10000 && !metric.ratio ? [compact.format(value / 1000), "s"] : [whole.format(value), "ms"];
    case "kbit/s": return Math.abs(value) >= 1000 ? [fine.format(value / 1000), "Mbit/s"] : [whole.format(value), "kbit/s"];
    case "minutes": return [Math.abs(value) >= 100000 ? compact.format(value) : whole.format(value), "min"];
    case "per hour": return [value.toFixed(2), "per hour"];
    default: return [whole.format(value), ""];
  }
}

export const number = (metric, value) => {
  const [text, unit] = parts(metric, value);
  return unit === "%" ? text + "%" : unit ? `${text} ${unit}` : text;
};

/** Formats the size of a difference. The difference of two shares is in percentage points. */
export function size(metric, value) {
  const points = Math.abs(value) * 100;
  return metric.unit === "share" ? `${points.toFixed(points < 0.0995 ? 3 : 2)} pp` : number(metric, Math.abs(value));
}

/** Formats a difference with its sign, unless it is rounded to 0. */
export function difference(metric, value) {
  if (value === null || value === undefined) return "–";
  const text = size(metric, value);
  return (Number.parseFloat(text) === 0 ? "" : value > 0 ? "+" : "−") + text;
}

/** Formats a range of values. The unit is written once if both bounds have the same. */
export function range(metric, from, to) {
  if (to === null) return from === null ? "any value" : `${number(metric, from)} or more`;
  if (from === null) return `below ${number(metric, to)}`;
  const [low, high] = [parts(metric, from), parts(metric, to)];
  return low[1] === high[1] || from === 0 ? `${low[0]}–${number(metric, to)}` : `${number(metric, from)}–${number(metric, to)}`;
}

/** Formats the numbers of an axis. Only shares have a unit, %. */
export function axis(metric, ticks) {
  const scale = metric.unit === "kbit/s" && Math.max(...ticks) >= 1000 ? 1000 : 1;
  return ticks.map((tick) => (metric.unit === "share" ? `${fine.format(tick * 100)}%` : compact.format(tick / scale)));
}

export const count = (value) => whole.format(value);
export const share = (value) => `${(value * 100).toFixed(1)}%`;

export function time(millis, withDay, withSeconds) {
  const at = new Date(millis);
  const day = withDay ? at.toLocaleDateString("en", { month: "short", day: "numeric" }) + ", " : "";
  return day + at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: withSeconds ? "2-digit" : undefined });
}

export function duration(millis) {
  const seconds = Math.round(millis / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** Creates an HTML element with attributes and children. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key === "style") Object.assign(made.style, value);
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}
