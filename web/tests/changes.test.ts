import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Edited } from "../src/api/calls";
import { nextMark, nextType } from "../src/ct/steps";
import { Changes, type Held } from "../src/reading/changes";
import type { Reading } from "../src/reading/types";
import { isUnkept, unkeptAt } from "../src/reading/unkept_notes";

const reading = (comment = "", kind = "lytic"): Reading =>
  ({
    reader: { kind: "person", name: "ada", version: "" },
    findings: [{ id: "L1", kind, measures: [] }],
    sites: [],
    provenance: { settings: { comment } },
  }) as unknown as Reading;

const edited = (one: Reading): Edited => ({ reading: one, draft: {} as Edited["draft"] });
const held = (): Held => ({ study: {} as Held["study"], reading: reading(), draft: {} as Held["draft"] });

async function opened(): Promise<Changes> {
  const changes = new Changes(() => undefined);
  changes.load(() => Promise.resolve(held()));
  await Promise.resolve();
  return changes;
}

const kept = (changes: Changes, name = "kept") =>
  changes.add(() => ({ name, send: () => Promise.resolve(edited(reading(name))) }));
const refused = (changes: Changes, name = "refused") =>
  changes.add(() => ({ name, send: () => Promise.reject(new Error(name)) }));

describe("what stands is asked for anew", () => {
  it("once more where a change was kept meanwhile: what was on its way may be older", async () => {
    const changes = await opened();
    let answer: (held: Held) => void = () => undefined;
    const ask = vi.fn((): Promise<Held> => Promise.resolve({ ...held(), reading: reading("kept") }));
    changes.load(ask.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve))));
    await kept(changes);
    answer(held());
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
    expect((await changes.settled()).reading).toEqual(reading("kept"));
  });
});

describe("a change that was not kept", () => {
  it("is not forgotten when another one is, and nothing is signed until it was closed", async () => {
    const changes = await opened();
    await refused(changes);
    expect(await kept(changes)).not.toBeNull();
    expect(changes.fault).toEqual(new Error("refused"));
    await expect(changes.settled()).rejects.toMatchObject({ key: "sign.unkept" });
    changes.forgive();
    expect(changes.fault).toBeNull();
    expect((await changes.settled()).reading).toEqual(reading("kept"));
  });

  it("takes along those that were made before it was known, and counts them", async () => {
    const changes = await opened();
    const sent = vi.fn(() => Promise.resolve(edited(reading("later"))));
    const all = [refused(changes), changes.add(() => ({ name: "later", send: sent })), kept(changes)];
    expect(await Promise.all(all)).toEqual([null, null, null]);
    expect(sent).not.toHaveBeenCalled();
    expect(changes.dropped).toBe(2);
    expect(await kept(changes)).not.toBeNull();
  });

  it("is forgiven once it is made again", async () => {
    const changes = await opened();
    await refused(changes, "level");
    await kept(changes, "level");
    expect(changes.fault).toBeNull();
  });

  it("is told apart from a study that could not be loaded again", async () => {
    const changes = await opened();
    await refused(changes);
    changes.load(() => Promise.resolve(held()));
    await Promise.resolve();
    expect(changes.fault).toEqual(new Error("refused"));
  });
});

describe("leaving", () => {
  it("loses what is open or was not kept; what is on its way is counted until it is kept", async () => {
    const changes = await opened();
    expect([changes.unfinished, changes.pending]).toEqual([null, 0]);
    const all = [kept(changes), kept(changes)];
    expect(changes.pending).toBe(2);
    await Promise.all(all);
    expect([changes.unfinished, changes.pending]).toEqual([null, 0]);
    changes.open = "sign.drawing";
    expect(changes.unfinished).toBe("sign.drawing");
    changes.open = null;
    await refused(changes);
    expect([changes.unfinished, changes.isUnkept, changes.pending]).toEqual(["leave.unkept", true, 0]);
    changes.forgive();
    expect(changes.unfinished).toBeNull();
  });
});

describe("signing", () => {
  it("waits for what is on its way, and for what is not finished", async () => {
    const changes = await opened();
    void kept(changes, "on its way");
    expect((await changes.settled()).reading).toEqual(reading("on its way"));
    changes.open = "sign.drawing";
    await expect(changes.settled()).rejects.toMatchObject({ key: "sign.drawing" });
  });
});

describe("a step from what stands", () => {
  it("counts twice where it is made twice", async () => {
    const changes = await opened();
    const types: unknown[] = [];
    const press = () =>
      changes.add(({ reading: now }) => {
        const edit = now && nextType("L1")(now);
        const type = edit?.op === "type" ? edit.type : "";
        types.push(type);
        return { name: "type", send: () => Promise.resolve(edited(reading("", type))) };
      });
    await Promise.all([press(), press()]);
    expect(types).toEqual(["mixed", "blastic"]);
  });

  it("is none where the lesion is gone", () => {
    expect(nextMark("L2", "size")(reading())).toBeNull();
    expect(nextMark("L1", "size")(reading())).toMatchObject({ right: true });
  });
});

describe("a note that was typed", () => {
  const stored = new Map<string, string>();
  beforeEach(() => vi.stubGlobal("sessionStorage", { getItem: (key: string) => stored.get(key) ?? null }));
  afterEach(() => vi.unstubAllGlobals());

  it("is unkept while it reads otherwise than what is kept", () => {
    expect(isUnkept(reading("seen"), "ada", "/api/studies/1")).toBe(false);
    stored.set(unkeptAt("comment", "ada", "/api/studies/1"), "typed");
    expect(isUnkept(reading("seen"), "ada", "/api/studies/1")).toBe(true);
    expect(isUnkept(reading("typed"), "ada", "/api/studies/1")).toBe(false);
    expect(isUnkept(reading("seen"), "bo", "/api/studies/1")).toBe(false);
  });
});
