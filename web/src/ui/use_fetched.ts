import { useCallback, useEffect, useState } from "react";

export interface Fetched<T> {
  value: T | null;
  /** What was answered last, though it were for another key. */
  last: T | null;
  error: unknown;
  again: () => void;
}

/** What was answered, and for which key. */
export interface Answer<T> {
  key: string | null;
  value: T | null;
  error: unknown;
}

/** An answer as one for a key: none where it was for another. */
export const answerFor = <T>(answer: Answer<T>, key: string | null): Answer<T> =>
  answer.key === key ? answer : { key, value: null, error: null };

/** What a call answers; asked anew when ``key`` changes or ``again`` is called. Null key: not asked. */
export function useFetched<T>(call: () => Promise<T>, key: string | null): Fetched<T> {
  const [state, setState] = useState<Answer<T>>({ key, value: null, error: null });
  const [last, setLast] = useState<T | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (key === null) return;
    let here = true;
    call().then(
      (value) => {
        if (!here) return;
        setState({ key, value, error: null });
        setLast(value);
      },
      (error: unknown) => here && setState((now) => ({ ...answerFor(now, key), error })),
    );
    return () => {
      here = false;
    };
    // The call is made anew at every render; its key says when it differs.
  }, [key, turn]);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  const { value, error } = answerFor(state, key);
  return { value, last, error, again };
}
