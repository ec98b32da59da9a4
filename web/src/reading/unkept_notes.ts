/** What a person typed and is not kept yet; there again when the page is loaded again in the same tab. */

import { commentOf, softTissueOf } from "./said";
import type { Reading } from "./types";

export const NOTES = { comment: commentOf, soft_tissue: softTissueOf } as const;
export type NoteOp = keyof typeof NOTES;

export const unkeptAt = (op: NoteOp, person: string, base: string): string => `${op} ${person} ${base}`;

/** Whether a note reads otherwise where it was typed than where it is kept. */
export const isUnkept = (reading: Reading, person: string, base: string): boolean =>
  (Object.keys(NOTES) as NoteOp[]).some((op) => {
    const typed = sessionStorage.getItem(unkeptAt(op, person, base));
    return typed !== null && typed !== NOTES[op](reading);
  });
