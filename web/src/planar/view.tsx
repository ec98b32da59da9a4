import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import type { Polygons, ViewName } from "../api/types";
import { findingAt, outlinePath } from "../reading/masks";
import type { Finding, SetAside } from "../reading/types";
import { useTexts } from "../text";
import type { Lasso } from "./lasso";
import { panned, visible, zoomAt, type Camera, type Extent } from "./camera";
import { pinched, spanOf, type Pinch, type Point } from "./pinch";
import type { PlanarImage } from "./use_images";
import { paint, stepUpper, type Window } from "./window";

/** A place in pixels of the anterior view; the posterior shows it mirrored. */
export interface Cursor {
  column: number;
  row: number;
}

export interface ViewActions {
  setCamera: (camera: Camera) => void;
  setUpper: (upper: number) => void;
  setCursor: (cursor: Cursor | null) => void;
  /** A click or Enter on a pixel of this view, with the finding that lies there. */
  mark: (view: ViewName, column: number, row: number, finding: Finding | undefined, alt: boolean) => void;
  hover: (finding: Finding | undefined) => void;
}

export interface ViewProps {
  image: PlanarImage;
  counts: Float32Array;
  title: string;
  /** The title in full, where that is a longer one. */
  hint?: string;
  label: string;
  camera: Camera;
  window: Window;
  cursor: Cursor | null;
  findings: readonly Finding[];
  aside: readonly SetAside[];
  segments: Record<string, Polygons> | null;
  showFindings: boolean;
  current: { finding: string | null; segments: readonly string[] };
  actions: ViewActions;
  /** On a view that is not a prior's. */
  lasso?: Lasso;
}

/** How far a click may stray; a finger more than a mouse. */
const CLICK_MOVES_PX = { mouse: 4, touch: 12 };
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** One planar view in inverse grey with outlines; drag changes the window, wheel or two fingers zoom, click marks. */
export function View(props: ViewProps) {
  const { image, camera, actions } = props;
  const lasso = props.lasso?.isOn ? props.lasso : null;
  const isMirrored = image.name === "posterior";
  const sides = useSides(isMirrored);
  const frame = useRef<HTMLDivElement>(null);
  const extent = useExtent(frame);
  const seen = visible(camera, image.shape, extent, isMirrored);
  const [drag, setDrag] = useState<Drag | null>(null);
  const fingers = useRef(new Map<number, Point>());
  const pinch = useRef<Pinch | null>(null);
  const mirror = (column: number) => (isMirrored ? image.shape.columns - column : column);

  const pixelOf = (event: { clientX: number; clientY: number }): [number, number] => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    return [
      seen.left + ((event.clientX - box.left) / box.width) * seen.width,
      seen.top + ((event.clientY - box.top) / box.height) * seen.height,
    ];
  };
  const inside = (column: number, row: number) =>
    column >= 0 && row >= 0 && column < image.shape.columns && row < image.shape.rows;
  const markAt = (column: number, row: number, alt: boolean) => {
    if (!inside(column, row)) return;
    const hit = findingAt(props.findings, image.name, Math.floor(column), Math.floor(row));
    actions.mark(image.name, Math.floor(column), Math.floor(row), hit, alt);
  };

  const down = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (beginPinch()) return;
    const isPan = event.button !== 0 || event.shiftKey;
    if (lasso && !isPan) lasso.add(image.name, pixelOf(event));
    setDrag({ x: event.clientX, y: event.clientY, camera, upper: props.window.upper, isPan, moved: false });
  };
  /** A second finger zooms; what the first began is dropped. */
  const beginPinch = (): boolean => {
    const span = spanOf(fingers.current.values());
    if (!span) return false;
    const [column, row] = pixelOf({ clientX: span.middle.x, clientY: span.middle.y });
    pinch.current = { camera, span, place: { column: mirror(column), row } };
    if (drag) lasso?.back();
    setDrag(null);
    return true;
  };
  const lift = (event: PointerEvent<HTMLDivElement>) => {
    fingers.current.delete(event.pointerId);
    if (fingers.current.size === 0) pinch.current = null;
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (fingers.current.has(event.pointerId)) fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pinch.current) {
      const span = spanOf(fingers.current.values());
      if (span) actions.setCamera(pinched(pinch.current, span, image.shape, extent, isMirrored));
      return;
    }
    const [column, row] = pixelOf(event);
    if (!drag) {
      actions.setCursor({ column: mirror(column), row });
      actions.hover(findingAt(props.findings, image.name, Math.floor(column), Math.floor(row)));
      return;
    }
    const dx = event.clientX - drag.x;
    const dy = event.clientY - drag.y;
    const stray = CLICK_MOVES_PX[event.pointerType === "touch" ? "touch" : "mouse"];
    if (!drag.moved && Math.hypot(dx, dy) < stray) return;
    if (!drag.moved) setDrag({ ...drag, moved: true });
    if (drag.isPan) {
      actions.setCamera(panned(drag.camera, extent, dx, dy, isMirrored));
    } else if (lasso) {
      lasso.add(image.name, [column, row]);
    } else {
      actions.setUpper(drag.upper * Math.exp(dy / 250));
    }
  };
  const up = (event: PointerEvent<HTMLDivElement>) => {
    lift(event);
    const isDrawn = drag !== null && event.button === 0 && !drag.isPan;
    if (isDrawn && drag.moved && lasso) lasso.close();
    if (isDrawn && !drag.moved && !lasso) markAt(...pixelOf(event), event.altKey);
    setDrag(null);
  };
  useWheel(frame, (event) => {
    const [column, row] = pixelOf(event);
    actions.setCamera(zoomAt(camera, image.shape, mirror(column), row, Math.exp(-event.deltaY / 400)));
  });
  const press = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = ARROWS[event.key];
    const at = props.cursor ?? { column: image.shape.columns / 2, row: image.shape.rows / 2 };
    if (step) {
      const pace = event.shiftKey ? 10 : 2;
      const across = isMirrored ? -step[0] : step[0];
      actions.setCursor({ column: at.column + across * pace, row: at.row + step[1] * pace });
    } else if (lasso && event.key === " ") {
      lasso.add(image.name, [mirror(at.column), at.row]);
    } else if (lasso && event.key === "Enter") {
      lasso.close();
    } else if (lasso && event.key === "Backspace") {
      lasso.back();
    } else if (event.key === "Enter" || event.key === " ") {
      markAt(mirror(at.column), at.row, event.altKey);
    } else if (event.key === "+" || event.key === "-") {
      actions.setUpper(stepUpper(props.window.upper, event.key === "+" ? 1 : -1));
    } else {
      return;
    }
    event.preventDefault();
  };

  return (
    <figure className="view">
      <figcaption title={props.hint}>{props.title}</figcaption>
      <div
        ref={frame}
        className={lasso ? "frame lasso" : "frame"}
        role="application"
        aria-label={props.label}
        data-view={image.name}
        data-box={[seen.left, seen.top, seen.width, seen.height].map((n) => n.toFixed(2)).join(" ")}
        tabIndex={0}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={(event) => {
          lift(event);
          setDrag(null);
        }}
        onPointerLeave={() => !drag && actions.setCursor(null)}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={press}
      >
        <Counts {...props} seen={seen} extent={extent} />
        <svg viewBox={`${seen.left} ${seen.top} ${seen.width} ${seen.height}`} preserveAspectRatio="none" aria-hidden>
          <Overlay {...props} />
          {lasso?.trace?.view === image.name && (
            <path className="trace" data-corners={lasso.trace.points.length} d={path([lasso.trace.points])} />
          )}
          {props.cursor && <Cross column={mirror(props.cursor.column)} row={props.cursor.row} reach={seen.height / 40} />}
        </svg>
        <span className="side left">{sides[0]}</span>
        <span className="side right">{sides[1]}</span>
      </div>
    </figure>
  );
}

