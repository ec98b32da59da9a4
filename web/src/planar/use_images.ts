import { useEffect, useState } from "react";

import * as calls from "../api/calls";
import type { Outlines, PlanarViewInfo, ViewName } from "../api/types";
import type { Shape } from "./camera";

export interface PlanarImage {
  name: ViewName;
  shape: Shape;
  maximum: number;
  counts: Float32Array;
}

export interface Images {
  views: PlanarImage[];
  error: unknown;
}

const SQUARE: [number, number] = [1, 1];

/** The views of a planar study, anterior first. */
export function useImages(base: string | null): Images {
  const [images, setImages] = useState<Images>({ views: [], error: null });
  useEffect(() => {
    setImages({ views: [], error: null });
    if (base === null) return;
    let here = true;
    loadImages(base).then(
      (views) => here && setImages({ views, error: null }),
      (error: unknown) => here && setImages({ views: [], error }),
    );
    return () => {
      here = false;
    };
  }, [base]);
  return images;
}

async function loadImages(base: string): Promise<PlanarImage[]> {
  const { views } = await calls.views(base);
  const loaded = await Promise.all(views.map(async (view) => loadedImage(view, await calls.counts(view.url))));
  return loaded.sort((a, b) => a.name.localeCompare(b.name));
}

function loadedImage(view: PlanarViewInfo, counts: Float32Array): PlanarImage {
  const [row, column] = view.pixel_mm ?? SQUARE;
  const shape: Shape = { rows: view.rows, columns: view.columns, mm: [row ?? 1, column ?? 1] };
  return { name: view.name, shape, maximum: view.maximum, counts };
}

/** Outlines of segments and units; null until they are there. */
export function useOutlines(base: string | null): Outlines | null {
  const [outlines, setOutlines] = useState<Outlines | null>(null);
  useEffect(() => {
    setOutlines(null);
    if (base === null) return;
    let here = true;
    calls.outlines(base).then(
      (got) => here && setOutlines(got),
      () => undefined,
    );
    return () => {
      here = false;
    };
  }, [base]);
  return outlines;
}
