import { useCallback, useEffect, useRef, useState } from "react";

import * as calls from "../api/calls";
import type { CtComparison } from "../api/types";

const PAUSE_MS = 1000;

export interface Change {
  comparison: CtComparison | null;
  error: unknown;
  begin: () => void;
}

/** The comparison with a prior CT, asked for again and again while a worker makes it.
 *
 * @param key: says when the readings that are compared have changed.
 */
export function useChange(base: string, prior: string, key: string): Change {
  const [comparison, setComparison] = useState<CtComparison | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const isAsked = useRef(false);
  useEffect(() => {
    setComparison(null);
    if (prior === "") return;
    let here = true;
    let timer = 0;
    const follow = (call: () => Promise<CtComparison>) =>
      call().then(
        (now) => {
          if (!here) return;
          setComparison(now);
          setError(null);
          const isMade = now.state === "queued" || now.state === "running";
          if (isMade) timer = window.setTimeout(() => void follow(() => calls.ctComparison(base, prior)), PAUSE_MS);
        },
        (reason: unknown) => here && setError(reason),
      );
    const first = isAsked.current ? calls.beginCtComparison : calls.ctComparison;
    isAsked.current = false;
    void follow(() => first(base, prior));
    return () => {
      here = false;
      window.clearTimeout(timer);
    };
  }, [base, prior, key, turn]);
  const begin = useCallback(() => {
    isAsked.current = true;
    setTurn((now) => now + 1);
  }, []);
  return { comparison, error, begin };
}
