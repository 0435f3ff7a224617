// CMCD keys that players may send, and that must not change the rows.

/** Strings as in titles, paths and notes. They contain characters that must be escaped or encoded. */
const TEXTS = ['a "b", c', "back\\slash", "x=1;y=2,z", "100 % (test)", "ends in a quote\"", "'", " ", "a,b"];

/** Returns a random selection of optional keys. If `event` is true, omits the keys that only requests have. */
export function optional(random, { version, event }) {
  const members = {
    bl: [random.hundreds(0, 30_000)],
    "com.example-n": random.pick([-7, 0, 3.25, 123_456_789]),
    "com.example-note": random.pick(TEXTS),
    "com.example-on": true,
    pr: random.pick([0.5, 1, 1.75]),
    tb: [random.hundreds(5_000, 20_000)],
  };
  if (version === 2) {
    Object.assign(members, {
      ab: [random.hundreds(100, 9_000)],
      bg: random.percent(50),
      bsd: [random.hundreds(0, 900)],
      cdn: random.pick(["cdn-a", "cdn-b"]),
      cs: random.pick(TEXTS),
      lb: [random.hundreds(100, 900)],
      pb: [random.hundreds(100, 9_000)],
      pt: random.hundreds(0, 900_000),
      tbl: [random.hundreds(1_000, 30_000)],
    });
  }
  if (!event) {
    Object.assign(members, {
      bs: true,
      d: random.hundreds(1_000, 6_000),
      dl: random.hundreds(0, 20_000),
      nor: version === 1 ? "../next seg(1),2.m4s" : ["../next seg(1),2.m4s", 'with "quotes".m4s'],
      rtp: random.hundreds(1_000, 90_000),
      su: true,
    });
  }
  return Object.fromEntries(Object.entries(members).filter(() => random.percent(30)));
}
