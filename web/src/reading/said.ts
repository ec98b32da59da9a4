/** What a person said of a study or a finding, as a Reading keeps it. */

import type { Finding, Reading } from "./types";

export type Aspect = "size" | "location" | "detection";

export const commentOf = (reading: Reading): string => String(reading.provenance.settings["comment"] ?? "");

/** A person's note on soft tissue, without the name that the server adds. */
export function softTissueOf(reading: Reading): string {
  const kept = reading.provenance.settings["soft_tissue_note"];
  if (kept !== undefined) return String(kept);
  // Readings of before the server kept it apart.
  const end = ` (${reading.reader.name})`;
  const notes = reading.sites.find((site) => site.site === "soft_tissue")?.notes ?? [];
  return notes.findLast((note) => note.endsWith(end))?.slice(0, -end.length) ?? "";
}

/** Whether that aspect of a finding was judged right; null where it was not judged. */
export function markOf(finding: Finding, aspect: Aspect): boolean | null {
  const mark = finding.measures.find((measure) => measure.name === `${aspect}_right`);
  return mark ? mark.value > 0 : null;
}

/** The server gives what a person accepts or adds a confidence of 1. */
export const isAccepted = (finding: Finding): boolean => finding.confidence === 1;
