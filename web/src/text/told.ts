import type { Key } from "./en";

/** What the page itself refuses, in words of either language. */
export class Told extends Error {
  constructor(readonly key: Key) {
    super(key);
  }
}
