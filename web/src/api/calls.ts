/** Every call the page makes. */

import type { Reading } from "../reading/types";
import { ApiError, ask, fetchBytes, sendFiles, setCsrf } from "./http";
import type {
  Access,
  AuditEntry,
  BoneChoice,
  CtComparison,
  Delivery,
  Difference,
  Draft,
  Edit,
  Me,
  NextCase,
  Outlines,
  Role,
  Signature,
  StrengthResult,
  Study,
  StudyPage,
  Trial,
  TrialCase,
  TrialPlan,
  Upload,
  User,
  Views,
} from "./types";

export interface Edited {
  reading: Reading;
  draft: Draft;
}

export interface StudyQuery {
  search: string;
  kind: string;
  state: string;
  order: string;
  offset: number;
  limit: number;
}

const query = (values: object): string =>
  new URLSearchParams(
    Object.entries(values)
      .filter(([, value]) => value !== "" && value !== undefined)
      .map(([key, value]) => [key, String(value)]),
  ).toString();

/** Who has a session from now on; changes carry its token. */
const admitted = async (answer: Promise<Me>): Promise<Me> => {
  const person = await answer;
  setCsrf(person.csrf);
  return person;
};

export const me = () => admitted(ask("GET", "/api/me"));
export const login = (name: string, password: string) => admitted(ask("POST", "/api/login", { name, password }));
export const first = (link: string, name: string, password: string) =>
  admitted(ask("POST", "/api/first", { link, name, password }));
export const changePassword = (password: string, new_password: string) =>
  admitted(ask("POST", "/api/password", { password, new_password }));

const endSession = () => ask<unknown>("POST", "/api/logout");
const isStatus = (error: unknown, status: number): boolean => error instanceof ApiError && error.status === status;

/** Ends the session; with the token that it has now where another window has changed it.
 * @throws ApiError where the session may go on.
 */
export async function logout(): Promise<void> {
  try {
    await endSession().catch(async (error: unknown) => {
      if (!isStatus(error, 403)) throw error;
      await me();
      await endSession();
    });
  } catch (error) {
    if (!isStatus(error, 401)) throw error;
  }
}

export const studies = (asked: StudyQuery, signal?: AbortSignal) =>
  ask<StudyPage>("GET", `/api/studies?${query(asked)}`, undefined, signal);
export const upload = (files: readonly File[], progress: (share: number) => void) =>
  sendFiles<{ upload: string }>("/api/uploads", files, progress);
export const uploaded = (id: string) => ask<Upload>("GET", `/api/uploads/${id}`);

/** ``base``: "/api/studies/ID", or "/api/trials/TRIAL/cases/CASE" in a reader study. */
export const studyBase = (id: string): string => `/api/studies/${encodeURIComponent(id)}`;
export const caseBase = (trial: string, id: string): string =>
  `/api/trials/${encodeURIComponent(trial)}/cases/${encodeURIComponent(id)}`;

export const study = (base: string) => ask<Study>("GET", base);
export const readAgain = (id: string, tracer: string) => ask<unknown>("POST", `${studyBase(id)}/read`, { tracer });
export const reading = (base: string, which = "current") =>
  ask<Reading>("GET", `${base}/reading?${query({ which })}`);
export const views = (base: string) => ask<Views>("GET", `${base}/views`);
export const outlines = (base: string) => ask<Outlines>("GET", `${base}/outlines`);
export const counts = async (url: string) => new Float32Array(await fetchBytes(url));
export const edit = (base: string, change: Edit) => ask<Edited>("POST", `${base}/edits`, { edit: change });
export const undo = (base: string) => ask<Edited>("POST", `${base}/undo`);
export const redo = (base: string) => ask<Edited>("POST", `${base}/redo`);
export const sign = (base: string, shown: Signature) => ask<Delivery>("POST", `${base}/sign`, shown);
export const access = (base: string) => ask<Access>("GET", `${base}/access`);
export const giveAccess = (base: string, access: Access) => ask<Access>("PUT", `${base}/access`, access);
export const delivery = (base: string) => ask<Delivery>("GET", `${base}/delivery`);
export const amend = (base: string, reason: string) => ask<unknown>("POST", `${base}/amend`, { reason });
export const difference = (base: string) => ask<Difference[]>("GET", `${base}/difference`);
export const comparison = (base: string, prior: string) =>
  ask<Record<string, unknown>>("GET", `${base}/comparison?${query({ prior })}`);
export const ctComparison = (base: string, prior: string) =>
  ask<CtComparison>("GET", `${base}/ct-comparison?${query({ prior })}`);
export const beginCtComparison = (base: string, prior: string) =>
  ask<CtComparison>("POST", `${base}/ct-comparison`, { prior });
export const ctReportUrl = (base: string, prior: string): string =>
  `${base}/ct-comparison/response.pdf?${query({ prior })}`;
export interface LoadedBone {
  site: string;
  load_case: string;
}

export const strengthBones = (base: string) => ask<BoneChoice[]>("GET", `${base}/strength/bones`);
export const strength = (base: string, bone: LoadedBone) => ask<StrengthResult>("GET", `${base}/strength?${query(bone)}`);
export const beginStrength = (base: string, bone: LoadedBone) => ask<StrengthResult>("POST", `${base}/strength`, bone);
export const strengthFileUrl = (base: string, bone: LoadedBone, name: string): string =>
  `${base}/strength/files/${name}?${query(bone)}`;
export const fileUrl = (base: string, name: string): string => `${base}/files/${encodeURIComponent(name)}`;

export const audit = (id: string) => ask<AuditEntry[]>("GET", `/api/audit?${query({ study: id })}`);
export const users = () => ask<User[]>("GET", "/api/users");
export const addUser = (name: string, password: string, role: Role) =>
  ask<unknown>("POST", "/api/users", { name, password, role });
export const changeUser = (name: string, change: { role?: Role; password?: string; active?: boolean }) =>
  ask<unknown>("PATCH", `/api/users/${encodeURIComponent(name)}`, change);

export const trials = () => ask<Trial[]>("GET", "/api/trials");
export const makeTrial = (plan: TrialPlan) => ask<unknown>("POST", "/api/trials", plan);
export const nextCase = (id: string) => ask<NextCase>("GET", `/api/trials/${encodeURIComponent(id)}/next`);
export const openCase = (base: string) => ask<TrialCase>("GET", base);
export const exportUrl = (id: string): string => `/api/trials/${encodeURIComponent(id)}/export`;
export const finishCase = (base: string, seconds: number) => ask<NextCase>("POST", `${base}/finish`, { seconds });
