import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";

import { placeText, presetOf, scaleOf, type Tile } from "../src/ct/look";
import { fromDrawing, packed, redrawn, toDrawing, unpacked, type Order } from "../src/ct/mask";
import { coarseDims, coarseMask, eachVoxel, factorFor, headerOf, labelled, valuesOf, volumeOf, type Dims } from "../src/ct/nifti";
import { opening, prepare } from "../src/ct/opening";
import { quantityText } from "../src/ct/strength_record";
import type { Finding } from "../src/reading/types";

const DIMS: Dims = [4, 3, 2];

function ct(values: number[], dims: Dims = DIMS): ArrayBuffer {
  const file = new ArrayBuffer(352 + 2 * values.length);
  const view = new DataView(file);
  view.setInt32(0, 348, true);
  view.setInt16(40, 3, true);
  dims.forEach((size, n) => view.setInt16(42 + 2 * n, size, true));
  view.setInt16(70, 4, true);
  [1, 2, 5].forEach((size, n) => view.setFloat32(80 + 4 * n, size, true));
  view.setFloat32(108, 352, true);
  view.setFloat32(112, 1, true);
  const affine = [-1, 0, 0, 10, 0, -2, 0, 20, 0, 0, 5, 30];
  affine.forEach((value, n) => view.setFloat32(280 + 4 * n, value, true));
  new Int16Array(file, 352).set(values);
  return file;
}

/** A finding of the voxels [z, y, x] of a box that begins at the offset. */
const lesion = (offset: number[], shape: number[], runs: number[]): Finding => ({
  id: "L1",
  site: "vertebra_L1",
  kind: "lytic",
  confidence: 0.5,
  region: { parts: [{ image: "ct", offset, mask: { shape, runs } }] },
  centre: { frame: "LPS", unit: "mm", position: [0, 0, 0] },
  measures: [],
});

const voxels = (finding: Finding): number[] => {
  const all: number[] = [];
  eachVoxel(finding, DIMS, (index) => all.push(index));
  return all;
};

describe("a NIfTI file", () => {
  const file = ct(Array.from({ length: 24 }, (_, n) => n));

  it("tells its grid and values", () => {
    expect(headerOf(file)).toMatchObject({ dims: [4, 3, 2], datatype: 4, offset: 352, slope: 1, intercept: 0 });
    expect(valuesOf(file)[23]).toBe(23);
    expect(() => headerOf(new ArrayBuffer(400))).toThrow("NIfTI");
  });

  it("becomes a mask on a coarser grid that lies at the same place", () => {
    const coarse = volumeOf(headerOf(file), coarseMask(file, 2, 18), 2);
    expect(headerOf(coarse).dims).toEqual([2, 2, 1]);
    expect([...Uint8Array.from(valuesOf(coarse))]).toEqual([0, 100, 100, 100]);
    const view = new DataView(coarse);
    const srow = { xx: 280, x: 292, y: 308, zz: 320, z: 324 };
    expect(Object.values(srow).map((at) => view.getFloat32(at, true))).toEqual([-2, 9.5, 19, 10, 32.5]);
  });

  it("is a mask of what passes", () => {
    expect([...coarseMask(file, 2, 23)]).toEqual([0, 0, 0, 100]);
  });

  it("gets coarser until it is small enough", () => {
    expect([factorFor([512, 512, 300], 1024), factorFor([512, 512, 300], 256), factorFor([100, 100, 500], 200)]).toEqual([1, 2, 3]);
    expect(coarseDims([5, 4, 3], 2)).toEqual([3, 2, 2]);
  });
});

