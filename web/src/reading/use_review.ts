import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import * as calls from "../api/calls";
import type { Draft, Edit, Study } from "../api/types";
import type { Reading } from "./types";

export interface Review {
  base: string;
  study: Study;
  reading: Reading;
  draft: Draft;
  /** False once signed and not being amended, or while the program has not read. */
  canEdit: boolean;
  error: unknown;
  forgive: () => void;
  edit: (change: Edit) => Promise<Reading | null>;
  undo: () => void;
  redo: () => void;
  reload: () => void;
}

interface Held {
  study: Study;
  reading: Reading | null;
  draft: Draft;
}

export type Loaded = { review: Review } | { review: null; study: Study | null; error: unknown; reload: () => void };

/** A study under review. Changes go to the server one after another, in the order in which they were made. */
export function useReview(
  base: string,
  person: string,
  fetchStudy: (base: string) => Promise<Study> = calls.study,
): Loaded {
  const [held, setHeld] = useState<Held | null>(null);
  const [error, setError] = useState<unknown>(null);
  const queue = useRef<Promise<unknown>>(Promise.resolve());

  const reload = useCallback(() => {
    load(base, fetchStudy).then(
      (loaded) => {
        setHeld(loaded);
        setError(null);
      },
      (reason: unknown) => setError(reason),
    );
  }, [base, fetchStudy]);
  useEffect(reload, [reload]);

  const change = useCallback((call: () => Promise<calls.Edited>): Promise<Reading | null> => {
    const turn = queue.current.then(call).then(
      (edited) => {
        setHeld((now) => now && { ...now, reading: edited.reading, draft: edited.draft });
        setError(null);
        return edited.reading;
      },
      (reason: unknown) => {
        setError(reason);
        return null;
      },
    );
    queue.current = turn;
    return turn;
  }, []);

  return useMemo(() => {
    if (!held?.reading) return { review: null, study: held?.study ?? null, error, reload };
    const { state } = held.study;
    const canEdit = state === "read" || state === "reviewed" || (state === "signed" && isAmending(held.study, person));
    return {
      review: {
        base,
        study: held.study,
        reading: held.reading,
        draft: held.draft,
        canEdit,
        error,
        forgive: () => setError(null),
        edit: (one) => change(() => calls.edit(base, one)),
        undo: () => void change(() => calls.undo(base)),
        redo: () => void change(() => calls.redo(base)),
        reload,
      },
    };
  }, [base, person, held, error, change, reload]);
}

/** Whether the person has an amendment open on a signed study. */
const isAmending = (study: Study, person: string): boolean =>
  study.readings.some((one) => one.state === "draft" && one.reader === person && one.reason !== "");

const UNREAD = new Set(["arrived", "reading", "failed"]);

/** The reading is asked for along with the study, but for a case of a reader study, which has to be opened first. */
async function load(base: string, fetchStudy: (base: string) => Promise<Study>): Promise<Held> {
  const early = fetchStudy === calls.study ? calls.reading(base).catch(() => null) : null;
  const study = await fetchStudy(base);
  const reading = UNREAD.has(study.state) ? null : ((await early) ?? (await calls.reading(base)));
  return { study, reading, draft: study.draft };
}
