/**
 * Names that are or were taken in a model, so that a new one collides with nothing, in any graph of it.
 *
 * Names stay taken after their value is removed: a second value of the same name would read like the first in a report.
 */
export class NameRegistry {
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();

  reserve(name: string): void {
    this.#taken.add(name);
  }

  /** `prefix` itself if it is free, else `prefix_1`, `prefix_2`, …; taken from then on. */
  unique(prefix: string): string {
    let name = prefix;
    let number = this.#next.get(prefix) ?? 1;
    while (name === "" || this.#taken.has(name)) name = `${prefix}_${number++}`;
    this.#next.set(prefix, number);
    this.#taken.add(name);
    return name;
  }
}
