/** NiiVue as the page wants it: its keys are the page's, two fingers zoom and move the planes, and so does the wheel
 * with Ctrl, which is also what a touch pad sends for two fingers. The page is told what is drawn where.
 */

import { Niivue } from "@niivue/niivue";

import { spanOf, type Point, type Span } from "../planar/pinch";
import { PLANES, type Look, type Millimetres, type Tile } from "./look";

const MOST_ZOOM = 16;
const ZOOM_PER_PIXEL = 0.0025;
// A second finger that follows so soon belongs to the first; a later one is a palm on the screen.
const TOGETHER_MS = 300;
const NOWHERE = [NaN, NaN, NaN];

export class KeylessNiivue extends Niivue {
  override keyDownListener(): void {}
  override keyUpListener(): void {}
}

/** What lies under a point of the canvas. */
interface Held {
  tile: number;
  place: Millimetres;
  zoom: number;
}

/** Where two fingers began, and what lay between them. */
interface Pinch {
  span: Span;
  held: Held;
}

export class Planes extends KeylessNiivue {
  /** Told what is shown after each drawing. */
  looked?: (look: Look) => void;
  private pinch: Pinch | null = null;
  private first = { at: 0, cross: [0, 0, 0] as Millimetres, drawing: null as Uint8Array | null };

  /** By a double click or a long touch, NiiVue would set a window that the page knows nothing of. */
  override resetBriCon(): void {}

  override drawScene(): string | void {
    const said = super.drawScene();
    const [ct] = this.volumes;
    if (ct) this.looked?.({ tiles: this.tiles(), window: [ct.cal_min ?? 0, ct.cal_max ?? 0] });
    return said;
  }

  private tiles(): Tile[] {
    const { dpr = 1 } = this.uiData;
    return this.screenSlices
      .filter(({ axCorSag }) => axCorSag < PLANES.length)
      .map(({ axCorSag, leftTopWidthHeight, fovMM }) => {
        const [left = 0, top = 0, width = 0, height = 0] = leftTopWidthHeight.map((pixels) => pixels / dpr);
        return { plane: axCorSag, left, top, width, height, pixelsPerMm: width / Math.abs(fovMM[0] ?? width) };
      });
  }

  override touchStartListener(event: TouchEvent): void {
    if (event.touches.length === 1) {
      const drawing = this.opts.drawingEnabled ? (this.drawBitmap?.slice() ?? null) : null;
      this.first = { at: event.timeStamp, cross: [...this.scene.crosshairPos] as Millimetres, drawing };
    } else {
      if (event.timeStamp - this.first.at < TOGETHER_MS) this.takeBackFirstFinger();
      this.pinch = this.pinchOf(event);
    }
    super.touchStartListener(event);
  }

  override handlePinchZoom(event: TouchEvent): void {
    const start = this.pinch;
    const now = this.pinchOf(event);
    if (!start || now?.held.tile !== start.held.tile) return;
    this.zoomTo((start.held.zoom * now.span.distance) / start.span.distance, start.held.place, now.held);
  }

  override wheelListener(event: WheelEvent): void {
    if (!event.ctrlKey) {
      super.wheelListener(event);
      return;
    }
    event.preventDefault();
    const held = this.under(this.pointOf(event));
    if (held) this.zoomTo(held.zoom * Math.exp(-event.deltaY * ZOOM_PER_PIXEL), held.place, held);
  }

  /** Zooms so that a place comes to lie where another is held now; all is shown at 1, unmoved. */
  private zoomTo(wanted: number, place: Millimetres, held: Held): void {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, wanted));
    const { pan2Dxyzmm: pan } = this.scene;
    const moved = (n: 0 | 1 | 2) => (zoom === 1 ? 0 : pan[n] + held.zoom * held.place[n] - zoom * place[n]);
    this.scene.pan2Dxyzmm = [moved(0), moved(1), moved(2), zoom];
    this.drawScene();
  }

  private pinchOf({ touches }: TouchEvent): Pinch | null {
    const span = spanOf([...touches].map((touch) => this.pointOf(touch)));
    const held = span && this.under(span.middle);
    return held && { span, held };
  }

  private pointOf({ clientX, clientY }: { clientX: number; clientY: number }): Point {
    const { left = 0, top = 0 } = this.canvas?.getBoundingClientRect() ?? {};
    const { dpr = 1 } = this.uiData;
    return { x: (clientX - left) * dpr, y: (clientY - top) * dpr };
  }

  private under({ x, y }: Point): Held | null {
    const share = this.canvasPos2frac([x, y]);
    if (share[0] < 0) return null;
    const [right = 0, front = 0, up = 0] = this.frac2mm(share);
    return { tile: this.tileIndex(x, y), place: [right, front, up], zoom: this.scene.pan2Dxyzmm[3] };
  }

  private takeBackFirstFinger(): void {
    const { cross, drawing } = this.first;
    this.scene.crosshairPos = cross;
    this.createOnLocationChange();
    if (!drawing) return;
    this.drawBitmap?.set(drawing);
    this.drawPenLocation = [...NOWHERE];
    this.refreshDrawing(true);
  }
}
