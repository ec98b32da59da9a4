import { useCallback, useEffect, useRef, useState } from "react";

const PAUSE_MS = 1000;

/** As the server tells of any work. */
export interface Work {
  state: "absent" | "queued" | "running" | "done" | "failed";
  progress: number;
  problem: string;
}

export interface Followed<T> {
  work: T | null;
  error: unknown;
  begin: () => void;
}

/** Work that a worker does for the page, asked for again and again while it is made.
 *
 * @param ask: how far it is.
 * @param start: lets it begin.
 * @param key: says when it is other work, or the readings that it rests on have changed; null: none is wanted.
 */
export function useWork<T extends Work>(ask: () => Promise<T>, start: () => Promise<T>, key: string | null): Followed<T> {
  const [work, setWork] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const isAsked = useRef(false);
  useEffect(() => {
    setWork(null);
    setError(null);
    if (key === null) return;
    let here = true;
    let timer = 0;
    const follow = (call: () => Promise<T>) =>
      call().then(
        (now) => {
          if (!here) return;
          setWork(now);
          setError(null);
          const isMade = now.state === "queued" || now.state === "running";
          if (isMade) timer = window.setTimeout(() => void follow(ask), PAUSE_MS);
        },
        (reason: unknown) => here && setError(reason),
      );
    const first = isAsked.current ? start : ask;
    isAsked.current = false;
    void follow(first);
    return () => {
      here = false;
      window.clearTimeout(timer);
    };
    // The calls are made anew at every render; their key says when they differ.
  }, [key, turn]);
  const begin = useCallback(() => {
    isAsked.current = true;
    setTurn((now) => now + 1);
  }, []);
  return { work, error, begin };
}
