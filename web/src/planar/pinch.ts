/** Two fingers on a view: what lay under them stays under them. */

import { panned, zoomAt, type Camera, type Extent, type Shape } from "./camera";

export interface Point {
  x: number;
  y: number;
}

export interface Span {
  middle: Point;
  distance: number;
}

/** Where two fingers began; ``place`` is the pixel of the anterior view between them. */
export interface Pinch {
  camera: Camera;
  span: Span;
  place: { column: number; row: number };
}

/** Between the first two of the fingers; null where there are fewer. */
export function spanOf(fingers: Iterable<Point>): Span | null {
  const [one, other] = fingers;
  if (!one || !other) return null;
  return {
    middle: { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
    distance: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
  };
}

export function pinched(start: Pinch, now: Span, shape: Shape, canvas: Extent, mirrored: boolean): Camera {
  const { column, row } = start.place;
  const zoomed = zoomAt(start.camera, shape, column, row, now.distance / start.span.distance);
  const { x, y } = start.span.middle;
  return panned(zoomed, canvas, now.middle.x - x, now.middle.y - y, mirrored);
}
