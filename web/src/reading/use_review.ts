import { useCallback, useEffect, useMemo, useReducer } from "react";

import * as calls from "../api/calls";
import type { Delivery, Draft, Edit, Study } from "../api/types";
import { guardLeaving } from "../router";
import { useTexts } from "../text";
import type { Key } from "../text/en";
import { Told } from "../text/told";
import { Changes, type Held } from "./changes";
import type { Reading } from "./types";
import { isUnkept as isNoteUnkept } from "./unkept_notes";

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
  /** Whether the error kept a change of the person's back. */
  isUnkept: boolean;
  /** Whether a change is on its way. */
  isPending: boolean;
  /** How many changes were lost with one that was not kept. */
  dropped: number;
  forgive: () => void;
  /** A change, or one that depends on what stands when it is its turn; null where it was not kept. */
  edit: (change: Edit | ((now: Reading) => Edit | null)) => Promise<Reading | null>;
  undo: () => void;
  redo: () => void;
  /** Says what is not finished, so that nothing is signed or left unasked meanwhile; null once it is. */
  holdOpen: (why: Key | null) => void;
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

export type Loaded = { review: Review } | { review: null; study: Study | null; error: unknown; reload: () => void };

/** A study under review. */
export function useReview(
  base: string,
  person: string,
  load: (base: string) => Promise<Held> = loadStudy,
): Loaded {
  const { t } = useTexts();
  const [turn, redraw] = useReducer((n: number) => n + 1, 0);
  const changes = useMemo(() => new Changes(redraw), [base]);
  const reload = useCallback(() => changes.load(() => load(base)), [changes, base, load]);
  useEffect(reload, [reload]);
  useEffect(
    () =>
      guardLeaving({
        byLink: () => (changes.unfinished === null ? "" : `${t(changes.unfinished)} ${t("leave.anyway")}`),
        byUnload: () => changes.unfinished !== null || changes.pending > 0,
      }),
    [changes, t],
  );

  const edit = useCallback(
    (one: Edit | ((now: Reading) => Edit | null)) =>
      changes.add(({ reading }) => {
        const change = typeof one === "function" ? reading && one(reading) : one;
        return change && { name: JSON.stringify(change), send: () => calls.edit(base, change) };
      }),
    [changes, base],
  );
  const settled = useCallback(async (): Promise<Held> => {
    const shown = await changes.settled();
    if (shown.reading && isNoteUnkept(shown.reading, person, base)) throw new Told("sign.noteUnkept");
    return shown;
  }, [changes, person, base]);

  const sign = useCallback(async (): Promise<Delivery> => {
    const shown = await settled();
    const { patient_id, birth_date, patient_name: name } = shown.study;
    return calls.sign(base, { patient_id, birth_date, name, version: shown.draft.version });
  }, [base, settled]);

  return useMemo(() => {
    const { held, fault: error, dropped, isUnkept, pending } = changes;
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
        isUnkept,
        isPending: pending > 0,
        dropped,
        forgive: () => changes.forgive(),
        edit,
        undo: () => void changes.add(() => ({ name: "undo", send: () => calls.undo(base) })),
        redo: () => void changes.add(() => ({ name: "redo", send: () => calls.redo(base) })),
        holdOpen: (why) => (changes.open = why),
        settled,
        sign,
        reload,
      },
    };
    // What was answered changes with every turn.
  }, [turn, base, person, changes, edit, settled, sign, reload]);
}

/** Whether the person has an amendment open on the Reading that was signed; a draft on an earlier one is abandoned. */
const isAmending = (study: Study, person: string): boolean => {
  const signed = study.readings.findLast((one) => one.state === "signed");
  return study.readings.some((one) => one.state === "draft" && one.reader === person && one.base === signed?.id);
};

const UNREAD = new Set(["arrived", "reading", "failed"]);

/** The reading is asked for along with the study. */
async function loadStudy(base: string): Promise<Held> {
  const early = calls.reading(base).catch(() => null);
  const study = await calls.study(base);
  const reading = UNREAD.has(study.state) ? null : ((await early) ?? (await calls.reading(base)));
  return { study, reading, draft: study.draft };
}
