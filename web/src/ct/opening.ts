import * as calls from "../api/calls";
import { fetchBytes } from "../api/http";
import type { VolumeInfo } from "../api/types";
import { unpacked } from "./mask";
import type { Blocks } from "./viewer";

/** What the first picture of a CT needs, on its way. */
export interface Opening {
  code: Promise<typeof import("./viewer")>;
  ct: Promise<VolumeInfo>;
  first: Promise<Blocks>;
}

export const volumeAt = (url: string): Promise<ArrayBuffer> => fetchBytes(url).then(unpacked);

let latest: { base: string; opening: Opening } | null = null;

/** Begins to fetch a CT; what was begun already for the same study is given back once. */
export function opening(base: string): Opening {
  if (latest?.base === base) {
    const { opening: begun } = latest;
    latest = null;
    return begun;
  }
  return begin(base);
}

/** Fetches the code of the CT review, so that nobody waits for it once a CT is opened. */
export function fetchCode(): void {
  for (const code of [import("./ct_review"), import("./viewer")]) code.catch(() => undefined);
}

/** Begins to fetch a CT that is about to be shown, before its reading is here; forgotten where that fails. */
export function prepare(base: string): void {
  const mine = { base, opening: begin(base) };
  latest = mine;
  const { code, first } = mine.opening;
  Promise.all([code, first]).catch(() => {
    if (latest === mine) latest = null;
  });
}

function begin(base: string): Opening {
  const ct = calls.views(base).then((views) => {
    if (!views.ct) throw new Error("the server has no volume of this study");
    return views.ct;
  });
  const first = ct.then(async ({ blocks, volume }) => {
    const { url, factor } = blocks[0] ?? { url: volume, factor: 1 };
    return { file: await volumeAt(url), factor };
  });
  const code = ct.then(() => import("./viewer"));
  for (const one of [code, ct, first]) one.catch(() => undefined);
  return { code, ct, first };
}
