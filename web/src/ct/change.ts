/** What the page reads of ct-response.json (`osteoscope compare` of two CTs). */

import type { Millimetres } from "./look";

export const CALLS = ["new", "grown", "stable", "shrunk", "turned_sclerotic", "gone", "not_comparable"] as const;
export type Call = (typeof CALLS)[number];

interface Sighting {
  findings: string[];
  volume_ml: number;
  hu: number | null;
  centre: Millimetres;
}

export interface Followed {
  id: string;
  site: string;
  call: Call;
  possible: Call[];
  before: Sighting | null;
  now: Sighting | null;
  volume_ratio: { value: number } | null;
  notes: string[];
}

export interface CtChange {
  lesions: Followed[];
  motions: { site: string; rigid: { matrix: number[][] } }[];
  notes: string[];
}

/** How often each call was made, those never made left out. */
export const counted = ({ lesions }: CtChange): [Call, number][] =>
  CALLS.map((call): [Call, number] => [call, lesions.filter((one) => one.call === call).length]).filter(([, n]) => n > 0);

/** Where a lesion lies on the later CT; where it is gone, where its bone has taken its place; null where that is open. */
export function placeOf(lesion: Followed, { motions }: CtChange): Millimetres | null {
  if (lesion.now) return lesion.now.centre;
  const matrix = motions.find((one) => one.site === lesion.site)?.rigid.matrix;
  if (!matrix || !lesion.before) return null;
  const [x, y, z] = lesion.before.centre;
  const row = (n: number) => {
    const [a = 0, b = 0, c = 0, shift = 0] = matrix[n] ?? [];
    return a * x + b * y + c * z + shift;
  };
  return [row(0), row(1), row(2)];
}
