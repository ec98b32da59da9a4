/** What the page shows over the planes: sides, scale, window and place in words. */

/** A place of the patient system (LPS). */
export type Millimetres = [number, number, number];

/** Letters at the left, right, top and bottom of each plane, in the order of NiiVue's planes. */
export const PLANES = [
  { name: "axial", letters: ["R", "L", "A", "P"] },
  { name: "coronal", letters: ["R", "L", "H", "F"] },
  { name: "sagittal", letters: ["A", "P", "H", "F"] },
] as const;
export type Letter = (typeof PLANES)[number]["letters"][number];

/** A plane on the canvas, in pixels of the page. */
export interface Tile {
  /** Which of `PLANES`. */
  plane: number;
  left: number;
  top: number;
  width: number;
  height: number;
  pixelsPerMm: number;
}

/** Hounsfield units that are black and white. */
export type HuRange = readonly [number, number];

export interface Look {
  tiles: Tile[];
  window: HuRange;
}

/** Where the cross stands. */
export interface Cross {
  place: Millimetres;
  hu: number;
}

/** Windows of a CT in Hounsfield units. */
export const PRESETS = { bone: [-450, 1050], soft: [-160, 240] } as const;
export type Preset = keyof typeof PRESETS;

/** The preset that a window is, if any. */
export const presetOf = ([low, high]: HuRange): Preset | null =>
  (["bone", "soft"] as const).find((name) => PRESETS[name][0] === low && PRESETS[name][1] === high) ?? null;

// Letters of the directions of growing x, y, z in LPS, and of their opposites, as the report has them.
const DIRECTIONS = [
  ["L", "R"],
  ["P", "A"],
  ["H", "F"],
] as const;

/** A place as a reader says it: "R 82, P 10, F 111 mm". */
export function placeText(place: Millimetres, side: (letter: Letter) => string): string {
  const said = DIRECTIONS.map(([grows, shrinks], n) => {
    const at = Math.round(place[n] ?? 0);
    return `${side(at >= 0 ? grows : shrinks)} ${Math.abs(at)}`;
  });
  return `${said.join(", ")} mm`;
}

const LENGTHS = [100, 50, 20, 10, 5, 2, 1];
const MOST_OF_TILE = 0.4;

/** Millimetres of the scale bar of a plane. */
export const scaleOf = ({ width, pixelsPerMm }: Tile): number =>
  LENGTHS.find((mm) => mm * pixelsPerMm <= width * MOST_OF_TILE) ?? 1;
