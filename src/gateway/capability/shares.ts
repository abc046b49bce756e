/**
 * Fair shares of what the gateway does only a few of at one time: whatever one plug-in asks for, it can't take them all.
 *
 * @module
 */

/** How many of a kind one plug-in may have under way. */
export class Shares {
  readonly #underWay = new Map<string, number>();

  /** `what`: what there are shares of, as an error names it. */
  constructor(private readonly what: string, private readonly each: number) {}

  /** Does something for a plug-in. Throws Error where that one has as many under way as it may. */
  async within<T>(plugin: string, work: () => Promise<T>): Promise<T> {
    const count = this.#underWay.get(plugin) ?? 0;
    if (count >= this.each) {
      throw new Error(
        `${this.what}: this plug-in has ${this.each} under way, and may have no more at one time`,
      );
    }
    this.#underWay.set(plugin, count + 1);
    try {
      return await work();
    } finally {
      const left = this.#underWay.get(plugin)! - 1;
      if (left === 0) this.#underWay.delete(plugin);
      else this.#underWay.set(plugin, left);
    }
  }
}
