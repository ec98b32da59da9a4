/** NiiVue behind a small face: three planes with lesions, the 3-D skeleton beside them, a brush. */

import { DRAG_MODE, MULTIPLANAR_TYPE, NVImage, SHOW_RENDER, SLICE_TYPE, type Niivue } from "@niivue/niivue";

import type { Finding } from "../reading/types";
import { PRESETS, type Cross, type Look, type Millimetres, type Preset } from "./look";
import { fromDrawing, redrawn, toDrawing, type BoxedMask, type Order } from "./mask";
import { coarseMask, factorFor, headerOf, labelled, volumeOf, type Dims } from "./nifti";
import { KeylessNiivue, Planes } from "./planes";

export type Labelling = (finding: Finding) => number;

/** Label of the lesion in hand; 1 lytic, 2 blastic, 3 mixed, 4 another. */
const CURRENT = 5;
/** Colours of the labels 0-5 (Okabe and Ito). */
const COLOURS = {
  R: [0, 213, 86, 204, 0, 255],
  G: [0, 94, 180, 121, 158, 225],
  B: [0, 0, 233, 167, 115, 25],
  A: [0, 255, 255, 255, 255, 255],
  I: [0, 1, 2, 3, 4, 5],
  labels: ["", "lytic", "blastic", "mixed", "other", "current"],
};
const BONE_AT_LEAST_HU = 180;
const OPACITY = 0.5;
// Voxels of the 3-D view: NiiVue shades every one of them; without a graphics processor, more take tens of seconds.
const MOST = { gpu: 256, software: 90 };
const PLAIN = { dragAndDropEnabled: false, loadingText: "", doubleTouchTimeout: 0 };

export interface Canvases {
  planes: HTMLCanvasElement;
  solid: HTMLCanvasElement;
}

/** Who is told where the cross goes, and what the planes show. */
export interface Told {
  moved: (cross: Cross) => void;
  looked: (look: Look) => void;
}

/** A volume on blocks of ``factor`` voxels of the CT. */
export interface Blocks {
  file: ArrayBuffer;
  factor: number;
}

export class CtViewer {
  private solid: { view: Niivue; labels: NVImage; factor: number } | null = null;
  private before: Uint8Array | null = null;
  private finer: Blocks | null = null;
  private shown: { findings: readonly Finding[]; label: Labelling } = { findings: [], label: () => 0 };

  private constructor(
    private readonly planes: Planes,
    /** Sizes of the CT itself. */
    private readonly dims: Dims,
    private factor: number,
    /** Drawn without a graphics processor, so coarser. */
    readonly isSoftware: boolean,
  ) {}

  /** Shows the planes of a CT of ``dims`` voxels, on blocks of them at first; made ready while these come.
   * @throws Error where the browser lacks WebGL 2 or the file is no NIfTI.
   */
  static async open(
    canvas: HTMLCanvasElement,
    dims: Promise<Dims>,
    blocks: Promise<Blocks>,
    { moved, looked }: Told,
  ): Promise<CtViewer> {
    const planes = new Planes({
      ...PLAIN,
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      isOrientationTextVisible: false,
      multiplanarShowRender: SHOW_RENDER.NEVER,
      multiplanarLayout: MULTIPLANAR_TYPE.AUTO,
      dragMode: DRAG_MODE.windowing,
      crosshairColor: [0.2, 0.9, 0.4, 0.8],
      crosshairWidth: 1,
      backColor: [0, 0, 0, 1],
      crosshairGap: 8,
      penSize: 5,
    });
    await planes.attachToCanvas(canvas, false);
    withoutGradients(planes);
    // Drawn once, when all is set.
    planes.isBusy = true;
    planes.setSliceType(SLICE_TYPE.MULTIPLANAR);
    planes.setDrawColormap(COLOURS as unknown as string);
    const { file, factor } = await blocks;
    headerOf(file);
    planes.addVolume(await planeVolume(file));
    planes.createEmptyDrawing();
    planes.setDrawOpacity(OPACITY);
    planes.onLocationChange = (place) => {
      const { mm, values } = place as { mm: number[]; values: { value: number }[] };
      const [x = 0, y = 0, z = 0] = mm;
      moved({ place: [-x, -y, z], hu: values[0]?.value ?? NaN });
    };
    planes.looked = looked;
    planes.isBusy = false;
    planes.drawScene();
    await drawn(planes);
    planes.createOnLocationChange();
    return new CtViewer(planes, await dims, factor, drawsInSoftware());
  }

