import { describe, expect, it } from "vitest";

import { cameraAt, cursorAt, upperAt, type Stand } from "../src/planar/other_date";
import { pinched, spanOf } from "../src/planar/pinch";
import { fitted, visible, zoomAt, type Camera, type Shape } from "../src/planar/camera";
import { clampUpper, geometricMean, paint, smoothed, startUpper, stepUpper } from "../src/planar/window";

const shape: Shape = { rows: 100, columns: 40, mm: [2, 2] };
const canvas = { width: 100, height: 200 };
const camera: Camera = { x: 30, y: 100, zoom: 1, fit: { width: 60, height: 200 } };
const plain = { upper: 100, root: false, mean: false, smooth: false };

describe("the window", () => {
  it("stays within 5 and 100 % and always moves", () => {
    expect([clampUpper(1), clampUpper(47.4), clampUpper(140)]).toEqual([5, 47, 100]);
    expect([stepUpper(50, -1), stepUpper(6, 1), stepUpper(5, -1), stepUpper(100, 1)]).toEqual([45, 7, 5, 100]);
  });

  it("paints no counts white, the upper level and more black", () => {
    const grey = (counts: number[], upper: number, root = false) => {
      const pixels = paint(Float32Array.from(counts), 100, { ...plain, upper, root });
      return counts.map((_, at) => pixels[4 * at]);
    };
    expect(grey([0, 50, 100, 1000], 100)).toEqual([255, 127, 0, 0]);
    expect(grey([0, 25, 50], 50)).toEqual([255, 127, 0]);
    expect(grey([0, 25, 100], 100, true)).toEqual([255, 127, 0]);
    expect(grey([0, 0], 5)).toEqual([255, 255]);
    expect(paint(Float32Array.from([0]), 0, plain)[0]).toBe(255);
  });

  it("starts where a hot organ does not hide the bones", () => {
    const counts = new Float32Array(10_000).fill(20);
    counts.fill(1000, 0, 50);
    expect(startUpper(counts, 1000)).toBe(5);
    expect(startUpper(new Float32Array(10), 0)).toBe(100);
  });

  it("takes the geometric mean with the other view mirrored", () => {
    const mean = geometricMean(Float32Array.from([1, 4, 9, 0]), Float32Array.from([16, 1, 5, 4]), 2);
    expect([...mean]).toEqual([1, 8, 6, 0]);
  });

  it("smooths without losing counts inside", () => {
    const counts = new Float32Array(25);
    counts[12] = 16;
    const smooth = smoothed(counts, 5);
    expect(smooth[12]).toBe(4);
    expect(smooth[11]).toBe(2);
    expect(smooth[6]).toBe(1);
    expect(smooth.reduce((sum, value) => sum + value)).toBe(16);
  });
});

describe("the camera", () => {
  it("looks at the mirrored place of the posterior view", () => {
    const front = visible(camera, shape, canvas, false);
    const back = visible(camera, shape, canvas, true);
    expect(front).toEqual({ left: -10, top: 0, width: 50, height: 100 });
    expect(back.left + back.width / 2).toBe(40 - (front.left + front.width / 2));
  });

  it.each([
    [3, 7, 2],
    [20, 50, 0.9],
    [0, 99, 4],
  ])("keeps the pixel %i, %i in place when it zooms by %f", (column, row, factor) => {
    const share = (one: Camera) => {
      const box = visible(one, shape, canvas, false);
      return [(column - box.left) / box.width, (row - box.top) / box.height];
    };
    const [x, y] = share(zoomAt(camera, shape, column, row, factor));
    const [x0, y0] = share(camera);
    expect(x).toBeCloseTo(x0 ?? 0, 10);
    expect(y).toBeCloseTo(y0 ?? 0, 10);
  });

  it("begins with the whole body", () => {
    const counts = new Float32Array(4000);
    for (let row = 20; row < 80; row++) counts.fill(10, row * 40 + 15, row * 40 + 25);
    const box = visible(fitted(counts, 10, shape), shape, canvas, false);
    expect(box.left).toBeLessThanOrEqual(15);
    expect(box.left + box.width).toBeGreaterThanOrEqual(25);
    expect(box.top).toBeLessThanOrEqual(20);
    expect(box.top + box.height).toBeGreaterThanOrEqual(80);
    expect(box.height).toBeLessThan(70);
  });
});

describe("two fingers", () => {
  it("keep the place under them, on both views", () => {
    for (const mirrored of [false, true]) {
      const seen = visible(camera, shape, canvas, mirrored);
      const start = spanOf([{ x: 40, y: 100 }, { x: 60, y: 100 }]);
      const now = spanOf([{ x: 50, y: 120 }, { x: 90, y: 120 }]);
      expect(spanOf([{ x: 1, y: 1 }])).toBeNull();
      if (!start || !now) throw new Error("two fingers span");
      const column = seen.left + (start.middle.x / canvas.width) * seen.width;
      const row = seen.top + (start.middle.y / canvas.height) * seen.height;
      const place = { column: mirrored ? shape.columns - column : column, row };
      const after = pinched({ camera, span: start, place }, now, shape, canvas, mirrored);
      const then = visible(after, shape, canvas, mirrored);
      expect(after.zoom).toBeCloseTo(2);
      expect(then.left + (now.middle.x / canvas.width) * then.width).toBeCloseTo(column);
      expect(then.top + (now.middle.y / canvas.height) * then.height).toBeCloseTo(row);
    }
  });
});

describe("another date", () => {
  const now: Stand = { camera: { ...camera, fit: { width: 60, height: 200 } }, shape, upper: 40 };
  const then: Stand = { camera: { x: 20, y: 60, zoom: 1, fit: { width: 30, height: 100 } }, shape, upper: 20 };

  it("shows the same place of the body, zoom and blackness, and leads back", () => {
    const close = { ...camera, x: 50, y: 140, zoom: 3 };
    expect(cameraAt(now, then, close)).toEqual({ x: 30, y: 80, zoom: 3, fit: then.camera.fit });
    expect(cameraAt(then, now, cameraAt(now, then, close))).toEqual(close);
    expect(cursorAt(then, now, cursorAt(now, then, { column: 7, row: 31 }))).toEqual({ column: 7, row: 31 });
    expect([upperAt(now, then, 40), upperAt(now, then, 20), upperAt(now, then, 100)]).toEqual([20, 10, 50]);
  });
});
