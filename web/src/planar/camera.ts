/** Where both views look: one place and zoom, kept in millimetres of the anterior view, mirrored for the posterior. */

export interface Camera {
  /** Centre in mm from the left and upper edge of the anterior view. */
  x: number;
  y: number;
  /** 1 shows ``fit`` mm of height. */
  zoom: number;
  /** What zoom 1 shows at least, in mm. */
  fit: Extent;
}

export interface Shape {
  rows: number;
  columns: number;
  /** Size of a pixel, row then column. */
  mm: [number, number];
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Extent {
  width: number;
  height: number;
}

/** Pixels of the screen per mm. */
export const scale = (camera: Camera, canvas: Extent): number =>
  Math.min(canvas.height / camera.fit.height, canvas.width / camera.fit.width) * camera.zoom;

/** The pixels of a view that the camera shows in a canvas of that size. */
export function visible(camera: Camera, shape: Shape, canvas: Extent, mirrored: boolean): Box {
  const perMm = scale(camera, canvas);
  const width = canvas.width / perMm / shape.mm[1];
  const height = canvas.height / perMm / shape.mm[0];
  const x = camera.x / shape.mm[1];
  const column = mirrored ? shape.columns - x : x;
  return { left: column - width / 2, top: camera.y / shape.mm[0] - height / 2, width, height };
}

/** Zoom about a pixel that stays where it is; ``column`` in pixels of the anterior view. */
export function zoomAt(camera: Camera, shape: Shape, column: number, row: number, factor: number): Camera {
  const zoom = Math.max(0.7, Math.min(12, camera.zoom * factor));
  const share = camera.zoom / zoom;
  const x = column * shape.mm[1];
  const y = row * shape.mm[0];
  return { ...camera, zoom, x: x + (camera.x - x) * share, y: y + (camera.y - y) * share };
}

/** The image moved by pixels of the screen. */
export function panned(camera: Camera, canvas: Extent, dx: number, dy: number, mirrored: boolean): Camera {
  const perMm = scale(camera, canvas);
  const side = mirrored ? 1 : -1;
  return { ...camera, x: camera.x + (side * dx) / perMm, y: camera.y - dy / perMm };
}

const SMALLEST_MM = 50;

/** A camera that shows all rows and columns with counts (above 1.5 % of the maximum, noise aside) with a margin. */
export function fitted(counts: Float32Array, maximum: number, shape: Shape): Camera {
  const rows = new Float64Array(shape.rows);
  const columns = new Float64Array(shape.columns);
  for (let at = 0; at < counts.length; at++) {
    const value = Math.min(counts[at] ?? 0, 0.2 * maximum);
    const row = (at / shape.columns) | 0;
    rows[row] = (rows[row] ?? 0) + value;
    const column = at - row * shape.columns;
    columns[column] = (columns[column] ?? 0) + value;
  }
  const [top, bottom] = span(rows);
  const [left, right] = span(columns);
  const height = Math.max(SMALLEST_MM, (bottom - top) * 1.04 * shape.mm[0]);
  const width = Math.max(SMALLEST_MM, (right - left) * 1.04 * shape.mm[1]);
  return {
    x: ((left + right) / 2) * shape.mm[1],
    y: ((top + bottom) / 2) * shape.mm[0],
    zoom: 1,
    fit: { width, height },
  };
}

function span(sums: Float64Array): [number, number] {
  const most = Math.max(...sums);
  let first = 0;
  let last = sums.length;
  while (first < last - 1 && (sums[first] ?? 0) < 0.015 * most) first++;
  while (last > first + 1 && (sums[last - 1] ?? 0) < 0.015 * most) last--;
  return [first, last];
}
