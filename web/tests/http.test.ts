import { afterEach, describe, expect, it, vi } from "vitest";

import * as calls from "../src/api/calls";
import { ApiError, ask, onSessionOver, setCsrf, worded } from "../src/api/http";
import { every } from "../src/api/every";
import { lines } from "../src/ui/lines";
import { answerFor } from "../src/ui/use_fetched";
import { keyName } from "../src/ui/use_keys";

afterEach(() => vi.unstubAllGlobals());

describe("requests", () => {
  it("carry the token of the session on every change, and only there", async () => {
    const sent = vi.fn(async (_path: string, _options: RequestInit) => new Response("{}"));
    vi.stubGlobal("fetch", sent);
    setCsrf("token");
    await ask("POST", "/api/studies/1/edits", { edit: {} });
    await ask("GET", "/api/me");
    expect(sent.mock.calls[0]?.[1].headers).toMatchObject({ "X-CSRF-Token": "token" });
    expect(sent.mock.calls[1]?.[1].headers).not.toHaveProperty("X-CSRF-Token");
  });

  it("that are refused say it in the server's words", async () => {
    const detail = { asked: "sign", found: "another id", remedy: "Check the patient" };
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ detail }), { status: 409 }));
    await expect(ask("POST", "/api/studies/1/sign")).rejects.toThrow("sign. another id. Check the patient");
  });

  it("that do not arrive are told apart", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed")));
    await expect(ask("GET", "/api/me")).rejects.toMatchObject({ status: 0 });
  });
});

describe("a session that is over", () => {
  const over = () => new Response("{}", { status: 401 });

  it("is begun again, and the request is sent again with its token", async () => {
    const answers = [over(), new Response('{"csrf": "new"}'), new Response('{"kept": true}')];
    const sent = vi.fn(async (_path: string, _options: RequestInit) => answers.shift() ?? over());
    vi.stubGlobal("fetch", sent);
    setCsrf("old");
    onSessionOver(async () => (await calls.login("bo", "secret")).csrf === "new");
    expect(await ask("POST", "/api/studies/1/edits", { edit: {} })).toEqual({ kept: true });
    expect(sent.mock.calls[2]?.[1].headers).toMatchObject({ "X-CSRF-Token": "new" });
    expect(sent.mock.calls[2]?.[1].body).toBe(sent.mock.calls[0]?.[1].body);
  });

  it("is told where nobody comes back, and never asked for while logging in", async () => {
    const again = vi.fn(async () => false);
    onSessionOver(again);
    vi.stubGlobal("fetch", async () => over());
    await expect(ask("POST", "/api/studies/1/undo")).rejects.toMatchObject({ status: 401 });
    expect(again).toHaveBeenCalledOnce();
    await expect(calls.login("bo", "wrong")).rejects.toMatchObject({ status: 401 });
    await expect(calls.me()).rejects.toMatchObject({ status: 401 });
    expect(again).toHaveBeenCalledOnce();
  });

  it("does not lose an upload", async () => {
    const answers = [401, 200];
    const tokens: string[] = [];
    class Request {
      upload = {};
      status = 0;
      responseText = '{"upload": "7"}';
      onload = () => undefined;
      open = () => undefined;
      setRequestHeader = (_name: string, token: string) => tokens.push(token);
      send = () => {
        this.status = answers.shift() ?? 500;
        this.onload();
      };
    }
    vi.stubGlobal("XMLHttpRequest", Request);
    setCsrf("old");
    onSessionOver(async () => {
      setCsrf("new");
      return true;
    });
    expect(await calls.upload([new File(["x"], "a.dcm")], () => undefined)).toEqual({ upload: "7" });
    expect(tokens).toEqual(["old", "new"]);
  });

  it("has another token once the password is changed", async () => {
    const sent = vi.fn(async (_path: string, _options: RequestInit) => new Response('{"csrf": "after"}'));
    vi.stubGlobal("fetch", sent);
    await calls.changePassword("old", "new");
    await ask("POST", "/api/studies/1/undo");
    expect(sent.mock.calls[1]?.[1].headers).toMatchObject({ "X-CSRF-Token": "after" });
  });
});

describe("logging out", () => {
  const answer = (status: number, body = "{}") => new Response(status === 204 ? null : body, { status });
  const answers = (...all: Response[]) => {
    const sent = vi.fn(async (_path: string, _options: RequestInit) => all.shift() ?? answer(500));
    vi.stubGlobal("fetch", sent);
    return sent;
  };

  it("is done once more with the token that another window has made", async () => {
    const sent = answers(answer(403), answer(200, '{"csrf": "newer"}'), answer(204));
    setCsrf("older");
    await calls.logout();
    expect(sent.mock.calls.map(([path]) => path)).toEqual(["/api/logout", "/api/me", "/api/logout"]);
    expect(sent.mock.calls[2]?.[1].headers).toMatchObject({ "X-CSRF-Token": "newer" });
  });

  it("is done where the session is over", async () => {
    answers(answer(401));
    await calls.logout();
    answers(answer(403), answer(401));
    await calls.logout();
  });

  it("fails where the session may go on", async () => {
    answers(answer(502));
    await expect(calls.logout()).rejects.toMatchObject({ status: 502 });
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("lost")));
    await expect(calls.logout()).rejects.toMatchObject({ status: 0 });
  });
});

describe("an answer", () => {
  it("is none for another key", () => {
    const answer = { key: "prior 1", value: "its reading", error: null };
    expect(answerFor(answer, "prior 1")).toBe(answer);
    expect(answerFor(answer, "prior 2")).toEqual({ key: "prior 2", value: null, error: null });
  });
});

describe("refusals", () => {
  it("of fields name the fields", () => {
    const text = JSON.stringify({ detail: [{ loc: ["body", "level"], msg: "too large" }] });
    expect(worded(422, text)).toMatchObject({ status: 422, found: "level: too large" });
  });

  it("that are no JSON are shown as they are", () => {
    expect(worded(502, "Bad gateway")).toBeInstanceOf(ApiError);
    expect(worded(502, "Bad gateway").message).toBe("Bad gateway");
  });

  it("that are a page of a gateway are told as a server that is away, not as HTML", () => {
    expect(worded(502, "<html><h1>502 Bad Gateway</h1></html>").status).toBe(0);
    expect(worded(500, "\n<!doctype html>").message).toBe("HTTP 500");
  });
});

describe("keys", () => {
  it.each([
    [{ key: "z", ctrlKey: true, metaKey: false, altKey: false }, "Ctrl+z"],
    [{ key: "z", ctrlKey: false, metaKey: true, altKey: false }, "Ctrl+z"],
    [{ key: "?", ctrlKey: false, metaKey: false, altKey: false }, "?"],
  ])("%o is %s", (event, name) => {
    expect(keyName(event)).toBe(name);
  });
});

describe("lists", () => {
  it("are taken whole, however the server cuts them", async () => {
    const all = Array.from({ length: 7 }, (_, n) => n);
    const cut = async (offset: number) => ({ total: 7, items: all.slice(offset, offset + 3) });
    expect(await every(cut)).toEqual(all);
    expect(await every(async () => ({ total: 7, items: [] }))).toEqual([]);
  });

  it("of names keep the spaces in them", () => {
    expect(lines("dr house\n rea \n\n")).toEqual(["dr house", "rea"]);
  });
});
