/** A mask drawn in NiiVue: its order of voxels, and how strokes on a coarser grid change a finer mask. */

import type { Finding } from "../reading/types";
import { coarseDims, eachVoxel, type Dims } from "./nifti";

export interface Order {
  /** Sizes along right, anterior, superior: the order in which NiiVue keeps a drawing. */
  sizes: Dims;
  /** File index of the first voxel, and steps along each of these axes. */
  start: Dims;
  step: Dims;
}

/** Calls back with (drawn index, file index) of every voxel. */
function eachPair(order: Order, act: (drawn: number, file: number) => void): void {
  const [nx, ny, nz] = order.sizes;
  const [stepX, stepY, stepZ] = order.step;
  const first = order.start[0] + order.start[1] + order.start[2];
  let drawn = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      let file = first + y * stepY + z * stepZ;
      for (let x = 0; x < nx; x++, drawn++, file += stepX) act(drawn, file);
    }
  }
}

/** Puts labels in file order into a drawing. */
export function toDrawing(file: Uint8Array, drawing: Uint8Array, order: Order): void {
  eachPair(order, (drawn, at) => (drawing[drawn] = file[at] ?? 0));
}

/** The labels of a drawing in file order. */
export function fromDrawing(drawing: Uint8Array, order: Order): Uint8Array {
  const file = new Uint8Array(drawing.length);
  eachPair(order, (drawn, at) => (file[at] = drawing[drawn] ?? 0));
  return file;
}

export interface BoxedMask {
  /** [[z0, z1], [y0, y1], [x0, x1]], ends excluded, on the array [slice, row, column]. */
  box: [[number, number], [number, number], [number, number]];
  values: Uint8Array;
}

/** The mask of a finding after strokes.
 *
 * @param before, after: labels on a grid coarser by ``factor``, in file order; ``label`` marks the finding.
 * Voxels of blocks that were not touched keep the finding's own fine mask. Null where nothing is left.
 */
export function redrawn(
  finding: Finding,
  before: Uint8Array,
  after: Uint8Array,
  label: number,
  dims: Dims,
  factor: number,
): BoxedMask | null {
  const fine = new Set<number>();
  eachVoxel(finding, dims, (index) => fine.add(index));
  const coarse = coarseDims(dims, factor);
  for (let at = 0; at < after.length; at++) {
    const was = before[at] === label;
    const is = after[at] === label;
    if (was !== is) eachOfBlock(at, coarse, dims, factor, (index) => (is ? fine.add(index) : fine.delete(index)));
  }
  return boxedOf(fine, dims);
}

function eachOfBlock(at: number, coarse: Dims, dims: Dims, factor: number, act: (index: number) => void): void {
  const x0 = (at % coarse[0]) * factor;
  const y0 = (Math.floor(at / coarse[0]) % coarse[1]) * factor;
  const z0 = Math.floor(at / (coarse[0] * coarse[1])) * factor;
  for (let z = z0; z < Math.min(z0 + factor, dims[2]); z++) {
    for (let y = y0; y < Math.min(y0 + factor, dims[1]); y++) {
      for (let x = x0; x < Math.min(x0 + factor, dims[0]); x++) act((z * dims[1] + y) * dims[0] + x);
    }
  }
}

function boxedOf(indices: ReadonlySet<number>, [nx, ny]: Dims): BoxedMask | null {
  if (indices.size === 0) return null;
  const place = (index: number): Dims => [Math.floor(index / (nx * ny)), Math.floor(index / nx) % ny, index % nx];
  const low: Dims = [Infinity, Infinity, Infinity];
  const high: Dims = [0, 0, 0];
  for (const index of indices) {
    place(index).forEach((at, axis) => {
      low[axis] = Math.min(low[axis] ?? at, at);
      high[axis] = Math.max(high[axis] ?? at, at + 1);
    });
  }
  const values = new Uint8Array((high[0] - low[0]) * (high[1] - low[1]) * (high[2] - low[2]));
  for (const index of indices) {
    const [z, y, x] = place(index);
    values[((z - low[0]) * (high[1] - low[1]) + y - low[1]) * (high[2] - low[2]) + x - low[2]] = 1;
  }
  return { box: [[low[0], high[0]], [low[1], high[1]], [low[2], high[2]]], values };
}

/** Base64 of the gzipped bytes. */
export async function packed(values: Uint8Array): Promise<string> {
  const stream = new Blob([values as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Bytes of a gzipped file; bytes that are not gzipped are given back. */
export async function unpacked(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
