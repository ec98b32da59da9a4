/** NIfTI-1 in the page: reading a file's grid, and volumes on the same grid or on a coarser one. */

import type { Finding } from "../reading/types";

/** Columns, rows, slices: the reverse of an array [slice, row, column]. */
export type Dims = [number, number, number];

const HEADER = 352;
const AT = {
  dims: 40,
  datatype: 70,
  bitpix: 72,
  pixdim: 76,
  offset: 108,
  slope: 112,
  intercept: 116,
  calMax: 124,
  calMin: 128,
  qform: 252,
  srow: 280,
};
const ARRAYS = {
  2: Uint8Array,
  4: Int16Array,
  8: Int32Array,
  16: Float32Array,
  256: Int8Array,
  512: Uint16Array,
  768: Uint32Array,
} as const;
const UINT8 = 2;

export interface Header {
  bytes: ArrayBuffer;
  dims: Dims;
  datatype: number;
  offset: number;
  slope: number;
  intercept: number;
}

/** @throws Error where the bytes are no little-endian NIfTI-1 file. */
export function headerOf(file: ArrayBuffer): Header {
  const view = new DataView(file);
  if (file.byteLength < HEADER || view.getInt32(0, true) !== 348) throw new Error("not a NIfTI-1 file");
  const dim = (n: number) => view.getInt16(AT.dims + 2 * n, true);
  return {
    bytes: file.slice(0, HEADER),
    dims: [dim(1), dim(2), dim(3)],
    datatype: view.getInt16(AT.datatype, true),
    offset: view.getFloat32(AT.offset, true) || HEADER,
    slope: view.getFloat32(AT.slope, true) || 1,
    intercept: view.getFloat32(AT.intercept, true) || 0,
  };
}

/** Stored values of an uncompressed file, without copying.
 * @throws Error where their type is not known.
 */
export function valuesOf(file: ArrayBuffer): ArrayLike<number> {
  const { datatype, dims, offset } = headerOf(file);
  const kind = ARRAYS[datatype as keyof typeof ARRAYS];
  if (!kind) throw new Error(`NIfTI data type ${datatype} is not known`);
  return new kind(file, offset, dims[0] * dims[1] * dims[2]);
}

/** A file of ``values`` on the grid of ``header`` coarser by ``factor``. */
export function volumeOf(header: Header, values: Uint8Array, factor: number): ArrayBuffer {
  const file = new ArrayBuffer(HEADER + values.byteLength);
  new Uint8Array(file).set(new Uint8Array(header.bytes));
  new Uint8Array(file, HEADER).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const view = new DataView(file);
  coarseDims(header.dims, factor).forEach((size, n) => view.setInt16(AT.dims + 2 * (n + 1), size, true));
  view.setInt16(AT.datatype, UINT8, true);
  view.setInt16(AT.bitpix, 8, true);
  view.setFloat32(AT.offset, HEADER, true);
  view.setFloat32(AT.slope, 1, true);
  for (const zero of [AT.intercept, AT.calMax, AT.calMin]) view.setFloat32(zero, 0, true);
  if (factor > 1) coarsen(view, factor);
  return file;
}

/** Sizes of a grid coarser by ``factor``. */
export const coarseDims = (dims: Dims, factor: number): Dims => dims.map((size) => Math.ceil(size / factor)) as Dims;

/** Larger voxels; the centre of the first moves by half of what they grew. The qform is dropped, the sform kept. */
function coarsen(view: DataView, factor: number): void {
  for (let n = 1; n <= 3; n++) {
    const at = AT.pixdim + 4 * n;
    view.setFloat32(at, view.getFloat32(at, true) * factor, true);
  }
  view.setInt16(AT.qform, 0, true);
  for (let row = 0; row < 3; row++) {
    const at = (n: number) => AT.srow + 16 * row + 4 * n;
    let shift = view.getFloat32(at(3), true);
    for (let n = 0; n < 3; n++) {
      const step = view.getFloat32(at(n), true);
      shift += (step * (factor - 1)) / 2;
      view.setFloat32(at(n), step * factor, true);
    }
    view.setFloat32(at(3), shift, true);
  }
}

/** Blocks of how many voxels keep the longest axis at ``most``. */
export const factorFor = (dims: Dims, most: number): number => Math.max(1, Math.ceil(Math.max(...dims) / most));

/** Largest value of each block. The loops follow the file and call nothing, since there are millions of voxels. */
function blocks(values: ArrayLike<number>, [nx, ny, nz]: Dims, factor: number): Float32Array {
  const [cx, cy, cz] = coarseDims([nx, ny, nz], factor);
  const into = new Float32Array(cx * cy * cz).fill(-Infinity);
  let at = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = (Math.floor(z / factor) * cy + Math.floor(y / factor)) * cx;
      for (let block = 0; block < cx; block++) {
        const to = at + Math.min(factor, nx - block * factor);
        let most = into[row + block] as number;
        for (; at < to; at++) {
          const value = values[at] as number;
          if (value > most) most = value;
        }
        into[row + block] = most;
      }
    }
  }
  return into;
}

/** Whether any voxel of each block is at least ``least``, as 0 and 100. */
export function coarseMask(file: ArrayBuffer, factor: number, least: number): Uint8Array {
  const { dims, slope, intercept } = headerOf(file);
  return Uint8Array.from(blocks(valuesOf(file), dims, factor), (most) => (most * slope + intercept >= least ? 100 : 0));
}

/** Calls back with the file index of every voxel of a finding on a CT. */
export function eachVoxel(finding: Finding, dims: Dims, act: (index: number) => void): void {
  const part = finding.region.parts[0];
  if (!part) return;
  const [, rows = 0, columns = 0] = part.mask.shape;
  const [z0 = 0, y0 = 0, x0 = 0] = part.offset;
  let at = 0;
  part.mask.runs.forEach((run, n) => {
    for (let k = at; n % 2 === 1 && k < at + run; k++) {
      const x = k % columns;
      const y = Math.floor(k / columns) % rows;
      const z = Math.floor(k / (columns * rows));
      act(((z + z0) * dims[1] + y + y0) * dims[0] + x + x0);
    }
    at += run;
  });
}

/** Labels of findings on a grid coarser by ``factor``, in file order: ``label`` says which value each gets, 0 for none. */
export function labelled(
  findings: readonly Finding[],
  dims: Dims,
  factor: number,
  label: (finding: Finding) => number,
): Uint8Array {
  const [cx, cy, cz] = coarseDims(dims, factor);
  const into = new Uint8Array(cx * cy * cz);
  for (const finding of findings) {
    const value = label(finding);
    if (value === 0) continue;
    eachVoxel(finding, dims, (index) => {
      const x = Math.floor((index % dims[0]) / factor);
      const y = Math.floor((Math.floor(index / dims[0]) % dims[1]) / factor);
      const z = Math.floor(index / (dims[0] * dims[1]) / factor);
      into[(z * cy + y) * cx + x] = value;
    });
  }
  return into;
}
