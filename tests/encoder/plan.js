// Creates the plan of a session: a list of steps, most of which have a state of the player and its duration.

/** Error codes as players send them, each with its class. */
export const ERRORS = [
  ["fragLoadError", "network"],
  ["1002", "network"],
  ["fragLoadTimeOut", "timeout"],
  ["bufferAppendError", "media"],
  ["manifestParsingError", "manifest"],
  ["4000", "manifest"],
  ["keySystemNoAccess", "drm"],
  ["internalException", "other"],
];

/**
 * Returns a random list of steps. A step contains `state` and its duration `ms`, or `error` (a code that the player
 * reports without failing), or `bitrate` (the bitrate changes), or `dropped` (the number of additional dropped frames).
 */
export function plan(random) {
  const steps = [];
  const step = (state, ms) => steps.push({ state, ms });
  if (random.percent(15)) step("d", random.hundreds(500, 5_000));
  // Some players do not report a start. Their first state is *playing* or *preloading*.
  if (random.percent(80)) step("s", random.hundreds(100, 9_900));
  const started = steps.at(-1)?.state === "s";
  if (started && random.percent(15)) {
    steps.push({ state: "f", ms: random.hundreds(0, 2_000), error: random.pick(ERRORS) });
    if (random.percent(50)) return steps;
    // The player retries, and usually reports this.
    if (random.percent(70)) step("s", random.hundreds(100, 9_900));
  } else if (started && random.percent(10)) {
    step("q", 0);
    return steps;
  } else if (started && random.percent(15)) {
    // The viewer pauses or seeks before the first frame.
    step(random.pick(["a", "k"]), random.hundreds(100, 9_900));
  }
  step("p", random.hundreds(1_000, 25_000));
  for (let more = random.below(8); more > 0; more -= 1) {
    switch (random.below(6)) {
      case 0: // the buffer becomes empty
        step(random.pick(["r", "r", "w"]), random.hundreds(200, 5_000));
        break;
      case 1:
        step("a", random.hundreds(1_000, 20_000));
        break;
      case 2: // a seek; filling the buffer after it is not a stall
        step("k", random.hundreds(100, 2_000));
        if (random.percent(50)) step("r", random.hundreds(100, 1_000));
        break;
      case 3:
        steps.push({ bitrate: true });
        break;
      case 4:
        steps.push({ dropped: 1 + random.below(40) });
        break;
      default:
        steps.push({ error: random.pick(ERRORS) });
    }
    step("p", random.hundreds(100, 25_000));
  }
  const end = random.below(10);
  if (end < 3) step("e", 0);
  else if (end < 5) {
    // The next title begins in the same session, after the end of this one or after a failure.
    if (random.percent(50)) step("e", random.hundreds(0, 5_000));
    else steps.push({ state: "f", ms: random.hundreds(0, 5_000), error: random.pick(ERRORS) });
    step("s", random.hundreds(100, 9_900));
    step("p", random.hundreds(100, 25_000));
    step("e", 0);
  } else if (end < 7) step("q", 0);
  else if (end < 8) steps.push({ state: "f", ms: 0, error: random.pick(ERRORS) });
  // Otherwise the page is closed. The last report then contains the state *paused*.
  else step("a", 0);
  return steps;
}