  /** Shows finer blocks in the place of those shown; once the brush is put away, where it is in hand. */
  async refine(blocks: Blocks): Promise<void> {
    const { planes } = this;
    const coarse = planes.volumes[0];
    if (!coarse) return;
    const fine = this.isDrawing ? null : await planeVolume(blocks.file);
    if (!fine || this.isDrawing) {
      this.finer = blocks;
      return;
    }
    // The reader may have dragged the window meanwhile.
    fine.cal_min = coarse.cal_min ?? 0;
    fine.cal_max = coarse.cal_max ?? 0;
    const cross = planes.frac2mm(planes.scene.crosshairPos);
    planes.closeDrawing();
    planes.removeVolume(coarse);
    planes.addVolume(fine);
    planes.createEmptyDrawing();
    this.factor = blocks.factor;
    planes.scene.crosshairPos = planes.mm2frac([cross[0] ?? 0, cross[1] ?? 0, cross[2] ?? 0]);
    this.show(this.shown.findings, this.shown.label);
    planes.createOnLocationChange();
    await drawn(planes);
  }

  /** Shows the 3-D skeleton: where bone is, or the CT itself to take what is dense. */
  async openSolid(canvas: HTMLCanvasElement, { file, factor: given }: Blocks, isMask: boolean): Promise<void> {
    const { isSoftware, dims } = this;
    const header = headerOf(file);
    const more = factorFor(header.dims, isSoftware ? MOST.software : MOST.gpu);
    const factor = given * more;
    const mask = coarseMask(file, more, isMask ? 1 : BONE_AT_LEAST_HU);
    const view = new KeylessNiivue({
      ...PLAIN,
      backColor: [0.07, 0.09, 0.12, 1],
      show3Dcrosshair: true,
      crosshairWidth: 1,
      crosshairColor: [0.2, 0.9, 0.4, 0.6],
      ...(isSoftware ? { forceDevicePixelRatio: 0.5 } : {}),
    });
    await view.attachToCanvas(canvas, false);
    if (isSoftware) withoutGradients(view);
    view.setSliceType(SLICE_TYPE.RENDER);
    const skeleton = await NVImage.loadFromUrl({
      url: "bones.nii",
      buffer: volumeOf(header, mask, more),
      cal_min: 20,
      cal_max: 160,
      trustCalMinMax: true,
    });
    const { findings, label } = this.shown;
    const buffer = volumeOf(header, labelled(findings, dims, factor, label), more);
    const labels = await NVImage.loadFromUrl({ url: "labels.nii", buffer, cal_min: 0, cal_max: 5, trustCalMinMax: true });
    labels.setColormapLabel(COLOURS);
    view.addVolume(skeleton);
    view.addVolume(labels);
    if (!isSoftware) void view.setVolumeRenderIllumination(0.6);
    this.solid = { view, labels, factor };
    this.show(this.shown.findings, this.shown.label);
    await drawn(view);
  }

  close(): void {
    this.planes.cleanup();
    this.solid?.view.cleanup();
  }

  /** Whether the planes show blocks of voxels. */
  get isCoarse(): boolean {
    return this.factor > 1;
  }

  /** Whether the brush is in hand. */
  get isDrawing(): boolean {
    return this.before !== null;
  }

  /** Shows the lesions; on the planes once the brush is put away, where it is in hand. */
  show(findings: readonly Finding[], label: Labelling): void {
    this.shown = { findings, label };
    const drawing = this.planes.drawBitmap;
    if (drawing && !this.isDrawing) {
      toDrawing(labelled(findings, this.dims, this.factor, label), drawing, this.order);
      this.planes.refreshDrawing(true);
    }
    if (!this.solid) return;
    const { view, labels, factor } = this.solid;
    (labels.img as Uint8Array).set(labelled(findings, this.dims, factor, label));
    view.refreshLayers(labels, 1);
    view.drawScene();
  }

