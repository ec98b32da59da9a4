import { useCallback, useEffect, useMemo, useState } from "react";

import * as calls from "../api/calls";
import type { Me, ViewName } from "../api/types";
import { DifferenceTab } from "../reading/difference";
import { Help } from "../reading/help";
import { levelOf, TOP, totalOf, type Score } from "../reading/levels";
import { Notes } from "../reading/notes";
import { ReadAgain } from "../reading/read_again";
import { SignDialog } from "../reading/sign";
import { CURIE, segmentOf, SIOPEN } from "../reading/sites";
import { StudyBar } from "../reading/study_bar";
import type { Finding, Reading } from "../reading/types";
import type { Review } from "../reading/use_review";
import { go } from "../router";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { Tabs } from "../ui/tabs";
import { useFetched } from "../ui/use_fetched";
import { useKeys, type Keys } from "../ui/use_keys";
import { fitted, type Camera } from "./camera";
import { Child } from "./child";
import { ComparisonTab } from "./comparison";
import { Findings } from "./findings";
import { PLANAR_HELP } from "./keys";
import { LevelTable } from "./level_table";
import { Tools, type Shown } from "./tools";
import { Totals } from "./totals";
import { useImages, useOutlines, type PlanarImage } from "./use_images";
import type { Cursor, ViewActions } from "./view";
import { ViewPair } from "./view_pair";
import { clampUpper, startUpper, stepUpper, type Window } from "./window";

type TabId = "siopen" | "curie" | "findings" | "notes" | "compare" | "difference";
const NO_CAMERA: Camera = { x: 0, y: 0, zoom: 1, fit: { width: 500, height: 1000 } };

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
  const prior = usePrior(priorId);

  const isCurie = tab === "curie";
  const score: Score = isCurie ? "curie" : "siopen";
  const places = isCurie ? CURIE : SIOPEN;
  const place = isCurie ? region : segment;
  const setPlace = isCurie ? setRegion : setSegment;

  const setLevel = (site: string, level: number | null, by: Score = score) => {
    if (!canEdit) return;
    void edit({ op: by === "siopen" ? "level" : "curie", site, level });
  };
  const raise = (site: string, by: 1 | -1) => {
    const now = levelOf(reading, "siopen", site).value;
    const next = now === null ? 0 : (now + by + TOP.siopen + 1) % (TOP.siopen + 1);
    setLevel(site, next, "siopen");
  };
  const remove = (id: string) => canEdit && void edit({ op: "remove", finding: id });
  const add = async (view: ViewName, column: number, row: number) => {
    const known = new Set(reading.findings.map((one) => one.id));
    const after = await edit({ op: "add", view, x: column + 0.5, y: row + 0.5 });
    const made = after?.findings.find((one) => !known.has(one.id));
    if (!made) return;
    setFinding(made.id);
    setSegment(segmentOf(made.site));
  };
  const step = (by: 1 | -1) => setPlace(stepIn(places, place, by));
  const stepFinding = (by: 1 | -1) => {
    const ids = reading.findings.map((one) => one.id);
    const next = stepIn(ids, finding, by);
    setFinding(next);
    setSegment(segmentOf(reading.findings.find((one) => one.id === next)?.site ?? "soft_tissue"));
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
    hover: (hit) => hit && chooseFinding(hit),
    mark: (view, column, row, hit, alt) => {
      if (!canEdit) return;
      if (hit && (alt || hit.kind === "focal")) remove(hit.id);
      else void add(view, column, row);
    },
  };
  const chooseFinding = (hit: Finding) => {
    setFinding(hit.id);
    setSegment(segmentOf(hit.site));
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
    Escape: () => !isTrial && go(),
  };
  for (let level = 0; level <= TOP[score]; level++) {
    keys[String(level)] = () => place && setLevel(place, level);
  }
  useKeys(keys);

  const levels = (by: Score) => () => (
    <LevelTable
      reading={reading}
      prior={prior?.reading ?? null}
      score={by}
      sites={by === "curie" ? CURIE : SIOPEN}
      current={by === "curie" ? region : segment}
      canEdit={canEdit}
      choose={by === "curie" ? setRegion : setSegment}
      set={(site, level) => setLevel(site, level, by)}
    />
  );
  const tabs = [
    { id: "siopen", title: t("tab.levels"), body: levels("siopen") },
    { id: "curie", title: t("tab.curie"), body: levels("curie") },
    {
      id: "findings",
      title: `${t("tab.findings")} (${reading.findings.length})`,
      body: () => (
        <Findings
          reading={reading}
          current={finding}
          canEdit={canEdit}
          choose={setFinding}
          remove={remove}
          move={(id, site) => void edit({ op: "move", finding: id, site })}
        />
      ),
    },
    { id: "notes", title: t("tab.notes"), body: () => <Notes review={review} /> },
    ...(isTrial
      ? []
      : [
          {
            id: "compare",
            title: t("tab.compare"),
            body: () => <ComparisonTab review={review} prior={priorId} choose={setPriorId} />,
          },
          { id: "difference", title: t("tab.difference"), body: () => <DifferenceTab review={review} /> },
        ]),
  ];
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
          />
          {error !== null && <Fault error={error} />}
          <div className="pairs">
            <ViewPair
              {...shared}
              views={views}
              reading={reading}
              outlines={outlines}
              patient={study.patient_name}
              current={{ finding, segment }}
              actions={actions}
            />
            {prior && prior.views.length > 0 && (
              <PriorPair shared={shared} prior={prior} patient={study.patient_name} actions={actions} date={priorDate(review, priorId)} />
            )}
          </div>
        </section>
        <section className="schematic" aria-label={t("child.title")}>
          {!isTrial && study.state === "read" && !totalOf(reading, "siopen") && (
            <ReadAgain id={study.id} tracer="mIBG" done={review.reload} />
          )}
          <Totals reading={reading} prior={prior?.reading ?? null} />
          <Child reading={reading} current={segment} choose={setSegment} {...(canEdit ? { raise } : {})} />
          {prior?.reading && <Child reading={prior.reading} current={segment} small />}
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

