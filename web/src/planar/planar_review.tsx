import { useState } from "react";

import type { Edit, Me } from "../api/types";
import { Help } from "../reading/help";
import { levelOf, TOP, totalOf, type Score } from "../reading/levels";
import { PriorName } from "../reading/prior_name";
import { ReadAgain } from "../reading/read_again";
import { SignDialog } from "../reading/sign";
import { CURIE, regionOf, segmentOf, segmentsOf, SIOPEN } from "../reading/sites";
import { StudyBar } from "../reading/study_bar";
import type { Finding } from "../reading/types";
import type { Review } from "../reading/use_review";
import { go } from "../router";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { Tabs } from "../ui/tabs";
import { useKeys, type Keys } from "../ui/use_keys";
import { Child } from "./child";
import { PLANAR_HELP } from "./keys";
import { useLasso } from "./lasso";
import { planarTabs } from "./planar_tabs";
import { PriorPair, usePrior } from "./prior_pair";
import { Tools } from "./tools";
import { Totals } from "./totals";
import { useImages, useOutlines } from "./use_images";
import { useLook } from "./use_look";
import type { ViewActions } from "./view";
import { ViewPair } from "./view_pair";
import { clampUpper, stepUpper } from "./window";

type TabId = "siopen" | "curie" | "findings" | "notes" | "compare" | "difference";

