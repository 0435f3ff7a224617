// Random numbers that a seed repeats.
import { createHash } from "node:crypto";

export class Random {
  constructor(seed) {
    this.seed = seed;
    this.drawn = 0;
  }

  /** A whole number from 0 to `most` - 1. */
  below(most) {
    const hash = createHash("sha256").update(`${this.seed} ${this.drawn++}`).digest();
    return hash.readUIntBE(0, 6) % most;
  }

  /** A whole number of hundreds from `least` to `most`. */
  hundreds(least, most) {
    return least + 100 * this.below((most - least) / 100 + 1);
  }

  /** True in so many of 100 cases. */
  percent(share) {
    return this.below(100) < share;
  }

  pick(items) {
    return items[this.below(items.length)];
  }
}