const priorDate = (review: Review, id: string | null): string =>
  review.study.priors.find((one) => one.id === id)?.date ?? "";

function stepIn(all: readonly string[], now: string | null, by: 1 | -1): string | null {
  if (all.length === 0) return null;
  const at = now === null ? (by === 1 ? -1 : 0) : all.indexOf(now);
  return all[(at + by + all.length) % all.length] ?? null;
}

/** How the images are looked at: camera, window, cursor, outlines. */
function useLook(views: readonly PlanarImage[]) {
  const [window, setWindow] = useState<Window>({ upper: 100, root: false, mean: false, smooth: true });
  const [camera, setCamera] = useState<Camera>(NO_CAMERA);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const [shown, setShown] = useState<Shown>({ segments: true, findings: true });
  const reset = useCallback(() => {
    const first = views[0];
    if (first) setCamera(fitted(first.counts, first.maximum, first.shape));
  }, [views]);
  useEffect(() => {
    const first = views[0];
    if (!first) return;
    reset();
    setWindow((now) => ({ ...now, upper: startUpper(first.counts, first.maximum) }));
  }, [views, reset]);
  return { window, setWindow, camera, setCamera, cursor, setCursor, shown, setShown, reset };
}

interface Prior {
  reading: Reading;
  views: readonly PlanarImage[];
  outlines: null;
}

function usePrior(id: string | null): Prior | null {
  const base = id === null ? null : calls.studyBase(id);
  const { views } = useImages(base);
  const { value } = useFetched(() => calls.reading(base ?? ""), base);
  return useMemo(() => (base !== null && value ? { reading: value, views, outlines: null } : null), [base, value, views]);
}

/** The prior's views, read only: camera, cursor and window are those of the current study. */
function PriorPair({
  shared,
  prior,
  patient,
  actions,
  date,
}: {
  shared: { camera: Camera; window: Window; cursor: Cursor | null; shown: Shown };
  prior: Prior;
  patient: string;
  actions: ViewActions;
  date: string;
}) {
  const still: ViewActions = { ...actions, mark: () => undefined, hover: () => undefined };
  const camera = usePriorCamera(shared.camera, prior.views);
  const upper = useMemo(() => {
    const first = prior.views[0];
    return first ? startUpper(first.counts, first.maximum) : 100;
  }, [prior.views]);
  return (
    <ViewPair
      {...shared}
      camera={camera}
      window={{ ...shared.window, upper }}
      views={prior.views}
      reading={prior.reading}
      outlines={null}
      patient={patient}
      current={{ finding: null, segment: null }}
      actions={still}
      date={date}
    />
  );
}

/** The current camera, moved by the difference between where the two children lie. */
function usePriorCamera(camera: Camera, views: readonly PlanarImage[]): Camera {
  const own = useMemo(() => {
    const first = views[0];
    return first ? fitted(first.counts, first.maximum, first.shape) : null;
  }, [views]);
  return own === null ? camera : { ...own, zoom: camera.zoom };
}
