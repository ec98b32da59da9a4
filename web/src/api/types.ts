/** What the server answers. */

export type Role = "reader" | "signer" | "admin";
export type Kind = "ct" | "nm-planar";
export type State = "arrived" | "reading" | "failed" | "read" | "reviewed" | "signed";

export interface Me {
  name: string;
  role: Role;
  csrf: string;
}

export interface User {
  name: string;
  role: Role;
  active: boolean;
}

export interface StudyItem {
  id: string;
  patient_id: string;
  patient_name: string;
  birth_date: string;
  sex: string | null;
  date: string;
  kind: Kind;
  state: State;
  progress: number;
  problem: string;
  scores: { siopen_total: number | null; curie_total: number | null; lesions: number | null };
}

export interface StudyPage {
  total: number;
  items: StudyItem[];
}

export interface Note {
  level: string;
  problem: string;
  action: string;
  file: string;
}

export interface Upload {
  state: string;
  studies: string[];
  notes: Note[];
}

export type Aspect = "size" | "location" | "detection";

export interface Draft {
  number_of_edits: number;
  can_undo: boolean;
  can_redo: boolean;
  comment?: string;
  soft_tissue?: string;
  marks?: Record<string, Partial<Record<Aspect, boolean | null>>>;
  decisions?: Record<string, "accepted" | "rejected">;
}

export interface Study extends StudyItem {
  reader_version: string;
  draft: Draft;
  readings: { id: string; reader: string; kind: "program" | "person"; state: string; when: string }[];
  priors: { id: string; date: string }[];
  files: string[];
}

export interface PlanarViewInfo {
  name: string;
  rows: number;
  columns: number;
  pixel_mm: number[] | null;
  maximum: number;
  url: string;
}

export interface VolumeInfo {
  volume: string;
  lesions: string | null;
  bones: string | null;
  shape: number[];
  spacing_mm: number[];
}

export interface Views {
  views: PlanarViewInfo[];
  ct: VolumeInfo | null;
}

export type Polygons = [number, number][][];

export interface Outlines {
  views: Record<string, { sites: Record<string, Polygons>; units: Record<string, Polygons> }>;
}

export type Edit =
  | { op: "level" | "curie"; site: string; level: number | null }
  | { op: "add"; view: string; x: number; y: number }
  | { op: "remove" | "accept" | "reject"; finding: string }
  | { op: "move"; finding: string; site: string }
  | { op: "comment" | "soft_tissue"; text: string }
  | { op: "type"; finding: string; type: string }
  | { op: "add_lesion"; position_mm: [number, number, number]; diameter_mm: number }
  | { op: "mask"; finding: string; mask: string; box: [number, number][] }
  | { op: "mark"; finding: string; aspect: Aspect; right: boolean | null };

export interface Signed {
  reading: string;
  files: string[];
  sent: unknown[];
}

export interface Difference {
  site: string;
  measure: string;
  program: number | string | null;
  person: number | string | null;
}

export interface AuditEntry {
  when: string;
  user: string;
  action: string;
  study: string | null;
  detail: unknown;
}

export interface Trial {
  id: string;
  name: string;
  done?: number;
  of?: number;
  phase?: string;
}

export interface TrialPlan {
  name: string;
  studies: string[];
  readers: string[];
  phases: string[];
  washout_days: number;
  seed: number;
}

export interface NextCase {
  study?: string | null;
  phase?: string;
  done?: number;
  of?: number;
  wait_until?: string;
}
