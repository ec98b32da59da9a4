/** Levels and totals as a reader sees them. */

import type { Measure, Reading, SiteReading, Status } from "./types";

export type Score = "siopen" | "curie";
export const TOP: Record<Score, number> = { siopen: 6, curie: 3 };
export const MOST: Record<Score, number> = { siopen: 72, curie: 30 };

export interface Level {
  site: string;
  status: Status | "absent";
  value: number | null;
  interval: [number, number] | null;
  probability: number | null;
  /** What counting alone gives, where it is another level. */
  counted: number | null;
  notes: string[];
}

const named = (measures: Measure[] | undefined, name: string): Measure | undefined =>
  measures?.find((measure) => measure.name === name);

export const siteOf = (reading: Reading, site: string): SiteReading | undefined =>
  reading.sites.find((one) => one.site === site);

/** What a Reading says of one place by one score. */
export function levelOf(reading: Reading, score: Score, site: string): Level {
  const said = siteOf(reading, site);
  const measure = named(said?.measures, score);
  return {
    site,
    status: said?.status ?? "absent",
    value: measure?.value ?? null,
    interval: measure?.interval ?? null,
    probability: named(said?.measures, `${score}_probability`)?.value ?? null,
    counted: named(said?.measures, `${score}_counted`)?.value ?? null,
    notes: said?.notes ?? [],
  };
}

export const totalOf = (reading: Reading, score: Score): Measure | undefined =>
  named(reading.measures, `${score}_total`);

/** What stands in a segment: its level, "?" where it cannot be judged, "n/a" where it is not on the image. */
export function levelText(level: Level): string {
  if (level.value !== null) return numberText(level.value);
  return { not_acquired: "n/a", not_assessable: "?", assessed: "–", absent: "–" }[level.status];
}

export const numberText = (value: number): string =>
  Number.isInteger(value) ? value.toString() : value.toFixed(Math.abs(value) < 10 ? 2 : 1);

export const intervalText = (interval: [number, number] | null): string =>
  interval === null ? "" : `${numberText(interval[0])}–${numberText(interval[1])}`;

/** Change since the prior; null where either has no level. */
export function changeOf(now: Level, before: Level | undefined): number | null {
  if (now.value === null || before === undefined || before.value === null) return null;
  return now.value - before.value;
}

export const signed = (change: number): string => (change > 0 ? `+${change}` : `${change}`.replace("-", "−"));

// matplotlib's YlOrBr at 0.22 + 0.73 * level / 6, as the report colours its child.
const COLOURS = ["#f3f1ea", "#fecc61", "#fea634", "#f27d1b", "#d75908", "#ab3c03", "#792b05"] as const;
const PAPER = "#ffffff";

/** Fill of a level, as a share of the highest level. */
export function levelColour(value: number | null, top: number): string {
  if (value === null) return PAPER;
  return COLOURS[Math.max(0, Math.min(6, Math.round((value / top) * 6)))] ?? PAPER;
}

/** Whether white text reads better on that level's fill. */
export const isDark = (value: number | null, top: number): boolean => value !== null && value / top > 0.6;
