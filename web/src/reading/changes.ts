import type { Edited } from "../api/calls";
import type { Draft, Study } from "../api/types";
import type { Key } from "../text/en";
import { Told } from "../text/told";
import type { Reading } from "./types";

/** What is under review; no reading while the program has not read. */
export interface Held {
  study: Study;
  reading: Reading | null;
  draft: Draft;
}

/** A change, and what tells that it is the same one made again. */
export interface Change {
  name: string;
  send: () => Promise<Edited>;
}

/** Changes of a study that go to the server one after another, in the order in which they were made. */
export class Changes {
  /** What was last answered, known before it is drawn. */
  held: Held | null = null;
  /** How many changes were dropped since they came after one that was not kept. */
  dropped = 0;
  /** What is not finished yet, so that nothing may be signed. */
  open: Key | null = null;
  /** How many changes are on their way, or wait for their turn. */
  pending = 0;
  private failed: { name: string; reason: unknown } | null = null;
  private unloaded: unknown = null;
  private tail: Promise<unknown> = Promise.resolve();
  private failures = 0;
  private answers = 0;

  constructor(private readonly changed: () => void) {}

  /** What kept a change back, until the person has closed it or made the change once more; else why nothing came. */
  get fault(): unknown {
    return this.failed ? this.failed.reason : this.unloaded;
  }

  /** Whether that is a change of the person's. */
  get isUnkept(): boolean {
    return this.failed !== null;
  }

  /** What is lost where the study is left; null: nothing. What is on its way is kept while the window is open. */
  get unfinished(): Key | null {
    return this.open ?? (this.isUnkept ? "leave.unkept" : null);
  }

  /** Asks what stands; once more where something was answered meanwhile, which may be newer. */
  load(ask: () => Promise<Held>): void {
    const { answers } = this;
    ask().then(
      (held) => {
        if (answers !== this.answers) return this.load(ask);
        this.unloaded = null;
        this.keep(held);
      },
      (reason: unknown) => {
        this.unloaded = reason;
        this.changed();
      },
    );
  }

  forgive(): void {
    this.failed = this.unloaded = null;
    this.dropped = 0;
    this.changed();
  }

  /** Makes a change of what stands once it is its turn; null: none. What failed meanwhile takes it along, since whoever
   * made it did not know.
   */
  add(make: (held: Held) => Change | null): Promise<Reading | null> {
    const { failures } = this;
    this.pending += 1;
    const turn = this.tail
      .then(() => (failures === this.failures ? this.take(make) : this.drop()))
      .finally(() => {
        this.pending -= 1;
        this.changed();
      });
    this.tail = turn;
    this.changed();
    return turn;
  }

  /** What stands once every change that was made before is kept.
   * @throws Told where something is not kept, or not finished; why nothing came.
   */
  async settled(): Promise<Held> {
    await this.tail;
    if (this.failed) throw new Told("sign.unkept");
    if (this.open) throw new Told(this.open);
    if (this.unloaded !== null || !this.held) throw this.unloaded;
    return this.held;
  }

  private async take(make: (held: Held) => Change | null): Promise<Reading | null> {
    const change = this.held && make(this.held);
    if (!change) return null;
    try {
      const { reading, draft } = await change.send();
      if (this.failed?.name === change.name && this.dropped === 0) this.failed = null;
      if (this.held) this.keep({ ...this.held, reading, draft });
      return reading;
    } catch (reason) {
      this.failed = { name: change.name, reason };
      this.failures += 1;
      this.changed();
      return null;
    }
  }

  private drop(): null {
    this.dropped += 1;
    this.changed();
    return null;
  }

  private keep(held: Held): void {
    this.answers += 1;
    this.held = held;
    this.changed();
  }
}
