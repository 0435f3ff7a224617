/**
 * The clock that the library uses. Its time passes only in `pass`, which also calls the functions that the library has
 * registered with `setInterval`.
 */
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

  /** Lets `ms` milliseconds pass. Each interval must be a multiple of `ms`. */
  pass(ms) {
    this.now += ms;
    for (const timer of this.timers.values()) {
      if (timer.next > this.now) continue;
      timer.next += timer.ms;
      timer.call();
    }
  }
}
