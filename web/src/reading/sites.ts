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

export const CURIE: readonly string[] = [
  "craniofacial",
  "cervicothoracic_spine",
  "chest",
  "lumbosacral_spine",
  "pelvis",
  "upper_arms",
  "lower_arms",
  "femurs",
  "lower_legs",
  "soft_tissue",
];

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
