// Random numbers that are the same for the same seed.
import { createHash } from "node:crypto";

export class Random {
  constructor(seed) {
    this.seed = seed;
    this.drawn = 0;
  }

  /** Returns an integer from 0 to `most` - 1. */
  below(most) {
    const hash = createHash("sha256").update(`${this.seed} ${this.drawn++}`).digest();
    return hash.readUIntBE(0, 6) % most;
  }

  /** Returns a random value from `least` to `most` that differs from `least` by a multiple of 100. */
  hundreds(least, most) {
    return least + 100 * this.below((most - least) / 100 + 1);
  }

  /** Returns true with a probability of `share` percent. */
  percent(share) {
    return this.below(100) < share;
  }

  pick(items) {
    return items[this.below(items.length)];
  }
}
