import { useCallback, useEffect, useState } from "react";

export interface Fetched<T> {
  value: T | null;
  error: unknown;
  again: () => void;
}

/** What a call answers; asked anew when ``key`` changes or ``again`` is called. Null key: not asked. */
export function useFetched<T>(call: () => Promise<T>, key: string | null): Fetched<T> {
  const [state, setState] = useState<{ value: T | null; error: unknown }>({ value: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (key === null) return;
    let here = true;
    call().then(
      (value) => here && setState({ value, error: null }),
      (error: unknown) => here && setState((now) => ({ value: now.value, error })),
    );
    return () => {
      here = false;
    };
    // The call is made anew at every render; its key says when it differs.
  }, [key, turn]);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, again };
}
