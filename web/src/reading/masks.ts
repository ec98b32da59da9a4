/** Masks of findings as run lengths: decoded, asked, outlined. */

import type { Finding, Part } from "./types";

interface Plane {
  rows: number;
  columns: number;
  inside: Uint8Array;
}

const decoded = new WeakMap<Part, Plane>();

/** A planar mask as bytes, kept with its Part. */
export function planeOf(part: Part): Plane {
  const known = decoded.get(part);
  if (known) return known;
  const [rows = 0, columns = 0] = part.mask.shape;
  const inside = new Uint8Array(rows * columns);
  let at = 0;
  part.mask.runs.forEach((run, n) => {
    if (n % 2 === 1) inside.fill(1, at, at + run);
    at += run;
  });
  const plane = { rows, columns, inside };
  decoded.set(part, plane);
  return plane;
}

const partOn = (finding: { region: { parts: Part[] } }, view: string): Part | undefined =>
  finding.region.parts.find((part) => part.image === view);

/** Number of elements of a Part. */
export const sizeOf = (part: Part): number =>
  part.mask.runs.reduce((sum, run, n) => (n % 2 === 1 ? sum + run : sum), 0);

/** The smallest finding within ``reach`` pixels of a pixel of a view. */
export function findingAt<T extends Pick<Finding, "region">>(
  findings: readonly T[],
  view: string,
  column: number,
  row: number,
  reach = 1,
): T | undefined {
  const hits = findings
    .map((finding) => ({ finding, part: partOn(finding, view) }))
    .filter((one): one is { finding: T; part: Part } => one.part !== undefined && near(one.part, column, row, reach))
    .sort((a, b) => sizeOf(a.part) - sizeOf(b.part));
  return hits[0]?.finding;
}

function near(part: Part, column: number, row: number, reach: number): boolean {
  const { rows, columns, inside } = planeOf(part);
  const [top = 0, left = 0] = part.offset;
  for (let r = row - top - reach; r <= row - top + reach; r++) {
    if (r < 0 || r >= rows) continue;
    for (let c = column - left - reach; c <= column - left + reach; c++) {
      if (c >= 0 && c < columns && inside[r * columns + c]) return true;
    }
  }
  return false;
}

const paths = new WeakMap<Part, string>();

/** SVG path along the pixel edges of a finding's mask on a view; pixel (c, r) covers [c, c+1) x [r, r+1). */
export function outlinePath(finding: { region: { parts: Part[] } }, view: string): string {
  const part = partOn(finding, view);
  if (!part) return "";
  const known = paths.get(part);
  if (known !== undefined) return known;
  const path = edges(planeOf(part), part.offset[1] ?? 0, part.offset[0] ?? 0);
  paths.set(part, path);
  return path;
}

function edges({ rows, columns, inside }: Plane, left: number, top: number): string {
  const at = (r: number, c: number): number =>
    r < 0 || c < 0 || r >= rows || c >= columns ? 0 : (inside[r * columns + c] ?? 0);
  const strokes: string[] = [];
  const scan = (lines: number, steps: number, differs: (line: number, step: number) => boolean, across: boolean): void => {
    for (let line = 0; line <= lines; line++) {
      for (let step = 0; step < steps; step++) {
        if (!differs(line, step)) continue;
        const start = step;
        while (step + 1 < steps && differs(line, step + 1)) step++;
        const length = step - start + 1;
        strokes.push(across ? `M${left + start} ${top + line}h${length}` : `M${left + line} ${top + start}v${length}`);
      }
    }
  };
  scan(rows, columns, (r, c) => at(r - 1, c) !== at(r, c), true);
  scan(columns, rows, (c, r) => at(r, c - 1) !== at(r, c), false);
  return strokes.join("");
}
