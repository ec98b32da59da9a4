import { describe, expect, it } from "vitest";

import { changeOf, intervalText, isDark, levelColour, levelOf, levelText, signed } from "../src/reading/levels";
import { findingAt, outlinePath, planeOf, sizeOf } from "../src/reading/masks";
import { commentOf, isAccepted, markOf, softTissueOf } from "../src/reading/said";
import { CURIE, regionOf, segmentOf, segmentsOf, SIOPEN, UNITS } from "../src/reading/sites";
import type { Finding, Part, Reading } from "../src/reading/types";

const measure = (name: string, value: number, interval: [number, number] | null = null) => ({
  name,
  value,
  interval,
  unit: "1",
  method: "test",
});

const part = (runs: number[], shape = [2, 3], offset = [10, 20]): Part => ({
  image: "anterior",
  offset,
  mask: { shape, runs },
});

const finding = (id: string, one: Part): Finding => ({
  id,
  site: "skull",
  kind: "focal",
  confidence: 0.8,
  region: { parts: [one] },
  centre: { frame: "anterior", unit: "pixel", position: [10, 20] },
  measures: [measure("size_right", 0)],
});

const reading = {
  reader: { kind: "person", name: "ada", version: "" },
  sites: [
    {
      site: "skull",
      status: "assessed",
      measures: [measure("siopen", 5, [4, 5]), measure("siopen_probability", 0.6)],
      evidence: [],
      confidence: null,
      notes: [],
    },
    { site: "pelvis", status: "not_acquired", measures: [], evidence: [], confidence: null, notes: [] },
    {
      site: "soft_tissue",
      status: "assessed",
      measures: [],
      evidence: [],
      confidence: null,
      notes: ["by the program", "a mass (of 3 cm) (ada)"],
    },
  ],
  provenance: { settings: { comment: "good quality" } },
} as unknown as Reading;

describe("levels", () => {
  it("are taken from the measures of their site", () => {
    const level = levelOf(reading, "siopen", "skull");
    expect(level).toMatchObject({ value: 5, interval: [4, 5], probability: 0.6, counted: null, status: "assessed" });
    expect(levelText(level)).toBe("5");
    expect(intervalText(level.interval)).toBe("4–5");
  });

  it("keep what counting alone gives, where it is another level", () => {
    const [skull, ...rest] = reading.sites;
    if (!skull) throw new Error("no skull");
    const measures = [...skull.measures, { ...skull.measures[0]!, name: "siopen_counted", value: 4, interval: null }];
    const told = { ...reading, sites: [{ ...skull, measures }, ...rest] };
    expect(levelOf(told, "siopen", "skull")).toMatchObject({ value: 5, counted: 4 });
    expect(levelOf(told, "curie", "skull").counted).toBeNull();
  });

  it("are never a silent 0", () => {
    expect(levelText(levelOf(reading, "siopen", "pelvis"))).toBe("n/a");
    expect(levelText(levelOf(reading, "siopen", "spine"))).toBe("–");
    expect(changeOf(levelOf(reading, "siopen", "skull"), levelOf(reading, "siopen", "pelvis"))).toBeNull();
  });

  it("get darker, with text that can be read", () => {
    expect(levelColour(null, 6)).toBe("#ffffff");
    expect(levelColour(0, 6)).toBe("#f3f1ea");
    expect(levelColour(3, 3)).toBe(levelColour(6, 6));
    expect([isDark(3, 6), isDark(4, 6)]).toEqual([false, true]);
  });

  it("change with a sign", () => {
    expect([signed(2), signed(-1), signed(0)]).toEqual(["+2", "−1", "0"]);
  });
});

describe("what a person said", () => {
  it("is read from the Reading", () => {
    expect(commentOf(reading)).toBe("good quality");
    expect(softTissueOf(reading)).toBe("a mass (of 3 cm)");
    const apart = { settings: { soft_tissue_note: "of an earlier reader" } };
    expect(softTissueOf({ ...reading, provenance: apart })).toBe("of an earlier reader");
    const one = finding("F1", part([0, 1, 5]));
    expect(markOf(one, "size")).toBe(false);
    expect(markOf(one, "location")).toBeNull();
    expect(isAccepted(one)).toBe(false);
    expect(isAccepted({ ...one, confidence: 1 })).toBe(true);
  });
});

describe("masks", () => {
  it("are decoded from runs that begin outside", () => {
    expect([...planeOf(part([1, 2, 1, 1, 1])).inside]).toEqual([0, 1, 1, 0, 1, 0]);
    expect([...planeOf(part([0, 6])).inside]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(sizeOf(part([1, 2, 1, 1, 1]))).toBe(3);
  });

  it("answer which finding lies at a pixel: the smallest one, within reach", () => {
    const large = finding("large", part([0, 100], [10, 10], [5, 15]));
    const small = finding("small", part([0, 1, 5]));
    expect(findingAt([large, small], "anterior", 20, 10, 0)?.id).toBe("small");
    expect(findingAt([large, small], "anterior", 16, 6, 0)?.id).toBe("large");
    expect(findingAt([small], "anterior", 22, 10, 1)).toBeUndefined();
    expect(findingAt([small], "anterior", 21, 11, 1)?.id).toBe("small");
    expect(findingAt([small], "posterior", 20, 10)).toBeUndefined();
  });

  it("are outlined along the edges of pixels", () => {
    expect(outlinePath(finding("one", part([0, 1], [1, 1])), "anterior")).toBe(
      "M20 10h1M20 11h1M20 10v1M21 10v1",
    );
    expect(outlinePath(finding("row", part([0, 3], [1, 3])), "anterior")).toContain("M20 10h3");
  });
});

describe("segments", () => {
  it("hold every unit but soft tissue", () => {
    const held = UNITS.map(segmentOf).filter((segment) => segment !== null);
    expect(new Set(held)).toEqual(new Set(SIOPEN));
    expect(segmentOf("sacrum")).toBe("spine");
    expect(segmentOf("soft_tissue")).toBeNull();
    expect(regionOf("spine")).toBeNull();
    expect(new Set(UNITS.map(regionOf))).toEqual(new Set(CURIE));
    expect([segmentsOf("femurs").length, segmentsOf("lumbosacral_spine"), segmentsOf("soft_tissue")]).toEqual([2, ["spine"], []]);
  });
});
