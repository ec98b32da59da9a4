/** How a child is looked at, told for another date: the same place of the body and the same blackness. */

import { fitted, type Camera, type Shape } from "./camera";
import type { PlanarImage } from "./use_images";
import type { Cursor } from "./view";
import { clampUpper, startUpper } from "./window";

/** Where a child lies on its images, and the upper level at which these start. */
export interface Stand {
  camera: Camera;
  shape: Shape;
  upper: number;
}

export function standOf(views: readonly PlanarImage[]): Stand | null {
  const first = views[0];
  if (!first) return null;
  const { counts, maximum, shape } = first;
  return { camera: fitted(counts, maximum, shape), shape, upper: startUpper(counts, maximum) };
}

/** A place in mm, moved and scaled as the child has moved and grown. */
function moved(from: Stand, to: Stand, x: number, y: number): [number, number] {
  const growth = to.camera.fit.height / from.camera.fit.height;
  return [to.camera.x + (x - from.camera.x) * growth, to.camera.y + (y - from.camera.y) * growth];
}

export function cameraAt(from: Stand, to: Stand, camera: Camera): Camera {
  const [x, y] = moved(from, to, camera.x, camera.y);
  return { x, y, zoom: camera.zoom, fit: to.camera.fit };
}

export function cursorAt(from: Stand, to: Stand, { column, row }: Cursor): Cursor {
  const [x, y] = moved(from, to, column * from.shape.mm[1], row * from.shape.mm[0]);
  return { column: x / to.shape.mm[1], row: y / to.shape.mm[0] };
}

export const upperAt = (from: Stand, to: Stand, upper: number): number => clampUpper((upper * to.upper) / from.upper);
