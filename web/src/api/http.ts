/** Requests to the server: cookie session, CSRF header on every change, errors as the server words them. */

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly asked: string,
    readonly found: string,
    readonly remedy: string,
  ) {
    super([asked, found, remedy].filter(Boolean).join(". "));
  }
}

let csrf = "";
export const setCsrf = (token: string): void => {
  csrf = token;
};

/** Asks the person to log in again; whether he did. Set by the page. */
type AskAgain = () => Promise<boolean>;
let askAgain: AskAgain = () => Promise.resolve(false);
export const onSessionOver = (ask: AskAgain): void => {
  askAgain = ask;
};
const SESSION_OVER = 401;
// A wrong password, and the question who is logged in, are answered so, too; whoever leaves need not come back.
const WITHOUT_SESSION = new Set(["/api/login", "/api/logout", "/api/me"]);

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** JSON of a reply.
 * @throws ApiError where the server refuses or cannot be reached (status 0).
 */
export async function ask<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const reply = await reach(path, () => ({
    method,
    headers: {
      ...(method === "GET" ? {} : { "X-CSRF-Token": csrf }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : kept(JSON.stringify(body))),
    ...(signal ? { signal } : {}),
  }));
  if (!reply.ok) throw await refusal(reply);
  return (reply.status === 204 ? undefined : await reply.json()) as T;
}

// Browsers take no more than 64 KiB along when a page is left.
const MOST_KEPT = 60_000;

/** A body that is sent although the page is left meanwhile, where it is small enough. */
const kept = (body: string): RequestInit => ({ body, keepalive: body.length < MOST_KEPT });

/** Bytes of a reply, such as an image. */
export async function fetchBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const reply = await reach(path, () => (signal ? { signal } : {}));
  if (!reply.ok) throw await refusal(reply);
  return reply.arrayBuffer();
}

/** A reply; where the session is over, that to the same request once the person is back. */
function reach(path: string, request: () => RequestInit): Promise<Response> {
  const send = () => sent(path, request());
  return WITHOUT_SESSION.has(path) ? send() : onceBack(send);
}

async function onceBack<R extends { status: number }>(send: () => Promise<R>): Promise<R> {
  const reply = await send();
  return reply.status === SESSION_OVER && (await askAgain()) ? send() : reply;
}

async function sent(path: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...request, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "", "", "");
  }
}

/** Sends files, telling the share sent; once more where the session was over and the person is back. */
export async function sendFiles<T>(path: string, files: readonly File[], progress: (share: number) => void): Promise<T> {
  const reply = await onceBack(() => posted(path, files, progress));
  if (reply.status >= 300) throw worded(reply.status, reply.responseText);
  return JSON.parse(reply.responseText) as T;
}

/** XMLHttpRequest, since fetch tells no progress of an upload. */
function posted(path: string, files: readonly File[], progress: (share: number) => void): Promise<XMLHttpRequest> {
  const form = new FormData();
  files.forEach((file) => form.append("files", file, file.name));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onerror = () => reject(new ApiError(0, "", "", ""));
    request.onload = () => resolve(request);
    request.send(form);
  });
}

async function refusal(reply: Response): Promise<ApiError> {
  return worded(reply.status, await reply.text());
}

// A gateway answers with a page of its own in the place of a server that is away.
const AWAY = new Set([502, 503, 504]);

/** The server's own words; FastAPI's list of invalid fields is joined. */
export function worded(status: number, text: string): ApiError {
  let detail: unknown;
  try {
    detail = (JSON.parse(text) as { detail?: unknown }).detail;
  } catch {
    if (text.trimStart().startsWith("<")) return new ApiError(AWAY.has(status) ? 0 : status, "", `HTTP ${status}`, "");
    detail = text.slice(0, 200);
  }
  if (Array.isArray(detail)) {
    const fields = detail.map((one: { loc?: unknown[]; msg?: string }) => `${one.loc?.at(-1) ?? ""}: ${one.msg ?? ""}`);
    return new ApiError(status, "", fields.join("; "), "");
  }
  if (detail !== null && typeof detail === "object") {
    const { asked = "", found = "", remedy = "" } = detail as Record<string, string>;
    return new ApiError(status, asked, found, remedy);
  }
  return new ApiError(status, "", String(detail ?? status), "");
}
