import { useEffect, useMemo, useRef, useState } from "react";

import type { Me } from "../api/types";
import { DifferenceTab } from "../reading/difference";
import { Help } from "../reading/help";
import { Notes } from "../reading/notes";
import { SignDialog } from "../reading/sign";
import { StudyBar } from "../reading/study_bar";
import type { Finding } from "../reading/types";
import type { Review } from "../reading/use_review";
import { go } from "../router";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { Tabs } from "../ui/tabs";
import { useKeys, type Keys } from "../ui/use_keys";
import { AddLesion } from "./add_lesion";
import { CtComparisonTab } from "./comparison";
import { CT_HELP } from "./keys";
import { ASPECTS, Lesions, type LesionActions } from "./lesions";
import { presetOf, type Millimetres } from "./look";
import { Marks, Readout } from "./marks";
import { packed } from "./mask";
import { MaskTools } from "./mask_tools";
import { nextMark, nextType } from "./steps";
import { StrengthTab } from "./strength";
import { useViewer } from "./use_viewer";

const LABEL: Record<string, number> = { lytic: 1, blastic: 2, mixed: 3 };
const OTHER = 4;
const CURRENT = 5;
const TURN = 3;
const STAGES = { nothing: "loading", planes: "ct.solidComes", solid: "ct.finerComes" } as const;

