/** What the page reads of strength.json (`osteoscope strength`). */

import { intervalText, numberText } from "../reading/levels";
import type { Measure } from "../reading/types";

interface Gap {
  where: string;
  step: string;
  reason: string;
}

export interface BoneStrength {
  site: string;
  case: string;
  law: string;
  law_verified: boolean;
  calibration: { method: string };
  measures: Measure[];
  lesions: { lesion: string; measures: Measure[] }[];
  dominant: string;
  failure: { centre: [number, number, number]; nearest: string; at_lesion: number } | null;
  gaps: Gap[];
  notes: string[];
}

export interface StrengthRecord {
  bones: BoneStrength[];
  refused: Gap[];
}

const rounded = (value: number): number => (Math.abs(value) >= 100 ? Math.round(value) : value);

/** "2507 N (2231–2675)". */
export function quantityText({ value, unit, interval }: Measure): string {
  const number = `${numberText(rounded(value))}${unit === "1" ? "" : ` ${unit}`}`;
  return interval ? `${number} (${intervalText([rounded(interval[0]), rounded(interval[1])])})` : number;
}
