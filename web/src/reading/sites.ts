/** Segments and regions in the order in which they are read; the same tables as `osteoscope.domain.anatomy`. */

const SIDES = ["right", "left"] as const;

const paired = (part: string): string[] => SIDES.map((side) => `${part}_${side}`);

export const SIOPEN: readonly string[] = [
  "skull",
  "thoracic_cage",
  ...SIDES.flatMap((side) => [`proximal_upper_limb_${side}`, `distal_upper_limb_${side}`]),
  "spine",
  "pelvis",
  ...SIDES.flatMap((side) => [`proximal_lower_limb_${side}`, `distal_lower_limb_${side}`]),
];

const UNITS_OF: Record<string, readonly string[]> = {
  craniofacial: ["skull"],
  cervicothoracic_spine: ["cervical_spine", "thoracic_spine"],
  chest: ["thoracic_cage"],
  lumbosacral_spine: ["lumbar_spine", "sacrum"],
  pelvis: ["pelvis"],
  upper_arms: paired("proximal_upper_limb"),
  lower_arms: paired("distal_upper_limb"),
  femurs: paired("proximal_lower_limb"),
  lower_legs: paired("distal_lower_limb"),
  soft_tissue: ["soft_tissue"],
};

export const CURIE: readonly string[] = Object.keys(UNITS_OF);

/** The fine units that a planar finding lies in. */
export const UNITS: readonly string[] = [
  "skull",
  "cervical_spine",
  "thoracic_spine",
  "lumbar_spine",
  "sacrum",
  "thoracic_cage",
  "pelvis",
  ...["proximal_upper_limb", "distal_upper_limb", "proximal_lower_limb", "distal_lower_limb"].flatMap(paired),
  "soft_tissue",
];

const SPINE = new Set(["cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum"]);

/** The SIOPEN segment of a unit; null for soft tissue, which SIOPEN does not count. */
export function segmentOf(unit: string): string | null {
  if (unit === "soft_tissue") return null;
  return SPINE.has(unit) ? "spine" : unit;
}

/** The Curie region of a unit or segment; null for the whole spine, which is of two regions. */
export const regionOf = (unit: string): string | null =>
  CURIE.find((region) => UNITS_OF[region]?.includes(unit)) ?? null;

/** The SIOPEN segments that a Curie region lies in. */
export function segmentsOf(region: string): string[] {
  const segments = (UNITS_OF[region] ?? []).map(segmentOf).filter((one) => one !== null);
  return [...new Set(segments)];
}
