/** The time that the library sees. It passes only when asked to, and calls what the library wants called at intervals. */
export class Clock {
  constructor(now) {
    this.now = now;
    this.timers = new Map();
    this.made = 0;
    Date.now = () => this.now;
    globalThis.setInterval = (call, ms) => {
      this.made += 1;
      this.timers.set(this.made, { call, ms, next: this.now + ms });
      return this.made;
    };
    globalThis.clearInterval = (timer) => this.timers.delete(timer);
  }

  /** Lets `ms` pass. Intervals are whole multiples of it. */
  pass(ms) {
    this.now += ms;
    for (const timer of this.timers.values()) {
      if (timer.next > this.now) continue;
      timer.next += timer.ms;
      timer.call();
    }
  }
}
