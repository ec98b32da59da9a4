/** What the server answers: the shapes of its OpenAPI document, under the page's own names. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Me = Schemas["Me"];
export type Role = Me["role"];
export type User = Schemas["UserOut"];
export type StudyItem = Schemas["Item"];
export type StudyPage = Schemas["WorklistPage"];
export type Upload = Schemas["UploadOut"];
export type Views = Schemas["ViewsOut"];
export type VolumeInfo = Schemas["Volume"];
export type PlanarViewInfo = Schemas["View"];
export type ViewName = PlanarViewInfo["name"];
export type Outlines = Schemas["OutlinesOut"];
export type Polygons = [number, number][][];
export type AuditEntry = Schemas["AuditOut"];

export interface Note {
  level?: string;
  problem?: string;
  action?: string;
  file?: string;
}

export type Draft = Schemas["DraftOut"];
export type Study = Schemas["StudyOut"];

export type Edit = Schemas["EditIn"]["edit"];
export type Signature = Schemas["SignIn"];
export type Access = Schemas["Access"];
export type Delivery = Schemas["Delivery"];
export type CtComparison = Schemas["CtComparison"];
export type BoneChoice = Schemas["BoneChoice"];
export type StrengthResult = Schemas["StrengthResult"];
export type Difference = Schemas["Difference"];
export type Trial = Schemas["TrialOut"];
export type TrialPlan = Schemas["TrialIn"];
export type NextCase = Schemas["NextOut"];
export type TrialCase = Schemas["CaseOut"];