/** The CT review: three planes, the 3-D skeleton, and the lesions to judge. */
export function CtReview({ me, review, isTrial = false }: { me: Me; review: Review; isTrial?: boolean }) {
  const { t } = useTexts();
  const { study, reading, canEdit, edit } = review;
  const { viewer, stage, error, cross, look, planes, solid } = useViewer(review.base);
  const [current, setCurrent] = useState<string | null>(null);
  const [isShown, setShown] = useState(true);
  const [drawn, setDrawn] = useState<Finding | null>(null);
  const isKeeping = useRef(false);
  const [pen, setPen] = useState({ isBrush: true, width: 5 });
  const [tab, setTab] = useState("lesions");
  const [dialog, setDialog] = useState<"sign" | "help" | "add" | null>(null);
  const hasWebGl = useMemo(() => document.createElement("canvas").getContext("webgl2") !== null, []);
  const lesion = reading.findings.find((one) => one.id === current) ?? null;

  useEffect(() => {
    viewer?.show(reading.findings, (one) => labelOf(one, current));
  }, [viewer, reading.findings, current]);
  useEffect(() => viewer?.setOverlay(isShown), [viewer, isShown]);

  const isDrawing = drawn !== null;
  const preset = look && presetOf(look.window);
  const choose = (one: Finding) => {
    if (isDrawing) return;
    setCurrent(one.id);
    viewer?.go(one.centre.position as Millimetres);
  };
  const jump = (place: Millimetres, finding: string | null) => {
    if (isDrawing) return;
    setCurrent(finding);
    viewer?.go(place);
  };
  const step = (by: 1 | -1) => {
    const all = reading.findings;
    const at = all.findIndex((one) => one.id === current);
    const next = all[(at < 0 && by < 0 ? all.length - 1 : at + by + all.length) % all.length];
    if (next) choose(next);
  };
  const startDraw = (one: Finding) => {
    if (!canEdit || !viewer || isDrawing) return;
    if (one.id !== current) {
      choose(one);
      viewer.show(reading.findings, (other) => labelOf(other, one.id));
    }
    viewer.draw();
    setPen((now) => ({ ...now, isBrush: true }));
    setDrawn(one);
    review.holdOpen("sign.drawing");
  };
  const endDraw = () => {
    viewer?.endDraw();
    setDrawn(null);
    review.holdOpen(null);
  };
  const keepDrawn = async () => {
    if (!drawn || !viewer || isKeeping.current) return;
    isKeeping.current = true;
    // Strokes made while the mask is on its way would be lost.
    viewer.rest(true);
    try {
      const mask = viewer.drawn(drawn);
      const kept = mask
        ? await edit({ op: "mask", finding: drawn.id, mask: await packed(mask.values), box: mask.box })
        : await edit({ op: "reject", finding: drawn.id });
      if (kept) endDraw();
      else viewer.rest(false);
    } finally {
      isKeeping.current = false;
    }
  };
  const discard = () => {
    if (!isKeeping.current) endDraw();
  };
  const undoStroke = () => viewer?.undoStroke();
  const setTool = (isBrush: boolean, width: number) => {
    setPen({ isBrush, width });
    viewer?.pen(isBrush, width);
  };
  const add = async (diameter: number) => {
    setDialog(null);
    if (!cross) return;
    let known = new Set<string>();
    const after = await edit((now) => {
      known = new Set(now.findings.map((one) => one.id));
      return { op: "add_lesion", position_mm: cross.place, diameter_mm: diameter };
    });
    const made = after?.findings.find((one) => !known.has(one.id));
    if (made && !viewer?.isDrawing) setCurrent(made.id);
  };

  const actions: LesionActions = {
    choose,
    decide: (id, op) => void edit({ op, finding: id }),
    setType: (id, type) => void edit({ op: "type", finding: id, type }),
    mark: (id, aspect) => void edit(nextMark(id, aspect)),
    edit: startDraw,
  };
  const onLesion = (act: (one: Finding) => void) => () => canEdit && !isDrawing && lesion && act(lesion);
  // The brush has an undo of its own.
  const ofStrokes = { undo: undoStroke, redo: () => undefined };
  const inHand: Review = isDrawing
    ? { ...review, ...ofStrokes, draft: { ...review.draft, can_undo: true, can_redo: false } }
    : review;
  const inSolid = () => document.activeElement === solid.current;
  const keys: Keys = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    PageUp: () => viewer?.step([0, 0, 1]),
    PageDown: () => viewer?.step([0, 0, -1]),
    // The patient lies with the right side to the left of the screen.
    h: () => (inSolid() ? viewer?.turn(-TURN, 0) : viewer?.step([1, 0, 0])),
    l: () => (inSolid() ? viewer?.turn(TURN, 0) : viewer?.step([-1, 0, 0])),
    j: () => (inSolid() ? viewer?.turn(0, TURN) : viewer?.step([0, -1, 0])),
    k: () => (inSolid() ? viewer?.turn(0, -TURN) : viewer?.step([0, 1, 0])),
    a: onLesion((one) => actions.decide(one.id, "accept")),
    r: onLesion((one) => actions.decide(one.id, "reject")),
    t: onLesion((one) => void edit(nextType(one.id))),
    b: () => viewer?.preset(preset === "bone" ? "soft" : "bone"),
    o: () => setShown(!isShown),
    n: () => canEdit && !isDrawing && cross && setDialog("add"),
    e: onLesion(startDraw),
    p: () => isDrawing && setTool(true, pen.width),
    x: () => isDrawing && setTool(false, pen.width),
    c: () => {
      setTab("notes");
      requestAnimationFrame(() => document.getElementById("note-comment")?.focus());
    },
    z: inHand.undo,
    "Ctrl+z": inHand.undo,
    y: inHand.redo,
    "Ctrl+y": inHand.redo,
    "Ctrl+Z": inHand.redo,
    s: () => canEdit && !isTrial && me.role !== "reader" && setDialog("sign"),
    "?": () => setDialog("help"),
    Escape: () => (isDrawing ? discard() : !isTrial && go()),
  };
  ASPECTS.forEach((aspect, n) => (keys[String(n + 1)] = onLesion((one) => actions.mark(one.id, aspect))));
  useKeys(keys);

  const tabs = [
    {
      id: "lesions",
      title: `${t("ct.lesions")} (${reading.findings.length})`,
      body: () => (
        <>
          {canEdit && (
            <button className="add" disabled={!cross || isDrawing} title="n" onClick={() => setDialog("add")}>
              {t("ct.add")}
            </button>
          )}
          <Lesions reading={reading} current={current} canEdit={canEdit} isDrawing={isDrawing} actions={actions} />
        </>
      ),
    },
    { id: "notes", title: t("tab.notes"), body: () => <Notes review={review} softTissue={false} /> },
    ...(isTrial
      ? []
      : [
          { id: "compare", title: t("tab.compare"), body: () => <CtComparisonTab review={review} jump={jump} /> },
          { id: "strength", title: t("tab.strength"), body: () => <StrengthTab review={review} jump={jump} /> },
          { id: "difference", title: t("tab.difference"), body: () => <DifferenceTab review={review} /> },
        ]),
  ];
  return (
    <main className="review ct">
      <StudyBar me={me} review={inHand} sign={() => setDialog("sign")} help={() => setDialog("help")} isTrial={isTrial} />
      {!hasWebGl && <Fault error={new Error(t("ct.no3d"))} />}
      {error !== null && <Fault error={error} />}
      <div className="body">
        <section className="images" aria-label={t("view.tools")}>
          <div className="tools" role="toolbar" aria-label={t("ct.preset")}>
            {(["bone", "soft"] as const).map((one) => (
              <button key={one} aria-pressed={preset === one} title="b" onClick={() => viewer?.preset(one)}>
                {t(`ct.${one}`)}
              </button>
            ))}
            <button aria-pressed={isShown} title="o" onClick={() => setShown(!isShown)}>
              {t("ct.overlay")}
            </button>
            {cross && look && <Readout cross={cross} look={look} isCoarse={viewer?.isCoarse ?? false} />}
            {viewer?.isCoarse && stage === "all" && (
              <small className="cut" title={t("ct.coarse")}>
                {t("ct.coarse")}
              </small>
            )}
            {stage !== "all" && error === null && <small role="status">{t(STAGES[stage])}</small>}
          </div>
          {isDrawing && (
            <MaskTools
              isBrush={pen.isBrush}
              width={pen.width}
              set={setTool}
              keep={() => void keepDrawn()}
              discard={discard}
              undo={undoStroke}
            />
          )}
          <div className="volumes" data-ready={viewer !== null} data-stage={stage}>
            <div>
              <canvas ref={planes} role="img" aria-label={t("ct.label", { patient: study.patient_name })} tabIndex={0} />
              {look && <Marks tiles={look.tiles} />}
            </div>
            <div className="solid">
              <canvas ref={solid} role="img" aria-label="3-D" tabIndex={0} />
            </div>
          </div>
        </section>
        <section className="side" aria-label={t("tabs")}>
          <Tabs label={t("tabs")} tabs={tabs} open={tab} choose={setTab} />
        </section>
      </div>
      {dialog === "sign" && <SignDialog review={review} close={() => setDialog(null)} />}
      {dialog === "help" && <Help rows={CT_HELP} mouse="key.ctMouse" close={() => setDialog(null)} />}
      {dialog === "add" && <AddLesion add={(diameter) => void add(diameter)} close={() => setDialog(null)} />}
    </main>
  );
}

const labelOf = (one: Finding, current: string | null): number =>
  one.id === current ? CURRENT : (LABEL[one.kind] ?? OTHER);