/** The mIBG review: both views, the schematic child, levels, foci, notes, the prior. */
export function PlanarReview({ me, review, isTrial = false }: { me: Me; review: Review; isTrial?: boolean }) {
  const { t } = useTexts();
  const { study, reading, canEdit, edit } = review;
  const { views, error } = useImages(review.base);
  const outlines = useOutlines(review.base);
  const look = useLook(views);
  const [segment, setSegment] = useState<string | null>(null);
  const [region, setRegion] = useState<string | null>(null);
  const [finding, setFinding] = useState<string | null>(null);
  const [tab, setTab] = useState<TabId>("siopen");
  const [dialog, setDialog] = useState<"sign" | "help" | null>(null);
  const [priorId, setPriorId] = useState<string | null>(null);
  const { prior, fault: priorFault } = usePrior(priorId);

  const stated = study.priors.find((one) => one.id === priorId);

  const isCurie = tab === "curie";
  const score: Score = isCurie ? "curie" : "siopen";
  const places = isCurie ? CURIE : SIOPEN;
  const place = isCurie ? region : segment;
  const pointed = isCurie && region !== null ? segmentsOf(region) : segment === null ? [] : [segment];
  /** A unit or segment, by either score: what is highlighted is what a key sets. */
  const pointAt = (unit: string) => {
    setSegment(segmentOf(unit));
    setRegion(regionOf(unit));
  };
  const pointAtRegion = (one: string) => {
    const [only = null, second] = segmentsOf(one);
    setSegment(second === undefined ? only : null);
    setRegion(one);
  };

  const setLevel = (site: string, level: number | null, by: Score = score) => {
    if (!canEdit) return;
    void edit({ op: by === "siopen" ? "level" : "curie", site, level });
  };
  const raise = (site: string, by: 1 | -1) => {
    if (!canEdit) return;
    void edit((now) => {
      const { value } = levelOf(now, "siopen", site);
      const level = levelBeside(value, by);
      return level === value ? null : { op: "level", site, level };
    });
  };
  const remove = (id: string) => {
    if (!canEdit) return;
    setFinding((now) => (now === id ? null : now));
    void edit(({ findings }) => (findings.some((one) => one.id === id) ? { op: "remove", finding: id } : null));
  };
  const showFindings = () => look.setShown((now) => ({ ...now, findings: true }));
  const make = async (change: Edit) => {
    let known = new Set<string>();
    const after = await edit((now) => {
      known = new Set(now.findings.map((one) => one.id));
      return change;
    });
    const made = after?.findings.find((one) => !known.has(one.id));
    if (!made) return;
    showFindings();
    chooseFinding(made);
  };
  const lasso = useLasso(({ view, points }) => void make({ op: "outline", view, points }));
  const toggleLasso = () => {
    if (!canEdit) return;
    lasso.toggle();
    // The keys that draw belong to a view.
    if (!lasso.isOn && !document.activeElement?.matches(".frame")) document.querySelector<HTMLElement>(".frame")?.focus();
  };
  const step = (by: 1 | -1) => {
    const next = stepIn(places, place, by);
    if (next !== null) (isCurie ? pointAtRegion : pointAt)(next);
  };
  const stepFinding = (by: 1 | -1) => {
    const next = stepIn(reading.findings.map((one) => one.id), finding, by);
    if (next !== null) chooseId(next);
  };
  const openNote = (id: string) => {
    setTab("notes");
    requestAnimationFrame(() => document.getElementById(id)?.focus());
  };
  const moveFocus = () => {
    if (finding === null) return;
    setTab("findings");
    requestAnimationFrame(() => document.getElementById(`site-of-${finding}`)?.focus());
  };
  const togglePrior = () => setPriorId((now) => (now === null ? (study.priors[0]?.id ?? null) : null));

  const actions: ViewActions = {
    setCamera: look.setCamera,
    setUpper: (upper) => look.setWindow({ ...look.window, upper: clampUpper(upper) }),
    setCursor: look.setCursor,
    hover: (hit) => hit && look.shown.findings && chooseFinding(hit),
    mark: (view, column, row, hit, alt) => {
      if (!canEdit) return;
      // What is hidden may lie there already: shown first, marked by the next click.
      if (!look.shown.findings) {
        showFindings();
        if (hit) chooseFinding(hit);
      } else if (hit && (alt || hit.kind === "focal")) remove(hit.id);
      else void make({ op: "add", view, x: column + 0.5, y: row + 0.5 });
    },
  };
  const chooseFinding = (hit: Finding) => {
    setFinding(hit.id);
    pointAt(hit.site);
  };
  const chooseId = (id: string) => {
    const one = reading.findings.find((other) => other.id === id);
    if (one) chooseFinding(one);
  };

  const setUpper = (by: 1 | -1) => look.setWindow({ ...look.window, upper: stepUpper(look.window.upper, by) });
  const keys: Keys = {
    x: () => place && setLevel(place, null),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    k: () => setTab(isCurie ? "siopen" : "curie"),
    f: () => stepFinding(1),
    F: () => stepFinding(-1),
    Delete: () => finding && remove(finding),
    Backspace: () => finding && remove(finding),
    m: moveFocus,
    d: toggleLasso,
    "-": () => setUpper(-1),
    "+": () => setUpper(1),
    "=": () => setUpper(1),
    q: () => look.setWindow({ ...look.window, root: !look.window.root }),
    g: () => look.setWindow({ ...look.window, mean: !look.window.mean }),
    b: () => look.setWindow({ ...look.window, smooth: !look.window.smooth }),
    o: () => look.setShown({ ...look.shown, findings: !look.shown.findings }),
    O: () => look.setShown({ ...look.shown, segments: !look.shown.segments }),
    i: () => look.setCamera({ ...look.camera, zoom: Math.min(12, look.camera.zoom * 1.3) }),
    I: () => look.setCamera({ ...look.camera, zoom: Math.max(0.7, look.camera.zoom / 1.3) }),
    w: look.reset,
    p: togglePrior,
    c: () => openNote("note-comment"),
    t: () => openNote("note-soft_tissue"),
    z: review.undo,
    "Ctrl+z": review.undo,
    y: review.redo,
    "Ctrl+y": review.redo,
    "Ctrl+Z": review.redo,
    s: () => canEdit && !isTrial && me.role !== "reader" && setDialog("sign"),
    "?": () => setDialog("help"),
    Escape: () => (lasso.isOn ? lasso.toggle() : !isTrial && go()),
  };
  for (let level = 0; level <= TOP[score]; level++) {
    keys[String(level)] = () => place && setLevel(place, level);
  }
  useKeys(keys);

  const tabs = planarTabs({
    review,
    prior: prior?.reading ?? null,
    priorId,
    current: { segment, region, finding },
    isTrial,
    t,
    chooseLevel: { siopen: pointAt, curie: pointAtRegion },
    chooseFinding: chooseId,
    choosePrior: setPriorId,
    setLevel,
    remove,
  });
  const shared = { camera: look.camera, window: look.window, cursor: look.cursor, shown: look.shown };
  return (
    <main className="review planar">
      <StudyBar me={me} review={review} sign={() => setDialog("sign")} help={() => setDialog("help")} isTrial={isTrial} />
      <div className="body">
        <section className="images" aria-label={t("view.tools")}>
          <Tools
            window={look.window}
            shown={look.shown}
            setWindow={look.setWindow}
            setShown={look.setShown}
            reset={look.reset}
            lasso={canEdit ? { ...lasso, toggle: toggleLasso } : null}
          />
          {error !== null && <Fault error={error} />}
          {priorFault !== null && <Fault error={priorFault} />}
          <PriorName study={study} prior={priorId} />
          <div className="pairs">
            <ViewPair
              {...shared}
              views={views}
              reading={reading}
              outlines={outlines}
              patient={study.patient_name}
              current={{ finding, segments: pointed }}
              actions={actions}
              lasso={lasso}
            />
            {prior && prior.views.length > 0 && (
              <PriorPair
                shared={shared}
                views={views}
                prior={prior}
                patient={stated?.patient_name ?? ""}
                actions={actions}
                date={stated?.date ?? ""}
              />
            )}
          </div>
        </section>
        <section className="schematic" aria-label={t("child.title")}>
          {!isTrial && study.state === "read" && !totalOf(reading, "siopen") && (
            <ReadAgain id={study.id} tracer="mIBG" done={review.reload} />
          )}
          <Totals reading={reading} prior={prior?.reading ?? null} />
          <Child reading={reading} current={pointed} choose={pointAt} {...(canEdit ? { raise } : {})} />
          {prior?.reading && <Child reading={prior.reading} current={pointed} small />}
        </section>
        <section className="side" aria-label={t("tabs")}>
          <Tabs label={t("tabs")} tabs={tabs} open={tab} choose={(id) => setTab(id as TabId)} />
        </section>
      </div>
      {dialog === "sign" && <SignDialog review={review} close={() => setDialog(null)} />}
      {dialog === "help" && <Help rows={PLANAR_HELP} mouse="key.mouse" close={() => setDialog(null)} />}
    </main>
  );
}

const levelBeside = (now: number | null, by: 1 | -1): number =>
  now === null ? 0 : Math.max(0, Math.min(TOP.siopen, now + by));

function stepIn(all: readonly string[], now: string | null, by: 1 | -1): string | null {
  if (all.length === 0) return null;
  const at = now === null ? (by === 1 ? -1 : 0) : all.indexOf(now);
  return all[(at + by + all.length) % all.length] ?? null;
}