/** The patient's sides at the left and the right of a picture seen from the front; mirrored: from behind. */
export function useSides(isMirrored = false): [left: string, right: string] {
  const { t } = useTexts();
  return isMirrored ? [t("child.left"), t("child.right")] : [t("child.right"), t("child.left")];
}

interface Drag {
  x: number;
  y: number;
  camera: Camera;
  upper: number;
  isPan: boolean;
  moved: boolean;
}

function Counts({
  image,
  counts,
  window,
  seen,
  extent,
}: ViewProps & { seen: ReturnType<typeof visible>; extent: Extent }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const whole = useMemo(() => {
    const plain = document.createElement("canvas");
    plain.width = image.shape.columns;
    plain.height = image.shape.rows;
    const pixels = paint(counts, image.maximum, window);
    plain.getContext("2d")?.putImageData(new ImageData(pixels, image.shape.columns, image.shape.rows), 0, 0);
    return plain;
  }, [image, counts, window]);
  const ratio = globalThis.devicePixelRatio || 1;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const { width, height } = context.canvas;
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(
      whole,
      (-seen.left / seen.width) * width,
      (-seen.top / seen.height) * height,
      (whole.width / seen.width) * width,
      (whole.height / seen.height) * height,
    );
  });
  return <canvas ref={canvas} width={Math.round(extent.width * ratio)} height={Math.round(extent.height * ratio)} />;
}

const path = (polygons: Polygons): string =>
  polygons.map((polygon) => `M${polygon.map(([x, y]) => `${x} ${y}`).join("L")}Z`).join("");

function Overlay({ image, segments, findings, aside, showFindings, current }: ViewProps) {
  return (
    <>
      {segments &&
        Object.entries(segments).map(([site, polygons]) => (
          <path key={site} d={path(polygons)} className={current.segments.includes(site) ? "segment current" : "segment"} />
        ))}
      {showFindings && aside.map((one, n) => <path key={n} d={outlinePath(one, image.name)} className="aside" />)}
      {showFindings &&
        findings.map((finding) => (
          <path
            key={finding.id}
            d={outlinePath(finding, image.name)}
            data-finding={finding.id}
            className={[
              "finding",
              finding.kind,
              finding.confidence < 0.5 ? "doubtful" : "",
              finding.id === current.finding ? "current" : "",
            ].join(" ")}
          />
        ))}
    </>
  );
}

function Cross({ column, row, reach }: Cursor & { reach: number }) {
  return (
    <path
      className="cross"
      d={`M${column - reach} ${row}h${reach * 0.7}M${column + reach} ${row}h${-reach * 0.7}M${column} ${row - reach}v${reach * 0.7}M${column} ${row + reach}v${-reach * 0.7}`}
    />
  );
}

function useExtent(element: React.RefObject<HTMLDivElement | null>): Extent {
  const [extent, setExtent] = useState<Extent>({ width: 200, height: 600 });
  useEffect(() => {
    if (!element.current) return;
    const watcher = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.height > 0) {
        setExtent({ width: entry.contentRect.width, height: entry.contentRect.height });
      }
    });
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, [element]);
  return extent;
}

/** React's own wheel listener cannot keep the page from scrolling. */
function useWheel(element: React.RefObject<HTMLDivElement | null>, act: (event: WheelEvent) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const frame = element.current;
    const turn = (event: WheelEvent) => {
      event.preventDefault();
      latest.current(event);
    };
    frame?.addEventListener("wheel", turn, { passive: false });
    return () => frame?.removeEventListener("wheel", turn);
  }, [element]);
}