describe("masks of lesions", () => {
  const one = lesion([1, 1, 2], [1, 2, 2], [1, 2, 1]);

  it("lie where the array [slice, row, column] has them", () => {
    expect(voxels(one)).toEqual([12 + 4 + 3, 12 + 8 + 2]);
  });

  it("become labels, on a coarser grid too", () => {
    expect([...labelled([one], DIMS, 1, () => 7)].flatMap((value, at) => (value ? [at, value] : []))).toEqual([19, 7, 22, 7]);
    expect([...labelled([one], DIMS, 2, () => 7)]).toEqual([0, 7, 0, 7]);
    expect([...labelled([one], DIMS, 1, () => 0)].some(Boolean)).toBe(false);
  });

  it("keep their place in a drawing whose axes are turned", () => {
    const order: Order = { sizes: [4, 3, 2], start: [3, 8, 0], step: [-1, -4, 12] };
    const file = Uint8Array.from({ length: 24 }, (_, n) => n);
    const drawing = new Uint8Array(24);
    toDrawing(file, drawing, order);
    expect(drawing[0]).toBe(11);
    expect(drawing[23]).toBe(12);
    expect([...fromDrawing(drawing, order)]).toEqual([...file]);
  });

  it("change where strokes went and nowhere else", () => {
    const before = labelled([one], DIMS, 1, () => 5);
    const after = Uint8Array.from(before);
    after[19] = 0;
    after[23] = 5;
    after[0] = 3;
    expect(redrawn(one, before, after, 5, DIMS, 1)).toEqual({
      box: [
        [1, 2],
        [2, 3],
        [2, 4],
      ],
      values: Uint8Array.from([1, 1]),
    });
  });

  it("keep their fine voxels in blocks that were not touched", () => {
    const before = labelled([one], DIMS, 2, () => 5);
    const same = redrawn(one, before, before, 5, DIMS, 2);
    expect(same?.box).toEqual([
      [1, 2],
      [1, 3],
      [2, 4],
    ]);
    expect([...(same?.values ?? [])]).toEqual([0, 1, 1, 0]);
    const added = redrawn(one, before, Uint8Array.from([5, 5, 0, 5]), 5, DIMS, 2);
    expect(added?.values.reduce((sum, value) => sum + value)).toBe(2 + 8);
  });

  it("are gone when everything was erased", () => {
    const before = labelled([one], DIMS, 1, () => 5);
    expect(redrawn(one, before, new Uint8Array(24), 5, DIMS, 1)).toBeNull();
  });
});

describe("bytes", () => {
  it("are packed as the server reads them", async () => {
    const values = Uint8Array.from([1, 0, 1, 1]);
    expect([...gunzipSync(Buffer.from(await packed(values), "base64"))]).toEqual([...values]);
  });

  it("are unpacked where they are gzipped", async () => {
    const plain = new TextEncoder().encode("a volume").buffer as ArrayBuffer;
    const zipped = Uint8Array.from(gzipSync(new Uint8Array(plain))).buffer;
    expect(new TextDecoder().decode(await unpacked(zipped))).toBe("a volume");
    expect(await unpacked(plain)).toBe(plain);
  });
});

describe("a bone's strength", () => {
  const measure = { name: "failure_load", value: 2507.4, unit: "N", method: "", interval: [2231.2, 2675.1] as [number, number] };
  it("is written with its unit and interval, without decimals that say nothing", () => {
    expect(quantityText(measure)).toBe("2507 N (2231–2675)");
    expect(quantityText({ ...measure, value: 3.652, unit: "1", interval: null })).toBe("3.65");
  });
});

describe("a CT on its way", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is asked for again where the server had none yet", async () => {
    const sent = vi.fn(async (_path: string) => new Response("{}", { status: 409 }));
    vi.stubGlobal("fetch", sent);
    prepare("/api/studies/1");
    await vi.waitFor(() => expect(sent).toHaveBeenCalledOnce());
    await new Promise((resolve) => setTimeout(resolve));
    await expect(opening("/api/studies/1").ct).rejects.toMatchObject({ status: 409 });
    expect(sent).toHaveBeenCalledTimes(2);
  });
});

describe("what is shown over the planes", () => {
  const tile = (width: number, pixelsPerMm: number): Tile => ({ plane: 0, left: 0, top: 0, width, height: 1, pixelsPerMm });

  it("tells a place as the report does, sides in the reader's language", () => {
    expect(placeText([-82, 10.4, 111], (letter) => letter)).toBe("R 82, P 10, H 111 mm");
    expect(placeText([8, -12, -0.6], (letter) => (letter === "L" ? "G" : letter))).toBe("G 8, A 12, F 1 mm");
  });

  it("knows a preset from a window that was dragged", () => {
    expect([presetOf([-450, 1050]), presetOf([-160, 240]), presetOf([-450, 1049])]).toEqual(["bone", "soft", null]);
  });

  it("has a scale that fits into a plane at every zoom", () => {
    expect([scaleOf(tile(300, 1)), scaleOf(tile(300, 4)), scaleOf(tile(300, 200))]).toEqual([100, 20, 1]);
  });
});
