/** Names of sites in both languages; bones with a level or a number are put together. */

export type Language = "en" | "fr";

const NAMES: Record<string, [string, string]> = {
  skull: ["Skull", "Crâne"],
  mandible: ["Mandible", "Mandibule"],
  sacrum: ["Sacrum", "Sacrum"],
  sternum: ["Sternum", "Sternum"],
  clavicle: ["Clavicle", "Clavicule"],
  scapula: ["Scapula", "Scapula"],
  humerus: ["Humerus", "Humérus"],
  radius: ["Radius", "Radius"],
  ulna: ["Ulna", "Ulna"],
  hand: ["Hand", "Main"],
  hip: ["Hip bone", "Os coxal"],
  femur: ["Femur", "Fémur"],
  patella: ["Patella", "Patella"],
  tibia: ["Tibia", "Tibia"],
  fibula: ["Fibula", "Fibula"],
  foot: ["Foot", "Pied"],
  rib: ["Rib", "Côte"],
  vertebra: ["Vertebra", "Vertèbre"],
  bone: ["Bone", "Os"],
  cervical_spine: ["Cervical spine", "Rachis cervical"],
  thoracic_spine: ["Thoracic spine", "Rachis thoracique"],
  lumbar_spine: ["Lumbar spine", "Rachis lombaire"],
  spine: ["Spine", "Rachis"],
  thoracic_cage: ["Thoracic cage", "Cage thoracique"],
  pelvis: ["Pelvis", "Bassin"],
  proximal_upper_limb: ["Upper arm", "Bras"],
  distal_upper_limb: ["Forearm, hand", "Avant-bras, main"],
  proximal_lower_limb: ["Thigh", "Cuisse"],
  distal_lower_limb: ["Lower leg, foot", "Jambe, pied"],
  craniofacial: ["Head and face", "Tête et face"],
  cervicothoracic_spine: ["Cervical, thoracic spine", "Rachis cervicothoracique"],
  chest: ["Chest", "Thorax"],
  lumbosacral_spine: ["Lumbar, sacral spine", "Rachis lombosacré"],
  upper_arms: ["Upper arms", "Bras"],
  lower_arms: ["Forearms, hands", "Avant-bras, mains"],
  femurs: ["Thighs", "Cuisses"],
  lower_legs: ["Lower legs, feet", "Jambes, pieds"],
  soft_tissue: ["Soft tissue", "Tissus mous"],
};
const SIDES: Record<string, [string, string]> = { right: ["R", "D"], left: ["L", "G"] };
const UNKNOWN: [string, string] = ["level uncertain", "niveau incertain"];

/** A site's name for a reader, such as "Thigh R" or "Rib 7 L"; an id that no table has is shown as it is. */
export function siteName(id: string, language: Language): string {
  const at = language === "en" ? 0 : 1;
  const words: string[] = [];
  const parts = id.split("_");
  const side = parts.find((part) => part in SIDES);
  const unknown = parts.includes("unknown");
  const rest = parts.filter((part) => part !== side && part !== "unknown");
  const number = rest.length > 1 && /^[CTL]?\d+$/.test(rest.at(-1) ?? "") ? rest.pop() : undefined;
  const name = NAMES[rest.join("_")];
  if (!name) return id;
  words.push(name[at]);
  if (number) words.push(unknown ? `(${UNKNOWN[at]}, ${number})` : number);
  if (side) words.push(SIDES[side]?.[at] ?? side);
  return words.join(" ");
}
