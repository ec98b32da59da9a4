/** The parts of reading.json (schema osteoscope/reading/1) that the page uses. */

export interface Measure {
  name: string;
  value: number;
  unit: string;
  method: string;
  interval: [number, number] | null;
}

export interface Mask {
  shape: number[];
  /** Run lengths in C order, beginning with the elements outside. */
  runs: number[];
}

export interface Part {
  image: string;
  offset: number[];
  mask: Mask;
}

export type FindingKind = "lytic" | "blastic" | "mixed" | "focal" | "diffuse";

export interface Finding {
  id: string;
  site: string;
  kind: FindingKind;
  confidence: number;
  region: { parts: Part[] };
  /** LPS millimetres on a volume; (row, column) on a planar view. */
  centre: { frame: string; unit: "mm" | "pixel"; position: number[] };
  measures: Measure[];
}

export type Status = "assessed" | "not_acquired" | "not_assessable";

export interface SiteReading {
  site: string;
  status: Status;
  measures: Measure[];
  evidence: string[];
  confidence: number | null;
  notes: string[];
}

export interface SetAside {
  what: string;
  reason: string;
  region: { parts: Part[] };
}

export interface Reading {
  schema: "osteoscope/reading/1";
  study: {
    uid: string;
    kind: "ct" | "nm-planar";
    date: string;
    patient: { id: string; name?: string; age_years: number | null; sex: string; weight_kg: number | null };
  };
  reader: { kind: "program" | "person" | "truth"; name: string; version: string };
  findings: Finding[];
  sites: SiteReading[];
  measures: Measure[];
  set_aside: SetAside[];
  gaps: { where: string; step: string; reason: string }[];
  provenance: { settings: Record<string, string | number | boolean> };
  intake: { level: string; problem: string; action: string; file: string }[];
}