  /** Moves the cross by voxels of what is shown, towards the patient's right, front and head. */
  step([right, front, head]: Dims): void {
    this.planes.moveCrosshairInVox(right, front, head);
  }

  /** Turns the 3-D view by degrees. */
  turn(azimuth: number, elevation: number): void {
    const scene = this.solid?.view.scene;
    if (scene) this.solid?.view.setRenderAzimuthElevation(scene.renderAzimuth + azimuth, scene.renderElevation + elevation);
  }

  preset(preset: Preset): void {
    const ct = this.planes.volumes[0];
    const [low, high] = PRESETS[preset];
    if (!ct || (ct.cal_min === low && ct.cal_max === high)) return;
    ct.cal_min = low;
    ct.cal_max = high;
    this.planes.refreshLayers(ct, 0);
    this.planes.drawScene();
  }

  setOverlay(isShown: boolean): void {
    this.planes.setDrawOpacity(isShown ? OPACITY : 0);
  }

  /** Moves the cross. */
  go([x, y, z]: Millimetres): void {
    for (const view of [this.planes, this.solid?.view]) {
      if (!view) continue;
      view.scene.crosshairPos = view.mm2frac([-x, -y, z]);
      view.drawScene();
    }
    this.planes.createOnLocationChange();
  }

  /** Opens the mask of the lesion in hand for the brush. */
  draw(): void {
    const drawing = this.planes.drawBitmap;
    if (!drawing) return;
    this.before = fromDrawing(drawing, this.order);
    this.planes.drawClearAllUndoBitmaps();
    this.planes.drawAddUndoBitmap();
    this.planes.setDrawingEnabled(true);
    this.pen(true, this.planes.opts.penSize);
  }

  pen(isBrush: boolean, size: number): void {
    this.planes.opts.penSize = size;
    this.planes.setPenValue(isBrush ? CURRENT : 0);
  }

  /** The brush rests, or draws again. */
  rest(isResting: boolean): void {
    this.planes.setDrawingEnabled(!isResting);
  }

  undoStroke(): void {
    this.planes.drawUndo();
  }

  /** The mask of a lesion after the strokes; null where nothing is left of it. */
  drawn(finding: Finding): BoxedMask | null {
    const drawing = this.planes.drawBitmap;
    if (!drawing || !this.before) return null;
    const after = fromDrawing(drawing, this.order);
    return redrawn(finding, this.before, after, CURRENT, this.dims, this.factor);
  }

  /** Puts the brush away; the lesions are shown as the Reading has them. */
  endDraw(): void {
    this.before = null;
    this.planes.setDrawingEnabled(false);
    this.show(this.shown.findings, this.shown.label);
    const { finer } = this;
    this.finer = null;
    if (finer) void this.refine(finer);
  }

  private get order(): Order {
    const { dimsRAS, img2RASstart, img2RASstep } = this.planes.volumes[0] ?? {};
    if (!dimsRAS || !img2RASstart || !img2RASstep) throw new Error("the CT has no orientation");
    return { sizes: dimsRAS.slice(1, 4) as Dims, start: img2RASstart as Dims, step: img2RASstep as Dims };
  }
}

/** A CT in the bone window. */
function planeVolume(file: ArrayBuffer): Promise<NVImage> {
  const [low, high] = PRESETS.bone;
  return NVImage.loadFromUrl({ url: "ct.nii", buffer: file, cal_min: low, cal_max: high, trustCalMinMax: true });
}

/** NiiVue blurs and differentiates every volume for the light of 3-D views, which is most of its work on a processor:
 * these shaders draw nothing instead.
 */
function withoutGradients(view: Niivue): void {
  view.blurShader = view.sobelFirstOrderShader = view.rectShader ?? null;
}

const LOOK_MS = 15;

/** Once all that was asked for is drawn; the page answers meanwhile. */
async function drawn({ gl }: Niivue): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  while (fence && gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  gl.deleteSync(fence);
}

/** Whether the browser draws WebGL on the processor. */
function drawsInSoftware(): boolean {
  const context = document.createElement("canvas").getContext("webgl2");
  const names = context?.getExtension("WEBGL_debug_renderer_info");
  const renderer = names && context ? String(context.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}
