/** Edits that go one step on from what stands. */

import type { Edit } from "../api/types";
import { markOf, type Aspect } from "../reading/said";
import type { Finding, Reading } from "../reading/types";

export const TYPES = ["lytic", "mixed", "blastic"] as const;
export type LesionType = (typeof TYPES)[number];
type Step = (now: Reading) => Edit | null;

export const nextType = (id: string): Step =>
  ofLesion(id, ({ kind }) => {
    const type = TYPES[(TYPES.indexOf(kind as LesionType) + 1) % TYPES.length] ?? "lytic";
    return { op: "type", finding: id, type };
  });

/** Right, then wrong, then not judged. */
export const nextMark = (id: string, aspect: Aspect): Step =>
  ofLesion(id, (lesion) => {
    const now = markOf(lesion, aspect);
    return { op: "mark", finding: id, aspect, right: now === true ? false : now === false ? null : true };
  });

const ofLesion =
  (id: string, edit: (lesion: Finding) => Edit): Step =>
  ({ findings }) => {
    const lesion = findings.find((one) => one.id === id);
    return lesion ? edit(lesion) : null;
  };
