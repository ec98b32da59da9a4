import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import * as calls from "../api/calls";
import type { Delivery, Draft, Edit, Study } from "../api/types";
import type { Reading } from "./types";

export interface Review {
  base: string;
  person: string;
  study: Study;
  reading: Reading;
  draft: Draft;
  /** Another whenever what stands is another: what was made of it is out of date then. */
  stamp: string;
  /** False once signed and not being amended, or while the program has not read. */
  canEdit: boolean;
  error: unknown;
  forgive: () => void;
  edit: (change: Edit) => Promise<Reading | null>;
  undo: () => void;
  redo: () => void;
  /** What stands once every change that was made before is kept.
   * @throws what kept a change back.
   */
  settled: () => Promise<Held>;
  /** Signs what is settled.
   * @throws the server's refusal, too.
   */
  sign: () => Promise<Delivery>;
  reload: () => void;
}

/** What is under review; no reading while the program has not read. */
export interface Held {
  study: Study;
  reading: Reading | null;
  draft: Draft;
}

export type Loaded = { review: Review } | { review: null; study: Study | null; error: unknown; reload: () => void };

/** A study under review. Changes go to the server one after another, in the order in which they were made. */
export function useReview(
  base: string,
  person: string,
  load: (base: string) => Promise<Held> = loadStudy,
): Loaded {
  const [held, setHeld] = useState<Held | null>(null);
  const [error, setError] = useState<unknown>(null);
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  // What was last answered, known before it is drawn.
  const latest = useRef<{ held: Held | null; fault: unknown }>({ held: null, fault: null });
  const keep = useCallback((answered: Held) => {
    latest.current = { held: answered, fault: null };
    setHeld(answered);
    setError(null);
  }, []);
  const fail = useCallback((fault: unknown) => {
    latest.current = { ...latest.current, fault };
    setError(fault);
  }, []);

  const reload = useCallback(() => {
    load(base).then(keep, fail);
  }, [base, load, keep, fail]);
  useEffect(reload, [reload]);

  const change = useCallback((call: () => Promise<calls.Edited>): Promise<Reading | null> => {
    const turn = queue.current.then(call).then(
      (edited) => {
        const { held: before } = latest.current;
        if (before) keep({ ...before, reading: edited.reading, draft: edited.draft });
        return edited.reading;
      },
      (reason: unknown) => {
        fail(reason);
        return null;
      },
    );
    queue.current = turn;
    return turn;
  }, [keep, fail]);

  const settled = useCallback(async (): Promise<Held> => {
    await queue.current;
    const { held: shown, fault } = latest.current;
    if (fault !== null || !shown) throw fault;
    return shown;
  }, []);

  const sign = useCallback(async (): Promise<Delivery> => {
    const shown = await settled();
    const { patient_id, birth_date, patient_name: name } = shown.study;
    return calls.sign(base, { patient_id, birth_date, name, version: shown.draft.version });
  }, [base, settled]);

  return useMemo(() => {
    if (!held?.reading) return { review: null, study: held?.study ?? null, error, reload };
    const { state } = held.study;
    const canEdit = state === "read" || state === "reviewed" || (state === "signed" && isAmending(held.study, person));
    return {
      review: {
        base,
        person,
        study: held.study,
        reading: held.reading,
        draft: held.draft,
        stamp: `${base} ${held.draft.version} ${state}`,
        canEdit,
        error,
        forgive: () => fail(null),
        edit: (one) => change(() => calls.edit(base, one)),
        undo: () => void change(() => calls.undo(base)),
        redo: () => void change(() => calls.redo(base)),
        settled,
        sign,
        reload,
      },
    };
  }, [base, person, held, error, change, fail, settled, sign, reload]);
}

/** Whether the person has an amendment open on a signed study. */
const isAmending = (study: Study, person: string): boolean =>
  study.readings.some((one) => one.state === "draft" && one.reader === person && one.reason !== "");

const UNREAD = new Set(["arrived", "reading", "failed"]);

/** The reading is asked for along with the study. */
async function loadStudy(base: string): Promise<Held> {
  const early = calls.reading(base).catch(() => null);
  const study = await calls.study(base);
  const reading = UNREAD.has(study.state) ? null : ((await early) ?? (await calls.reading(base)));
  return { study, reading, draft: study.draft };
}
